/** Faults of the existing services, as recorded, end jobs with the right typed error and waste no tries. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from '../worker/sounds.ts';
import { useWorld } from '../worker/worker-fixture.ts';
import type { JobRow } from '../worker/worker-fixture.ts';
import { readFixture, recordedError, recordedStream } from './replay-server.ts';

const world = await useWorld({ after });
const good = await world.upload('good.wav', wavFile(120, 1));
await world.work();

/** Runs a job of a good song and another; answers the job and the calls that each service got meanwhile. */
async function run(other: string): Promise<{ job: JobRow; calls: string[] }> {
  const start = world.services.calls.length;
  const job = await world.ended(await world.submit([good, other]));
  return { job, calls: world.services.calls.slice(start).map((call) => call.service) };
}

async function circuitFaults(): Promise<number> {
  const [row] = await world.sql`select sum(failures)::int as failures from mashup.service_health`;
  return row?.['failures'] as number;
}

test('a good song is analysed once and then taken from the cache', async () => {
  const { job } = await run(await world.upload('other.wav', wavFile(120, 2)));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
});

test('a format that the analysis does not know ends the job at once and is no fault of the service', async () => {
  world.services.next('analysis', await recordedError('analysis', 'container not readable'));
  const { job, calls } = await run(await world.upload('odd.wav', wavFile(120, 3)));
  assert.equal(job.stage, 'failed');
  assert.equal(job.error_code, 'audio_unsupported_format');
  assert.match(job.error_message ?? '', /^Song 2: /);
  assert.deepEqual(calls, ['analysis']);
  assert.equal(await circuitFaults(), 0);
});

test('silence, which has no tempo, is a fault of the song', async () => {
  const body = await readFixture('analysis.response.degenerate.json');
  world.services.next('analysis', { status: 200, contentType: 'application/json', body });
  const { job, calls } = await run(await world.upload('silent.wav', wavFile(120, 4)));
  assert.equal(job.error_code, 'audio_no_beat');
  assert.ok(job.error_hint);
  assert.deepEqual(calls, ['analysis']);
});

test('a 422 with an array is read by path and message and not tried again', async () => {
  world.services.next('analysis', await recordedError('analysis', 'required field missing'));
  const { job, calls } = await run(await world.upload('refused.wav', wavFile(120, 5)));
  assert.equal(job.error_code, 'service_refused');
  assert.match(job.error_message ?? '', /body\.song_id: Field required/);
  assert.deepEqual(calls, ['analysis']);
});

test('an error text never carries a token into the row', async () => {
  const detail = 'Failed for url: https://s.example.test/object/sign/a.mp3?token=eyJhbGciOi.abc.def Bearer abcdefgh';
  world.services.next('analysis', { status: 400, contentType: 'application/json', body: { detail } });
  const { job } = await run(await world.upload('leaky.wav', wavFile(120, 6)));
  assert.match(job.error_message ?? '', /s\.example\.test\/object\/sign\/a\.mp3/);
  assert.doesNotMatch(`${job.error_message} ${world.log.join('')}`, /eyJhbGciOi|abcdefgh/);
});

test('a text that is called wav is refused before any service is called', async () => {
  const { job, calls } = await run(await world.upload('text.wav', Buffer.from('These are words. '.repeat(100))));
  assert.equal(job.error_code, 'audio_unsupported_format');
  assert.deepEqual(calls, []);
});

test('a song that is longer than allowed is refused before any service is called', async () => {
  const { job, calls } = await run(await world.upload('long.wav', wavFile(901, 7)));
  assert.equal(job.error_code, 'audio_too_long');
  assert.match(job.error_message ?? '', /15:01 min/);
  assert.deepEqual(calls, []);
});

test('the renderer that can render nothing ends the job at once', async () => {
  world.services.next('processing', { stream: await recordedStream('as-is') });
  const { job, calls } = await run(await world.upload('other2.wav', wavFile(120, 8)));
  assert.equal(job.error_code, 'service_defect');
  assert.equal(calls.filter((service) => service === 'processing').length, 1);
});

test('a render that was written to another place is not taken for the result', async () => {
  const other = await world.upload('other3.wav', wavFile(120, 9));
  world.services.always('processing', {
    stream: 'data: {"progress": 100, "message": "Complete!", "storage_path": "generated/elsewhere.wav"}\n\n',
  });
  const { job } = await run(other);
  world.services.always('processing', undefined);
  assert.equal(job.error_code, 'service_wrong_path');
});

test('a separation that fails is tried again with a growing wait, and then the job fails', async () => {
  world.services.always('separation', await recordedError('separation', 'decoding or the model failed'));
  const { job, calls } = await run(await world.upload('other4.wav', wavFile(120, 10)));
  world.services.always('separation', undefined);
  assert.equal(job.stage, 'failed');
  assert.equal(job.error_code, 'service_failed');
  assert.equal(calls.filter((service) => service === 'separation').length, 4);
  const retries = await world.sql`
    select detail ->> 'failures' as failures from mashup_job_events where job_id = ${job.id} and type = 'retry' order by id`;
  assert.deepEqual(
    retries.map((row) => row['failures']),
    ['1', '2', '3'],
  );
  assert.equal(await circuitFaults(), 0);
});
