#!/usr/bin/env node
/** Runs the scoring service as a process. */
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService } from '../http/run.ts';
import { createScoringServer } from './server.ts';

await runService(createScoringServer(), { service: 'scoring', defaultPort: SERVICE_DEFAULTS.scoring.port });
