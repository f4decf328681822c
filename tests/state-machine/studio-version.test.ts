/** The studio version: a job is complete with classical stems, and its result is then replaced by one with those of the model. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { CLASSICAL, methodsOf, NEURAL, resultBy, runJob, setModels } from './separation-fixture.ts';
import { type ClaimedTask, type JobRow, resultOf, useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const worker = await m.worker();
let user = '';

beforeEach(async () => {
  user = await m.user();
  await sql`update mashup.places set held_until = null`;
  await sql`update mashup.settings set value = 'false' where name = 'studio_version_by_default'`;
  await setModels(m, NEURAL);
});

const submit = (wanted: object = { studio_version: true }): Promise<string> => m.submit(user, 2, { wanted });
const FIRST_RUN = ['analyze', 'analyze', 'score', 'plan', 'separate', 'separate', 'render'];
const STUDIO = ['studio separate', 'studio separate', 'studio render'];

/** Runs a job to its first result, and its studio version to a task of a kind, which is claimed. */
async function runToStudio(kind = 'separate'): Promise<{ id: string; task: ClaimedTask; first: JobRow }> {
  const id = await submit();
  await runJob(m, worker, id, { stop: (task) => task.is_studio === true });
  const first = await m.job(id);
  // The task that stopped the run is claimed and goes back.
  const [held] = await sql<{ id: string; claim: string }[]>`
    select id, claim from mashup.tasks where job_id = ${id} and state = 'running'`;
  await sql`select mashup.return_task(${held!.id}, ${held!.claim})`;
  const { stopped } = await runJob(m, worker, id, { stop: (task) => task.is_studio === true && task.kind === kind });
  assert.ok(stopped);
  return { id, task: stopped, first };
}

const eventsOf = async (id: string): Promise<string[]> =>
  (await sql<{ type: string }[]>`select type from mashup.outgoing_events where job_id = ${id} order by seq`).map(
    ({ type }) => type,
  );

const liveTasks = async (id: string): Promise<number> =>
  (await sql`select from mashup.tasks where job_id = ${id} and state in ('waiting', 'ready', 'running')`).length;

/** Checks that the first result is what the job has, with a state of its studio version. */
async function assertFirst(id: string, first: JobRow, state: string | undefined): Promise<JobRow> {
  const job = await m.job(id);
  assert.equal(job.stage, 'complete');
  assert.equal(job.status, 'complete');
  assert.equal(job.result_path, first.result_path);
  assert.equal(job.studio_version?.state, state);
  assert.equal(await liveTasks(id), 0);
  return job;
}

describe('the studio version', () => {
  it('replaces the result of a job that is complete all the time, and keeps the first one', async () => {
    const { id, first } = await runToStudio();
    assert.equal(first.stage, 'complete');
    assert.equal(first.progress, 100);
    assert.equal(first.admitted_at, null);
    assert.deepEqual(await methodsOf(m, id), ['classical', 'classical']);
    assert.equal(first.studio_version?.state, 'separating');
    assert.deepEqual(await eventsOf(id), ['job.complete']);
    const [held] = await sql<{ id: string; claim: string }[]>`
      select id, claim from mashup.tasks where job_id = ${id} and state = 'running'`;
    await sql`select mashup.return_task(${held!.id}, ${held!.claim})`;
    const { done } = await runJob(m, worker, id);
    assert.deepEqual(done, STUDIO);
    const job = await m.job(id);
    assert.equal(job.status, 'complete');
    assert.deepEqual(job.studio_version, { state: 'ready' });
    assert.notEqual(job.result_path, first.result_path);
    assert.deepEqual(await methodsOf(m, id), ['neural', 'neural']);
    assert.equal(job.warnings.filter(({ stage }) => stage === 'separating').length, 0);
    const results = await sql<{ epoch: number; path: string }[]>`
      select epoch, path from public.mashup_results where job_id = ${id} order by epoch`;
    assert.deepEqual(
      results.map(({ epoch, path }) => [epoch, path]),
      [
        [job.epoch - 1, first.result_path],
        [job.epoch, job.result_path],
      ],
    );
    assert.deepEqual(await eventsOf(id), ['job.complete', 'job.studio_version']);
    assert.equal(await liveTasks(id), 0);
  });

  it('asks the classical method first and the model then, by which its tasks look for stems', async () => {
    const id = await submit();
    const asked: unknown[] = [];
    await runJob(m, worker, id, {
      stop: (task) => {
        if (task.kind === 'separate') asked.push(task.separation);
        return false;
      },
    });
    const first = { method: 'classical', models: [NEURAL, CLASSICAL], classical: CLASSICAL };
    const second = { method: 'neural', models: [NEURAL], classical: CLASSICAL };
    assert.deepEqual(asked, [first, first, second, second]);
  });

  it('is the first result if the cache has the stems of the model', async () => {
    await runJob(m, worker, await submit({}));
    const id = await submit();
    const { done } = await runJob(m, worker, id);
    assert.deepEqual(done, ['analyze', 'analyze', 'score', 'plan', 'render']);
    assert.deepEqual(await methodsOf(m, id), ['neural', 'neural']);
    assert.equal((await m.job(id)).studio_version, null);
  });

  it('follows from a setting, which a submission overrides', async () => {
    await sql`update mashup.settings set value = 'true' where name = 'studio_version_by_default'`;
    const without = await runJob(m, worker, await submit({ studio_version: false }));
    assert.deepEqual(without.done, FIRST_RUN);
    user = await m.user();
    assert.deepEqual((await runJob(m, worker, await submit({}))).done, [...FIRST_RUN, ...STUDIO]);
    user = await m.user();
    assert.deepEqual((await runJob(m, worker, await submit({ separation: 'classical' }))).done, FIRST_RUN);
  });

  it('needs a model: without one a warning says so, if it was asked for', async () => {
    await setModels(m, null);
    const id = await submit();
    const separator = (): { model: string } => ({ model: CLASSICAL });
    const { done } = await runJob(m, worker, id, { separator });
    assert.deepEqual(done, FIRST_RUN);
    const job = await m.job(id);
    assert.equal(job.stage, 'complete');
    assert.deepEqual(job.studio_version, { state: 'failed' });
    assert.match(
      job.warnings.find(({ code }) => code === 'studio_version_failed')?.message ?? '',
      /no separation model/,
    );
    await sql`update mashup.settings set value = 'true' where name = 'studio_version_by_default'`;
    user = await m.user();
    const quiet = await submit({});
    await runJob(m, worker, quiet, { separator });
    assert.equal((await m.job(quiet)).studio_version, null);
  });

  it('shows its progress on the row, which does not fall, and leaves that of the job alone', async () => {
    const { id, task, first } = await runToStudio();
    const beat = (progress: number, step: string): Promise<unknown> =>
      sql`select mashup.heartbeat_task(${task.task_id}, ${task.claim}, ${progress}, ${step})`;
    await beat(0.5, 'Separating Song 1: segment 7 of 14');
    const shown = await m.job(id);
    assert.deepEqual(shown.studio_version, {
      state: 'separating',
      progress: 21,
      step: 'Separating Song 1: segment 7 of 14',
    });
    assert.equal(shown.progress, 100);
    assert.equal(shown.current_step, first.current_step);
    assert.ok(shown.songs.every(({ state }) => state === 'ready'));
    await beat(0.1, 'Separating Song 1: segment 2 of 14');
    assert.equal((await m.job(id)).studio_version?.progress, 21);
    await m.finish(task, await resultBy(m, task));
    await runJob(m, worker, id);
  });

  for (const kind of ['separate', 'render'])
    it(`that fails in ${kind} leaves the first result, and a warning`, async () => {
      const { id, task, first } = await runToStudio(kind);
      assert.equal(await m.fail(task, 'permanent', 'model_memory'), 'failed');
      const job = await assertFirst(id, first, 'failed');
      assert.ok(job.warnings.some(({ code }) => code === 'studio_version_failed'));
      assert.equal(job.error_code, null);
      assert.ok(job.songs.every(({ state }) => state === 'ready'));
    });

  it('whose service does not use the model ends, and no song is separated twice', async () => {
    const { id, task, first } = await runToStudio();
    await m.fail(task, 'transient');
    await m.moveClock(3_600);
    const { done } = await runJob(m, worker, id, { separator: () => ({ model: CLASSICAL }) });
    await m.moveClock(0);
    assert.deepEqual(done, ['studio separate', 'studio separate']);
    await assertFirst(id, first, 'failed');
  });

  it('whose files of stems are missing ends', async () => {
    const { id, task, first } = await runToStudio('render');
    const ids = (await m.job(id)).songs.map(({ stems_id: stems }) => stems);
    const [row] = await sql<{ status: string }[]>`
      select mashup.report_missing_stems(${task.task_id}, ${task.claim}, ${sql.array(ids as number[])}::bigint[]) as status`;
    assert.equal(row?.status, 'failed');
    await assertFirst(id, first, 'failed');
  });

  it('is cancelled without its job, and a late worker changes nothing', async () => {
    const { id, task, first } = await runToStudio('render');
    await m.as(user, (tx) => tx`select public.cancel_mashup(${id})`);
    await assertFirst(id, first, 'cancelled');
    assert.equal(await m.finish(task, await resultBy(m, task)), 'cancelled');
    await assertFirst(id, first, 'cancelled');
    // The complete job itself cannot be cancelled.
    await assert.rejects(sql`select mashup.cancel(${id})`, /cannot go to cancelled/);
    const [deletion] = await sql`select from mashup.storage_deletions where path = ${task.output_prefix}`;
    assert.ok(deletion);
  });

  it('ends with a replay, and begins again after it', async () => {
    const { id, task } = await runToStudio();
    await sql`update public.mashup_jobs set stage = 'rendering' where id = ${id}`;
    const replayed = await m.job(id);
    assert.equal(replayed.studio_version, null);
    assert.equal(await m.finish(task, await resultBy(m, task)), 'replayed');
    assert.deepEqual((await runJob(m, worker, id)).done, ['render', ...STUDIO]);
    assert.deepEqual((await m.job(id)).studio_version, { state: 'ready' });
  });

  it('goes on while a new version of the mashup is made', async () => {
    const { id, task } = await runToStudio();
    const [version] = await m.as(
      user,
      (tx) => tx<{ answer: { job_id: string } }[]>`select public.iterate_mashup(${id}, 'More bass') as answer`,
    );
    await m.finish(task, await resultBy(m, task));
    const next = version!.answer.job_id;
    assert.deepEqual((await runJob(m, worker, next)).done, ['plan', 'render']);
    assert.equal((await m.job(next)).status, 'complete');
    await runJob(m, worker, id);
    assert.deepEqual((await m.job(id)).studio_version, { state: 'ready' });
    await runJob(m, worker, next);
    assert.deepEqual(await methodsOf(m, next), ['neural', 'neural']);
  });

  it('is taken over from a lost worker, and waits while its job is paused', async () => {
    const { id, task } = await runToStudio();
    await sql`update mashup.tasks set lease_until = mashup.now() - interval '1 minute' where id = ${task.task_id}`;
    await sql`select mashup.pause('job', ${id})`;
    await m.sweep();
    assert.equal(await m.claimNext(worker, id), undefined);
    await sql`select mashup.resume('job', ${id})`;
    assert.deepEqual((await runJob(m, worker, id)).done, STUDIO);
  });

  it('takes over the request for stems of the first result that are still being made', async (t) => {
    const setPlaces = (places: number): Promise<unknown> =>
      sql`update mashup.settings set value = jsonb_set(value, '{processing}', ${places}) where name = 'service_limits'`;
    // With a place for the studio version and one for the stems.
    await setPlaces(2);
    t.after(() => setPlaces(1));
    const { id, task } = await runToStudio('render');
    await m.as(user, (tx) => tx`select public.request_mashup_stems(${id})`);
    const old = await m.claimNext(worker, id);
    assert.equal(old?.kind, 'render_stems');
    const { result_path } = await m.job(id);
    assert.equal(await m.finish(task, await resultBy(m, task)), 'finished');
    const stemsOf = async (): Promise<(string | undefined)[]> =>
      (
        await sql<{ state?: string }[]>`
          select stems ->> 'state' as state from public.mashup_results where job_id = ${id} order by epoch`
      ).map(({ state }) => state ?? undefined);
    assert.deepEqual(await stemsOf(), [undefined, 'pending']);
    assert.notEqual(await m.finish(old, { ...resultOf(old), result_path }), 'finished');
    await sql`update mashup.places set held_until = null`;
    await m.sweep();
    const again = await m.claimNext(worker, id);
    assert.equal(again?.kind, 'render_stems');
    const current = await m.job(id);
    assert.equal(await m.finish(again, { ...resultOf(again), result_path: current.result_path }), 'finished');
    assert.deepEqual(await stemsOf(), [undefined, 'ready']);
    assert.equal(await liveTasks(id), 0);
  });

  it('is taken down and deleted with its job', async () => {
    const { id, task } = await runToStudio();
    await sql`select mashup.take_down(${id}, 'A claim')`;
    assert.equal(await liveTasks(id), 0);
    assert.equal((await m.job(id)).result_path, null);
    assert.equal(await m.finish(task, await resultBy(m, task)), 'cancelled');
    const other = await runToStudio();
    await m.as(user, (tx) => tx`select public.delete_mashup(${other.id})`);
    assert.equal(await m.finish(other.task, await resultBy(m, task).catch(() => ({}))), 'lost');
  });

  it('leaves a place at its service, and waits while other songs wait', async () => {
    const { id, task } = await runToStudio();
    // The second song of the studio version would take the last place.
    await m.sweep();
    const states = await sql<
      { state: string }[]
    >`select state from mashup.tasks where job_id = ${id} and is_studio order by state`;
    assert.deepEqual(
      states.map(({ state }) => state),
      ['running', 'waiting'],
    );
    const other = await m.submit(await m.user(), 2);
    const { stopped } = await runJob(m, worker, other, { stop: ({ kind }) => kind === 'separate' });
    assert.ok(stopped);
    await m.finish(task, await resultBy(m, task));
    await m.sweep();
    const waiting = await sql`select from mashup.tasks where job_id = ${id} and is_studio and state = 'ready'`;
    assert.equal(waiting.length, 0);
    await m.finish(stopped, await resultBy(m, stopped));
    await runJob(m, worker, other);
    assert.deepEqual((await runJob(m, worker, id)).done, ['studio separate', 'studio render']);
  });
});
