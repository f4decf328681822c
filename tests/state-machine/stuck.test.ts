/** mashup.stuck names the true cause, and what an operator writes by hand gets an explanation. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import postgres from 'postgres';
import { type Machine, useMachine } from './state-machine-fixture.ts';

interface Stuck {
  cause: string;
  why: string;
}

async function stuck(m: Machine, id: string): Promise<Stuck | undefined> {
  const [row] = await m.sql<Stuck[]>`select cause, why from mashup.stuck where id = ${id}`;
  return row;
}

async function assertStuck(m: Machine, id: string, cause: string, why: RegExp): Promise<void> {
  const found = await stuck(m, id);
  assert.equal(found?.cause, cause, found?.why);
  assert.match(found.why, why);
}

/** A worker and a job whose tasks are ready. Nothing is stuck yet. */
async function startMachine(t: Parameters<typeof useMachine>[0]): Promise<{ m: Machine; worker: string; id: string }> {
  const m = await useMachine(t);
  const worker = await m.worker();
  const id = await m.submit(await m.user(), 2);
  assert.equal(await stuck(m, id), undefined);
  return { m, worker, id };
}

describe('mashup.stuck', () => {
  it('names the pause with its reason, its end and how to end it', async (t) => {
    const { m, id } = await startMachine(t);
    await m.sql`select mashup.pause('service', 'analysis', 'new model', mashup.now() + interval '1 hour')`;
    await m.sql`update mashup.tasks set state = 'waiting' where job_id = ${id}`;
    await assertStuck(
      m,
      id,
      'pause',
      /service analysis\): new model, until 20.* UTC.*mashup\.resume\('service', 'analysis'\)/,
    );
    await m.sql`select mashup.resume('service', 'analysis')`;
    await m.sql`select mashup.pause('user', ${(await m.sql`select user_id from mashup_jobs`)[0]?.user_id}, 'abuse')`;
    await assertStuck(m, id, 'pause', /Paused \(user .*abuse/);
  });

  it('names the clock that was set back', async (t) => {
    const { m, id } = await startMachine(t);
    await m.sweep();
    await m.moveClock(-600);
    await assertStuck(m, id, 'clock', /set back by about 00:(10:00|09:5\d)/);
    await m.sweep();
    assert.equal(await stuck(m, id), undefined);
  });

  it('names the role that cannot read jobs', async (t) => {
    const { m, id } = await startMachine(t);
    await m.moveClock(40);
    // Roles belong to the cluster, so the change is never committed.
    const sql = postgres(m.superuserUrl, { max: 1, onnotice: () => {} });
    t.after(() => sql.end());
    const changed = sql.begin(async (tx) => {
      await tx`alter role mashup_worker nobypassrls`;
      const [row] = await tx<Stuck[]>`select cause, why from mashup.stuck where id = ${id}`;
      throw Object.assign(new Error('roll back'), { row });
    });
    await assert.rejects(changed, (error: { row?: Stuck }) => {
      assert.equal(error.row?.cause, 'role');
      assert.match(error.row.why, /alter role mashup_worker bypassrls/);
      return true;
    });
  });

  it('names the missing schema of the queue, and the one that workers may not use', async (t) => {
    const { m, id } = await startMachine(t);
    await m.moveClock(40);
    await m.sql`revoke usage on schema mashup_queue from mashup_worker`;
    await assertStuck(m, id, 'queue', /may not use/);
    await m.sql`drop schema mashup_queue cascade`;
    await assertStuck(m, id, 'queue', /is missing/);
  });

  it('says that no worker is running, that all are stopping, or that all are of another version', async (t) => {
    const { m, id } = await startMachine(t);
    await m.moveClock(40);
    await m.sql`update mashup.workers set version = '0.0.9'`;
    await assertStuck(m, id, 'version', /version 0\.0\.9, the database has/);
    await m.sql`update mashup.workers set draining = true`;
    await assertStuck(m, id, 'workers', /All 1 workers are stopping/);
    await m.sql`update mashup.workers set seen_at = mashup.now() - interval '5 minutes'`;
    await assertStuck(m, id, 'workers', /No worker is running \(the last one was seen 00:05:0\d ago\)/);
    await m.sql`delete from mashup.workers`;
    await assertStuck(m, id, 'workers', /No worker is running: start one/);
  });

  it('names the unavailable service with its error', async (t) => {
    const { m, id } = await startMachine(t);
    await m.sql`update mashup.tasks set state = 'waiting' where job_id = ${id}`;
    await m.sql`update mashup.service_health set state = 'open', failures = 5, last_error = 'ECONNREFUSED', retry_at = mashup.now() + interval '1 minute'
      where service = 'analysis'`;
    await m.sql`update mashup.tasks set state = 'waiting' where job_id = ${id}`;
    await assertStuck(m, id, 'circuit', /analysis \(ECONNREFUSED\)/);
  });

  it('names the silent worker, the silent service and the busy workers', async (t) => {
    const { m, worker, id } = await startMachine(t);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.moveClock(70);
    await m.sql`update mashup.tasks set lease_until = mashup.now() + interval '20 seconds', heard_at = mashup.now() where state = 'running'`;
    await assertStuck(m, id, 'busy_workers', /have free places/);
    await m.sql`update mashup.workers set concurrency = 1`;
    await assertStuck(m, id, 'busy_workers', /all 1 places of the workers are taken/);
    await m.sql`update mashup.tasks set heard_at = mashup.now() - interval '1 hour', silence_sec = 4000 where state = 'running'`;
    await assertStuck(
      m,
      id,
      'silent_service',
      /^The analysis service has sent nothing for 360\d s; the call ends after 4000 s/,
    );
    await m.sql`update mashup.tasks set lease_until = mashup.now() - interval '1 second' where state = 'running'`;
    await assertStuck(m, id, 'lease', /silent/);
  });

  it('names the slot or the place at a service that a job waits for, and the job without tasks', async (t) => {
    const { m, id } = await startMachine(t);
    await m.moveClock(700);
    await m.sql`update mashup.settings set value = '{"analysis": 0}' where name = 'service_limits'`;
    await m.sql`update mashup.tasks set state = 'waiting' where job_id = ${id}`;
    await m.sweep();
    await assertStuck(m, id, 'limit', /free place at a service/);
    await m.sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
    const second = await m.submit(await m.user(), 2);
    await m.moveClock(1_400);
    await assertStuck(m, second, 'limit', /slot/);
    await m.sql`update mashup.tasks set state = 'dropped', finished_at = mashup.now() where job_id = ${id}`;
    await m.sql`update mashup_jobs set waiting_on = null where id = ${id}`;
    await assertStuck(m, id, 'no_tasks', /Replay it/);
  });
});

it('the version of the schema is that of the package', async (t) => {
  const m = await useMachine(t);
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const [row] = await m.sql`select mashup.engine_version() as version`;
  assert.equal(row?.version, version);
});

it('a write of status or error_code by hand is refused with what to write instead', async (t) => {
  const m = await useMachine(t);
  const id = await m.submit(await m.user(), 2);
  const writes: [statement: string, hint: RegExp][] = [
    ["status = 'cancelled'", /Set stage instead: to "cancelled"/],
    ["status = 'failed', error_code = 'x'", /Set stage instead/],
    ["error_code = 'broken'", /set stage to cancelled/],
  ];
  for (const [write, hint] of writes) {
    await assert.rejects(
      m.sql.unsafe(`update public.mashup_jobs set ${write} where id = '${id}'`),
      (error: { code?: string; hint?: string }) => {
        assert.equal(error.code, 'MB001');
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  }
  const worker = await m.worker();
  const task = await m.claimNext(worker, id);
  assert.ok(task);
  await m.fail(task, 'permanent', 'audio_silent');
  await assert.rejects(m.sql`update public.mashup_jobs set error_code = null where id = ${id}`, { code: 'MB001' });
});
