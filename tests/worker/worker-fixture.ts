/** A whole world for a worker: a database, a gateway for Storage, replayed services, a user with songs. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import type postgres from 'postgres';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import type { WorkerConfig, WorkerLimits } from '../../worker/config.ts';
import { runWorker } from '../../worker/run.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { startReplayServer } from '../contract/replay-server.ts';
import type { ReplayServer } from '../contract/replay-server.ts';
import { useDatabase } from '../support/postgres.ts';
import type { CleanUpScope, TestDatabase } from '../support/postgres.ts';
import { wavFile } from './sounds.ts';

/** How long a condition is waited for. */
const PATIENCE_MS = 25_000;
/** Length of uploaded songs; long enough for the recorded plan. */
const SONG_SEC = 120;

export interface JobRow {
  id: string;
  stage: string;
  waiting_on: string | null;
  progress: number;
  current_step: string;
  epoch: number;
  songs: Record<string, unknown>[];
  title: string | null;
  result_path: string | null;
  result: Record<string, unknown> | null;
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
  warnings: { code: string; message: string }[];
}

export interface WorkerWorld {
  database: TestDatabase;
  sql: postgres.Sql;
  services: ReplayServer;
  /** Storage as the service role sees it. */
  bucket: ReturnType<SupabaseClient['storage']['from']>;
  userId: string;
  /** What the workers have logged so far, one JSON line each. */
  log: string[];
  /** Starts a worker in this process. */
  work(options?: {
    limits?: Partial<WorkerLimits>;
    concurrency?: number;
    databaseUrl?: string;
  }): Promise<RunningWorker>;
  /** Starts a worker as a process of its own; resolves when it is registered. */
  spawnWorker(): Promise<WorkerProcess>;
  /** Uploads a file as the user; answers its path. */
  upload(name: string, bytes: Buffer): Promise<string>;
  /** Submits a mashup of these files, or of new songs; answers the job's id. */
  submit(paths?: string[], options?: Record<string, unknown>): Promise<string>;
  /** Submits a new version of a mashup from words; answers the new job's id. */
  iterate(parentId: string, feedback: string): Promise<string>;
  job(id: string): Promise<JobRow>;
  /** Resolves with the job once the condition holds for it. */
  reach(id: string, what: string, condition: (job: JobRow) => boolean): Promise<JobRow>;
  /** Resolves with the job once it has ended. */
  ended(id: string): Promise<JobRow>;
}

export interface WorkerProcess {
  process: ChildProcess;
  id: string;
  exited: Promise<number | null>;
}

/** Builds the world; everything in it goes with the test. */
export async function useWorld(scope: CleanUpScope): Promise<WorkerWorld> {
  let dropDatabase = (): Promise<void> => Promise.resolve();
  const database = await useDatabase({ after: (cleanUp) => (dropDatabase = cleanUp) });
  const storageDir = await mkdtemp(join(tmpdir(), 'mashup-worker-'));
  const keys = await makeKeys();
  const gateway = await startGateway({ port: 0, dbUrl: database.superuserUrl, keys, storageDir });
  const services = await startReplayServer({ url: gateway.url, serviceRoleKey: keys.serviceRoleKey });
  const options = { auth: { persistSession: false, autoRefreshToken: false } };
  const user = createClient(gateway.url, keys.anonKey, options);
  const admin = createClient(gateway.url, keys.serviceRoleKey, options);
  const { data, error } = await user.auth.signInAnonymously();
  if (error || !data.user) throw error ?? new Error('no user');
  const userId = data.user.id;
  const { sql } = database;
  await sql`update mashup.task_kinds set backoff_sec = 0.05, backoff_max_sec = 0.2`;
  const workers: RunningWorker[] = [];
  const processes: WorkerProcess[] = [];
  const log: string[] = [];
  let uploads = 0;

  scope.after(async () => {
    for (const { process } of processes) process.kill('SIGKILL');
    await services.close();
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(processes.map(({ exited }) => exited));
    await gateway.close();
    await rm(storageDir, { recursive: true, force: true });
    await dropDatabase();
  });

  const config: WorkerConfig = {
    databaseUrl: database.workerUrl,
    supabaseUrl: gateway.url,
    serviceRoleKey: keys.serviceRoleKey,
    serviceUrls: services.urls,
    write: (line) => log.push(line),
  };

  async function job(id: string): Promise<JobRow> {
    const [row] = await sql<JobRow[]>`
      select id, stage, waiting_on, progress, current_step, epoch, songs, title, result_path, result, error_code, error_message,
        error_hint, warnings
      from mashup_jobs where id = ${id}`;
    if (!row) throw new Error(`no job ${id}`);
    return row;
  }

  async function upload(name: string, bytes: Buffer): Promise<string> {
    const path = `uploads/${userId}/${uploads++}/${name}`;
    const { error: refusal } = await user.storage.from('mashups').upload(path, bytes, { contentType: 'audio/wav' });
    if (refusal) throw refusal;
    return path;
  }

  async function reach(id: string, what: string, condition: (job: JobRow) => boolean): Promise<JobRow> {
    let row = await job(id);
    await until(
      () => `job ${what}; it is ${JSON.stringify(row)}; log: ${log.slice(-8).join('\n')}`,
      async () => condition((row = await job(id))),
    );
    return row;
  }

  return {
    database,
    sql,
    services,
    bucket: admin.storage.from('mashups'),
    userId,
    log,
    async work(more = {}) {
      const worker = await runWorker({ ...config, ...more });
      workers.push(worker);
      return worker;
    },
    async spawnWorker() {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../../worker/main.ts')], {
        env: { ...process.env, ...environmentOf(config) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
      child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text.trim()));
      const id = await new Promise<string>((resolve, reject) => {
        child.stdout.setEncoding('utf8').once('data', (line: string) => {
          resolve((JSON.parse(line) as { worker: string }).worker);
        });
        void exited.then((code) => reject(new Error(`the worker ended with ${code}: ${log.join('\n')}`)));
      });
      const made = { process: child, id, exited };
      processes.push(made);
      return made;
    },
    upload,
    async submit(paths, jobOptions = {}) {
      const songs =
        paths ??
        (await Promise.all([1, 2].map((seed) => upload(`song${seed}.wav`, wavFile(SONG_SEC, uploads + seed)))));
      const { data: answer, error: refusal } = await user.rpc('submit_mashup', {
        songs: songs.map((path, index) => ({
          song_id: `song-${index + 1}`,
          name: `Song ${index + 1}`,
          artist: `Artist ${index + 1}`,
          storage_path: path,
        })),
        options: jobOptions,
      });
      if (refusal) throw new Error(`${refusal.message} ${refusal.details}`);
      return (answer as { job_id: string }).job_id;
    },
    async iterate(parentId, feedback) {
      const { data: answer, error: refusal } = await user.rpc('iterate_mashup', { parent_id: parentId, feedback });
      if (refusal) throw new Error(`${refusal.message} ${refusal.details}`);
      return (answer as { job_id: string }).job_id;
    },
    job,
    reach,
    ended: (id) => reach(id, 'has ended', ({ stage }) => ['complete', 'failed', 'cancelled'].includes(stage)),
  };
}

/** Resolves when the condition holds; fails with `what` when it does not in time. */
export async function until(what: string | (() => string), condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function environmentOf(config: WorkerConfig): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    DATABASE_URL: config.databaseUrl,
    SUPABASE_URL: config.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: config.serviceRoleKey,
  };
  for (const [service, url] of Object.entries(config.serviceUrls))
    env[SERVICE_DEFAULTS[service as ServiceName].urlVariable] = url;
  return env;
}
