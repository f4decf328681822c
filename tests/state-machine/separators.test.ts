/** Which stems a job uses: those of the model that it wants, whatever else the cache has. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { both, CLASSICAL, methodsOf, NEURAL, resultBy, runJob, setModels } from './separation-fixture.ts';
import { useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const worker = await m.worker();
let user = '';

beforeEach(async () => {
  user = await m.user();
  await sql`update mashup.places set held_until = null`;
  await setModels(m, NEURAL);
});

const submit = (wanted: object = {}): Promise<string> => m.submit(user, 2, { wanted });
const separations = ({ done }: { done: string[] }): number => done.filter((kind) => kind === 'separate').length;

describe('get_separators', () => {
  const read = async (): Promise<unknown> => {
    const [row] = await m.as(user, (tx) => tx`select public.get_separators() as answer`);
    return row?.['answer'];
  };

  it('names the models of the service, and whether there are studio versions by default', async () => {
    const known = { classical: CLASSICAL, neural: NEURAL, used: NEURAL };
    assert.deepEqual(await read(), { ...known, studio_version_by_default: false });
    await sql`update mashup.settings set value = 'true' where name = 'studio_version_by_default'`;
    assert.deepEqual(await read(), { ...known, studio_version_by_default: true });
    await sql`update mashup.settings set value = 'false' where name = 'studio_version_by_default'`;
  });

  it('names none if the service does not', async () => {
    await sql`select mashup.report_separation_models(null, null, null)`;
    assert.deepEqual(await read(), { classical: null, neural: null, used: null, studio_version_by_default: false });
  });
});

describe('estimates', () => {
  it('expect more of a job whose songs the model separates', async () => {
    const left = async (id: string): Promise<number> => {
      await runJob(m, worker, id, { stop: ({ kind }) => kind === 'separate' });
      const [row] = await sql<{ seconds: number }[]>`
        select extract(epoch from mashup.estimate_completion(j) - mashup.now())::float8 as seconds from public.mashup_jobs j where id = ${id}`;
      await sql`select mashup.cancel(${id})`;
      return row!.seconds;
    };
    const classical = await left(await submit({ separation: 'classical' }));
    const neural = await left(await submit());
    const [stats] = await sql<
      { factor: number }[]
    >`select model_factor as factor from mashup.stage_stats where kind = 'separate'`;
    assert.ok(neural - classical > stats!.factor, `${neural} and ${classical} s`);
  });

  it('learn what the model takes apart from what the classical method takes', async () => {
    const stats = async (): Promise<{ samples: number; mean_sec: number; model_factor: number }> => {
      const [row] = await sql<{ samples: number; mean_sec: number; model_factor: number }[]>`
        select samples, mean_sec, model_factor from mashup.stage_stats where kind = 'separate'`;
      return row!;
    };
    const before = await stats();
    await runJob(m, worker, await submit());
    const after = await stats();
    assert.deepEqual([after.samples, after.mean_sec], [before.samples, before.mean_sec]);
    assert.ok(after.model_factor < before.model_factor, 'the tasks of the test take no time');
    await runJob(m, worker, await submit({ separation: 'classical' }));
    assert.equal((await stats()).samples, before.samples + 2);
  });
});

describe('the separator of a job', () => {
  it('is the model of the service by default, and its result says so', async () => {
    const id = await submit();
    const { stopped } = await runJob(m, worker, id, { stop: ({ kind }) => kind === 'separate' });
    assert.deepEqual(stopped?.separation, { method: 'auto', models: [NEURAL], classical: CLASSICAL });
    await m.finish(stopped, await resultBy(m, stopped));
    await runJob(m, worker, id);
    assert.deepEqual(await methodsOf(m, id), ['neural', 'neural']);
    const [row] = await sql<{ separation: Record<string, { model: string }> }[]>`
      select separation from public.mashup_results where job_id = ${id}`;
    assert.deepEqual(Object.values(row!.separation), [
      { model: NEURAL, method: 'neural' },
      { model: NEURAL, method: 'neural' },
    ]);
  });

  it('is what the option says, and stems of another model in the cache do not count', async () => {
    assert.equal(separations(await runJob(m, worker, await submit())), 2);
    const classical = await submit({ separation: 'classical' });
    assert.equal(separations(await runJob(m, worker, classical)), 2);
    assert.deepEqual(await methodsOf(m, classical), ['classical', 'classical']);
    // Both are in the cache now.
    assert.equal(separations(await runJob(m, worker, await submit())), 0);
    assert.equal(separations(await runJob(m, worker, await submit({ separation: 'classical' }))), 0);
  });

  it('changes with the models of the service, also for a replay and a new version', async () => {
    const id = await submit();
    await runJob(m, worker, id);
    await setModels(m, NEURAL, CLASSICAL);
    await assert.rejects(sql`update public.mashup_jobs set stage = 'rendering' where id = ${id}`, /stems of a song/);
    await sql`update public.mashup_jobs set stage = 'separating' where id = ${id}`;
    assert.equal(separations(await runJob(m, worker, id, { separator: () => ({ model: CLASSICAL }) })), 2);
    assert.deepEqual(await methodsOf(m, id), ['classical', 'classical']);
    await setModels(m, 'other-1');
    const [version] = await m.as(
      user,
      (tx) => tx<{ answer: { job_id: string } }[]>`select public.iterate_mashup(${id}, 'More bass') as answer`,
    );
    const { done } = await runJob(m, worker, version!.answer.job_id, { separator: () => ({ model: 'other-1' }) });
    assert.deepEqual(done, ['plan', 'separate', 'separate', 'render']);
  });

  it('may be another one than the job wants: the song is not separated again, until it is replayed', async () => {
    const warnings = [{ code: 'separation_replaced', message: 'The model lacks memory.' }];
    const id = await submit();
    const first = await runJob(m, worker, id, { separator: () => ({ model: CLASSICAL, warnings }) });
    assert.deepEqual(first.done, ['analyze', 'analyze', 'score', 'plan', 'separate', 'separate', 'render']);
    const job = await m.job(id);
    assert.deepEqual(
      job.warnings.filter(({ code }) => code === 'separation_replaced'),
      [{ ...warnings[0], stage: 'separating' }],
    );
    assert.deepEqual(await methodsOf(m, id), ['classical', 'classical']);
    await sql`update public.mashup_jobs set stage = 'separating' where id = ${id}`;
    assert.deepEqual((await runJob(m, worker, id)).done, ['separate', 'separate', 'render']);
    assert.deepEqual(await methodsOf(m, id), ['neural', 'neural']);
  });

  it('that is not there fails the job at once, with its code, and leaves no song out', async () => {
    await setModels(m, null);
    const id = await m.submit(user, 3, { wanted: { separation: 'neural' } });
    const { stopped } = await runJob(m, worker, id, { stop: ({ kind }) => kind === 'separate' });
    assert.deepEqual(stopped?.separation?.models, [null]);
    assert.equal(await m.fail(stopped!, 'permanent', 'model_missing'), 'failed');
    const job = await m.job(id);
    assert.equal(job.stage, 'failed');
    assert.equal(job.error_code, 'model_missing');
    assert.equal(job.songs.filter(({ state }) => state === 'excluded').length, 0);
  });

  it('that the service uses although nobody knew it is accepted', async () => {
    await setModels(m, null);
    const id = await submit({ separation: 'neural' });
    const { done } = await runJob(m, worker, id, { separator: both });
    assert.equal(done.filter((kind) => kind === 'separate').length, 2);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('is any one of a service that does not name its models', async () => {
    await runJob(m, worker, await submit());
    await sql`select mashup.report_separation_models(null, null, null)`;
    assert.equal(separations(await runJob(m, worker, await submit())), 0);
  });

  it('is checked at submission, with the studio version', async () => {
    for (const wanted of [{ separation: 'best' }, { separation: 5 }, { studio_version: 'yes' }])
      await assert.rejects(submit(wanted), (error: { code?: string; detail?: string }) => {
        assert.equal(error.code, 'MB006');
        assert.equal(error.detail, 'invalid_options');
        return true;
      });
    for (const wanted of [{ separation: 'classical' }, { studio_version: false }, { studio_version: null }])
      await sql`update public.mashup_jobs set stage = 'cancelled' where id = ${await submit(wanted)}`;
  });

  it('does not count its own stems against a user who gave them', async () => {
    const id = await submit();
    const { stopped } = await runJob(m, worker, id, { stop: ({ kind }) => kind === 'separate' });
    await m.finish(stopped!, { ...(await resultBy(m, stopped!)), model: 'own', method: 'own' });
    await runJob(m, worker, id);
    assert.deepEqual((await methodsOf(m, id)).sort(), ['neural', 'own']);
  });

  it('separates the stems that a user did not give', async () => {
    const own = (model: string): (() => { model: string }) => {
      return () => ({ model: `own+${model}` });
    };
    await runJob(m, worker, await submit({ separation: 'classical' }), { separator: own(CLASSICAL) });
    assert.equal(separations(await runJob(m, worker, await submit({ separation: 'classical' }))), 0);
    assert.equal(separations(await runJob(m, worker, await submit(), { separator: own(NEURAL) })), 2);
    assert.equal(separations(await runJob(m, worker, await submit())), 0);
  });
});

describe('the progress of separations', () => {
  it('moves the stage by the share of the songs, and shows the step', async () => {
    const id = await submit();
    const { stopped } = await runJob(m, worker, id, { stop: ({ kind }) => kind === 'separate' });
    const beat = (progress: number, step: string): Promise<unknown> =>
      sql`select mashup.heartbeat_task(${stopped!.task_id}, ${stopped!.claim}, ${progress}, ${step})`;
    await beat(0.5, 'Separating Song 1: segment 7 of 14');
    const job = await m.job(id);
    assert.equal(job.progress, 76.25);
    assert.equal(job.current_step, 'Separating Song 1: segment 7 of 14');
    await m.finish(stopped!, await resultBy(m, stopped!));
  });
});
