/** What a migration would do, found without changing anything. */
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { postgresOptions } from '../connection/clients.ts';
import { MIN_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../schema/constants.ts';
import { checkDatabase, currentQueueSchema, isUnchanged, MIGRATIONS_DIR, readMigrations } from './migrate.ts';
import type { MigrateOptions } from './migrate.ts';

/** What `migrate` would do. */
export interface MigrationPlan {
  queue: {
    schema: string;
    /** Migrations of Graphile Worker that the schema has; 0 if it is to be created. */
    version: number;
    /** Migrations of Graphile Worker that it lacks. */
    pending: number;
  };
  /** Files of the folder. `differs`: the file was changed after it was applied, and stays as it is in the database. */
  migrations: { file: string; state: 'pending' | 'applied' | 'differs' }[];
  /** Running workers by version. `too_old`: they finish their tasks and end once the migrations are applied. */
  workers: { version: string; protocol: number; count: number; fits: 'yes' | 'too_old' | 'too_new' }[];
}

/**
 * Plans a migration in a read-only transaction.
 * @throws MigrateError for a database that cannot be reached or is not Supabase's
 */
export async function planMigration(options: MigrateOptions): Promise<MigrationPlan> {
  const sql = postgres(postgresOptions(options.databaseUrl, { max: 1, onnotice: () => {}, prepare: false }));
  try {
    await checkDatabase(sql, options.databaseUrl);
    return await sql.begin('read only', async (tx) => ({
      queue: await planQueue(tx, options.queueSchema ?? (await currentQueueSchema(tx))),
      migrations: await planFiles(tx, options.migrationsDir ?? MIGRATIONS_DIR),
      workers: await planWorkers(tx),
    }));
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Describes a plan, one line for each step. */
export function describePlan({ queue, migrations, workers }: MigrationPlan): string[] {
  const lines: string[] = [];
  if (queue.version === 0) lines.push(`create the queue in schema ${queue.schema}`);
  else if (queue.pending > 0) lines.push(`upgrade the queue in schema ${queue.schema} by ${queue.pending} migrations`);
  for (const { file, state } of migrations) {
    if (state === 'pending') lines.push(`apply ${file}`);
    if (state === 'differs') lines.push(`keep ${file} as it is in the database, although the file was changed since`);
  }
  const isChange = lines.length > 0;
  for (const { version, protocol, count, fits } of workers) {
    const who = `${count} running ${count === 1 ? 'worker' : 'workers'} of version ${version} (protocol ${protocol})`;
    if (fits === 'too_old') lines.push(`${who}: too old, finish their tasks and end; start workers of this version`);
    else if (fits === 'too_new') lines.push(`${who}: newer than these migrations`);
    else if (isChange) lines.push(`${who}: continue`);
  }
  return lines;
}

async function planQueue(sql: postgres.TransactionSql, schema: string): Promise<MigrationPlan['queue']> {
  const [table] = await sql<{ exists: boolean }[]>`select to_regclass(${`${schema}.migrations`}) is not null as exists`;
  const files = await readdir(join(dirname(dirname(createRequire(import.meta.url).resolve('graphile-worker'))), 'sql'));
  const latest = files.filter((file) => /^\d+\.sql$/.test(file)).length;
  if (table?.exists !== true) return { schema, version: 0, pending: latest };
  const [row] = await sql<{ version: number }[]>`select coalesce(max(id), 0) as version from ${sql(schema)}.migrations`;
  const version = row?.version ?? 0;
  return { schema, version, pending: Math.max(0, latest - version) };
}

async function planFiles(sql: postgres.TransactionSql, dir: string): Promise<MigrationPlan['migrations']> {
  const [table] = await sql<{ exists: boolean }[]>`
    select to_regclass('supabase_migrations.schema_migrations') is not null as exists`;
  const rows =
    table?.exists === true
      ? await sql<{ version: string; statements: string[] | null }[]>`
          select version, statements from supabase_migrations.schema_migrations`
      : [];
  const recorded = new Map(rows.map((row) => [row.version, row.statements]));
  return (await readMigrations(dir)).map(({ file, text, version }) => {
    const statements = recorded.get(version);
    if (statements === undefined) return { file, state: 'pending' };
    return { file, state: isUnchanged(statements, text) ? 'applied' : 'differs' };
  });
}

async function planWorkers(sql: postgres.TransactionSql): Promise<MigrationPlan['workers']> {
  const [column] = await sql<{ exists: boolean }[]>`
    select exists (select from information_schema.columns
      where table_schema = 'mashup' and table_name = 'workers' and column_name = 'protocol') as exists`;
  if (column?.exists !== true) return [];
  const rows = await sql<{ version: string; protocol: number; count: number }[]>`
    select version, protocol, count(*)::int as count from mashup.workers
    where seen_at > mashup.now() - interval '1 minute' group by version, protocol order by protocol, version`;
  return rows.map((row) => ({
    ...row,
    fits: row.protocol < MIN_PROTOCOL_VERSION ? 'too_old' : row.protocol > PROTOCOL_VERSION ? 'too_new' : 'yes',
  }));
}
