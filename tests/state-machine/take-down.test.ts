/** A mashup that an operator takes down: its files are deleted, its user reads why, and it does not run again. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { mashup } from '../cli/cli.ts';
import { useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const worker = await m.worker();
const user = await m.user();
const REASON = 'The holder of the rights objects.';

const row = async (id: string): Promise<Record<string, unknown>> => {
  const [job] = await sql`
    select stage, result_path, takedown_reason, current_step, expired_at is not null as expired from public.mashup_jobs where id = ${id}`;
  return { ...job };
};
const takenDown = { result_path: null, takedown_reason: REASON, current_step: 'Taken down' };
const byUser = (call: string, id: string): Promise<unknown> =>
  m.as(user, (tx) => tx.unsafe(`select public.${call}`.replace('$1', `'${id}'`)));

describe('a complete mashup', async () => {
  const id = await m.submit(user);
  await m.run(worker);

  it('loses its files, and its row says why', async () => {
    const run = await mashup(['take-down', id.slice(0, 8), '--reason', REASON], { DATABASE_URL: m.url });
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(await row(id), { ...takenDown, stage: 'complete', expired: true });
    const outbox =
      await sql`select path from mashup.storage_deletions where is_prefix and path = ${`generated/${id}/`}`;
    assert.equal(outbox.length, 1);
    const [event] = await sql`select message from public.mashup_job_events where job_id = ${id} and type = 'takedown'`;
    assert.equal(event?.['message'], `Taken down: ${REASON}`);
    const [told] = await sql`select type from mashup.outgoing_events where job_id = ${id} order by seq desc limit 1`;
    assert.equal(told?.['type'], 'job.taken_down');
  });

  it('is neither replayed, retried nor iterated, by its user or by a statement', async () => {
    const refused = { code: 'MB015', message: `Mashup ${id} was taken down: ${REASON}` };
    await assert.rejects(byUser(`replay_mashup($1, 'rendering')`, id), refused);
    await assert.rejects(byUser(`iterate_mashup($1, 'louder')`, id), refused);
    await assert.rejects(sql`update public.mashup_jobs set stage = 'rendering' where id = ${id}`, refused);
    await assert.rejects(sql`select mashup.replay(${id}, 'planning')`, refused);
  });

  it('can be deleted by its user, like any other', async () => {
    const other = await m.submit(user);
    await m.run(worker);
    await sql`select mashup.take_down(${other}, ${REASON})`;
    await byUser('delete_mashup($1)', other);
    assert.equal((await sql`select from public.mashup_jobs where id = ${other}`).length, 0);
  });

  it('runs again once the take-down is lifted', async () => {
    const run = await mashup(['take-down', id, '--lift'], { DATABASE_URL: m.url });
    assert.equal(run.code, 0, run.stderr);
    await byUser(`replay_mashup($1, 'rendering')`, id);
    await m.run(worker);
    const again = await row(id);
    assert.equal(again['stage'], 'complete');
    assert.ok(again['result_path']);
  });
});

describe('a live mashup', () => {
  it('is cancelled first; its worker loses the claim, and a retry is refused', async () => {
    const id = await m.submit(user);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await sql`select mashup.take_down(${id}, ${REASON})`;
    assert.deepEqual(await row(id), { ...takenDown, stage: 'cancelled', expired: false });
    assert.equal(await m.finish(task), 'cancelled');
    await assert.rejects(byUser('retry_mashup($1)', id), { code: 'MB015' });
  });
});

describe('a take-down', () => {
  it('needs a reason that fits', async () => {
    const id = await m.submit(user);
    for (const reason of ['', '   ', 'x'.repeat(301), null])
      await assert.rejects(sql`select mashup.take_down(${id}, ${reason})`, { code: 'MB006' });
    const run = await mashup(['take-down', id], { DATABASE_URL: m.url });
    assert.deepEqual([run.code, /needs a reason/.test(run.stderr)], [2, true]);
  });

  it('is not a user’s', async () => {
    const id = await m.submit(user);
    await assert.rejects(byUser(`operator_take_down($1, 'x')`, id), { code: '42501' });
  });
});
