/** Runs the separation service as a process. */
import { constants, setPriority } from 'node:os';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService } from '../http/run.ts';
import { createSeparationServer } from './server.ts';

// On a machine that also renders, the opening of a mashup is rendered before the rest of its songs is separated. Threads inherit it.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
await runService(createSeparationServer(), { service: 'separation', defaultPort: SERVICE_DEFAULTS.separation.port });
