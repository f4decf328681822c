/** Runs a model in a process of its own, one song at a time. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AudioError } from '../../../audio/errors.ts';
import type { SeparatedFiles } from '../separate-file.ts';
import { onceEnded } from './child-end.ts';
import { ModelError } from './errors.ts';
import { assertMemory } from './memory.ts';
import type { ModelJob, ModelMessage } from './messages.ts';

const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url));

type OnSegment = (done: number, total: number) => void;

/** Time between two reports that a song waits for another one. Callers take a long silence for a failure. */
const WAIT_REPORT_MS = 10_000;

/** The end of the last song that was accepted. Two at a time would take twice the memory and no less time. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Separates a song with a model.
 * @param options `onSegment` receives the number of segments that are separated, and of all (estimated); `onWaiting` is called
 *   repeatedly while another song is separated
 * @throws AudioError; ModelError; the reason of `signal`
 */
export async function runModel(
  job: ModelJob,
  { signal, onSegment, onWaiting }: { signal: AbortSignal; onSegment?: OnSegment; onWaiting?: () => void },
): Promise<SeparatedFiles> {
  const before = last;
  const { promise: done, resolve: release } = Promise.withResolvers<void>();
  last = Promise.all([before, done]);
  const waiting = setInterval(() => onWaiting?.(), WAIT_REPORT_MS);
  try {
    await untilAborted(before, signal).finally(() => clearInterval(waiting));
    assertMemory();
    return await runProcess(job, signal, onSegment);
  } finally {
    release();
  }
}

/** Waits for a promise. @throws the reason of `signal` */
async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function runProcess(job: ModelJob, signal: AbortSignal, onSegment?: OnSegment): Promise<SeparatedFiles> {
  return new Promise((resolve, reject) => {
    const child = fork(PROCESS, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const abort = (): void => {
      child.kill('SIGKILL');
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    child.on('message', (message) => {
      const told = message as ModelMessage;
      if (told.kind === 'progress') onSegment?.(told.done, told.total);
      else if (told.kind === 'result') resolve(told.separated);
      else reject(errorOf(told));
    });
    child.once('error', (cause) => reject(ended('could not be started', cause)));
    onceEnded(child, (code, killedBy) => {
      signal.removeEventListener('abort', abort);
      reject(ended(killedBy === null ? `ended with code ${code}` : `was ended by ${killedBy}`));
    });
    child.send(job, (error) => {
      if (error) reject(ended('could not be reached', error));
    });
  });
}

function errorOf(message: Exclude<ModelMessage, { kind: 'progress' | 'result' }>): Error {
  if (message.kind === 'audio-error') return new AudioError(message.code, message.message, { hint: message.hint });
  if (message.kind === 'model-error') return new ModelError(message.code, message.message, { hint: message.hint });
  return new Error(message.message);
}

const ended = (how: string, cause?: unknown): ModelError =>
  new ModelError('model_failed', `The process of the separation model ${how}.`, {
    hint: 'Check that the machine has enough memory, or use the classical separation.',
    cause,
  });
