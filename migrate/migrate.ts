import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import postgres from 'postgres';
import { postgresOptions } from '../connection/clients.ts';
import { explainConnection } from '../connection/explain.ts';
import { retryLocked } from './lock-retry.ts';
import type { LockLimits } from './lock-retry.ts';
import { MigrateError } from './migrate-error.ts';
import { DEFAULT_QUEUE_SCHEMA, migrateQueue } from './migrate-queue.ts';

/** Migrations of this project. */
export const MIGRATIONS_DIR = join(import.meta.dirname, '..', 'supabase', 'migrations');

/** Key of the advisory lock: two runs on one database wait for each other. An arbitrary number. */
const MIGRATE_LOCK = 5_430_002;
const MIN_SERVER_VERSION = 150_000;

export interface MigrateOptions {
  /** A direct connection or a session pooler, as role `postgres` or another that may create schemas and roles. */
  databaseUrl: string;
  /** Receives one short line for each step. */
  log?: (line: string) => void;
  /** Folder of the `<version>_<name>.sql` files; default {@link MIGRATIONS_DIR}. */
  migrationsDir?: string;
  /** Schema of the queue; default: setting `queue_schema`, at first {@link DEFAULT_QUEUE_SCHEMA}. */
  queueSchema?: string;
  /** Limits of waiting for locks, for tests. */
  lockLimits?: Partial<LockLimits>;
}

interface DatabaseFacts {
  server_version: number;
  missing_roles: string[];
  missing_tables: string[];
}

/** A file of the folder of migrations. */
interface Migration {
  version: string;
  name: string;
  file: string;
  text: string;
}

/**
 * Migrates a database: the schema of the queue with the library of Graphile Worker, then each file of supabase/migrations that is not
 * recorded, in order, each in one transaction with its record. A second run does nothing. A migration that does not get a lock
 * within two seconds is tried again, so that users of the tables never wait longer behind it.
 * @returns the files that were applied
 * @throws MigrateError with the file and line that failed (migrations applied before it stay), or `queue_schema_taken`
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const log = options.log ?? (() => {});
  const sql = postgres(
    postgresOptions(options.databaseUrl, {
      max: 1,
      // Notices of `if not exists` are noise; a warning says what is left to do by hand.
      onnotice: ({ severity, message }) => severity === 'WARNING' && log(`warning: ${message ?? ''}`),
      prepare: false,
    }),
  );
  try {
    await checkDatabase(sql, options.databaseUrl);
    const migrations = await readMigrations(options.migrationsDir ?? MIGRATIONS_DIR);
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${MIGRATE_LOCK})`;
      await tx.unsafe(await readFile(join(import.meta.dirname, 'history.sql'), 'utf8'));
    });
    const queueSchema = options.queueSchema ?? (await currentQueueSchema(sql));
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${MIGRATE_LOCK})`;
      await migrateQueue(tx, { databaseUrl: options.databaseUrl, schema: queueSchema, log });
    });
    const applied: string[] = [];
    for (const migration of migrations) {
      const outcome = await apply(sql, migration, options);
      if (outcome === 'applied') {
        applied.push(migration.file);
        log(`applied ${migration.file}`);
      } else if (outcome === 'differs') {
        log(`${migration.file} was changed after this database applied it; the database keeps the earlier version`);
      }
    }
    await sql.begin(async (tx) => {
      // Two runs at one time would change the same rights.
      await tx`select pg_advisory_xact_lock(${MIGRATE_LOCK})`;
      await useQueueSchema(tx, queueSchema);
    });
    if (applied.length > 0) await nameOldWorkers(sql, log);
    return { applied };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Returns setting `queue_schema` of an installed engine, otherwise the default. */
export async function currentQueueSchema(sql: postgres.Sql | postgres.TransactionSql): Promise<string> {
  const [installed] = await sql<{ exists: boolean }[]>`select to_regclass('mashup.settings') is not null as exists`;
  if (!installed?.exists) return DEFAULT_QUEUE_SCHEMA;
  const [row] = await sql<{ name: string | null }[]>`
    select value #>> '{}' as name from mashup.settings where name = 'queue_schema'`;
  return row?.name ?? DEFAULT_QUEUE_SCHEMA;
}

async function useQueueSchema(sql: postgres.TransactionSql, schema: string): Promise<void> {
  const [installed] = await sql<{ exists: boolean }[]>`
    select to_regprocedure('mashup.use_queue_schema(text)') is not null as exists`;
  if (installed?.exists) await sql`select mashup.use_queue_schema(${schema})`;
}

/** Says which running workers the new schema no longer serves. They notice by their next heartbeat. */
async function nameOldWorkers(sql: postgres.Sql, log: (line: string) => void): Promise<void> {
  const [installed] = await sql<{ exists: boolean }[]>`
    select to_regprocedure('mashup.min_protocol_version()') is not null as exists`;
  if (installed?.exists !== true) return;
  const rows = await sql<{ version: string; count: number }[]>`
    select version, count(*)::int as count from mashup.workers
    where protocol < mashup.min_protocol_version() and seen_at > mashup.now() - interval '1 minute' group by version`;
  for (const { version, count } of rows) {
    log(
      `warning: ${count} running workers of version ${version} are too old: they finish their tasks and end. Start workers of this version.`,
    );
  }
}

/** Reads the migration files of a folder, in the order of their versions. A missing folder has none. */
export async function readMigrations(dir: string): Promise<Migration[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const migrations: Migration[] = [];
  for (const file of names.sort()) {
    const match = /^(\d+)_(.*)\.sql$/.exec(file);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    migrations.push({ version: match[1], name: match[2], file, text: await readFile(join(dir, file), 'utf8') });
  }
  return migrations;
}

/** Applies one migration unless it is recorded. The lock belongs to the transaction, so that any pooler can be used. */
async function apply(
  sql: postgres.Sql,
  migration: Migration,
  { databaseUrl, lockLimits = {}, log = () => {} }: MigrateOptions,
): Promise<'applied' | 'recorded' | 'differs'> {
  try {
    return await retryLocked(sql, { databaseUrl, what: migration.file, log, limits: lockLimits }, async (tx) => {
      await tx`select pg_advisory_xact_lock(${MIGRATE_LOCK})`;
      const [recorded] = await tx<{ statements: string[] | null }[]>`
        select statements from supabase_migrations.schema_migrations where version = ${migration.version}`;
      if (recorded !== undefined) return isUnchanged(recorded.statements, migration.text) ? 'recorded' : 'differs';
      await tx.unsafe(migration.text);
      await tx.unsafe('reset all; reset role');
      await tx`
        insert into supabase_migrations.schema_migrations (version, name, statements)
        values (${migration.version}, ${migration.name}, ${[migration.text]})`;
      return 'applied';
    });
  } catch (error) {
    if (error instanceof MigrateError) throw error;
    const failed = error as Partial<postgres.PostgresError>;
    const line = failed.position === undefined ? undefined : lineAt(migration.text, Number(failed.position));
    const where = line === undefined ? migration.file : `${migration.file}:${line}`;
    throw new MigrateError(
      'migration_failed',
      `${where}: ${failed.message ?? String(error)}`,
      failed.hint ?? 'Nothing of this file was kept. Correct its cause and run the migration again.',
      error,
    );
  }
}

/**
 * Whether a record is that of a text. Our record is the whole file; the Supabase CLI records its statements, without the
 * semicolons and the space between them.
 */
export function isUnchanged(recorded: string[] | null, text: string): boolean {
  if (recorded === null || (recorded.length === 1 && recorded[0] === text)) return true;
  return withoutSeparators(recorded.join('')) === withoutSeparators(text);
}

function withoutSeparators(text: string): string {
  return text.replaceAll(/[;\s]+/g, '');
}

/** @throws MigrateError for a database that cannot be reached, is too old, or is not Supabase's */
export async function checkDatabase(sql: postgres.Sql, databaseUrl: string): Promise<void> {
  let found: DatabaseFacts | undefined;
  try {
    [found] = await sql<DatabaseFacts[]>`
      select
        current_setting('server_version_num')::int as server_version,
        array(
          select missing from unnest(array['anon', 'authenticated', 'service_role']) as missing
          where not exists (select from pg_roles where rolname = missing)
        ) as missing_roles,
        array(
          select missing from unnest(array['auth.users', 'storage.objects', 'realtime.messages']) as missing
          where to_regclass(missing) is null
        ) as missing_tables`;
  } catch (cause) {
    const { hint, message } = explainConnection(cause, databaseUrl);
    throw new MigrateError(
      'database_unreachable',
      `the database cannot be reached: ${message}`,
      hint || 'Check DATABASE_URL.',
      cause,
    );
  }
  if (found === undefined || found.server_version < MIN_SERVER_VERSION) {
    throw new MigrateError('postgres_too_old', 'this Postgres is older than 15', 'Use Postgres 15 or newer.');
  }
  const missing = [...found.missing_roles, ...found.missing_tables];
  if (missing.length > 0) {
    throw new MigrateError(
      'not_supabase',
      `this database lacks objects of Supabase: ${missing.join(', ')}`,
      'Point DATABASE_URL at a Supabase database (hosted, self-hosted or local), or use the local stack: `npm start`.',
    );
  }
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position - 1).split('\n').length;
}
