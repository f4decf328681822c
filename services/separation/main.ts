/** Runs the separation service as a process. */
import { constants, getPriority, setPriority } from 'node:os';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService, settingsOrExit } from '../http/run.ts';
import { createSeparationServer } from './server.ts';
import { readSeparationSettings } from './settings.ts';

// On a machine that also renders, the opening of a mashup is rendered before the rest of its songs is separated. Threads inherit it.
// A process that was started with a lower priority keeps it: it may not raise it.
if (getPriority() < constants.priority.PRIORITY_BELOW_NORMAL) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

await runService(createSeparationServer(settingsOrExit('separation', readSeparationSettings)), {
  service: 'separation',
  defaultPort: SERVICE_DEFAULTS.separation.port,
});
