/** Access of operator commands to the engine's database. */
import postgres from 'postgres';
import { postgresOptions } from '../connection/clients.ts';
import type { ConnectionError } from '../connection/errors.ts';
import { explainConnection } from '../connection/explain.ts';
import { readConnection } from '../connection/settings.ts';
import { readStack } from '../local/state.ts';
import type { StackOptions } from './connect.ts';
import { setting } from './environment.ts';
import { CliError, EXIT_USAGE } from './errors.ts';
import { MATCHES_TO_READ, parseJobId, pickJob } from './job-id.ts';

const CONNECT_TIMEOUT_SEC = 10;

/**
 * Returns the database URL of an operator command: DATABASE_URL, otherwise that of the running local stack. An explicit data
 * directory takes precedence over the environment.
 * @throws CliError `no_database`, and the code of a ConnectionError
 */
export function databaseUrl(options: StackOptions): string {
  const fromEnvironment = options.dataDir === undefined ? setting('DATABASE_URL') : undefined;
  const url = fromEnvironment || readStack(options.dataDir)?.dbUrl;
  if (url === undefined) {
    throw new CliError(
      'no_database',
      'There is no database: no local stack is running, and DATABASE_URL is not set.',
      'Start the stack with `mashup start`, or set DATABASE_URL.',
    );
  }
  try {
    readConnection(url);
  } catch (error) {
    const { code, hint, message } = error as ConnectionError;
    throw new CliError(code, message, hint, EXIT_USAGE, { cause: error });
  }
  return url;
}

/** Connects to the database, runs `work` and disconnects. @throws CliError also for a connection that fails */
export async function withDatabase<T>(options: StackOptions, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const url = databaseUrl(options);
  const sql = postgres(
    postgresOptions(url, {
      max: 1,
      onnotice: () => {},
      connect_timeout: CONNECT_TIMEOUT_SEC,
      // Works behind a transaction-mode pooler as well.
      prepare: false,
      connection: { application_name: 'mashup-cli' },
    }),
  );
  try {
    return await work(sql);
  } catch (error) {
    if ((error as { code?: unknown }).code === '42P01' || (error as { code?: unknown }).code === '3F000') {
      throw new CliError('not_migrated', 'The database does not have the engine.', 'Run `mashup migrate`.', undefined, {
        cause: error,
      });
    }
    const { code, hint, message } = explainConnection(error, url);
    if (code === 'unexpected') throw error;
    throw new CliError(code, `The database cannot be used: ${message}`, hint, undefined, { cause: error });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * Finds a job by its id, by the beginning of its id, or the newest one by `last`.
 * @throws CliError `bad_job_id`, `job_not_found`, `ambiguous_job_id` with the newest matches
 */
export async function findJobId(sql: postgres.Sql, text: string): Promise<string> {
  const reference = parseJobId(text);
  const rows =
    reference === 'last'
      ? await sql<{ id: string; stage: string }[]>`
          select id, stage from public.mashup_jobs order by created_at desc limit 1`
      : await sql<{ id: string; stage: string }[]>`
          select id, stage from public.mashup_jobs where id between ${reference.from} and ${reference.to}
          order by created_at desc limit ${MATCHES_TO_READ}`;
  const found = pickJob(text, rows);
  if (found !== undefined) return found.id;
  const what = reference === 'last' ? 'There are no jobs.' : `There is no job ${text}.`;
  throw new CliError('job_not_found', what, 'List the jobs with `mashup jobs`.', EXIT_USAGE);
}
