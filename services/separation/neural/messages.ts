/** Messages between the service and the process that runs a model. */
import type { AudioErrorCode } from '../../../schema.ts';
import type { ChosenModel } from '../models/choose.ts';
import type { SeparatedFiles, SeparationJob } from '../separate-file.ts';
import type { GraphOptions } from './open-session.ts';
import type { ProviderName } from '../settings.ts';
import type { ModelErrorCode } from './errors.ts';

/** What the process is to do. `song`: path of the file of the song. */
export type ModelJob = SeparationJob & { song: string; chosen: ChosenModel; options: GraphOptions };

/** What the process tells. The last message is a result or a failure. */
export type ModelMessage =
  | { kind: 'progress'; done: number; total: number }
  | { kind: 'result'; separated: SeparatedFiles }
  | { kind: 'audio-error'; code: AudioErrorCode; message: string; hint?: string }
  | { kind: 'model-error'; code: ModelErrorCode; message: string; hint: string }
  | { kind: 'failed'; message: string };

/** What the process that opens a model is to do. `path`: the graph; undefined to load the runtime alone. */
export type CheckTask = { path: string | undefined; runtimeFolder: string; provider: ProviderName };

/** What the process that opens a model tells. */
export type CheckMessage =
  { kind: 'opened'; samples: number | undefined } | Extract<ModelMessage, { kind: 'model-error' }>;
