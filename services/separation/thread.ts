/** The thread of the classical separation. */
import { serveThread } from '../../audio/thread.ts';
import { CLASSICAL } from './classical.ts';
import { separateFile } from './separate-file.ts';
import type { SeparatedFiles, SeparationJob } from './separate-file.ts';

/** Input of the thread: a job, and a file in any supported format. */
export type ThreadJob = SeparationJob & { bytes: Uint8Array };

await serveThread(({ bytes, ...job }: ThreadJob): Promise<SeparatedFiles> => separateFile(bytes, job, CLASSICAL));
