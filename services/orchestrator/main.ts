#!/usr/bin/env node
/** Runs the orchestrator as a process. */
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService, settingsOrExit } from '../http/run.ts';
import { createOrchestratorServer } from './server.ts';
import { readSettings } from './settings.ts';

await runService(createOrchestratorServer(settingsOrExit('orchestrator', readSettings)), {
  service: 'orchestrator',
  defaultPort: SERVICE_DEFAULTS.orchestrator.port,
});
