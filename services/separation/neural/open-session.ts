/** Opens a graph in ONNX Runtime. */
import type { ProviderName } from '../settings.ts';
import { ModelError } from './errors.ts';
import type { Runtime, RuntimeSession } from './runtime.ts';

export interface GraphOptions {
  /** Threads of one operation. */
  threads: number;
  provider: ProviderName;
}

/**
 * Options of the session. In sequential order the runtime plans the reuse of buffers ahead and keeps them from their first to their last use:
 * htdemucs then takes 2.5 to 5 GB instead of 1.2.
 */
const sessionOptions = ({ threads, provider }: GraphOptions): Record<string, unknown> => ({
  executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
  executionMode: 'parallel',
  interOpNumThreads: 2,
  intraOpNumThreads: threads,
  enableMemPattern: false,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
});

/**
 * Opens a graph.
 * @throws ModelError `model_broken`, `model_provider_missing`
 */
export async function openSession(runtime: Runtime, path: string, options: GraphOptions): Promise<RuntimeSession> {
  const { provider } = options;
  // The runtime leaves out a provider that it does not know, and uses the processor.
  if (!runtime.listSupportedBackends().some(({ name }) => name === provider)) throw providerMissing(provider);
  try {
    return await runtime.InferenceSession.create(path, sessionOptions(options));
  } catch (cause) {
    if (provider !== 'cpu' && /provider|backend/i.test(String(cause))) throw providerMissing(provider, cause);
    throw new ModelError('model_broken', 'The file of the separation model cannot be read.', {
      hint: 'Install the model again, or check the file that SEPARATION_MODEL names.',
      cause,
    });
  }
}

const providerMissing = (provider: ProviderName, cause?: unknown): ModelError =>
  new ModelError('model_provider_missing', `ONNX Runtime has no provider ${provider} on this machine.`, {
    hint: 'Set SEPARATION_PROVIDER=cpu, or install what the provider needs.',
    cause,
  });
