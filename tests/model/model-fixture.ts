/** The database under the model test: its connections, its picture, its invariants. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import type { ServiceName, Stage, TaskKind, WaitingOn } from '../../schema.ts';
import type { CleanUpScope, TestDatabase } from '../support/postgres.ts';
import { installChecks } from './invariants.ts';

const HERE = import.meta.dirname;
const CONNECTIONS = 3;

export interface PictureJob {
  id: string;
  user: string;
  stage: Stage;
  epoch: number;
  version: number;
  progress: number;
  admitted: boolean;
  hold: boolean;
  waitingOn: WaitingOn | null;
  error: string | null;
  plan: string[] | null;
}

export interface PictureTask {
  id: string;
  job: string;
  kind: TaskKind;
  song: string | null;
  epoch: number;
  state: 'waiting' | 'ready' | 'running';
  attempt: number;
  failures: number;
  crashes: number;
  solo: number;
  claim: string | null;
  probe: boolean;
  fallback: boolean;
}

/** What the model is compared with. */
export interface Picture {
  jobs: PictureJob[];
  tasks: PictureTask[];
  health: Record<ServiceName, { open: boolean; failures: number }>;
  /** Of every row that a late write could change. */
  digest: string;
}

export interface Limits {
  services: Record<ServiceName, number>;
  jobs: number;
}

export interface World {
  /** Several sessions; which one a command uses is part of the sequence. */
  connections: postgres.Sql[];
  /** One that is always free. */
  sql: postgres.Sql;
  users: string[];
  reset(limits: Limits): Promise<void>;
  look(): Promise<Picture>;
  /** What is broken. What is owed to the sweep or to the reconcile is not asked for. */
  check(owed: { release: boolean; wakeups: boolean }): Promise<string[]>;
  /** A worker with a session lock. */
  hire(): Promise<string>;
  /** Lets go of a worker's lock, as its death does. */
  kill(worker: string): Promise<void>;
  setClock(milliseconds: number): Promise<void>;
}

/** Sets a database up for the model. `mutate` may change the schema before the model looks at it. */
export async function openWorld(
  scope: CleanUpScope,
  db: TestDatabase,
  mutate?: (sql: postgres.Sql) => Promise<void>,
): Promise<World> {
  const connect = (url: string): postgres.Sql =>
    postgres(url, { max: 1, onnotice: () => {}, connection: { jit: false } });
  const admin = connect(db.superuserUrl);
  const connections = Array.from({ length: CONNECTIONS }, () => connect(db.url));
  const presence = connect(db.url);
  const eye = connect(db.url);
  scope.after(async () => {
    await Promise.all([admin, presence, eye, ...connections].map((sql) => sql.end({ timeout: 1 })));
  });
  await mutate?.(db.sql);
  await installChecks(db.sql);
  await db.sql.unsafe(await readFile(join(HERE, 'model-fixture.sql'), 'utf8'));
  await admin`set session_replication_role = replica`;
  const lockKey = (worker: string): string => BigInt(`0x${worker.replaceAll('-', '').slice(0, 15)}`).toString();
  let resets = 0;
  const world: World = {
    connections,
    sql: eye,
    users: [],
    async reset(limits) {
      world.users = [randomUUID(), randomUUID(), randomUUID()];
      await presence`select pg_advisory_unlock_all()`;
      await admin`call model.reset(${world.users}, ${admin.json(limits.services)}, ${limits.jobs})`;
      if (++resets % 20 === 0) {
        await admin.unsafe(
          'vacuum (analyze) public.mashup_jobs, public.mashup_job_events, mashup.tasks, graphile_worker._private_jobs',
        );
      }
    },
    async look() {
      const [row] = await eye<{ picture: Picture }[]>`select model.picture() as picture`;
      if (!row) throw new Error('the database showed no picture');
      return row.picture;
    },
    async check(owed) {
      const [row] = await eye<{ broken: string[] }[]>`select model.check(${!owed.release}, ${!owed.wakeups}) as broken`;
      return row?.broken ?? [];
    },
    async hire() {
      const worker = randomUUID();
      const key = lockKey(worker);
      await presence`select pg_advisory_lock(${key}), mashup.register_worker(${worker}, 'test', 1, ${key}, 'test', 4, '{}', '{}')`;
      return worker;
    },
    async kill(worker) {
      await presence`select pg_advisory_unlock(${lockKey(worker)})`;
    },
    async setClock(milliseconds) {
      await eye`select setval('model.clock', ${milliseconds})`;
    },
  };
  return world;
}
