/**
 * The environment of the benchmarks: a Postgres that flushes, the gateway's Storage, services that respond at once, and
 * workers. Each is a separate process.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { bootstrap, startPostgres } from '../local/index.ts';
import type { RunningPostgres } from '../local/index.ts';
import { migrate } from '../migrate/migrate.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import { portOf, start, stop } from './process.ts';

/** A user with two uploads. */
export interface Uploader {
  userId: string;
  songs: { song_id: string; name: string; artist: string; storage_path: string }[];
}

export interface BenchFixture {
  /** As role postgres. */
  sql: postgres.Sql;
  url: string;
  superuserUrl: string;
  /** The gateway's URL and the anon key of the project. */
  gateway: { url: string; anonKey: string };
  /** Starts a worker process and waits until it is registered: the product's, or one whose handlers return at once. */
  startWorker(concurrency: number, kind?: 'worker' | 'empty'): Promise<void>;
  stopWorkers(): Promise<void>;
  /** A new user with two uploads in Storage, or (`rows`) with the rows of two uploads and no bytes. */
  uploader(bytes?: 'bytes' | 'rows'): Promise<Uploader>;
  /** Submits a job and returns its id. */
  submit(uploader: Uploader): Promise<string>;
  close(): Promise<void>;
}

/** A migrated Postgres with the durability of production, and room for a million jobs. */
async function startDatabase(dir: string): Promise<{ pg: RunningPostgres; sql: postgres.Sql }> {
  const pg = await startPostgres({
    dataDir: join(dir, 'postgres'),
    port: 0,
    settings: { max_wal_size: '4GB', shared_buffers: '1GB' },
  });
  await bootstrap(pg.superuserUrl);
  await migrate({ databaseUrl: pg.url });
  const sql = postgres(pg.url, { max: 20, onnotice: () => {} });
  await sql`alter role mashup_worker login password 'bench'`;
  return { pg, sql };
}

/** Starts the gateway on a free port. */
async function startGateway(
  dir: string,
  superuserUrl: string,
): Promise<{ process: ChildProcess; url: string; keys: Keys }> {
  const keys = await makeKeys();
  const keysFile = join(dir, 'keys.json');
  await writeFile(keysFile, JSON.stringify(keys));
  const child = start('packages/supabase-local/gateway/main.ts', {
    SUPABASE_LOCAL_PORT: '0',
    SUPABASE_LOCAL_DB_URL: superuserUrl,
    SUPABASE_LOCAL_KEYS_FILE: keysFile,
    SUPABASE_LOCAL_STORAGE_DIR: join(dir, 'storage'),
  });
  return { process: child, url: `http://127.0.0.1:${await portOf(child)}`, keys };
}

/** Waits until a worker process has registered itself and its queue. */
async function untilRegistered(sql: postgres.Sql, child: ChildProcess): Promise<void> {
  for (;;) {
    const [row] = await sql`select 1 from mashup.workers where pid = ${child.pid ?? 0} and pool_ids <> '{}'`;
    if (row) return;
    if (child.exitCode !== null) throw new Error('The worker did not start; run with BENCH_LOG=1 to see why.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Creates users with uploads. */
function uploaderFactory(sql: postgres.Sql, admin: SupabaseClient): BenchFixture['uploader'] {
  let count = 0;
  return async (bytes = 'bytes') => {
    const [row] = await sql<
      { id: string }[]
    >`insert into auth.users (id, email) values (gen_random_uuid(), gen_random_uuid() || '@bench.test') returning id`;
    const userId = row?.id ?? '';
    const songs = ['one', 'two'].map((name) => ({
      song_id: name,
      name,
      artist: 'bench',
      storage_path: `uploads/${userId}/${name}/song.wav`,
    }));
    for (const { storage_path } of songs) {
      if (bytes === 'rows') {
        await sql`insert into storage.objects (bucket_id, name, metadata) values ('mashups', ${storage_path}, '{"size": 60000}')`;
        continue;
      }
      // Different bytes each time, so that no cache applies.
      const body = Buffer.alloc(60_000, `${count++} `);
      body.write('RIFF\0\0\0\0WAVEfmt ', 0);
      const { error } = await admin.storage.from('mashups').upload(storage_path, body, { contentType: 'audio/wav' });
      if (error) throw error;
    }
    await sql`update storage.objects set owner_id = ${userId} where bucket_id = 'mashups' and name = any (${songs.map((song) => song.storage_path)})`;
    return { userId, songs };
  };
}

/** Submits a job as its user. */
async function submitJob(sql: postgres.Sql, { userId, songs }: Uploader): Promise<string> {
  return sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId, role: 'authenticated' })}, true)`;
    await tx`set local role authenticated`;
    const [row] = await tx<{ id: string }[]>`select public.submit_mashup(${tx.json(songs)}) ->> 'job_id' as id`;
    return row?.id ?? '';
  }) as Promise<string>;
}

/** Starts everything but workers. */
export async function startBenchFixture(): Promise<BenchFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-bench-'));
  const { pg, sql } = await startDatabase(dir);
  const gateway = await startGateway(dir, pg.superuserUrl);
  const services = start('bench/instant-services.ts', {});
  const servicesUrl = `http://127.0.0.1:${await portOf(services)}`;
  const workerUrl = new URL(pg.url);
  workerUrl.username = 'mashup_worker';
  workerUrl.password = 'bench';
  const workers: ChildProcess[] = [];
  const stopWorkers = async (): Promise<void> => void (await Promise.all(workers.splice(0).map(stop)));

  return {
    sql,
    url: pg.url,
    superuserUrl: pg.superuserUrl,
    gateway: { url: gateway.url, anonKey: gateway.keys.anonKey },
    async startWorker(concurrency, kind = 'worker') {
      const child = start(kind === 'worker' ? 'worker/main.ts' : 'bench/empty-worker.ts', {
        DATABASE_URL: workerUrl.href,
        SUPABASE_URL: gateway.url,
        SUPABASE_SERVICE_ROLE_KEY: gateway.keys.serviceRoleKey,
        WORKER_CONCURRENCY: String(concurrency),
        ...Object.fromEntries(SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, servicesUrl])),
      });
      workers.push(child);
      await untilRegistered(sql, child);
    },
    stopWorkers,
    uploader: uploaderFactory(
      sql,
      createClient(gateway.url, gateway.keys.serviceRoleKey, { auth: { persistSession: false } }),
    ),
    submit: (uploader) => submitJob(sql, uploader),
    async close() {
      await stopWorkers();
      await stop(services);
      await stop(gateway.process);
      await sql.end({ timeout: 2 });
      await pg.stop('fast');
      await rm(dir, { recursive: true, force: true });
    },
  };
}
