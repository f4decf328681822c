import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import postgres from 'postgres';

import { bootstrap, bootstrapFiles, LOCAL_PASSWORD } from '@mashup-engine/supabase-local/bootstrap';
import { startPostgres } from '../../local/postgres/launcher.ts';
import { migrate, MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';

/** Variable with the superuser's URL of the cluster of this test run. Set by the runner; without it each file starts one. */
export const TEST_CLUSTER_ENV = 'MASHUP_TEST_PG';

/** Password of role `mashup_worker` on test clusters. */
const WORKER_PASSWORD = 'worker';
const TEMPLATE_PREFIX = 'mashup_template_';
/** Advisory lock: two test files must not build the template at the same time. The number is arbitrary. */
const TEMPLATE_LOCK = 5_430_003;

/** A Postgres that stops with the process that started it. */
export interface TestCluster {
  superuserUrl: string;
  /** Variables for test processes that share the cluster. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** A database of one test, with bootstrap and migrations applied, and a client for it. */
export interface TestDatabase {
  name: string;
  /** Connection URL of the role `postgres`, which runs migrations and is used by operators. */
  url: string;
  superuserUrl: string;
  /** Connection URL of the role `mashup_worker`. */
  workerUrl: string;
  /** A client as role `postgres`; ended by the clean-up. */
  sql: postgres.Sql;
}

/** Registers clean-ups: a test's context, or `{ after }` of `node:test`. */
export interface CleanUpScope {
  after(cleanUp: () => Promise<void>): void;
}

/**
 * Databases of finished tests. They are dropped by the next test or at the end of the file, not immediately: clean-ups run in
 * the order of their registration, so services that a test started on its database stop after the database's clean-up.
 */
const finished: { clusterUrl: string; name: string }[] = [];
process.on('beforeExit', dropFinished);

let ownCluster: Promise<TestCluster> | undefined;

/**
 * Creates a database for a test and drops it afterwards, with all its connections.
 * @param scope the test's context `t`; for a whole file `{ after }` at the top level of the module (inside a `before` hook
 *   `after` belongs to that hook, and the database would be dropped when the hook ends)
 * @param options.empty true creates Supabase's roles and schemas without the migrations
 * @param options.repository a copy of the repository, whose migrations are applied instead
 */
export async function useDatabase(
  scope: CleanUpScope,
  { empty = false, repository }: { empty?: boolean; repository?: string } = {},
): Promise<TestDatabase> {
  const clusterUrl = process.env[TEST_CLUSTER_ENV] ?? (await (ownCluster ??= startTestCluster())).superuserUrl;
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  await dropFinished();
  const template = await ensureTemplate(clusterUrl, empty || repository !== undefined);
  await asSuperuser(clusterUrl, async (sql) => {
    // Copied as files: nothing of it is in the buffers and the log, and dropping it is quick.
    await sql`create database ${sql(name)} template ${sql(template)} owner postgres strategy file_copy`;
  });
  const url = urlOf(clusterUrl, name, 'postgres', LOCAL_PASSWORD);
  if (repository !== undefined) {
    await migrate({ databaseUrl: url, migrationsDir: join(repository, 'supabase/migrations') });
    await asSuperuser(clusterUrl, allowWorkerLogin);
  }
  const sql = postgres(url, { max: 10, onnotice: () => {} });
  scope.after(async () => {
    await sql.end({ timeout: 1 });
    finished.push({ clusterUrl, name });
  });
  return {
    name,
    url,
    superuserUrl: withDatabase(clusterUrl, name),
    workerUrl: urlOf(clusterUrl, name, 'mashup_worker', WORKER_PASSWORD),
    sql,
  };
}

/**
 * Starts a Postgres in a temporary directory, on a free port, without flushing to disk. When this process ends, for whatever
 * reason, the server is stopped and its directory removed.
 */
export async function startTestCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'mashup-test-pg-'));
  // If this process is root, the server runs as another user, who must be able to enter the directory.
  await chmod(directory, 0o711);
  const server = await startPostgres({
    dataDir: directory,
    port: 0,
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      max_wal_senders: '50',
      max_replication_slots: '50',
    },
  });
  const watchdog = startWatchdog(server.pid, directory);
  return {
    superuserUrl: server.superuserUrl,
    env: { [TEST_CLUSTER_ENV]: server.superuserUrl },
    stop: watchdog.trigger,
  };
}

/** Starts a shell that waits until its input is closed, which happens when this process ends, and then cleans up. */
function startWatchdog(pid: number, directory: string): { trigger: () => Promise<void> } {
  const script = 'cat > /dev/null; kill -QUIT "$1"; while kill -0 "$1" 2> /dev/null; do sleep 0.02; done; rm -rf "$2"';
  const shell = spawn('sh', ['-c', script, 'watchdog', String(pid), directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  const exited = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return {
    trigger: async () => {
      shell.ref();
      shell.stdin.end();
      await exited;
    },
  };
}

/** Returns the template for the current bootstrap and migrations. The first caller builds it. */
async function ensureTemplate(clusterUrl: string, empty: boolean): Promise<string> {
  const name = TEMPLATE_PREFIX + (empty ? 'empty_' : '') + (await contentHash(empty));
  await asSuperuser(clusterUrl, async (sql) => {
    if (await databaseExists(sql, name)) return;
    await sql`select pg_advisory_lock(${TEMPLATE_LOCK})`;
    if (await databaseExists(sql, name)) return;
    const building = `${name}_building`;
    await sql`drop database if exists ${sql(building)} with (force)`;
    await sql`create database ${sql(building)}`;
    await bootstrap(withDatabase(clusterUrl, building));
    await createWorkerRole(sql);
    if (!empty) {
      await migrate({ databaseUrl: urlOf(clusterUrl, building, 'postgres', LOCAL_PASSWORD) });
      await allowWorkerLogin(sql);
    }
    await sql`alter database ${sql(building)} rename to ${sql(name)}`;
  });
  return name;
}

/**
 * Creates the worker's role on Postgres 15 as a superuser: there a role without that right cannot create one with BYPASSRLS. On
 * hosted Supabase an extension allows it.
 */
async function createWorkerRole(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`do $$ begin
    if current_setting('server_version_num')::int < 160000 and not exists (select from pg_roles where rolname = 'mashup_worker') then
      create role mashup_worker nologin bypassrls;
      grant mashup_worker to postgres with admin option;
    end if;
  end $$`);
}

async function allowWorkerLogin(sql: postgres.Sql): Promise<void> {
  const [role] = await sql`select from pg_roles where rolname = 'mashup_worker'`;
  if (role !== undefined) await sql.unsafe(`alter role mashup_worker login password '${WORKER_PASSWORD}'`);
}

async function contentHash(empty: boolean): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await bootstrapFiles()) hash.update(await readFile(file));
  if (!empty)
    for (const migration of await readMigrations(MIGRATIONS_DIR)) hash.update(migration.file + migration.text);
  return hash.digest('hex').slice(0, 12);
}

async function dropFinished(): Promise<void> {
  for (const { clusterUrl, name } of finished.splice(0)) {
    // At the end of the file its cluster may have been stopped already, and the database removed with it.
    await dropDatabase(clusterUrl, name).catch(() => {});
  }
}

async function dropDatabase(clusterUrl: string, name: string): Promise<void> {
  await asSuperuser(clusterUrl, async (sql) => {
    // A database with a replication slot cannot be dropped, nor a slot that is in use.
    await sql`
      select pg_terminate_backend(active_pid, 2000) from pg_replication_slots
      where database = ${name} and active_pid is not null`;
    await sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = ${name}`;
    await sql`drop database if exists ${sql(name)} with (force)`;
  });
}

async function databaseExists(sql: postgres.Sql, name: string): Promise<boolean> {
  return (await sql`select from pg_database where datname = ${name}`).length > 0;
}

async function asSuperuser(clusterUrl: string, work: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(clusterUrl, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function withDatabase(clusterUrl: string, database: string): string {
  const url = new URL(clusterUrl);
  url.pathname = `/${database}`;
  return url.href;
}

function urlOf(clusterUrl: string, database: string, role: string, password: string): string {
  const url = new URL(withDatabase(clusterUrl, database));
  url.username = role;
  url.password = password;
  return url.href;
}
