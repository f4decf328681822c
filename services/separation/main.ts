/** Runs the separation service as a process. */
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService } from '../http/run.ts';
import { createSeparationServer } from './server.ts';

await runService(createSeparationServer(), { service: 'separation', defaultPort: SERVICE_DEFAULTS.separation.port });
