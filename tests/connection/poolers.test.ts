/** Connections through PgBouncer in session and transaction mode. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import postgres from 'postgres';
import { checkDatabase } from '../../cli/doctor/database.ts';
import type { Finding } from '../../cli/doctor/finding.ts';
import { openPool } from '../../worker/database/pool.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';
import type { WorkerStartError } from '../../worker/errors.ts';
import { mashup } from '../cli/cli.ts';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { SKIP_PGBOUNCER, usePgBouncer } from './pgbouncer.ts';
import { startWorker } from './start-worker.ts';

const database = await useDatabase({ after });

async function listenFinding(url: string): Promise<Finding | undefined> {
  return (await checkDatabase(url)).find(({ name }) => name === 'LISTEN');
}

for (const mode of ['session', 'transaction'] as const) {
  test(`migrate works through PgBouncer in ${mode} mode`, { skip: SKIP_PGBOUNCER }, async (t) => {
    const empty = await useDatabase(t, { empty: true });
    const { url } = await usePgBouncer(t, mode, { url: empty.url });
    const run = await mashup(['migrate'], { DATABASE_URL: url });
    assert.equal(run.code, 0, run.stderr);
    const [table] = await empty.sql`select to_regclass('public.mashup_jobs') is not null as exists`;
    assert.equal(table?.['exists'], true);
  });
}

describe('PgBouncer in session mode', { skip: SKIP_PGBOUNCER }, () => {
  test('a worker starts, takes queue entries and limits its statements', async (t) => {
    const through = await usePgBouncer(t, 'session', { worker: database.workerUrl, url: database.url });
    const log: string[] = [];
    const worker = await startWorker(through.worker, log);
    t.after(() => worker.stop());
    await database.sql`select mashup_queue.add_job('mashup:score', '{"task": "0", "attempt": 0}')`;
    await until('the entry is taken', async () => {
      return (await database.sql`select from mashup_queue._private_jobs`).length === 0;
    });
    assert.deepEqual(
      log.filter((line) => !line.includes('"info"')),
      [],
    );
    const pool = openPool(through.worker, { max: 1, name: 'test', sockets: startSocketWatchdog(10_000) });
    const { rows } = await pool.query<{ statement_timeout: string }>('show statement_timeout');
    await pool.end();
    assert.equal(rows[0]?.statement_timeout, '8s');
    assert.equal((await listenFinding(through.url))?.message, 'notifications arrive');
  });
});

describe('PgBouncer in transaction mode', { skip: SKIP_PGBOUNCER }, () => {
  test('a worker does not start, names the reason and leaves neither lock nor row', async (t) => {
    const through = await usePgBouncer(t, 'transaction', { worker: database.workerUrl });
    const before = await database.sql`select id from mashup.workers`;
    await assert.rejects(startWorker(through.worker), (error: WorkerStartError) => {
      assert.match(error.message, /transaction-mode pooler/);
      assert.match(error.hint, /pool_mode = session/);
      return error.code === 'transaction_pooler';
    });
    assert.deepEqual(await database.sql`select id from mashup.workers`, before);
    const locks = await database.sql`
      select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
    assert.equal(locks.length, 0);
  });

  test('it is recognized while other clients use the pooler', async (t) => {
    const through = await usePgBouncer(t, 'transaction', { worker: database.workerUrl });
    const others = postgres(through.worker, { max: 4, prepare: false, onnotice: () => {} });
    let isStopped = false;
    const load = [1, 2, 3, 4].map(async () => {
      while (!isStopped) await others`select pg_sleep(0.002)`;
    });
    try {
      await assert.rejects(startWorker(through.worker), { code: 'transaction_pooler' });
    } finally {
      isStopped = true;
      await Promise.all(load);
      await others.end();
    }
  });

  test('doctor names it, and operator commands work', async (t) => {
    const through = await usePgBouncer(t, 'transaction', { url: database.url });
    const finding = await listenFinding(through.url);
    assert.equal(finding?.ok, false);
    assert.match(finding.message, /transaction-mode pooler/);
    assert.match(finding.hint ?? '', /5432 instead of 6543/);
    const run = await mashup(['jobs'], { DATABASE_URL: through.url });
    assert.equal(run.code, 0, run.stderr);
  });
});
