/**
 * Worker threads for the heavy part of rendering. A process runs at most so many jobs at a time, over all renders, as it has processors.
 * Each render has threads of its own, so that closing them stops it at once.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { RenderError } from '../errors.ts';
import type { ErrorMessage, JobInput, JobKind, JobOutput, ThreadMessage } from './messages.ts';

/** Jobs that run at the same time in this process. */
let maxBusy = availableParallelism();
let busy = 0;
const waiting: { priority: number; start: () => void }[] = [];

/** Sets how many jobs run at the same time in this process. */
export function limitThreads(count: number): void {
  maxBusy = count;
}

/** Waits for a slot. The lowest priority number is served first, among equals the one that came first. */
async function acquireSlot(priority: number): Promise<void> {
  if (busy < maxBusy) {
    busy++;
    return;
  }
  await new Promise<void>((resolve) => {
    const behind = waiting.findIndex((other) => other.priority > priority);
    waiting.splice(behind < 0 ? waiting.length : behind, 0, { priority, start: resolve });
  });
}

/** Gives the slot to the next one that waits, or frees it. */
function releaseSlot(): void {
  const next = waiting.shift();
  if (next) next.start();
  else busy--;
}

/** `priority` is the section that needs the job first, counted from 0. */
type RunOptions = { priority?: number };

/** The threads of one render. They are started when they are needed and end when the signal fires. */
export class RenderThreads {
  /** Ends the threads when it fires. */
  readonly signal: AbortSignal;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #ending: Promise<unknown>[] = [];
  #isClosed = false;

  constructor(signal: AbortSignal) {
    this.signal = signal;
    signal.addEventListener('abort', () => void this.close(), { once: true });
  }

  /**
   * Performs a job in a thread.
   * @throws RenderError if the job fails or its thread ends; the reason of the signal as soon as it fires
   */
  async run<K extends JobKind>(kind: K, input: JobInput<K>, { priority = 0 }: RunOptions = {}): Promise<JobOutput<K>> {
    await acquireSlot(priority);
    try {
      this.signal.throwIfAborted();
      if (this.#isClosed) throw threadError(undefined);
      const worker = this.#idle.pop() ?? this.#start();
      const output = await this.#perform(worker, { kind, input });
      this.#idle.push(worker);
      return output as JobOutput<K>;
    } finally {
      releaseSlot();
    }
  }

  /** Ends all threads, also busy ones. Resolves when all have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
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

  #perform(worker: Worker, job: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onExit);
        this.signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => finish(() => reject(this.signal.reason));
      const onError = (cause: unknown): void => finish(() => reject(threadError(cause)));
      const onExit = (): void => finish(() => reject(threadError(undefined)));
      const onMessage = (message: ThreadMessage): void => {
        if (message.kind === 'done') finish(() => resolve(message.output));
        else finish(() => reject(toRenderError(message.error)));
      };
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
      this.signal.addEventListener('abort', onAbort, { once: true });
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
