/** Edits of a plan by hand: a new version of a mashup, made with the plan that was edited. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const worker = await m.worker();
const user = await m.user();
const EDITS = { plan_version: 1, edits: [{ kind: 'repeat_section', section: 0 }] };

type Answer = { job_id: string; existing: boolean; stage: string };

const edit = async (parent: string, edits: object, key: string | null = null, as = user): Promise<Answer> => {
  const [row] = await m.as(
    as,
    (tx) =>
      tx<{ answer: Answer }[]>`select public.edit_mashup(${parent}, ${tx.json(edits as never)}, ${key}) as answer`,
  );
  return row!.answer;
};

async function finished(): Promise<string> {
  const id = await m.submit(user, 2);
  await m.run(worker);
  return id;
}

describe('edit_mashup', () => {
  it('makes a version that enters at planning with the songs, the scores and a copy of the plan of its parent', async () => {
    const parent = await finished();
    const { job_id: id } = await edit(parent, EDITS);
    const kinds: string[] = [];
    await m.run(worker, (task) => {
      kinds.push(task.kind);
      return false;
    });
    assert.equal(kinds[0], 'plan');
    for (const kind of ['analyze', 'score', 'separate']) assert.ok(!kinds.includes(kind), kind);
    const [job] = await sql`select stage, parent_id, feedback from public.mashup_jobs where id = ${id}`;
    assert.deepEqual({ ...job }, { stage: 'complete', parent_id: parent, feedback: null });
    const [kept] = await sql`
      select e.base_version, e.edits, e.base = p.plan as same from mashup.plan_edits e
      join public.mashup_plans p on p.job_id = ${parent} and p.version = 1 where e.job_id = ${id}`;
    assert.deepEqual({ ...kept }, { base_version: 1, edits: EDITS.edits, same: true });
  });

  it('is estimated, and measured, apart from new mashups where only levels changed: most comes from the cache', async () => {
    const parent = await finished();
    await sql`update mashup.stage_stats set base_sec = 40, per_song_sec = 0, mean_sec = 40, edit_factor = 0.25 where kind = 'render'`;
    await sql`update mashup.stage_stats set base_sec = 1, per_song_sec = 0, mean_sec = 1 where kind = 'plan'`;
    const left = async (edits: object[]): Promise<number> => {
      const { job_id: id } = await edit(parent, { plan_version: 1, edits });
      const [row] = await sql<{ left: number }[]>`
        select extract(epoch from mashup.estimate_completion(j) - mashup.now())::int as left from public.mashup_jobs j where id = ${id}`;
      return row?.left ?? 0;
    };
    const renders = async (): Promise<Record<string, unknown>> => {
      const [row] = await sql`select samples, base_sec, edit_factor from mashup.stage_stats where kind = 'render'`;
      return { ...row };
    };
    const level = { kind: 'layer_level', section: 0, song_id: 'a', stem: 'drums', db: -3 };
    const mute = { kind: 'mute_layer', section: 0, song_id: 'a', stem: 'bass' };
    const before = await renders();
    assert.equal(await left([level, mute]), 11);
    await m.run(worker);
    const after = await renders();
    assert.deepEqual([after['samples'], after['base_sec']], [before['samples'], before['base_sec']]);
    assert.ok(Number(after['edit_factor']) < 0.25, 'the tasks of the test take no time');
    assert.equal(await left([level, { kind: 'swap_songs' }]), 41);
    await m.run(worker);
    assert.equal((await renders())['samples'], Number(before['samples']) + 1);
  });

  it('keeps the plan that was edited when the parent is planned anew or deleted', async () => {
    const parent = await finished();
    const { job_id: id } = await edit(parent, EDITS);
    await m.as(user, (tx) => tx`select public.delete_mashup(${parent})`);
    await m.run(worker);
    await m.as(user, (tx) => tx`select public.replay_mashup(${id}, 'planning')`);
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
    assert.equal((await sql`select from mashup.plan_edits where job_id = ${id}`).length, 1);
    await m.as(user, (tx) => tx`select public.delete_mashup(${id})`);
    assert.equal((await sql`select from mashup.plan_edits where job_id = ${id}`).length, 0);
  });

  it('returns the same job for the same key, and refuses another request with it', async () => {
    const parent = await finished();
    const first = await edit(parent, EDITS, 'once');
    const again = await edit(parent, EDITS, 'once');
    assert.deepEqual([again.job_id, again.existing], [first.job_id, true]);
    const other = { ...EDITS, edits: [{ kind: 'swap_songs' }] };
    await assert.rejects(edit(parent, other, 'once'), { code: 'MB005' });
    await m.run(worker);
  });

  it('refuses edits of a plan that the mashup no longer has', async () => {
    const parent = await finished();
    await m.as(user, (tx) => tx`select public.replay_mashup(${parent}, 'planning')`);
    await m.run(worker);
    await assert.rejects(edit(parent, EDITS), {
      code: 'MB003',
      detail: 'plan_outdated',
      message: 'These edits are for plan 1 of the mashup, which has plan 2 now.',
    });
    await edit(parent, { ...EDITS, plan_version: 2 });
    await m.run(worker);
  });

  it('serves the owner only', async () => {
    const parent = await finished();
    await assert.rejects(edit(parent, EDITS, null, await m.user()), { code: 'MB002' });
  });

  it('refuses a mashup without a plan and one that was taken down', async () => {
    const planless = await m.submit(user, 2);
    await assert.rejects(edit(planless, EDITS), { code: 'MB003', message: /no plan to edit yet/ });
    await m.run(worker);
    await sql`select mashup.take_down(${planless}, 'The holder of the rights objects.')`;
    await assert.rejects(edit(planless, EDITS), { code: 'MB015' });
  });

  it('refuses lists that are empty, too long or of unknown kinds', async () => {
    const parent = await finished();
    const one = EDITS.edits[0]!;
    const wrong: object[] = [
      [],
      {},
      { edits: [one] },
      { plan_version: 'x', edits: [one] },
      { plan_version: 1 },
      { plan_version: 1, edits: {} },
      { plan_version: 1, edits: [] },
      { plan_version: 1, edits: Array.from({ length: 41 }, () => one) },
      { plan_version: 1, edits: [one, { kind: 'explode' }] },
      { plan_version: 1, edits: [one, null] },
      { plan_version: 1, edits: [{ ...one, note: 'x'.repeat(20_000) }] },
    ];
    for (const edits of wrong)
      await assert.rejects(
        edit(parent, edits),
        { code: 'MB006', detail: 'invalid_edits' },
        JSON.stringify(edits).slice(0, 60),
      );
  });

  it('counts as a run of its user', async () => {
    const parent = await finished();
    await sql`update mashup.settings set value = '1' where name = 'max_queued_jobs_per_user'`;
    try {
      await sql`update mashup.settings set value = '0' where name = 'max_running_jobs'`;
      await edit(parent, EDITS);
      await assert.rejects(edit(parent, EDITS), { code: 'MB004' });
    } finally {
      await sql`update mashup.settings set value = '4' where name = 'max_running_jobs'`;
    }
  });
});
