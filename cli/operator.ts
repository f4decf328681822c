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
import { checkJobId } from './job-id.ts';

const CONNECT_TIMEOUT_SEC = 10;
/** Jobs that the refusal of an ambiguous id lists. */
const LISTED_MATCHES = 5;

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
 * Finds a job by its id, or by at least the first eight characters of its id.
 * @throws CliError `bad_job_id`, `job_not_found`, `ambiguous_job_id` with the newest matches
 */
export async function findJobId(sql: postgres.Sql, text: string): Promise<string> {
  checkJobId(text);
  const rows = await sql<{ id: string; stage: string }[]>`
    select id, stage from public.mashup_jobs where id::text like ${`${text.toLowerCase()}%`}
    order by created_at desc limit ${LISTED_MATCHES + 1}`;
  const [found] = rows;
  if (found === undefined) {
    throw new CliError('job_not_found', `There is no job ${text}.`, 'List the jobs with `mashup jobs`.');
  }
  if (rows.length > 1) throw ambiguous(text, rows);
  return found.id;
}

function ambiguous(text: string, rows: { id: string; stage: string }[]): CliError {
  const listed = rows.slice(0, LISTED_MATCHES).map(({ id, stage }) => `${id} (${stage})`);
  const [count, more] = rows.length > LISTED_MATCHES ? [`More than ${LISTED_MATCHES}`, ', …'] : [rows.length, ''];
  return new CliError(
    'ambiguous_job_id',
    `${count} job ids start with ${text}: ${listed.join(', ')}${more}.`,
    'Give more characters of the id.',
    EXIT_USAGE,
  );
}
