/** Following a job through its studio version: it is complete all the time, and its result is replaced. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { followJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';
import { NEURAL, runJob, setModels } from '../state-machine/separation-fixture.ts';

const surface = await startFunctionsFixture({ after }, { functions: false });
const { machine } = surface;
const worker = await machine.worker();
await setModels(machine, NEURAL);

test('followJob ends with the studio version of a job, not with its first result', async () => {
  const visitor = await surface.visitor();
  const id = await machine.submit(visitor.id, 2, { wanted: { studio_version: true } });
  const seen: MashupJob[] = [];
  let isLive = false;
  const follower = followJob(visitor.client, id, {
    safetyReadMs: 600_000,
    onChange: (job) => seen.push(job),
    onLive: (live) => (isLive = live),
  });
  after(() => follower.stop());
  await until('the stream is ready', () => isLive);
  await runJob(machine, worker, id);
  const last = await follower.finished;
  assert.deepEqual(last?.studioVersion, { state: 'ready' });
  const first = seen.find(({ status }) => status === 'complete');
  assert.equal(first?.studioVersion?.state, 'separating');
  assert.ok(
    seen.slice(seen.indexOf(first)).every(({ status, resultPath }) => status === 'complete' && resultPath !== null),
  );
  assert.notEqual(first.resultPath, last.resultPath);
  // The ids of songs are data, whatever they look like.
  assert.deepEqual(Object.keys(last.result?.separation ?? {}).sort(), last.songs.map(({ songId }) => songId).sort());
});
