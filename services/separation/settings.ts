/** Settings of the separation service, from environment variables. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { emptyIsUnset } from '../http/environment.ts';

/** What ONNX Runtime computes with. */
export const PROVIDERS = ['cpu', 'cuda', 'coreml', 'dml'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Environment variables of the separation service. */
export const SeparationEnvironment = z.object({
  SEPARATION_MODEL: z
    .preprocess(emptyIsUnset, z.string().optional())
    .describe(
      'Model of the separation: `classical`, the name of an installed model, or the path of an ONNX file of one’s own. Default: what `mashup models use` chose.',
    ),
  MODELS_DIR: z
    .preprocess(emptyIsUnset, z.string().optional())
    .describe('Folder of installed models. The local stack sets it to `models` in its data directory.'),
  SEPARATION_THREADS: z
    .preprocess(emptyIsUnset, z.coerce.number().int().min(1).max(256).optional())
    .describe('Threads of a model. Default: one for each processor.'),
  SEPARATION_PROVIDER: z
    .preprocess(emptyIsUnset, z.enum(PROVIDERS, { error: `must be one of ${PROVIDERS.join(', ')}` }).default('cpu'))
    .describe('What a model is computed with. The processor takes over what the chosen one cannot do.'),
});

/** Settings of the separation service. */
export type SeparationSettings = {
  model: string | undefined;
  modelsDir: string | undefined;
  threads: number;
  provider: ProviderName;
};

/**
 * Reads the settings.
 * @throws Error that names each invalid variable
 */
export function readSeparationSettings(environment: NodeJS.ProcessEnv): SeparationSettings {
  const parsed = SeparationEnvironment.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`Invalid settings: ${faults.join('; ')}`);
  }
  const { SEPARATION_MODEL, MODELS_DIR, SEPARATION_THREADS, SEPARATION_PROVIDER } = parsed.data;
  return {
    model: SEPARATION_MODEL,
    modelsDir: MODELS_DIR,
    threads: SEPARATION_THREADS ?? availableParallelism(),
    provider: SEPARATION_PROVIDER,
  };
}
