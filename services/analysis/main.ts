/** Runs the analysis service as a process. */
import { SERVICE_DEFAULTS } from '../../schema.ts';
import { runService } from '../http/run.ts';
import { createAnalysisServer } from './server.ts';

await runService(createAnalysisServer(), { service: 'analysis', defaultPort: SERVICE_DEFAULTS.analysis.port });
