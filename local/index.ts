/**
 * The local stack: embedded Postgres, the local Supabase, edge functions, services and a worker on one machine, for laptops
 * and CI. Only the CLI, tests, benchmarks and scripts import it.
 */
export {
  AlreadyRunningError,
  LocalStackError,
  PartFailedError,
  PortTakenError,
  PostgresStartError,
  redactUrl,
} from './errors.ts';
export { dataPaths, DEFAULT_PORT_BASE } from './layout.ts';
export { startPostgres } from './postgres/launcher.ts';
export type { RunningPostgres, StartPostgresOptions } from './postgres/launcher.ts';
export { bootstrap } from '@mashup-engine/supabase-local/bootstrap';
export { runStack } from './foreground.ts';
export { PARTS, startStack } from './stack.ts';
export type { PartName, Stack, StartStackOptions } from './stack.ts';
export { readStack, StackInfo } from './state.ts';
