#!/usr/bin/env node
/** Runs the orchestrator as a process. */
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService } from '../http/run.ts';
import { createOrchestratorServer } from './server.ts';
import { readSettings, type ClaudeSettings } from './settings.ts';

function settingsOrExit(): ClaudeSettings | null {
  try {
    return readSettings(process.env);
  } catch (error) {
    process.stderr.write(`orchestrator: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

await runService(createOrchestratorServer(settingsOrExit()), {
  service: 'orchestrator',
  defaultPort: SERVICE_DEFAULTS.orchestrator.port,
});
