/** The database: version, migrations, queue, LISTEN, workers, what Realtime needs. */
import postgres from 'postgres';
import { MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';
import { well, wrong } from './check.ts';
import type { Finding } from './check.ts';

const LISTEN_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_SEC = 5;

/** Examines a database. Throws when it cannot be reached. */
export async function examineDatabase(url: string): Promise<Finding[]> {
  const sql = postgres(url, { max: 2, onnotice: () => {}, connect_timeout: CONNECT_TIMEOUT_SEC, prepare: false });
  try {
    const [server] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
    const findings = [well('database', `PostgreSQL ${server?.version ?? ''}`.trim())];
    const migrations = await examineMigrations(sql);
    findings.push(migrations, await examineListen(sql));
    if (migrations.ok) {
      findings.push(
        await examineQueue(sql),
        await examineWorkers(sql),
        await examineReplication(sql),
        await examineBucket(sql),
      );
    }
    return findings;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function examineMigrations(sql: postgres.Sql): Promise<Finding> {
  const [history] = await sql<{ is_there: boolean }[]>`
    select to_regclass('supabase_migrations.schema_migrations') is not null as is_there`;
  const applied = new Set<string>();
  if (history?.is_there) {
    for (const { version } of await sql<
      { version: string }[]
    >`select version from supabase_migrations.schema_migrations`) {
      applied.add(version);
    }
  }
  const missing = (await readMigrations(MIGRATIONS_DIR)).filter(({ version }) => !applied.has(version));
  if (missing.length === 0) return well('migrations', 'all applied');
  return wrong('migrations', `${missing.length} not applied, first ${missing[0]?.file}`, 'Run `mashup migrate`.');
}

/** A notification that is sent has to come back: it does not through a transaction-mode pooler. */
async function examineListen(sql: postgres.Sql): Promise<Finding> {
  const channel = `mashup_doctor_${crypto.randomUUID().slice(0, 8)}`;
  const heard = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => heard.resolve(false), LISTEN_TIMEOUT_MS);
  const listener = await sql.listen(channel, () => heard.resolve(true));
  await sql.notify(channel, '');
  const isHeard = await heard.promise;
  clearTimeout(timer);
  await listener.unlisten();
  if (isHeard) return well('LISTEN', 'notifications arrive');
  return wrong(
    'LISTEN',
    'a notification did not come back',
    'Workers need the direct connection or the session pooler (port 5432), not the transaction pooler (6543).',
  );
}

async function examineQueue(sql: postgres.Sql): Promise<Finding> {
  const [schema] = await sql<
    { is_there: boolean }[]
  >`select to_regclass('graphile_worker.jobs') is not null as is_there`;
  if (!schema?.is_there) return wrong('queue', "Graphile Worker's schema is not there", 'Run `mashup migrate`.');
  const [owed] = await sql<{ count: number }[]>`
    select count(*)::int as count from mashup.tasks t
    where t.state = 'ready' and t.run_at < now() - interval '1 minute'
      and not exists (select from graphile_worker.jobs q where q.key = t.id || ':' || t.attempt)`;
  if (owed?.count)
    return wrong('queue', `${owed.count} tasks wait without a wake-up`, 'Start a worker: `mashup worker`.');
  return well('queue', 'every task that may run has its wake-up');
}

async function examineWorkers(sql: postgres.Sql): Promise<Finding> {
  const [workers] = await sql<{ count: number }[]>`
    select count(*)::int as count from mashup.workers where seen_at > now() - interval '30 seconds' and not draining`;
  if (workers?.count) return well('workers', `${workers.count} heard of in the last 30 s`);
  return wrong('workers', 'none was heard of in the last 30 s', 'Start one: `mashup worker`.');
}

async function examineReplication(sql: postgres.Sql): Promise<Finding> {
  const [facts] = await sql<{ level: string; is_published: boolean }[]>`
    select current_setting('wal_level') as level, exists (
      select from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'mashup_jobs'
    ) as is_published`;
  if (facts?.level !== 'logical') {
    return wrong('replication', `wal_level is ${facts?.level}`, 'Set wal_level = logical and restart Postgres.');
  }
  if (facts.is_published) return well('replication', 'mashup_jobs is published');
  return wrong(
    'replication',
    'mashup_jobs is not in publication supabase_realtime',
    'alter publication supabase_realtime add table public.mashup_jobs;',
  );
}

async function examineBucket(sql: postgres.Sql): Promise<Finding> {
  const [bucket] = await sql<{ public: boolean }[]>`select public from storage.buckets where id = 'mashups'`;
  if (bucket === undefined) return wrong('bucket', 'bucket mashups is not there', 'Run `mashup migrate`.');
  if (bucket.public) return wrong('bucket', 'bucket mashups is public', 'Make it private: everybody reads all files.');
  return well('bucket', 'mashups is there and private');
}
