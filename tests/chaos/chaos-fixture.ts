/** A world that can be broken: a Postgres of its own, Storage, faulty services, and worker processes behind proxies. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { prepareDatabase } from '../../local/database.ts';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import { startPostgres } from '../../local/postgres/launcher.ts';
import type { RunningPostgres } from '../../local/postgres/launcher.ts';
import type { StopMode } from '../../local/postgres/server-process.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';
import { startFaultyServices, wavOf } from './services.ts';
import type { FaultyOptions, FaultyServices } from './services.ts';

/** Longest time that the database may be away for whoever asks through `ask`: a restart on a busy machine takes its time. */
const PATIENCE_MS = 120_000;
const POLL_MS = 25;

export interface ChaosWorker {
  id: string;
  process: ChildProcess;
  proxy: Proxy;
  exited: Promise<void>;
  isAlive(): boolean;
}

export interface ChaosWorld {
  services: FaultyServices;
  bucket: ReturnType<SupabaseClient['storage']['from']>;
  workers: ChaosWorker[];
  /** What workers have logged, one line each. */
  log: string[];
  /** As role postgres; a statement that the database does not take is asked again until it does. */
  ask<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** A connection of its own, as superuser; the caller ends it. */
  open(): postgres.Sql;
  addWorker(): Promise<ChaosWorker>;
  /** A new user; answers the id. */
  addUser(): Promise<string>;
  /** Uploads a song of a user; answers its path. */
  upload(userId: string, name: string): Promise<string>;
  /** Submits paths as songs `<name>-0`, `<name>-1` …; answers the job's id, the same however often it has to be asked. */
  submit(userId: string, name: string, paths: string[]): Promise<string>;
  restartPostgres(mode: StopMode): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions extends FaultyOptions {
  /** mashup.settings by name, as JSON. */
  settings?: Record<string, string>;
}

/** Builds the world. Task kinds get a short limit and back-off, so that what stalls is found out soon. */
export async function startChaosWorld(options: WorldOptions = {}): Promise<ChaosWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-chaos-'));
  await chmod(dir, 0o711);
  // Without fsync a crash of Postgres loses nothing; only one of the machine would.
  const cluster = { dataDir: join(dir, 'postgres'), settings: { fsync: 'off', full_page_writes: 'off' } };
  let server: RunningPostgres = await startPostgres({ ...cluster, port: 0 });
  const { port, url, superuserUrl } = server;
  await prepareDatabase({ superuserUrl, url, workerPassword: 'worker', log: () => {} });
  const workerUrl = new URL(url);
  workerUrl.username = 'mashup_worker';
  workerUrl.password = 'worker';
  const keys = await makeKeys();
  const storageDir = join(dir, 'storage');
  let gateway = await startGateway({ port: 0, dbUrl: superuserUrl, keys, storageDir });
  const gatewayUrl = gateway.url;
  const services = await startFaultyServices(options);
  const bucket = createClient(gatewayUrl, keys.serviceRoleKey, { auth: { persistSession: false } }).storage.from(
    'mashups',
  );
  const connectAnew = (): postgres.Sql => postgres(superuserUrl, { max: 8, onnotice: () => {}, connect_timeout: 2 });
  let sql = connectAnew();
  const workers: ChaosWorker[] = [];
  const log: string[] = [];
  for (const [name, value] of Object.entries(options.settings ?? {}))
    await sql`update mashup.settings set value = ${value}::text::jsonb where name = ${name}`;

  async function ask<T>(work: (on: postgres.Sql) => Promise<T>): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const old = sql;
      try {
        return await work(old);
      } catch (error) {
        const code = String((error as { code?: unknown }).code);
        const isAway = /^(57P|08|CONNECT|ECONN|EPIPE)/.test(code) || code === '40P01';
        if (!isAway || performance.now() > end) throw error;
        await sleep(POLL_MS * 4);
        // A client of postgres.js that lost its connection while it logged in may go on writing rubbish: take another,
        // one for all who were let down by it.
        if (sql !== old) continue;
        sql = connectAnew();
        void old.end({ timeout: 5 }).catch(() => {});
      }
    }
  }

  // However this process ends, its children end too.
  process.once('exit', killAll);
  function killAll(): void {
    for (const worker of workers) worker.process.kill('SIGKILL');
    try {
      process.kill(server.pid, 'SIGQUIT');
    } catch {
      // It has ended.
    }
  }

  return {
    services,
    bucket,
    workers,
    log,
    ask,
    open: () => postgres(superuserUrl, { max: 1, onnotice: () => {} }),
    async addWorker() {
      const proxy = await startProxy(workerUrl.href);
      const child = spawn(process.execPath, [join(import.meta.dirname, '../../worker/main.ts')], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          DATABASE_URL: proxy.url,
          SUPABASE_URL: gatewayUrl,
          SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
          ...Object.fromEntries(SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, services.urls[name]])),
        },
      });
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(...text.trim().split('\n')));
      const id = await new Promise<string>((resolve, reject) => {
        child.stdout
          .setEncoding('utf8')
          .once('data', (line: string) => resolve((JSON.parse(line) as { worker: string }).worker));
        void exited.then(() => reject(new Error(`a worker did not start: ${log.slice(-3).join('\n')}`)));
      });
      const worker: ChaosWorker = {
        id,
        process: child,
        proxy,
        exited,
        isAlive: () => child.exitCode === null && child.signalCode === null,
      };
      workers.push(worker);
      void exited.then(() => proxy.close());
      return worker;
    },
    addUser: () =>
      ask(async (on) => {
        const [row] = await on<{ id: string }[]>`
          insert into auth.users (id, email) values (gen_random_uuid(), gen_random_uuid() || '@chaos.test') returning id`;
        return row?.id ?? '';
      }),
    async upload(userId, name) {
      const path = `uploads/${userId}/${name}/song.wav`;
      await until(`${path} is uploaded`, async () => {
        const { error } = await bucket.upload(path, wavOf(name), { contentType: 'audio/wav', upsert: true });
        return error === null;
      });
      await ask((on) => on`update storage.objects set owner_id = ${userId} where name = ${path}`);
      return path;
    },
    submit: (userId, name, paths) =>
      ask(
        (on) =>
          on.begin(async (tx) => {
            const songs = paths.map((storage_path, i) => ({
              song_id: `${name}-${i}`,
              name: `${name} ${i}`,
              artist: 'Chaos',
              storage_path,
            }));
            await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId, role: 'authenticated' })}, true)`;
            await tx`set local role authenticated`;
            const [row] = await tx<{ id: string }[]>`
            select public.submit_mashup(${tx.json(songs)}, idempotency_key => ${name}) ->> 'job_id' as id`;
            return row?.id ?? '';
          }) as Promise<string>,
      ),
    // Storage goes down with its database, as the calls that it is answering do.
    async restartPostgres(mode) {
      await Promise.race([gateway.close(), sleep(1_000)]);
      await server.stop(mode);
      server = await startPostgres({ ...cluster, port });
      gateway = await startGateway({ port: Number(new URL(gatewayUrl).port), dbUrl: superuserUrl, keys, storageDir });
    },
    async close() {
      process.off('exit', killAll);
      for (const worker of workers) worker.process.kill('SIGKILL');
      await services.close();
      await Promise.all(workers.map(({ exited }) => exited));
      await sql.end({ timeout: 1 }).catch(() => {});
      await gateway.close();
      await server.stop('immediate');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Resolves when the condition holds; fails with `what` when it does not in time. */
export async function until(
  what: string | (() => string | Promise<string>),
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${typeof what === 'string' ? what : await what()}`);
    await sleep(POLL_MS);
  }
}
