/** The environment of worker tests: a database, a gateway for Storage, replayed services, a user with songs. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import type postgres from 'postgres';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import type { WorkerConfig, WorkerLimits } from '../../worker/config.ts';
import { runWorker } from '../../worker/run.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { startReplayServer } from '../contract/replay-server.ts';
import type { ReplayServer } from '../contract/replay-server.ts';
import { useDatabase } from '../support/postgres.ts';
import type { CleanUpScope, TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { wavFile } from './wav-file.ts';
import { spawnWorkerProcess, variablesOf, WORKER_MAIN } from './worker-process.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Length of uploaded songs; long enough for the recorded plan. */
const SONG_SEC = 120;

export interface JobRow {
  id: string;
  stage: string;
  waiting_on: string | null;
  progress: number;
  current_step: string;
  estimated_completion_at: Date | null;
  estimate_note: string | null;
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

/** The warnings of a job without those about its file: the recorded render is two seconds long, whatever is planned. */
export const ownWarnings = ({ warnings }: JobRow): JobRow['warnings'] =>
  warnings.filter(({ code }) => code !== 'other_length');

export interface StartWorkerOptions {
  serviceUrls?: WorkerConfig['serviceUrls'];
  limits?: Partial<WorkerLimits>;
  concurrency?: number;
  databaseUrl?: string;
  supabaseUrl?: string;
  serviceRoleKey?: string;
  monitoring?: WorkerConfig['monitoring'];
}

interface FixtureParts {
  run: typeof runWorker;
  database: TestDatabase;
  services: ReplayServer;
  /** The fixture's user. */
  user: SupabaseClient;
  userId: string;
  anonKey: string;
  admin: SupabaseClient;
  config: WorkerConfig;
  log: string[];
}

/**
 * Starts the environment. It is removed after the test.
 * @param options.repository a copy of the repository, whose schema and workers are used
 */
export async function useWorkerFixture(
  scope: CleanUpScope,
  { repository }: { repository?: string } = {},
): Promise<WorkerFixture> {
  let dropDatabase = (): Promise<void> => Promise.resolve();
  const database = await useDatabase({ after: (cleanUp) => (dropDatabase = cleanUp) }, { repository });
  const storageDir = await mkdtemp(join(tmpdir(), 'mashup-worker-'));
  const keys = await makeKeys();
  const gateway = await startGateway({ port: 0, dbUrl: database.superuserUrl, keys, storageDir });
  const services = await startReplayServer({ url: gateway.url, serviceRoleKey: keys.serviceRoleKey });
  const options = { auth: { persistSession: false, autoRefreshToken: false } };
  const user = createClient(gateway.url, keys.anonKey, options);
  const { data, error } = await user.auth.signInAnonymously();
  if (error || !data.user) throw error ?? new Error('no user');
  await database.sql`update mashup.task_kinds set backoff_sec = 0.05, backoff_max_sec = 0.2`;
  const log: string[] = [];
  const fixture = new WorkerFixture({
    run: repository === undefined ? runWorker : await runWorkerOf(repository),
    database,
    services,
    user,
    userId: data.user.id,
    anonKey: keys.anonKey,
    admin: createClient(gateway.url, keys.serviceRoleKey, options),
    config: {
      databaseUrl: database.workerUrl,
      supabaseUrl: gateway.url,
      serviceRoleKey: keys.serviceRoleKey,
      serviceUrls: services.urls,
      write: (line) => log.push(line),
    },
    log,
  });
  scope.after(async () => {
    await fixture.stopWorkers(() => services.close());
    await gateway.close();
    await rm(storageDir, { recursive: true, force: true });
    await dropDatabase();
  });
  return fixture;
}

/** Loads the worker of a copy of the repository. */
async function runWorkerOf(repository: string): Promise<typeof runWorker> {
  const url = pathToFileURL(join(repository, 'worker/run.ts')).href;
  return ((await import(url)) as { runWorker: typeof runWorker }).runWorker;
}

/** The environment of worker tests. */
export class WorkerFixture {
  readonly database: TestDatabase;
  readonly sql: postgres.Sql;
  readonly services: ReplayServer;
  /** URL of the gateway. */
  readonly supabaseUrl: string;
  readonly serviceRoleKey: string;
  /** Storage as the service role. */
  readonly bucket: ReturnType<SupabaseClient['storage']['from']>;
  readonly userId: string;
  /** Log lines of all workers. */
  readonly log: string[];
  /** The fixture's user. */
  readonly user: SupabaseClient;
  readonly anonKey: string;
  readonly #config: WorkerConfig;
  readonly #run: typeof runWorker;
  readonly #workers: RunningWorker[] = [];
  readonly #processes: WorkerProcess[] = [];
  #uploads = 0;

  constructor({ run, database, services, user, userId, anonKey, admin, config, log }: FixtureParts) {
    this.database = database;
    this.sql = database.sql;
    this.services = services;
    this.supabaseUrl = config.supabaseUrl;
    this.serviceRoleKey = config.serviceRoleKey;
    this.bucket = admin.storage.from('mashups');
    this.userId = userId;
    this.log = log;
    this.user = user;
    this.anonKey = anonKey;
    this.#config = config;
    this.#run = run;
  }

  /** Starts a worker in this process. */
  async startWorker(options: StartWorkerOptions = {}): Promise<RunningWorker> {
    const worker = await this.#run({ ...this.#config, ...options });
    this.#workers.push(worker);
    return worker;
  }

  /** Starts a worker as a process of its own. Resolves when it is registered. */
  async spawnWorker(): Promise<WorkerProcess> {
    const worker = await spawnWorkerProcess(this.#config, this.log);
    this.#processes.push(worker);
    return worker;
  }

  /** Starts a worker process with further variables. Does not wait for it; the caller ends it. */
  spawnWorkerWith(variables: NodeJS.ProcessEnv): ChildProcess {
    return spawn(process.execPath, [WORKER_MAIN], {
      env: { ...process.env, ...variablesOf(this.#config), ...variables },
      stdio: 'ignore',
    });
  }

  /** Kills the processes, stops the services, and then stops the workers of this process. */
  async stopWorkers(stopServices: () => Promise<void>): Promise<void> {
    for (const { process } of this.#processes) process.kill('SIGKILL');
    await stopServices();
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await Promise.all(this.#processes.map(({ exited }) => exited));
  }

  /** Uploads a file as the user. Returns its path. */
  async upload(name: string, bytes: Buffer): Promise<string> {
    const path = `uploads/${this.userId}/${this.#uploads++}/${name}`;
    const { error } = await this.user.storage.from('mashups').upload(path, bytes, { contentType: 'audio/wav' });
    if (error) throw error;
    return path;
  }

  /** Submits a mashup of these files, or of new songs. Returns the job's id. */
  async submit(
    paths?: (string | { path: string; name: string })[],
    options: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<string> {
    const songs = paths ?? (await this.#uploadSongs());
    return this.#submitAs(
      'submit_mashup',
      {
        songs: songs.map((song, index) => ({
          song_id: `song-${index + 1}`,
          name: typeof song === 'string' ? `Song ${index + 1}` : song.name,
          artist: `Artist ${index + 1}`,
          storage_path: typeof song === 'string' ? song : song.path,
        })),
        options,
      },
      headers,
    );
  }

  /** Submits edits of the first plan of a mashup. Returns the new job's id. */
  edit(parentId: string, edits: readonly object[]): Promise<string> {
    return this.#submitAs('edit_mashup', { p_job_id: parentId, p_edits: { plan_version: 1, edits } });
  }

  /** Submits an iteration of a mashup. Returns the new job's id. */
  iterate(parentId: string, feedback: string): Promise<string> {
    return this.#submitAs('iterate_mashup', { parent_id: parentId, feedback });
  }

  /** Reads a job. */
  async job(id: string): Promise<JobRow> {
    const [row] = await this.sql<JobRow[]>`
      select id, stage, waiting_on, progress, current_step, estimated_completion_at, estimate_note, epoch, songs, title, result_path, result, error_code, error_message,
        error_hint, warnings
      from mashup_jobs where id = ${id}`;
    if (!row) throw new Error(`no job ${id}`);
    return row;
  }

  /** Resolves with the job when the condition holds for it. */
  async untilJob(id: string, what: string, condition: (job: JobRow) => boolean): Promise<JobRow> {
    let row = await this.job(id);
    await until(
      () => `job ${what}; it is ${JSON.stringify(row)}; log: ${this.log.slice(-8).join('\n')}`,
      async () => condition((row = await this.job(id))),
    );
    return row;
  }

  /** Resolves with the job when it has ended. */
  untilEnded(id: string): Promise<JobRow> {
    return this.untilJob(id, 'has ended', ({ stage }) => ['complete', 'failed', 'cancelled'].includes(stage));
  }

  #uploadSongs(): Promise<string[]> {
    return Promise.all([1, 2].map((seed) => this.upload(`song${seed}.wav`, wavFile(SONG_SEC, this.#uploads + seed))));
  }

  async #submitAs(
    functionName: string,
    parameters: Record<string, unknown>,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const call = this.user.rpc(functionName, parameters);
    for (const [name, value] of Object.entries(headers)) void call.setHeader(name, value);
    const { data, error } = await call;
    if (error) throw new Error(`${error.message} ${error.details}`);
    return (data as { job_id: string }).job_id;
  }
}
