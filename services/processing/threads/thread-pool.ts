/**
 * Worker threads for the heavy part of rendering. A process runs at most `MAX_BUSY_THREADS` jobs at a time, over all renders. Each
 * render has threads of its own, so that closing them stops it at once.
 */
import { Worker } from 'node:worker_threads';
import { RenderError } from '../errors.ts';
import type { ErrorMessage, JobInput, JobKind, JobOutput, ThreadMessage } from './messages.ts';

/** Jobs that run at the same time in this process. */
const MAX_BUSY_THREADS = 2;

let busy = 0;
const waiting: (() => void)[] = [];

/** Waits for a slot, first come, first served. */
async function acquireSlot(): Promise<void> {
  if (busy < MAX_BUSY_THREADS) {
    busy++;
    return;
  }
  await new Promise<void>((resolve) => waiting.push(resolve));
}

/** Gives the slot to the next one that waits, or frees it. */
function releaseSlot(): void {
  const next = waiting.shift();
  if (next) next();
  else busy--;
}

/** The threads of one render. They are started when they are needed and end when the signal fires. */
export class RenderThreads {
  readonly #signal: AbortSignal;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #ending: Promise<unknown>[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => void this.close(), { once: true });
  }

  /**
   * Performs a job in a thread.
   * @throws RenderError if the job fails or its thread ends; the reason of the signal as soon as it fires
   */
  async run<K extends JobKind>(
    kind: K,
    input: JobInput<K>,
    onProgress: (message: string) => void = () => undefined,
  ): Promise<JobOutput<K>> {
    await acquireSlot();
    try {
      this.#signal.throwIfAborted();
      const worker = this.#idle.pop() ?? this.#start();
      const output = await this.#perform(worker, { kind, input }, onProgress);
      this.#idle.push(worker);
      return output as JobOutput<K>;
    } finally {
      releaseSlot();
    }
  }

  /** Ends all threads, also busy ones. Resolves when all have ended. */
  async close(): Promise<void> {
    for (const worker of this.#all) this.#ending.push(worker.terminate());
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.allSettled(this.#ending);
  }

  /** Ends the idle threads, which frees the memory of their earlier jobs. Later jobs start new threads. */
  endIdle(): void {
    for (const worker of this.#idle.splice(0)) {
      this.#all.delete(worker);
      void worker.terminate();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./thread.ts', import.meta.url));
    // `#perform` handles the errors of a job. Without a listener, an error between two jobs would end the process.
    worker.on('error', () => {});
    // A thread that ends while it is idle must get no more jobs: nothing would come back.
    worker.once('exit', () => {
      this.#all.delete(worker);
      const index = this.#idle.indexOf(worker);
      if (index >= 0) this.#idle.splice(index, 1);
    });
    this.#all.add(worker);
    return worker;
  }

  #perform(worker: Worker, job: unknown, onProgress: (message: string) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onExit);
        this.#signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => finish(() => reject(this.#signal.reason));
      const onError = (cause: unknown): void => finish(() => reject(threadError(cause)));
      const onExit = (): void => finish(() => reject(threadError(undefined)));
      const onMessage = (message: ThreadMessage): void => {
        if (message.kind === 'progress') onProgress(message.message);
        if (message.kind === 'done') finish(() => resolve(message.output));
        if (message.kind === 'failed') finish(() => reject(toRenderError(message.error)));
      };
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
      this.#signal.addEventListener('abort', onAbort, { once: true });
      worker.postMessage(job);
    });
  }
}

function threadError(cause: unknown): RenderError {
  return new RenderError('render_failed', 'A rendering thread ended unexpectedly', 'Render again.', cause);
}

function toRenderError({ code, message, hint }: ErrorMessage): RenderError {
  return new RenderError(code ?? 'render_failed', message, hint ?? 'Render again.');
}
