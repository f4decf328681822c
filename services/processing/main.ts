/** Runs the rendering service as a process. */
import { runService } from '../http/run.ts';
import { createProcessingServer } from './server/server.ts';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { type ProcessingSettings, readProcessingSettings } from './settings.ts';
import { limitThreads } from './threads/thread-pool.ts';

function settingsOrExit(): ProcessingSettings {
  try {
    return readProcessingSettings(process.env);
  } catch (error) {
    process.stderr.write(`processing: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

limitThreads(settingsOrExit().threads);
await runService(createProcessingServer(), { service: 'processing', defaultPort: SERVICE_DEFAULTS.processing.port });
