/** What the pipeline is measured on: a Postgres that flushes, the gateway's Storage, instant services, workers; each a process. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import { bootstrap, startPostgres } from '../local/index.ts';
import { migrate } from '../migrate/migrate.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import { portOf, start, stop } from './process.ts';

export interface Uploader {
  userId: string;
  songs: { song_id: string; name: string; artist: string; storage_path: string }[];
}

export interface World {
  /** As role postgres. */
  sql: postgres.Sql;
  url: string;
  superuserUrl: string;
  /** Where the gateway is, and the key that names the project. */
  gateway: { url: string; anonKey: string };
  /** Starts a worker process and waits until it is known: the product's, or one whose handlers answer at once. */
  startWorker(concurrency: number, kind?: 'worker' | 'hands'): Promise<void>;
  stopWorkers(): Promise<void>;
  /** A new user with two uploads in Storage; or, without bytes, with two rows that say so. */
  uploader(bytes?: 'bytes' | 'rows'): Promise<Uploader>;
  submit(uploader: Uploader): Promise<string>;
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-bench-'));
  const pg = await startPostgres({
    dataDir: join(dir, 'postgres'),
    port: 0,
    // Flushes at each commit, as it comes; room for a million jobs to be made in.
    settings: { max_wal_size: '4GB', shared_buffers: '1GB' },
  });
  await bootstrap(pg.superuserUrl);
  await migrate({ databaseUrl: pg.url });
  const sql = postgres(pg.url, { max: 20, onnotice: () => {} });
  await sql`alter role mashup_worker login password 'bench'`;
  const keys = await makeKeys();
  const keysFile = join(dir, 'keys.json');
  await writeFile(keysFile, JSON.stringify(keys));
  const gatewayProcess = start('packages/supabase-local/gateway/main.ts', {
    SUPABASE_LOCAL_PORT: '0',
    SUPABASE_LOCAL_DB_URL: pg.superuserUrl,
    SUPABASE_LOCAL_KEYS_FILE: keysFile,
    SUPABASE_LOCAL_STORAGE_DIR: join(dir, 'storage'),
  });
  const servicesProcess = start('bench/instant-services.ts', {});
  const gatewayUrl = `http://127.0.0.1:${await portOf(gatewayProcess)}`;
  const servicesUrl = `http://127.0.0.1:${await portOf(servicesProcess)}`;
  const admin = createClient(gatewayUrl, keys.serviceRoleKey, { auth: { persistSession: false } });
  const workerUrl = new URL(pg.url);
  workerUrl.username = 'mashup_worker';
  workerUrl.password = 'bench';
  const workers: ChildProcess[] = [];
  let count = 0;

  const world: World = {
    sql,
    url: pg.url,
    superuserUrl: pg.superuserUrl,
    gateway: { url: gatewayUrl, anonKey: keys.anonKey },
    async startWorker(concurrency, kind = 'worker') {
      const child = start(kind === 'worker' ? 'worker/main.ts' : 'bench/empty-worker.ts', {
        DATABASE_URL: workerUrl.href,
        SUPABASE_URL: gatewayUrl,
        SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
        WORKER_CONCURRENCY: String(concurrency),
        ...Object.fromEntries(SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, servicesUrl])),
      });
      workers.push(child);
      for (;;) {
        const [row] = await sql`select 1 from mashup.workers where pid = ${child.pid ?? 0} and pool_ids <> '{}'`;
        if (row) return;
        if (child.exitCode !== null) throw new Error('The worker did not start; run with BENCH_LOG=1 to see why.');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stopWorkers() {
      await Promise.all(workers.splice(0).map(stop));
    },
    async uploader(bytes = 'bytes') {
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
        // Different bytes each time, so that nothing is answered from a cache.
        const body = Buffer.alloc(60_000, `${count++} `);
        body.write('RIFF\0\0\0\0WAVEfmt ', 0);
        const { error } = await admin.storage.from('mashups').upload(storage_path, body, { contentType: 'audio/wav' });
        if (error) throw error;
      }
      await sql`update storage.objects set owner_id = ${userId} where bucket_id = 'mashups' and name = any (${songs.map((song) => song.storage_path)})`;
      return { userId, songs };
    },
    async submit({ userId, songs }) {
      return sql.begin(async (tx) => {
        await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId, role: 'authenticated' })}, true)`;
        await tx`set local role authenticated`;
        const [row] = await tx<{ id: string }[]>`select public.submit_mashup(${tx.json(songs)}) ->> 'job_id' as id`;
        return row?.id ?? '';
      }) as Promise<string>;
    },
    async close() {
      await world.stopWorkers();
      await stop(servicesProcess);
      await stop(gatewayProcess);
      await sql.end({ timeout: 2 });
      await pg.stop('fast');
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}
