/** Checks the database: version, migrations, LISTEN, queue, workers, replication, bucket. */
import postgres from 'postgres';
import { postgresOptions } from '../../connection/clients.ts';
import { isTransactionPooled, TRANSACTION_POOLER } from '../../connection/pooler.ts';
import type { ServerPid } from '../../connection/pooler.ts';
import { MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';
import { checkAccess } from './access.ts';
import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';

const LISTEN_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_SEC = 5;

/** Checks a database. @throws when it cannot be reached */
export async function checkDatabase(url: string): Promise<Finding[]> {
  const sql = postgres(
    postgresOptions(url, { max: 2, onnotice: () => {}, connect_timeout: CONNECT_TIMEOUT_SEC, prepare: false }),
  );
  try {
    const [server] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
    const findings = [passed('database', `PostgreSQL ${server?.version ?? ''}`.trim())];
    const migrations = await checkMigrations(sql);
    findings.push(migrations, await checkListen(sql));
    if (migrations.ok) {
      findings.push(
        await checkQueue(sql),
        await checkWorkers(sql),
        await checkCircuits(sql),
        await checkReplication(sql),
        await checkBucket(sql),
        ...(await checkAccess(sql)),
      );
    }
    return findings;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function checkMigrations(sql: postgres.Sql): Promise<Finding> {
  const [history] = await sql<{ exists: boolean }[]>`
    select to_regclass('supabase_migrations.schema_migrations') is not null as exists`;
  const applied = new Set<string>();
  if (history?.exists) {
    for (const { version } of await sql<
      { version: string }[]
    >`select version from supabase_migrations.schema_migrations`) {
      applied.add(version);
    }
  }
  const missing = (await readMigrations(MIGRATIONS_DIR)).filter(({ version }) => !applied.has(version));
  if (missing.length === 0) return passed('migrations', 'all applied');
  return failed('migrations', `${missing.length} not applied, first ${missing[0]?.file}`, 'Run `mashup migrate`.');
}

/** Tests for a transaction-mode pooler. Then sends a notification and waits for it. */
async function checkListen(sql: postgres.Sql): Promise<Finding> {
  if (await isPooledByTransaction(sql)) return failed('LISTEN', TRANSACTION_POOLER.message, TRANSACTION_POOLER.hint);
  const channel = `mashup_doctor_${crypto.randomUUID().slice(0, 8)}`;
  const received = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => received.resolve(false), LISTEN_TIMEOUT_MS);
  const listener = await sql.listen(channel, () => received.resolve(true));
  await sql.notify(channel, '');
  const isReceived = await received.promise;
  clearTimeout(timer);
  await listener.unlisten();
  if (isReceived) return passed('LISTEN', 'notifications arrive');
  return failed('LISTEN', 'a notification did not arrive', TRANSACTION_POOLER.hint);
}

async function isPooledByTransaction(sql: postgres.Sql): Promise<boolean> {
  const [first, second] = await Promise.all([sql.reserve(), sql.reserve()]);
  const pidOf =
    (connection: postgres.ReservedSql): ServerPid =>
    async () =>
      (await connection<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid ?? 0;
  try {
    return await isTransactionPooled(pidOf(first), pidOf(second));
  } finally {
    first.release();
    second.release();
  }
}

async function checkQueue(sql: postgres.Sql): Promise<Finding> {
  const [schema] = await sql<{ exists: boolean }[]>`
    select to_regclass(mashup.queue_schema() || '.jobs') is not null as exists`;
  if (!schema?.exists) return failed('queue', 'the schema of the queue is missing', 'Run `mashup migrate`.');
  const [missing] = await sql<{ count: number }[]>`
    select count(*)::int as count from mashup.tasks t
    where t.state = 'ready' and t.run_at < now() - interval '1 minute'
      and not exists (select from mashup.queue_entries() q where q.key = 'mashup:' || t.id || ':' || t.attempt)`;
  if (missing?.count)
    return failed('queue', `${missing.count} ready tasks have no queue entry`, 'Start a worker: `mashup worker`.');
  return passed('queue', 'every ready task has a queue entry');
}

async function checkWorkers(sql: postgres.Sql): Promise<Finding> {
  const [workers] = await sql<{ count: number }[]>`
    select count(*)::int as count from mashup.workers where seen_at > now() - interval '30 seconds' and not draining`;
  if (workers?.count) return passed('workers', `${workers.count} with a heartbeat in the last 30 s`);
  return failed('workers', 'none with a heartbeat in the last 30 s', 'Start one: `mashup worker`.');
}

/** Names the services, and Storage, that the workers found unavailable. */
async function checkCircuits(sql: postgres.Sql): Promise<Finding> {
  const open = await sql<{ service: string; last_error: string | null }[]>`
    select service, last_error from mashup.service_health where state <> 'closed' order by service`;
  if (open.length === 0) return passed('circuits', 'all closed');
  return failed(
    'circuits',
    open.map(({ service, last_error }) => `${service} is unavailable (${last_error ?? 'no error noted'})`).join('; '),
    'Tasks wait without losing attempts. Check the service; Storage also refuses wrong keys (SUPABASE_SECRET_KEY).',
  );
}

async function checkReplication(sql: postgres.Sql): Promise<Finding> {
  const [settings] = await sql<{ level: string; is_published: boolean }[]>`
    select current_setting('wal_level') as level, exists (
      select from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'mashup_jobs'
    ) as is_published`;
  if (settings?.level !== 'logical') {
    return failed('replication', `wal_level is ${settings?.level}`, 'Set wal_level = logical and restart Postgres.');
  }
  if (settings.is_published) return passed('replication', 'mashup_jobs is published');
  return failed(
    'replication',
    'mashup_jobs is not in publication supabase_realtime',
    'alter publication supabase_realtime add table public.mashup_jobs;',
  );
}

async function checkBucket(sql: postgres.Sql): Promise<Finding> {
  const [bucket] = await sql<{ public: boolean }[]>`select public from storage.buckets where id = 'mashups'`;
  if (bucket === undefined) return failed('bucket', 'bucket mashups is missing', 'Run `mashup migrate`.');
  if (bucket.public) return failed('bucket', 'bucket mashups is public', 'Make it private: anyone can read all files.');
  return passed('bucket', 'mashups exists and is private');
}
