/** Settings of the rendering service, from environment variables. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';

const emptyIsUnset = (value: unknown): unknown => (value === '' ? undefined : value);

/** Environment variables of the rendering service. */
export const ProcessingEnvironment = z.object({
  RENDER_THREADS: z
    .preprocess(emptyIsUnset, z.coerce.number().int().min(1).max(256).optional())
    .describe('Threads that render at the same time, over all renders. Default: one for each processor.'),
});

/** Settings of the rendering service. */
export type ProcessingSettings = { threads: number };

/**
 * Reads the settings.
 * @throws Error that names each invalid variable
 */
export function readProcessingSettings(environment: NodeJS.ProcessEnv): ProcessingSettings {
  const parsed = ProcessingEnvironment.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`Invalid settings: ${faults.join('; ')}`);
  }
  return { threads: parsed.data.RENDER_THREADS ?? availableParallelism() };
}
