/** Separates a song with the method that is asked for. If a model fails and another method is allowed, the classical one takes over. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInThread } from '../../audio/thread.ts';
import { OWN_MODEL } from '../../schema.ts';
import type { SeparationChoice } from '../../schema.ts';
import { ServiceError } from '../http/errors.ts';
import { CLASSICAL } from './classical.ts';
import { chooseModel } from './models/choose.ts';
import type { ChosenModel } from './models/choose.ts';
import { ModelError } from './neural/errors.ts';
import { runModel } from './neural/run-model.ts';
import type { SeparatedFiles, SeparationJob } from './separate-file.ts';
import type { SeparationSettings } from './settings.ts';
import type { ThreadJob } from './thread.ts';

const THREAD = new URL('./thread.ts', import.meta.url);

export interface SeparationContext {
  method: SeparationChoice;
  settings: SeparationSettings;
  signal: AbortSignal;
  /** Receives the share that is separated, 0..1. */
  report: (event: { progress: number; message: string }) => void;
}

/**
 * Separates the bytes of a song to files in the folder of the job.
 * @returns the files, the model that separated them, and what the user is told about it
 * @throws AudioError; ServiceError 503 with the code of the model if it cannot be used and `method` is `neural`
 */
export async function separateBytes(
  bytes: Uint8Array<ArrayBuffer>,
  job: SeparationJob,
  context: SeparationContext,
): Promise<SeparatedFiles & { model: string; warnings: string[] }> {
  const warnings: string[] = [];
  if (context.method !== 'classical') {
    try {
      const chosen = await chooseModel(context.settings, context.method);
      if (chosen) return describe(await separateNeurally(bytes, job, chosen, context), chosen.model, warnings);
      if (context.method === 'neural') throw noModel();
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      if (context.method === 'neural') throw toServiceError(error);
      warnings.push(`${error.message} The classical separation was used instead. ${error.hint}`);
    }
  }
  const { signal } = context;
  const input: ThreadJob = { ...job, bytes };
  const separated = await runInThread<SeparatedFiles>(THREAD, input, { signal, transfer: [bytes.buffer] });
  return describe(separated, CLASSICAL.model, warnings);
}

/** Says what separated a song: with stems of its user `own`, and after a `+` what separated the rest, if it was. */
function describe(
  separated: SeparatedFiles,
  model: string,
  warnings: readonly string[],
): SeparatedFiles & { model: string; warnings: string[] } {
  const { own } = separated;
  if (!own) return { ...separated, model, warnings: [...warnings] };
  return {
    ...separated,
    model: own.isSeparated ? `${OWN_MODEL}+${model}` : OWN_MODEL,
    warnings: [...(own.isSeparated ? warnings : []), ...own.warnings],
  };
}

async function separateNeurally(
  bytes: Uint8Array,
  job: SeparationJob,
  chosen: ChosenModel,
  { settings: { threads, provider }, signal, report }: SeparationContext,
): Promise<SeparatedFiles> {
  const song = join(job.folder, 'song');
  await writeFile(song, bytes);
  return runModel(
    { ...job, song, chosen, options: { threads, provider } },
    {
      signal,
      onSegment: (done, total) => report({ progress: done / total, message: `Segment ${done} of ${total}` }),
      onWaiting: () => report({ progress: 0, message: 'Waiting for another song' }),
    },
  );
}

const noModel = (): ModelError =>
  new ModelError('model_missing', 'No separation model is chosen.', {
    hint: 'Run `npx mashup models install htdemucs`, or ask for the classical separation.',
  });

/** A repeated request succeeds as soon as the model can be used. */
const toServiceError = ({ message, code, hint }: ModelError): ServiceError =>
  new ServiceError(message, { status: code === 'model_memory' ? 503 : 400, code, hint });
