/** Runs signal processing in a separate thread: the event loop stays responsive and an abort ends the work at once. */
import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { AUDIO_ERROR_CODES } from '../schema.ts';
import { AudioError } from './errors.ts';

/** Concurrent threads of this process. */
const MAX_THREADS = Math.max(1, availableParallelism());

type Outcome =
  { ok: true; value: unknown } | { ok: false; message: string; code: string | undefined; hint: string | undefined };

let running = 0;
const waiting: (() => void)[] = [];

/** Waits for a free thread slot. Slots are given in the order of the calls. */
async function acquireSlot(signal?: AbortSignal): Promise<void> {
  if (running < MAX_THREADS) {
    running++;
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const start = (): void => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    };
    const cancel = (): void => {
      waiting.splice(waiting.indexOf(start), 1);
      reject(signal?.reason);
    };
    waiting.push(start);
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** Passes the slot to the next waiting call, if there is one. */
function releaseSlot(): void {
  const next = waiting.shift();
  if (next) next();
  else running--;
}

function toError(outcome: Extract<Outcome, { ok: false }>): Error {
  const code = AUDIO_ERROR_CODES.find((known) => known === outcome.code);
  return code ? new AudioError(code, outcome.message, { hint: outcome.hint }) : new Error(outcome.message);
}

/**
 * Runs the module `entry`, which calls `serveThread`, with `data` in a thread and returns its result. If `signal` is
 * aborted, the thread is terminated; its files are not removed.
 * @throws AudioError of the thread; the reason of `signal`; Error if the thread fails or ends early
 */
export async function runInThread<T>(
  entry: URL,
  data: unknown,
  options: { signal?: AbortSignal; transfer?: TransferListItem[] } = {},
): Promise<T> {
  const { signal, transfer = [] } = options;
  signal?.throwIfAborted();
  await acquireSlot(signal);
  try {
    signal?.throwIfAborted();
    // Decoders log every damaged frame to the console. Relevant faults are returned as errors.
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
    releaseSlot();
  }
}

/** Called in the thread: runs `work` once with the thread's data and posts its result or error. */
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
