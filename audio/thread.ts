/** One piece of signal processing in a thread of its own: the event loop stays free, and an abort ends it at once. */
import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { AUDIO_ERROR_CODES } from '../schema.ts';
import { AudioError } from './errors.ts';

/** Threads of this process at a time; more would only make each slower. */
const MAX_THREADS = Math.max(1, availableParallelism());

type Outcome =
  { ok: true; value: unknown } | { ok: false; message: string; code: string | undefined; hint: string | undefined };

let running = 0;
const waiting: (() => void)[] = [];

async function takeSlot(signal?: AbortSignal): Promise<void> {
  if (running < MAX_THREADS) {
    running++;
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const start = (): void => {
      signal?.removeEventListener('abort', leave);
      resolve();
    };
    const leave = (): void => {
      waiting.splice(waiting.indexOf(start), 1);
      reject(signal?.reason);
    };
    waiting.push(start);
    signal?.addEventListener('abort', leave, { once: true });
  });
}

/** A freed slot goes to the next in line without becoming free. */
function leaveSlot(): void {
  const next = waiting.shift();
  if (next) next();
  else running--;
}

function toError(outcome: Extract<Outcome, { ok: false }>): Error {
  const code = AUDIO_ERROR_CODES.find((known) => known === outcome.code);
  return code ? new AudioError(code, outcome.message, { hint: outcome.hint }) : new Error(outcome.message);
}

/**
 * Runs the module `entry` (which calls `serveThread`) with `data` and returns what it answers. AudioErrors keep their type.
 * When `signal` fires, the thread is ended and its reason thrown; what the thread left on disk is the caller's to remove.
 */
export async function runInThread<T>(
  entry: URL,
  data: unknown,
  options: { signal?: AbortSignal; transfer?: TransferListItem[] } = {},
): Promise<T> {
  const { signal, transfer = [] } = options;
  signal?.throwIfAborted();
  await takeSlot(signal);
  try {
    signal?.throwIfAborted();
    // Decoders write each damaged frame to the console; what matters of that comes back as an error.
    const worker = new Worker(entry, { workerData: data, transferList: transfer, stdout: true, stderr: true });
    worker.stdout.resume();
    worker.stderr.resume();
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      const abort = (): void => {
        void worker.terminate();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`The processing thread ended early with code ${code}.`)));
    }).finally(() => worker.terminate());
    if (!outcome.ok) throw toError(outcome);
    return outcome.value as T;
  } finally {
    leaveSlot();
  }
}

/** The thread's side: does `work` once with the data it was started with, and answers. */
export async function serveThread<In, Out>(work: (data: In) => Promise<Out>): Promise<void> {
  let outcome: Outcome;
  try {
    outcome = { ok: true, value: await work(workerData as In) };
  } catch (error) {
    const known = error instanceof AudioError;
    const message = error instanceof Error ? error.message : String(error);
    outcome = { ok: false, message, code: known ? error.code : undefined, hint: known ? error.hint : undefined };
  }
  parentPort?.postMessage(outcome);
}
