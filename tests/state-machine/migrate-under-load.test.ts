/** A migration of tables and functions in use: it waits politely, and no submission or finish fails meanwhile. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { migrate, MIGRATIONS_DIR } from '../../migrate/migrate.ts';
import { until } from '../support/until.ts';
import { resultOf, useMachine } from './state-machine-fixture.ts';
import type { Machine } from './state-machine-fixture.ts';

/** How long the reader keeps its transaction open. */
const READER_MS = 7_000;

/** Alters both tables of the hot path and replaces functions that the load calls. */
const SECOND = `
  alter table public.mashup_jobs add column later_note text;
  alter table mashup.tasks add column later_note text;
  do $$
  declare v_definition text;
  begin
    for v_definition in select pg_get_functiondef(p.oid) from pg_proc p
      where p.proname in ('finish_task', 'claim_task', 'submit_mashup', 'after_transition') loop
      execute v_definition;
    end loop;
  end $$;`;

/** A folder with the migrations and a second one. */
async function folderWith(second: string): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-migrations-'));
  await cp(MIGRATIONS_DIR, dir, { recursive: true });
  await writeFile(join(dir, '20991231000000_later.sql'), second);
  return { dir, remove: () => rm(dir, { recursive: true }) };
}

interface Load {
  counts: { submits: number; finishes: number; slowestMs: number };
  faults: string[];
  stop(): Promise<void>;
}

/** Submits jobs, and claims and finishes tasks, on several connections until it is stopped. */
async function startLoad(m: Machine): Promise<Load> {
  await m.sql`update mashup.settings set value = '1000' where name in ('max_running_jobs', 'max_running_jobs_per_user', 'max_submits_per_minute', 'max_queued_jobs_per_user')`;
  const user = await m.user();
  const worker = await m.worker();
  const load = { counts: { submits: 0, finishes: 0, slowestMs: 0 }, faults: [] as string[] };
  let isStopped = false;
  const repeat = async (what: 'submits' | 'finishes', pauseMs: number, work: () => Promise<boolean>): Promise<void> => {
    while (!isStopped) {
      const startedAt = performance.now();
      try {
        if (await work()) load.counts[what] += 1;
      } catch (error) {
        load.faults.push(`${what}: ${(error as postgres.PostgresError).code} ${(error as Error).message}`);
      }
      load.counts.slowestMs = Math.max(load.counts.slowestMs, performance.now() - startedAt);
      await sleep(pauseMs);
    }
  };
  // As a worker does: it repeats a call that was ended because of a deadlock.
  const repeated = <T>(call: () => Promise<T>): Promise<T> =>
    call().catch((error: unknown) => {
      if ((error as postgres.PostgresError).code !== '40P01') throw error;
      return repeated(call);
    });
  const finishOne = async (): Promise<boolean> => {
    const task = await repeated(() => m.claimNext(worker));
    if (task === undefined) return false;
    await repeated(() => m.finish(task, resultOf(task)));
    return true;
  };
  const running = [
    repeat('submits', 100, async () => (await m.submit(user)) !== ''),
    repeat('finishes', 20, finishOne),
    repeat('finishes', 20, finishOne),
  ];
  return {
    ...load,
    stop: async () => {
      isStopped = true;
      await Promise.all(running);
    },
  };
}

test('a migration behind an open reader names it, lets all transitions pass, and applies when it ends', async (t) => {
  const m = await useMachine(t);
  const { dir, remove } = await folderWith(SECOND);
  t.after(remove);
  const load = await startLoad(m);
  await until('jobs run', () => load.counts.finishes > 5);
  const reader = postgres(m.url, { max: 1, connection: { application_name: 'nightly-report' } });
  let isReading = true;
  const opened = Promise.withResolvers<void>();
  const reading = reader
    .begin(async (tx) => {
      await tx`select count(*) from public.mashup_jobs`;
      await tx`select count(*) from mashup.tasks`;
      opened.resolve();
      await sleep(READER_MS);
      isReading = false;
    })
    .finally(() => reader.end());
  await opened.promise;
  const lines: string[] = [];
  const before = { ...load.counts };
  const { applied } = await migrate({ databaseUrl: m.url, migrationsDir: dir, log: (line) => lines.push(line) });
  assert.equal(isReading, false, 'it applied only after the reader had ended');
  const during = { ...load.counts };
  await sleep(500);
  await load.stop();
  await reading;
  assert.deepEqual(applied, ['20991231000000_later.sql']);
  assert.match(
    lines.join('\n'),
    /20991231000000_later\.sql waits for a lock held by process \d+ \(nightly-report, idle in transaction, its query began \d+ s ago: .*\); trying again in/,
  );
  assert.deepEqual(load.faults, []);
  assert.ok(
    during.submits > before.submits + 5 && during.finishes > before.finishes + 5,
    JSON.stringify({ before, during }),
  );
  assert.ok(load.counts.slowestMs < 4_500, `the slowest call took ${load.counts.slowestMs} ms`);
});

test('a migration that never gets its locks ends with the session that holds them, and changes nothing', async (t) => {
  const m = await useMachine(t);
  const { dir, remove } = await folderWith(SECOND);
  t.after(remove);
  const reader = postgres(m.url, { max: 1, connection: { application_name: 'forgotten-console' } });
  const release = Promise.withResolvers<void>();
  const reading = reader
    .begin(async (tx) => {
      await tx`select count(*) from mashup.tasks`;
      await release.promise;
    })
    .finally(() => reader.end());
  try {
    const lockLimits = { lockTimeoutMs: 700, firstDelayMs: 50, totalMs: 1_500 };
    await assert.rejects(migrate({ databaseUrl: m.url, migrationsDir: dir, lockLimits }), (error) => {
      const { code, message } = error as { code: string; message: string };
      assert.equal(code, 'migration_blocked');
      assert.match(message, /held by process \d+ \(forgotten-console, idle in transaction/);
      return true;
    });
  } finally {
    release.resolve();
    await reading;
  }
  const columns = await m.sql`select from information_schema.columns where column_name = 'later_note'`;
  assert.equal(columns.length, 0);
});
