/** What the pipeline is measured on: a Postgres that flushes, the gateway's Storage, instant services, real workers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { makeKeys } from '../local/gateway/keys.ts';
import { startGateway } from '../local/gateway/server.ts';
import { bootstrap, startPostgres } from '../local/index.ts';
import { migrate } from '../migrate/migrate.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import { startInstantServices } from './instant-services.ts';

export interface Uploader {
  userId: string;
  songs: { song_id: string; name: string; artist: string; storage_path: string }[];
}

export interface World {
  /** As role postgres. */
  sql: postgres.Sql;
  url: string;
  /** Where the gateway is, and the key that names the project. */
  gateway: { url: string; anonKey: string };
  /** Starts a worker process and waits until it is known. */
  startWorker(concurrency: number): Promise<void>;
  stopWorkers(): Promise<void>;
  /** A new user with two uploads in Storage. */
  uploader(): Promise<Uploader>;
  submit(uploader: Uploader): Promise<string>;
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-bench-'));
  const pg = await startPostgres({ dataDir: join(dir, 'postgres'), port: 0 });
  await bootstrap(pg.superuserUrl);
  await migrate({ databaseUrl: pg.url });
  const sql = postgres(pg.url, { max: 20, onnotice: () => {} });
  await sql`alter role mashup_worker login password 'bench'`;
  const keys = await makeKeys();
  const gateway = await startGateway({ port: 0, dbUrl: pg.superuserUrl, keys, storageDir: join(dir, 'storage') });
  const services = await startInstantServices();
  const admin = createClient(gateway.url, keys.serviceRoleKey, { auth: { persistSession: false } });
  const workerUrl = new URL(pg.url);
  workerUrl.username = 'mashup_worker';
  workerUrl.password = 'bench';
  const workers: ChildProcess[] = [];
  let count = 0;

  const world: World = {
    sql,
    url: pg.url,
    gateway: { url: gateway.url, anonKey: keys.anonKey },
    async startWorker(concurrency) {
      const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'worker', 'main.ts')], {
        stdio: ['ignore', 'ignore', process.env.BENCH_LOG ? 'inherit' : 'ignore'],
        env: {
          ...process.env,
          DATABASE_URL: workerUrl.href,
          SUPABASE_URL: gateway.url,
          SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
          WORKER_CONCURRENCY: String(concurrency),
          ...Object.fromEntries(SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, services.urls[name]])),
        },
      });
      workers.push(child);
      for (;;) {
        const [row] = await sql`select 1 from mashup.workers where pid = ${child.pid ?? 0}`;
        if (row) return;
        if (child.exitCode !== null) throw new Error('The worker did not start; run with BENCH_LOG=1 to see why.');
      }
    },
    async stopWorkers() {
      await Promise.all(
        workers
          .splice(0)
          .map((child) => new Promise((resolve) => (child.once('exit', resolve), child.kill('SIGTERM')))),
      );
    },
    async uploader() {
      const [row] = await sql<
        { id: string }[]
      >`insert into auth.users (id, email) values (gen_random_uuid(), gen_random_uuid() || '@bench.test') returning id`;
      const userId = row?.id ?? '';
      const songs: Uploader['songs'] = [];
      for (const name of ['one', 'two']) {
        const storage_path = `uploads/${userId}/${name}/song.wav`;
        // Different bytes each time, so that nothing is answered from a cache.
        const body = Buffer.alloc(60_000, `${count++} `);
        body.write('RIFF\0\0\0\0WAVEfmt ', 0);
        const { error } = await admin.storage.from('mashups').upload(storage_path, body, { contentType: 'audio/wav' });
        if (error) throw error;
        songs.push({ song_id: name, name, artist: 'bench', storage_path });
      }
      await sql`update storage.objects set owner_id = ${userId} where name like ${`uploads/${userId}/%`}`;
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
      await services.close();
      await gateway.close();
      await sql.end({ timeout: 2 });
      await pg.stop('fast');
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}
