/** Opens a model once, in a process of its own: a fault in native code ends that process only. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onceEnded } from './child-end.ts';
import type { ProviderName } from '../settings.ts';
import { ModelError } from './errors.ts';
import type { CheckMessage, CheckTask } from './messages.ts';

const PROCESS = fileURLToPath(new URL('./check-process.ts', import.meta.url));
/** htdemucs is opened within two seconds. */
const TIMEOUT_MS = 60_000;

/**
 * Loads ONNX Runtime and opens a graph.
 * @param model.path the graph; undefined to load the runtime alone
 * @returns the length of its segments, in samples at 44.1 kHz; undefined without a graph
 * @throws ModelError `model_runtime_missing`, `model_broken`, `model_unknown_form`,
 *   `model_provider_missing`, `model_failed`; the reason of `signal`
 */
export async function checkGraph(
  model: Omit<CheckTask, 'provider'>,
  { signal, provider = 'cpu' }: { signal?: AbortSignal; provider?: ProviderName } = {},
): Promise<number | undefined> {
  signal?.throwIfAborted();
  const child = fork(PROCESS, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const stop = (): void => void child.kill('SIGKILL');
  const timer = setTimeout(stop, TIMEOUT_MS);
  signal?.addEventListener('abort', stop, { once: true });
  let told: CheckMessage | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message) => (told = message as CheckMessage));
      child.once('error', reject);
      onceEnded(child, () => resolve());
      child.send({ ...model, provider } satisfies CheckTask, () => {});
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
  signal?.throwIfAborted();
  if (told?.kind === 'opened') return told.samples;
  if (told) throw new ModelError(told.code, told.message, { hint: told.hint });
  throw new ModelError('model_failed', 'The process that opens the separation model ended before it had opened it.', {
    hint: 'Check that the machine has enough memory, or use the classical separation.',
  });
}
