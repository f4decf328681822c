/** Warnings in the row of a job: what reaches it, how much, and for how long. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resultOf, useMachine, type ClaimedTask, type Machine } from './state-machine-fixture.ts';

interface Warning {
  code: string;
  message: string;
}

const failedCheck = (n: number): Warning => ({
  code: 'quality_check_failed',
  message: `Check ${n} failed (0.2; at least 0.6).`,
});
const note = (n: number): Warning => ({
  code: 'render_note',
  message: `Section ${n} paused for too long: a quiet bed was added to it.`,
});

/** Runs a job to the render, and finishes that with these warnings and this verdict. */
async function renderWith(
  m: Machine,
  id: string,
  worker: string,
  warnings: Warning[],
  passed: boolean,
): Promise<ClaimedTask> {
  const task = await m.run(worker, ({ kind }) => kind === 'render');
  assert.ok(task?.job_id === id);
  const result = resultOf(task) as { quality: object };
  const quality = { ...result.quality, quality: { passed, corrections: [], checks: [] } };
  assert.equal(await m.finish(task, { ...result, quality, warnings }), 'finished');
  return task;
}

describe('the warnings of a job', () => {
  it('name the failed checks of the delivered mashup first; the job is complete and says that it did not pass', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    await renderWith(m, id, await m.worker(), [note(1), failedCheck(1), note(1)], false);
    const job = await m.job(id);
    assert.deepEqual([job.stage, job.result?.quality], ['complete', { passed: false }]);
    assert.deepEqual(
      job.warnings.map(({ code, stage }) => `${code} ${stage}`),
      ['quality_check_failed rendering', 'render_note rendering'],
    );
  });

  it('are at most ten without duplicates, the most important ones, and the row stays inline', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 3);
    const long = Array.from({ length: 9 }, (_, n) => ({
      ...failedCheck(n),
      message: `${n} ${'The voice of one song does not fit. '.repeat(9)}`,
    }));
    const format = { code: 'other_format', message: 'The renderer wrote WAV instead of MP3.' };
    await renderWith(m, id, await m.worker(), [...[1, 2, 3, 4].map(note), ...long, format, ...long], false);
    const { warnings } = await m.job(id);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      [...long.map(() => 'quality_check_failed'), 'other_format'],
    );
    const [row] =
      await m.sql`select pg_column_size(j) as bytes, octet_length(warnings::text) as size from mashup_jobs j where id = ${id}`;
    assert.ok(row?.['bytes'] < 8_000 && row?.['size'] <= 2_600, JSON.stringify(row));
  });

  it('of a rendering end with its result: a replay clears them, and the next result brings its own', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const worker = await m.worker();
    const first = await renderWith(m, id, worker, [failedCheck(1)], false);
    assert.equal(await m.finish(first), 'lost');
    await m.sql`update mashup_jobs set stage = 'rendering' where id = ${id}`;
    const replayed = await m.job(id);
    assert.deepEqual([replayed.warnings, replayed.result], [[], null]);
    await renderWith(m, id, worker, [failedCheck(1), note(2)], false);
    assert.deepEqual(
      (await m.job(id)).warnings.map(({ code }) => code),
      ['quality_check_failed', 'render_note'],
    );
    await m.sql`update mashup_jobs set stage = 'planning' where id = ${id}`;
    await renderWith(m, id, worker, [], true);
    const passed = await m.job(id);
    assert.deepEqual([passed.warnings, passed.result?.quality], [[], { passed: true }]);
  });
});
