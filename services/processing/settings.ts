/** Settings of the rendering service, from environment variables. */
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { emptyIsUnset } from '../http/environment.ts';

const DEFAULT_CACHE_DIR = join(tmpdir(), `mashup-render-cache-${process.getuid?.() ?? 'user'}`);

/** Environment variables of the rendering service. */
export const ProcessingEnvironment = z.object({
  RENDER_THREADS: z
    .preprocess(emptyIsUnset, z.coerce.number().int().min(1).max(256).optional())
    .describe('Threads that render at the same time, over all renders. Default: one for each processor.'),
  RENDER_CACHE_DIR: z
    .preprocess(emptyIsUnset, z.string().optional())
    .describe(
      'Folder of the cache with which iterations render only what changes. It must belong to the user of the process and be closed to others; it is created if it is not there. Default: `mashup-render-cache-UID` in the temporary folder.',
    ),
  RENDER_CACHE_MB: z
    .preprocess(emptyIsUnset, z.coerce.number().int().min(0).max(1_000_000).default(1024))
    .describe('Largest size of that cache, in MB. A minute of a mashup takes about 100. `0`: no cache.'),
});

/** Settings of the rendering service. */
export type ProcessingSettings = { threads: number; cacheDir: string; cacheBytes: number };

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
  const { RENDER_THREADS, RENDER_CACHE_DIR, RENDER_CACHE_MB } = parsed.data;
  return {
    threads: RENDER_THREADS ?? availableParallelism(),
    cacheDir: RENDER_CACHE_DIR ?? DEFAULT_CACHE_DIR,
    cacheBytes: RENDER_CACHE_MB * 2 ** 20,
  };
}
