import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';

describe('retention', () => {
  it('expires drafts and results, deletes old jobs, and puts their files into the outbox', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const draft = await m.submit(user, 2, { hold: 'planning' });
    const id = await m.submit(user, 2);
    await m.run(worker);
    const path = (await m.job(id)).result_path;
    await m.moveClock(25 * 3600);
    await m.sweep();
    assert.equal((await m.job(draft)).stage, 'cancelled');
    await m.moveClock(31 * 86400);
    await m.sweep();
    const [expired] =
      await m.sql`select stage, result_path, expired_at is not null as expired from mashup_jobs where id = ${id}`;
    assert.deepEqual({ ...expired }, { stage: 'complete', result_path: null, expired: true });
    const [outbox] = await m.sql`select count(*)::int as n from mashup.storage_deletions where path = ${path}`;
    assert.equal(outbox?.n, 1);
    await m.moveClock(400 * 86400);
    await m.sweep();
    const [left] = await m.sql`select count(*)::int as n from mashup_jobs`;
    assert.equal(left?.n, 0);
  });

  it('deletes everything of a deleted user', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    await m.submit(user, 2);
    await m.run(await m.worker());
    await m.sql`delete from auth.users where id = ${user}`;
    const [left] =
      await m.sql`select (select count(*) from mashup_jobs)::int + (select count(*) from mashup.analyses)::int
      + (select count(*) from mashup.stems)::int + (select count(*) from mashup.tasks)::int as n`;
    assert.equal(left?.n, 0);
    const paths = await m.sql`select path from mashup.storage_deletions where is_prefix`;
    assert.ok(paths.some((row) => row.path === `uploads/${user}/`));
  });
});

describe('an operator', () => {
  it('retries in bulk the jobs that failed with one code, after a preview', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    for (const code of ['audio_damaged', 'audio_damaged', 'audio_silent']) {
      const id = await m.submit(await m.user(), 2);
      const task = await m.claimNext(worker, id);
      assert.ok(task);
      await m.fail(task, 'permanent', code);
    }
    const preview = await m.sql`select id from mashup.select_jobs('failed', 'audio_damaged')`;
    assert.equal(preview.length, 2);
    const done = await m.sql`select * from mashup.bulk('retry', 'failed', 'audio_damaged')`;
    assert.deepEqual(
      done.map((row) => row.outcome),
      ['done', 'done'],
    );
    await m.run(worker);
    const stages = await m.sql`select stage, count(*)::int as n from mashup_jobs group by 1 order by 1`;
    assert.deepEqual(
      stages.map((row) => [row.stage, row.n]),
      [
        ['complete', 2],
        ['failed', 1],
      ],
    );
  });

  it('gets an error for a job that does not exist', async (t) => {
    const m = await useMachine(t);
    await assert.rejects(m.sql`select mashup.cancel(${randomUUID()})`, { code: 'MB002' });
  });
});
