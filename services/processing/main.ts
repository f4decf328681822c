/** Runs the rendering service as a process. */
import { logError } from '../http/log.ts';
import { runService, settingsOrExit } from '../http/run.ts';
import { RenderCache } from './files/render-cache.ts';
import { createProcessingServer } from './server/server.ts';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { readProcessingSettings } from './settings.ts';
import { limitThreads } from './threads/thread-pool.ts';

const { threads, cacheDir, cacheBytes } = settingsOrExit('processing', readProcessingSettings);
limitThreads(threads);
const cache = RenderCache.open(cacheDir, cacheBytes);
if (cacheBytes > 0 && !cache) {
  logError(
    'processing',
    new Error(`Nothing is kept for iterations: the folder RENDER_CACHE_DIR (${cacheDir}) cannot be used.`),
  );
}
await runService(createProcessingServer({ cache }), {
  service: 'processing',
  defaultPort: SERVICE_DEFAULTS.processing.port,
});
