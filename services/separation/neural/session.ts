/** A graph that is open in a thread of its own. */
import { Worker } from 'node:worker_threads';
import { ModelError } from './errors.ts';
import type { ValueMetadata } from './runtime.ts';
import type { NamedValues, SessionMessage } from './session-messages.ts';
import type { ThreadTask } from './thread.ts';

const THREAD = new URL('./thread.ts', import.meta.url);

/** Runs a graph, one segment at a time. It must be closed. */
export class Session {
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
  readonly #worker: Worker;

  private constructor(worker: Worker, inputs: readonly ValueMetadata[], outputs: readonly ValueMetadata[]) {
    this.#worker = worker;
    this.inputs = inputs;
    this.outputs = outputs;
  }

  /**
   * Opens a graph.
   * @throws ModelError `model_runtime_missing`, `model_broken`, `model_provider_missing`
   */
  static async open(task: ThreadTask): Promise<Session> {
    const worker = new Worker(THREAD, { workerData: task, execArgv: [] });
    const opened = await answerOf(worker);
    if (opened.kind === 'opened') return new Session(worker, opened.inputs, opened.outputs);
    await worker.terminate();
    if (opened.kind === 'model-error') throw new ModelError(opened.code, opened.message, { hint: opened.hint });
    throw new Error(`The thread of the model answered ${opened.kind}.`);
  }

  /**
   * Runs the graph. The arrays of `feeds` can no longer be used after it.
   * @throws ModelError `model_failed`
   */
  async run(feeds: NamedValues): Promise<NamedValues> {
    const answer = answerOf(this.#worker);
    this.#worker.postMessage(
      feeds,
      Object.values(feeds).map(({ data }) => data.buffer),
    );
    const outcome = await answer;
    if (outcome.kind === 'results') return outcome.results;
    throw new ModelError('model_failed', 'The separation model failed.', {
      hint: 'Check that the machine has enough memory, or use the classical separation.',
      cause: 'message' in outcome ? outcome.message : outcome.kind,
    });
  }

  /** Ends the thread and releases the memory. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Waits for the next message. @throws Error if the thread fails or ends */
function answerOf(worker: Worker): Promise<SessionMessage> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const onMessage = (message: SessionMessage): void => {
      settle();
      resolve(message);
    };
    const onError = (error: unknown): void => {
      settle();
      reject(error as Error);
    };
    const onExit = (code: number): void => onError(new Error(`The thread of the model ended with code ${code}.`));
    worker.once('message', onMessage).once('error', onError).once('exit', onExit);
  });
}
