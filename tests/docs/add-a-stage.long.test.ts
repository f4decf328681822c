/** The tutorial that adds a stage: its steps are applied to a copy of the repository, whose worker then runs a job. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { applyStep, copyRepository, runIn, stepsOf } from './walkthrough.ts';

const MAX_FILES = 6;
/** Modules whose types are checked, with all that they import. */
const CHECKED = [
  'worker/main.ts',
  'migrate/stages-sql.ts',
  'packages/react/components/progress/StageTrack.tsx',
  'tests/support/sample-results.ts',
];
/** Progress at which the new stage begins, in per cent. */
const MASTERING_FROM = 95;

describe('the steps of docs/tutorials/add-a-stage.md', { concurrency: true }, async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/tutorials/add-a-stage.md'), 'utf8');
  const steps = stepsOf(page);
  const copy = await copyRepository();
  after(() => rm(copy, { recursive: true, force: true }));
  for (const step of steps) await applyStep(copy, step);
  await runIn(copy, 'scripts/build-migration.ts');
  const fixture = await useWorkerFixture({ after }, { repository: copy });

  test(`write at most ${MAX_FILES} files by hand`, () => {
    const files = new Set(steps.map(({ path }) => path));
    assert.ok(files.size > 0 && files.size <= MAX_FILES, [...files].join(', '));
  });

  test('keep the types right', async () => {
    const config = { extends: './tsconfig.json', include: ['**/*.d.ts'], files: CHECKED };
    await writeFile(join(copy, 'tsconfig.stage.json'), JSON.stringify(config));
    await runIn(copy, 'node_modules/typescript/bin/tsc', '--project', 'tsconfig.stage.json');
  });

  test('run a job through the new stage, and replay it from there', async () => {
    await fixture.startWorker();
    await fixture.sql`select mashup.pause('kind', 'master')`;
    const id = await fixture.submit();
    const held = await fixture.untilJob(id, 'is in mastering', ({ stage }) => stage === 'mastering');
    assert.equal(held.progress, MASTERING_FROM);
    await fixture.sql`select mashup.resume('kind', 'master')`;
    const job = await fixture.untilEnded(id);
    assert.deepEqual([job.stage, job.progress], ['complete', 100], `${job.error_code}: ${job.error_message}`);

    const events = await fixture.sql<{ stage: string; message: string }[]>`
      select stage, message from mashup_job_events where job_id = ${id} and type = 'stage' order by id`;
    assert.deepEqual(
      events.map(({ stage }) => stage),
      ['analyzing', 'scoring', 'planning', 'separating', 'rendering', 'mastering', 'complete'],
    );
    assert.equal(events.find(({ stage }) => stage === 'mastering')?.message, 'Mastering the mashup');
    const { data } = await fixture.bucket.download(job.result_path ?? '');
    assert.ok(data);
    const sha256 = createHash('sha256')
      .update(Buffer.from(await data.arrayBuffer()))
      .digest('hex');
    const [result] = await fixture.sql`select quality ->> 'sha256' as sha256 from mashup_results where job_id = ${id}`;
    assert.equal(result?.sha256, sha256);

    await fixture.sql`update mashup_jobs set stage = 'mastering' where id = ${id}`;
    const again = await fixture.untilEnded(id);
    assert.deepEqual([again.stage, again.epoch, again.result_path], ['complete', 2, job.result_path]);
  });
});
