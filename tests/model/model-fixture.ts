/** The database of the model test: connections, snapshots, invariants. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import type { CircuitName, ServiceName, Stage, TaskKind, WaitingOn } from '../../schema.ts';
import type { CleanUpScope, TestDatabase } from '../support/postgres.ts';
import { installChecks } from './invariants.ts';

const HERE = import.meta.dirname;
const CONNECTIONS = 3;

export interface JobSnapshot {
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
  /** State of the studio version. */
  studio: string | null;
  /** Whether it has a public link. */
  shared: boolean;
  /** Path and number of the playable parts. */
  playable: string | null;
}

export interface TaskSnapshot {
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
  /** The circuits whose probe it is. */
  probes: CircuitName[];
  fallback: boolean;
}

/** The database as the model is compared with it. */
export interface Snapshot {
  jobs: JobSnapshot[];
  tasks: TaskSnapshot[];
  health: Record<CircuitName, { open: boolean; failures: number }>;
  /** Digest of every row that a late write could change. */
  digest: string;
}

export interface Limits {
  services: Record<ServiceName, number>;
  jobs: number;
  /** The setting `separate_early`. */
  early: 'held' | 'always';
}

/** What the sweep has still to do. */
export interface Pending {
  schedule: boolean;
  queueEntries: boolean;
}

/** A database of the model test. */
export interface ModelFixture {
  /** Several sessions. Which one a command uses is part of the sequence. */
  connections: postgres.Sql[];
  /** A session that no command uses. */
  sql: postgres.Sql;
  users: string[];
  reset(limits: Limits): Promise<void>;
  readSnapshot(): Promise<Snapshot>;
  /** Returns the broken invariants. Those that hold only after scheduling or reconciliation are skipped while these are pending. */
  check(pending: Pending): Promise<string[]>;
  /** Registers a worker with a session lock. */
  addWorker(): Promise<string>;
  /** Releases the lock of a worker, as its death does. */
  killWorker(worker: string): Promise<void>;
  setClock(milliseconds: number): Promise<void>;
}

/** Prepares a database for the model. `mutate` changes the schema first. */
export async function openModelFixture(
  scope: CleanUpScope,
  db: TestDatabase,
  mutate?: (sql: postgres.Sql) => Promise<void>,
): Promise<ModelFixture> {
  const connect = (url: string): postgres.Sql =>
    postgres(url, { max: 1, onnotice: () => {}, connection: { jit: false } });
  const admin = connect(db.superuserUrl);
  const connections = Array.from({ length: CONNECTIONS }, () => connect(db.url));
  const presence = connect(db.url);
  const reader = connect(db.url);
  scope.after(async () => {
    await Promise.all([admin, presence, reader, ...connections].map((sql) => sql.end({ timeout: 1 })));
  });
  await mutate?.(db.sql);
  await installChecks(db.sql);
  await db.sql.unsafe(await readFile(join(HERE, 'model-fixture.sql'), 'utf8'));
  await admin`set session_replication_role = replica`;
  const lockKey = (worker: string): string => BigInt(`0x${worker.replaceAll('-', '').slice(0, 15)}`).toString();
  let resets = 0;
  const fixture: ModelFixture = {
    connections,
    sql: reader,
    users: [],
    async reset(limits) {
      fixture.users = [randomUUID(), randomUUID(), randomUUID()];
      await presence`select pg_advisory_unlock_all()`;
      await admin`call model.reset(${fixture.users}, ${admin.json(limits.services)}, ${limits.jobs}, ${limits.early})`;
      if (++resets % 20 === 0) {
        await admin.unsafe(
          'vacuum (analyze) public.mashup_jobs, public.mashup_job_events, mashup.tasks, mashup_queue._private_jobs',
        );
      }
    },
    async readSnapshot() {
      const [row] = await reader<{ snapshot: Snapshot }[]>`select model.snapshot() as snapshot`;
      if (!row) throw new Error('the database returned no snapshot');
      return row.snapshot;
    },
    async check(pending) {
      const [row] = await reader<
        { broken: string[] }[]
      >`select model.check(${!pending.schedule}, ${!pending.queueEntries}) as broken`;
      return row?.broken ?? [];
    },
    async addWorker() {
      const worker = randomUUID();
      const key = lockKey(worker);
      await presence`select pg_advisory_lock(${key}), mashup.register_worker(${worker}, 'test', 1, ${key}, 'test', 4, '{}', '{}', mashup.protocol_version())`;
      return worker;
    },
    async killWorker(worker) {
      await presence`select pg_advisory_unlock(${lockKey(worker)})`;
    },
    async setClock(milliseconds) {
      await reader`select setval('model.clock', ${milliseconds})`;
    },
  };
  return fixture;
}
