/** The worker recovers from restarts of Postgres and from a missing queue schema. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import postgres from 'postgres';
import { prepareDatabase } from '../../local/database.ts';
import { startPostgres } from '../../local/postgres/launcher.ts';
import { migrate } from '../../migrate/migrate.ts';
import { readConfig } from '../../worker/config.ts';
import { runWorker } from '../../worker/run.ts';
import { until } from '../support/until.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'mashup-restart-'));
await chmod(dataDir, 0o711);
const settings = { fsync: 'off' };
let server = await startPostgres({ dataDir, port: 0, settings });
await prepareDatabase({ superuserUrl: server.superuserUrl, url: server.url, workerPassword: 'worker', log: () => {} });
const { port } = server;
const log: string[] = [];
const config = readConfig({
  DATABASE_URL: `postgres://mashup_worker:worker@127.0.0.1:${port}/postgres`,
  SUPABASE_URL: 'http://127.0.0.1:1',
  SUPABASE_SERVICE_ROLE_KEY: 'key',
});
const worker = await runWorker({ ...config, write: (line) => log.push(line) });

after(async () => {
  await worker.stop();
  await server.stop('immediate');
  await rm(dataDir, { recursive: true, force: true });
});

/** Waits until the worker takes a queue entry, here one without a task, and its heartbeat is current. */
async function untilEntryIsTaken(): Promise<void> {
  const sql = postgres(server.superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`select mashup_queue.add_job('mashup:score', '{"task": "0", "attempt": 0}')`;
    await until(
      () => `the entry is taken; log: ${log.join('\n')}`,
      async () => {
        const [row] = await sql`
          select (select count(*)::int from mashup_queue._private_jobs) as entries,
            (select count(*)::int from mashup.workers where id = ${worker.id} and seen_at > now() - interval '1 second') as fresh`;
        return row?.['entries'] === 0 && row['fresh'] === 1;
      },
    );
  } finally {
    await sql.end();
  }
}

for (const mode of ['fast', 'immediate'] as const) {
  test(`after a restart of Postgres (${mode}) the worker takes tasks again`, async () => {
    await untilEntryIsTaken();
    await server.stop(mode);
    await until('the worker notices the restart', () => log.some((line) => line.includes('cannot reach the database')));
    log.length = 0;
    server = await startPostgres({ dataDir, port, settings });
    await untilEntryIsTaken();
  });
}

test('without the queue schema the worker waits and logs which command to run', async () => {
  const sql = postgres(server.superuserUrl, { max: 1, onnotice: () => {} });
  // The worker reads these tables at the same time, so that the drop may end in a deadlock. It is repeated then.
  await until('the schema is dropped', () =>
    sql`drop schema mashup_queue cascade`.then(
      () => true,
      (error: unknown) => {
        if (error instanceof postgres.PostgresError && error.code === '40P01') return false;
        throw error;
      },
    ),
  );
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'mashup_worker'`;
  await until(
    () => `the worker logs the command: ${log.slice(-12).join('\n')}`,
    () => log.some((line) => line.includes('mashup migrate')),
  );
  await migrate({ databaseUrl: server.url });
  await sql`select mashup.grant_queue()`;
  await sql.end();
  await untilEntryIsTaken();
  assert.ok(log.every((line) => !line.includes('unhandled')));
});
