/** The thread of the classical separation. */
import { serveThread } from '../../audio/thread.ts';
import { CLASSICAL } from './classical.ts';
import { planOwnStems } from './own-stems/read-own.ts';
import { separateFile } from './separate-file.ts';
import type { SeparatedFiles, SeparationJob } from './separate-file.ts';

/** Input of the thread: a job, and a file in any supported format. */
export type ThreadJob = SeparationJob & { bytes: Uint8Array };

await serveThread(async ({ bytes, ...job }: ThreadJob): Promise<SeparatedFiles> => {
  const plan = job.own && (await planOwnStems(job.own.hasSong ? bytes : undefined, job.own.paths));
  return separateFile(bytes, job, CLASSICAL, plan);
});
