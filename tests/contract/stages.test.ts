/** The existing services, as recorded, take jobs through all stages, or to the right typed error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../worker/world.ts';

test('a job goes through all stages with the existing services unchanged', async (t) => {
  const world = await useWorld(t);
  await world.work();
  const id = await world.submit();
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(job.progress, 100);
  assert.equal(job.title, 'Lanterns on the Night Line');
  assert.deepEqual(job.warnings, []);
  assert.match(job.result_path ?? '', new RegExp(`^generated/${id}/1-[0-9a-f-]{36}\\.wav$`));
  assert.equal(job.result?.['duration_sec'], 2);
  assert.equal(job.result?.['bpm'], 124);
});
