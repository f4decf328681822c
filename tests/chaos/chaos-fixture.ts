/**
 * The environment of the stress test: a Postgres of its own, a pooler, Storage, faulty services, worker processes behind proxies,
 * and another application on Graphile Worker.
 */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import type postgres from 'postgres';
import type { StopMode } from '../../local/postgres/server-process.ts';
import { until } from '../support/until.ts';
import { startStoppableProxy } from '../worker/stoppable-proxy.ts';
import type { StoppableProxy } from '../worker/stoppable-proxy.ts';
import { spawnWorkerProcess } from '../worker/worker-process.ts';
import type { WorkerProcess } from '../worker/worker-process.ts';
import { startChaosCluster } from './chaos-cluster.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import { startFaultyServices } from './faulty-services.ts';
import type { FaultyServices, FaultyServicesOptions } from './faulty-services.ts';
import { startHalfOpenProxy } from './half-open-proxy.ts';
import type { HalfOpenProxy } from './half-open-proxy.ts';
import { OtherApplication } from './other-application.ts';
import { RetryingClient } from './retrying-client.ts';
import { wavOfText } from './stress-wav.ts';

/** Default limit of `until`: a restart takes long on a busy machine. */
const UNTIL_LIMIT_MS = 120_000;

export interface ChaosWorker extends WorkerProcess {
  /** Between the worker and Postgres. */
  proxy: HalfOpenProxy;
  isAlive(): boolean;
}

export interface ChaosFixtureOptions extends FaultyServicesOptions {
  /** Settings of the engine by name, as JSON. */
  settings?: Record<string, string>;
}

/** Starts the environment. */
export async function startChaosFixture(options: ChaosFixtureOptions = {}): Promise<ChaosFixture> {
  const cluster = await startChaosCluster();
  const services = await startFaultyServices(options);
  const storage = await startStoppableProxy(cluster.gatewayUrl);
  const fixture = new ChaosFixture(cluster, services, storage);
  for (const [name, value] of Object.entries(options.settings ?? {}))
    await fixture.query((sql) => sql`update mashup.settings set value = ${value}::text::jsonb where name = ${name}`);
  return fixture;
}

/** The environment of the stress test. */
export class ChaosFixture {
  readonly services: FaultyServices;
  /** Between workers and services on one side, and Storage on the other. */
  readonly storage: StoppableProxy;
  readonly otherApplication: OtherApplication;
  /** Storage as the service role. */
  readonly bucket: ReturnType<SupabaseClient['storage']['from']>;
  readonly workers: ChaosWorker[] = [];
  /** Log lines of all workers. */
  readonly log: string[] = [];
  /** Workers started so far. */
  #started = 0;
  readonly #cluster: ChaosCluster;
  readonly #client: RetryingClient;

  constructor(cluster: ChaosCluster, services: FaultyServices, storage: StoppableProxy) {
    this.services = services;
    this.storage = storage;
    this.#cluster = cluster;
    this.#client = new RetryingClient(cluster.superuserUrl);
    this.otherApplication = new OtherApplication(cluster.superuserUrl, this.#client);
    this.bucket = createClient(cluster.gatewayUrl, cluster.keys.serviceRoleKey, {
      auth: { persistSession: false },
    }).storage.from('mashups');
    process.once('exit', this.#killAll);
  }

  /** Queries as superuser. Work is repeated after connection losses and deadlocks. */
  query<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    return this.#client.query(work);
  }

  /** Opens a connection as superuser; the caller ends it. */
  openConnection(): postgres.Sql {
    return this.#client.openConnection();
  }

  /** Starts a worker process. Every second one connects through the pooler. Resolves when it is registered. */
  async addWorker(): Promise<ChaosWorker> {
    const { workerUrl, pooledWorkerUrl } = this.#cluster;
    const isPooled = this.#started++ % 2 === 1;
    const proxy = await startHalfOpenProxy(isPooled ? (pooledWorkerUrl ?? workerUrl) : workerUrl);
    const worker = await spawnWorkerProcess(
      {
        databaseUrl: proxy.url,
        supabaseUrl: this.storage.url,
        serviceRoleKey: this.#cluster.keys.serviceRoleKey,
        serviceUrls: this.services.urls,
      },
      this.log,
    );
    const { process: child, exited } = worker;
    const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
    const added: ChaosWorker = { ...worker, proxy, isAlive };
    this.workers.push(added);
    void exited.then(() => proxy.close());
    return added;
  }

  /** Removes a worker whose process has ended. */
  removeWorker(worker: ChaosWorker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
  }

  /** Adds a user. Returns the id. */
  addUser(): Promise<string> {
    return this.query(async (sql) => {
      const [row] = await sql<{ id: string }[]>`
        insert into auth.users (id, email) values (gen_random_uuid(), gen_random_uuid() || '@chaos.test') returning id`;
      return row?.id ?? '';
    });
  }

  /** Uploads a song of a user. Returns its path. */
  async upload(userId: string, name: string): Promise<string> {
    const path = `uploads/${userId}/${name}/song.wav`;
    await until(
      `${path} is uploaded`,
      async () => {
        const { error } = await this.bucket.upload(path, wavOfText(name), { contentType: 'audio/wav', upsert: true });
        return error === null;
      },
      UNTIL_LIMIT_MS,
    );
    await this.query((sql) => sql`update storage.objects set owner_id = ${userId} where name = ${path}`);
    return path;
  }

  /** Submits uploads as songs `<name>-0`, `<name>-1`, …, with `name` as idempotency key. Returns the job's id. */
  submit(userId: string, name: string, paths: string[]): Promise<string> {
    const songs = paths.map((storage_path, i) => ({
      song_id: `${name}-${i}`,
      name: `${name} ${i}`,
      artist: 'Stress',
      storage_path,
    }));
    return this.query(
      (sql) =>
        sql.begin(async (tx) => {
          await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId, role: 'authenticated' })}, true)`;
          await tx`set local role authenticated`;
          const [row] = await tx<{ id: string }[]>`
            select public.submit_mashup(${tx.json(songs)}, idempotency_key => ${name}) ->> 'job_id' as id`;
          return row?.id ?? '';
        }) as Promise<string>,
    );
  }

  /** Resolves when the condition holds, with a limit for a busy machine. */
  until(
    what: string | (() => string | Promise<string>),
    condition: () => boolean | Promise<boolean>,
    timeoutMs = UNTIL_LIMIT_MS,
  ): Promise<void> {
    return until(what, condition, timeoutMs);
  }

  restartPostgres(mode: StopMode): Promise<void> {
    return this.#cluster.restart(mode);
  }

  async close(): Promise<void> {
    process.off('exit', this.#killAll);
    for (const worker of this.workers) worker.process.kill('SIGKILL');
    await this.services.close();
    await this.storage.stop();
    await Promise.all(this.workers.map(({ exited }) => exited));
    await this.#client.end();
    await this.#cluster.close();
  }

  /** Ends all child processes when this process exits. */
  readonly #killAll = (): void => {
    for (const worker of this.workers) worker.process.kill('SIGKILL');
    this.#cluster.kill();
  };
}
