/** A worker and a user in SQL alone, which drive the state machine without services. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import type { TaskKind } from '../../schema.ts';
import { type CleanUpScope, type TestDatabase, useDatabase } from '../support/postgres.ts';
import { sampleResult } from '../support/sample-results.ts';

export interface ClaimedTask {
  status: 'claimed';
  task_id: number;
  claim: string;
  kind: TaskKind;
  job_id: string;
  user_id: string;
  epoch: number;
  song_id: string | null;
  songs: { song_id: string; name: string; state: string }[];
  output_prefix: string | null;
  fallback: boolean;
  separation?: { method: string; models: (string | null)[] | null; classical: string | null } | null;
  is_studio?: boolean;
}

type ClaimResult = ClaimedTask | { status: 'gone' } | { status: 'deferred'; reason: string };

export interface JobRow {
  id: string;
  stage: string;
  status: string;
  waiting_on: string | null;
  progress: number;
  current_step: string;
  epoch: number;
  version: number;
  songs: {
    song_id: string;
    name: string;
    path: string;
    state: string;
    analysis_id?: number;
    stems_id?: number;
    own_stems_id?: number;
    hash?: string;
  }[];
  plan_version: number | null;
  result_path: string | null;
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
  admitted_at: Date | null;
  warnings: { code: string; message: string; stage: string }[];
  result: { quality?: { passed: boolean }; separation?: Record<string, { model: string; method: string }> } | null;
  studio_version: { state: string; progress?: number; step?: string } | null;
  title: string | null;
  estimated_completion_at: Date | null;
  estimate_note: string | null;
}

/** What users do. */
interface UserCalls {
  user(): Promise<string>;
  /** Inserts objects of a user. Returns songs to submit. */
  songs(
    userId: string,
    count: number,
  ): Promise<{ song_id: string; name: string; artist: string; storage_path: string }[]>;
  /** Calls a function of the public API as that user. */
  as<T>(userId: string, call: (tx: postgres.TransactionSql) => Promise<T>): Promise<T>;
  submit(userId: string, count?: number, options?: { hold?: string; key?: string; wanted?: object }): Promise<string>;
  job(id: string): Promise<JobRow>;
}

/** What workers do. */
interface WorkerCalls {
  worker(): Promise<string>;
  claim(workerId: string, task: { id: string; attempt: number }): Promise<ClaimResult>;
  ready(
    jobId?: string,
  ): Promise<{ id: string; attempt: number; kind: string; song_id: string | null; job_id: string }[]>;
  claimNext(workerId: string, jobId?: string): Promise<ClaimedTask | undefined>;
  finish(task: ClaimedTask, result?: object): Promise<string>;
  fail(task: ClaimedTask, kind: string, code?: string): Promise<string>;
  /** Runs ready tasks until none is left or `until` returns true. */
  run(workerId: string, until?: (task: ClaimedTask) => boolean): Promise<ClaimedTask | undefined>;
  sweep(): Promise<{ recovered: number; enqueued: number; purged: number } | null>;
}

/** A test database with calls of users and workers. */
export interface Machine extends TestDatabase, UserCalls, WorkerCalls {
  /** Moves the clock of the state machine only. */
  moveClock(seconds: number): Promise<void>;
}

/** Returns a successful result for a task. */
export const resultOf = (task: ClaimedTask): object => sampleResult(task);

/** Makes a test database with calls of users and workers. */
export async function useMachine(scope: CleanUpScope): Promise<Machine> {
  const sessions: postgres.Sql[] = [];
  scope.after(async () => {
    await Promise.all(sessions.map((session) => session.end({ timeout: 1 })));
  });
  const db = await useDatabase(scope);
  const { sql } = db;
  return {
    ...db,
    ...userCalls(db),
    ...workerCalls(db, sessions),
    async moveClock(seconds) {
      await sql.unsafe(
        `create or replace function mashup.now() returns timestamptz language sql stable set search_path = '' as $$ select pg_catalog.now() + interval '${Number(seconds)} seconds' $$`,
      );
      await sql`update mashup.workers set seen_at = mashup.now()`;
    },
  };
}

function userCalls({ sql }: TestDatabase): UserCalls {
  const calls: UserCalls = {
    async user() {
      const id = randomUUID();
      await sql`insert into auth.users (id, email) values (${id}, ${`${id}@example.test`})`;
      return id;
    },
    async songs(userId, count) {
      const songs = Array.from({ length: count }, (_, i) => {
        const song_id = randomUUID();
        return {
          song_id,
          name: `Song ${i + 1}`,
          artist: 'Artist',
          storage_path: `uploads/${userId}/${song_id}/song.mp3`,
        };
      });
      for (const song of songs) {
        await sql`insert into storage.objects (bucket_id, name, owner_id, metadata)
          values ('mashups', ${song.storage_path}, ${userId}, ${sql.json({ size: 1_000_000, eTag: randomUUID() })})`;
      }
      return songs;
    },
    as(userId, call) {
      return sql.begin(async (tx) => {
        await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId, role: 'authenticated' })}, true)`;
        await tx`set local role authenticated`;
        return call(tx);
      }) as Promise<Awaited<ReturnType<typeof call>>>;
    },
    async submit(userId, count = 2, options = {}) {
      const songs = await calls.songs(userId, count);
      const [row] = await calls.as(
        userId,
        (tx) =>
          tx<
            { answer: { job_id: string } }[]
          >`select public.submit_mashup(${tx.json(songs)}, ${tx.json((options.wanted ?? {}) as never)}, ${options.hold ?? null}, ${options.key ?? null}) as answer`,
      );
      if (!row) throw new Error('submit_mashup returned nothing');
      return row.answer.job_id;
    },
    async job(id) {
      const [row] = await sql<JobRow[]>`select * from public.mashup_jobs where id = ${id}`;
      if (!row) throw new Error(`no job ${id}`);
      return row;
    },
  };
  return calls;
}

/** @param sessions the session of each worker is added, for the clean-up */
function workerCalls(db: TestDatabase, sessions: postgres.Sql[]): WorkerCalls {
  const { sql } = db;
  const calls: WorkerCalls = {
    async worker() {
      const id = randomUUID();
      const key = BigInt(`0x${id.replaceAll('-', '').slice(0, 15)}`).toString();
      // As a real worker, it holds a session lock while it is alive.
      const session = postgres(db.url, { max: 1, onnotice: () => {} });
      sessions.push(session);
      await session`select pg_advisory_lock(${key})`;
      await sql`select mashup.register_worker(${id}, 'test', 1, ${key}, mashup.engine_version(), 4, '{}', '{}', mashup.protocol_version())`;
      return id;
    },
    async claim(workerId, task) {
      const [row] = await sql<
        { claimed: ClaimResult }[]
      >`select mashup.claim_task(${task.id}, ${task.attempt}, ${workerId}) as claimed`;
      if (!row) throw new Error('claim_task returned nothing');
      return row.claimed;
    },
    ready(jobId) {
      return sql<{ id: string; attempt: number; kind: string; song_id: string | null; job_id: string }[]>`
        select id, attempt, kind, song_id, job_id from mashup.tasks
        where state = 'ready' and (${jobId ?? null}::uuid is null or job_id = ${jobId ?? null}::uuid) order by priority, run_at, id`;
    },
    async claimNext(workerId, jobId) {
      for (const task of await calls.ready(jobId)) {
        const result = await calls.claim(workerId, task);
        if (result.status === 'claimed') return result;
      }
      return undefined;
    },
    async finish(task, result = resultOf(task)) {
      const [row] = await sql<
        { status: string }[]
      >`select mashup.finish_task(${task.task_id}, ${task.claim}, ${sql.json(result as never)}) as status`;
      return row?.status ?? '';
    },
    async fail(task, kind, code = 'test_fault') {
      const [row] = await sql<{ status: string }[]>`
        select mashup.fail_task(${task.task_id}, ${task.claim}, ${code}, 'It went wrong.', 'Try again.', ${kind}) as status`;
      return row?.status ?? '';
    },
    async run(workerId, until) {
      for (;;) {
        const task = await calls.claimNext(workerId);
        if (!task) return undefined;
        if (until?.(task)) return task;
        await calls.finish(task);
      }
    },
    async sweep() {
      const [row] = await sql<
        { done: { recovered: number; enqueued: number; purged: number } | null }[]
      >`select mashup.sweep() as done`;
      return row?.done ?? null;
    },
  };
  return calls;
}
