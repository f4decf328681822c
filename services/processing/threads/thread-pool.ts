/**
 * Worker threads for the heavy part of rendering. A process runs at most `MAX_BUSY_THREADS` pieces of work at a time,
 * whoever asked for them; each render has threads of its own, so that closing them stops it at once.
 */
import { Worker } from 'node:worker_threads';
import { RenderError, type RenderErrorCode } from '../errors.ts';
import type { WorkInput, WorkKind, WorkOutput } from './thread.ts';

/** Pieces of work at the same time in this process. */
const MAX_BUSY_THREADS = 2;

/** What a thread sends back. */
export type ThreadMessage =
  | { kind: 'progress'; message: string }
  | { kind: 'done'; output: unknown }
  | { kind: 'failed'; error: { message: string; code?: RenderErrorCode; hint?: string } };

let busy = 0;
const waiting: (() => void)[] = [];

/** Waits for its turn, in order of asking. */
async function takeTurn(): Promise<void> {
  if (busy < MAX_BUSY_THREADS) {
    busy++;
    return;
  }
  await new Promise<void>((resolve) => waiting.push(resolve));
}

function endTurn(): void {
  const next = waiting.shift();
  if (next) next();
  else busy--;
}

export class RenderThreads {
  readonly #signal: AbortSignal;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #ending: Promise<unknown>[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => void this.close(), { once: true });
  }

  /** Does one piece of work in a thread. Rejects with the signal's reason as soon as it fires. */
  async run<K extends WorkKind>(
    kind: K,
    input: WorkInput<K>,
    onProgress: (message: string) => void = () => undefined,
  ): Promise<WorkOutput<K>> {
    await takeTurn();
    try {
      this.#signal.throwIfAborted();
      const worker = this.#idle.pop() ?? this.#start();
      const output = await this.#ask(worker, { kind, input }, onProgress);
      this.#idle.push(worker);
      return output as WorkOutput<K>;
    } finally {
      endTurn();
    }
  }

  /** Ends all threads, whatever they are doing; resolves when none runs any more. */
  async close(): Promise<void> {
    for (const worker of this.#all) this.#ending.push(worker.terminate());
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.allSettled(this.#ending);
  }

  /** Ends the threads that are idle, and with them what they still hold of earlier work. */
  renew(): void {
    for (const worker of this.#idle.splice(0)) {
      this.#all.delete(worker);
      void worker.terminate();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./thread.ts', import.meta.url));
    // Errors reach whoever waits for the answer; without a listener one between two answers would end the process.
    worker.on('error', () => {});
    // One that ends while it is idle gets no more work: nobody would answer.
    worker.once('exit', () => {
      this.#all.delete(worker);
      const place = this.#idle.indexOf(worker);
      if (place >= 0) this.#idle.splice(place, 1);
    });
    this.#all.add(worker);
    return worker;
  }

  #ask(worker: Worker, work: unknown, onProgress: (message: string) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onExit);
        this.#signal.removeEventListener('abort', onAbort);
        act();
      };
      const onAbort = (): void => settle(() => reject(this.#signal.reason));
      const onError = (cause: unknown): void => settle(() => reject(crashed(cause)));
      const onExit = (): void => settle(() => reject(crashed(undefined)));
      const onMessage = (message: ThreadMessage): void => {
        if (message.kind === 'progress') onProgress(message.message);
        if (message.kind === 'done') settle(() => resolve(message.output));
        if (message.kind === 'failed') settle(() => reject(revive(message.error)));
      };
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
      this.#signal.addEventListener('abort', onAbort, { once: true });
      worker.postMessage(work);
    });
  }
}

function crashed(cause: unknown): RenderError {
  return new RenderError('render_failed', 'A rendering thread ended unexpectedly', 'Render again.', cause);
}

function revive(error: { message: string; code?: RenderErrorCode; hint?: string }): RenderError {
  return new RenderError(error.code ?? 'render_failed', error.message, error.hint ?? 'Render again.');
}
