/**
 * The thread that runs a graph. In parallel order ONNX Runtime keeps the thread that called it in a loop until the run has ended, which no
 * option turns off. On a priority of its own this thread leaves the processor to those that compute.
 */
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { ModelError } from './errors.ts';
import { openSession } from './open-session.ts';
import type { GraphOptions } from './open-session.ts';
import { loadRuntime } from './runtime.ts';
import type { Runtime, RuntimeSession } from './runtime.ts';
import type { NamedValues, SessionMessage } from './session-messages.ts';

/** What a session opens. */
export interface ThreadTask {
  runtimeFolder: string;
  path: string;
  options: GraphOptions;
}

const port = parentPort!;
/** Arrays of results go to the other side without a copy. */
const post = (message: SessionMessage): void =>
  port.postMessage(
    message,
    message.kind === 'results' ? Object.values(message.results).map(({ data }) => data.buffer) : [],
  );

/** Lowers the priority of this thread alone. Only Linux has one for each thread; elsewhere that of the process would change. */
function waitBehindOthers(): void {
  if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);
}

async function run({ Tensor }: Runtime, session: RuntimeSession, feeds: NamedValues): Promise<SessionMessage> {
  try {
    const inputs = Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor('float32', data, dims)]);
    const outputs = await session.run(Object.fromEntries(inputs));
    const results = Object.entries(outputs).map(([name, { data, dims }]) => [name, { data, dims }]);
    return { kind: 'results', results: Object.fromEntries(results) as NamedValues };
  } catch (error) {
    return { kind: 'run-failed', message: String(error) };
  }
}

try {
  const { runtimeFolder, path, options } = workerData as ThreadTask;
  const runtime = loadRuntime(runtimeFolder);
  const session = await openSession(runtime, path, options);
  // The threads of the runtime have started by now, with the usual priority.
  waitBehindOthers();
  port.on('message', (feeds: NamedValues) => void run(runtime, session, feeds).then(post));
  post({ kind: 'opened', inputs: [...session.inputMetadata], outputs: [...session.outputMetadata] });
} catch (error) {
  if (!(error instanceof ModelError)) throw error;
  post({ kind: 'model-error', code: error.code, message: error.message, hint: error.hint });
}
