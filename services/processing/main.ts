/** Runs the rendering service as a process. */
import { runService } from '../http/run.ts';
import { createProcessingServer } from './server/server.ts';
import { SERVICE_DEFAULTS } from '../../schema.ts';

await runService(createProcessingServer(), { service: 'processing', defaultPort: SERVICE_DEFAULTS.processing.port });
