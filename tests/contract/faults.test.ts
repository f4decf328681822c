/** Recorded faults of the existing services: jobs end with the right error code, after the right number of attempts. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from '../worker/wav-file.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import type { JobRow } from '../worker/worker-fixture.ts';
import { readFixture, recordedError, recordedStream } from './recordings.ts';

const fixture = await useWorkerFixture({ after });
const good = await fixture.upload('good.wav', wavFile(120, 1));
await fixture.startWorker();

/** Runs a job of a good song and another song. Returns the job and the services that were called. */
async function run(other: string): Promise<{ job: JobRow; calls: string[] }> {
  const start = fixture.services.calls.length;
  const job = await fixture.untilEnded(await fixture.submit([good, other]));
  return { job, calls: fixture.services.calls.slice(start).map((call) => call.service) };
}

async function breakerFailures(): Promise<number> {
  const [row] = await fixture.sql`select sum(failures)::int as failures from mashup.service_health`;
  return row?.['failures'] as number;
}

test('a job of two good songs completes', async () => {
  const { job } = await run(await fixture.upload('other.wav', wavFile(120, 2)));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
});

test('a format that the analysis cannot read fails the job at once and does not count as a failure of the service', async () => {
  fixture.services.next('analysis', await recordedError('analysis', 'container not readable'));
  const { job, calls } = await run(await fixture.upload('odd.wav', wavFile(120, 3)));
  assert.equal(job.stage, 'failed');
  assert.equal(job.error_code, 'audio_unsupported_format');
  assert.match(job.error_message ?? '', /^Song 2: /);
  assert.deepEqual(calls, ['analysis']);
  assert.equal(await breakerFailures(), 0);
});

test('a silent song, which has no tempo, fails the job without a retry', async () => {
  const body = await readFixture('analysis.response.degenerate.json');
  fixture.services.next('analysis', { status: 200, contentType: 'application/json', body });
  const { job, calls } = await run(await fixture.upload('silent.wav', wavFile(120, 4)));
  assert.equal(job.error_code, 'audio_no_beat');
  assert.ok(job.error_hint);
  assert.deepEqual(calls, ['analysis']);
});

test('a 422 with a list of errors is reported by path and message and not retried', async () => {
  fixture.services.next('analysis', await recordedError('analysis', 'required field missing'));
  const { job, calls } = await run(await fixture.upload('refused.wav', wavFile(120, 5)));
  assert.equal(job.error_code, 'service_refused');
  assert.match(job.error_message ?? '', /body\.song_id: Field required/);
  assert.deepEqual(calls, ['analysis']);
});

test('a token in an error text is not stored', async () => {
  const detail = 'Failed for url: https://s.example.test/object/sign/a.mp3?token=eyJhbGciOi.abc.def Bearer abcdefgh';
  fixture.services.next('analysis', { status: 400, contentType: 'application/json', body: { detail } });
  const { job } = await run(await fixture.upload('leaky.wav', wavFile(120, 6)));
  assert.match(job.error_message ?? '', /s\.example\.test\/object\/sign\/a\.mp3/);
  assert.doesNotMatch(`${job.error_message} ${fixture.log.join('')}`, /eyJhbGciOi|abcdefgh/);
});

test('a text file named .wav is refused before any service is called', async () => {
  const { job, calls } = await run(await fixture.upload('text.wav', Buffer.from('These are words. '.repeat(100))));
  assert.equal(job.error_code, 'audio_unsupported_format');
  assert.deepEqual(calls, []);
});

test('a song over the length limit is refused before any service is called', async () => {
  const { job, calls } = await run(await fixture.upload('long.wav', wavFile(901, 7)));
  assert.equal(job.error_code, 'audio_too_long');
  assert.match(job.error_message ?? '', /15:01 min/);
  assert.deepEqual(calls, []);
});

test('a renderer that cannot render at all fails the job at once', async () => {
  fixture.services.next('processing', { stream: await recordedStream('as-is') });
  const { job, calls } = await run(await fixture.upload('other2.wav', wavFile(120, 8)));
  assert.equal(job.error_code, 'service_defect');
  assert.equal(calls.filter((service) => service === 'processing').length, 1);
});

test('a render with another path than requested fails the job', async () => {
  const other = await fixture.upload('other3.wav', wavFile(120, 9));
  fixture.services.always('processing', {
    stream: 'data: {"progress": 100, "message": "Complete!", "storage_path": "generated/elsewhere.wav"}\n\n',
  });
  const { job } = await run(other);
  fixture.services.always('processing', undefined);
  assert.equal(job.error_code, 'service_wrong_path');
});

test('a failing separation is retried three times, and then the job fails', async () => {
  fixture.services.always('separation', await recordedError('separation', 'decoding or the model failed'));
  const { job, calls } = await run(await fixture.upload('other4.wav', wavFile(120, 10)));
  fixture.services.always('separation', undefined);
  assert.equal(job.stage, 'failed');
  assert.equal(job.error_code, 'service_failed');
  assert.equal(calls.filter((service) => service === 'separation').length, 4);
  const retries = await fixture.sql`
    select detail ->> 'failures' as failures from mashup_job_events where job_id = ${job.id} and type = 'retry' order by id`;
  assert.deepEqual(
    retries.map((row) => row['failures']),
    ['1', '2', '3'],
  );
  assert.equal(await breakerFailures(), 0);
});
