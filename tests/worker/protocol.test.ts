/** Workers and schemas of different versions: a worker that is too old finishes its tasks and ends, one that is too new does not start. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { MIN_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../../schema/constants.ts';
import { migrate, MIGRATIONS_DIR } from '../../migrate/migrate.ts';
import { describePlan, planMigration } from '../../migrate/plan.ts';
import { WorkerStartError } from '../../worker/errors.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from './worker-fixture.ts';

/** A migration after which only workers of a later protocol are served. */
const LATER = `
  create or replace function mashup.protocol_version() returns integer language sql immutable set search_path = '' as 'select ${PROTOCOL_VERSION + 1}';
  create or replace function mashup.min_protocol_version() returns integer language sql immutable set search_path = '' as 'select ${PROTOCOL_VERSION + 1}';`;

const world = await useWorkerFixture({ after });
const { sql } = world;
const dir = await mkdtemp(join(tmpdir(), 'mashup-protocol-'));
after(() => rm(dir, { recursive: true }));
await cp(MIGRATIONS_DIR, dir, { recursive: true });
await writeFile(join(dir, '20991231000000_later.sql'), LATER);

const setProtocol = (name: string, value: number): Promise<unknown> =>
  sql.unsafe(
    `create or replace function mashup.${name}() returns integer language sql immutable set search_path = '' as 'select ${value}'`,
  );

it('the numbers of the code are those of the schema', async () => {
  const [row] = await sql`select mashup.protocol_version() as current, mashup.min_protocol_version() as oldest`;
  assert.deepEqual({ ...row }, { current: PROTOCOL_VERSION, oldest: MIN_PROTOCOL_VERSION });
});

it('a worker that knows no edits of plans by hand is refused: it would make a new plan instead', async () => {
  const register = (protocol: number): Promise<unknown> =>
    sql`select mashup.register_worker(${crypto.randomUUID()}, 'test', 1, 4712, '0.1.0', 1, '{}', '{}', ${protocol})`;
  await assert.rejects(register(2), { code: 'MB013' });
});

it('a worker that is too new for the database does not start, and says to migrate', async () => {
  await setProtocol('protocol_version', PROTOCOL_VERSION - 1);
  await setProtocol('min_protocol_version', 0);
  await assert.rejects(world.startWorker(), (error) => {
    assert.ok(error instanceof WorkerStartError);
    assert.equal(error.code, 'database_too_old');
    assert.match(error.hint, /mashup migrate/);
    return true;
  });
  await setProtocol('protocol_version', PROTOCOL_VERSION);
  await setProtocol('min_protocol_version', MIN_PROTOCOL_VERSION);
});

it('a worker of an older protocol that the database serves works on', async () => {
  await setProtocol('protocol_version', PROTOCOL_VERSION + 1);
  const worker = await world.startWorker();
  const job = await world.untilEnded(await world.submit());
  assert.equal(job.stage, 'complete');
  await worker.stop();
  assert.equal(await worker.done, undefined);
  await setProtocol('protocol_version', PROTOCOL_VERSION);
});

describe('a migration that workers are too old for', () => {
  it('leaves a running task to its worker, which then ends with the reason; a worker that starts is refused', async () => {
    const worker = await world.startWorker();
    world.services.always('analysis', 'hang');
    const running = () => sql`select worker_id from mashup.tasks where state = 'running'`;
    const job = await world.submit();
    await until('a song is being analysed', async () => (await running()).length > 0);

    const plan = describePlan(await planMigration({ databaseUrl: world.database.url, migrationsDir: dir }));
    assert.deepEqual(plan, [
      'apply 20991231000000_later.sql',
      `1 running worker of version 0.1.0 (protocol ${PROTOCOL_VERSION}): continue`,
    ]);
    const lines: string[] = [];
    await migrate({ databaseUrl: world.database.url, migrationsDir: dir, log: (line) => lines.push(line) });
    assert.match(lines.join('\n'), /1 running workers of version 0\.1\.0 are too old/);

    await until('the worker drains', async () => (await sql`select from mashup.workers where draining`).length === 1);
    await until('it says so', () => world.log.some((line) => line.includes('is too old for the database')));
    const held = await running();
    assert.ok(held.length > 0 && held.every((task) => task['worker_id'] === worker.id));
    await assert.rejects(world.startWorker(), { code: 'worker_too_old' });

    // The tasks end: here by the cancellation of their job, which the draining worker still learns of.
    await sql`select mashup.cancel(${job})`;
    const reason = await worker.done;
    assert.equal(reason?.code, 'worker_too_old');
    assert.match(`${reason.message}. ${reason.hint}`, /too old .*\. Start a worker of version/);
    assert.equal((await sql`select from mashup.workers`).length, 0);
  });

  it('is planned without a change: a plan of a database that has all is empty', async () => {
    assert.deepEqual(describePlan(await planMigration({ databaseUrl: world.database.url, migrationsDir: dir })), []);
  });
});
