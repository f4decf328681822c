/** Jobs run through all stages with recorded responses of the existing services. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from '../worker/wav-file.ts';
import { ownWarnings, useWorkerFixture } from '../worker/worker-fixture.ts';
import { readFixture, recordedError, recordedStream } from './recordings.ts';

const fixture = await useWorkerFixture({ after });
/** Two songs. Their analyses and stems are cached after the first job. */
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
await fixture.sql`update mashup.settings set value = '0.4' where name = 'silence_sec'`;
await fixture.startWorker();

test('a job runs through all stages with the existing services', async () => {
  const id = await fixture.submit(songs);
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(job.progress, 100);
  assert.equal(job.title, 'Lanterns on the Night Line');
  assert.deepEqual(ownWarnings(job), []);
  assert.match(job.result_path ?? '', new RegExp(`^generated/${id}/1-[0-9a-f-]{36}\\.wav$`));
  assert.equal(job.result?.['duration_sec'], 2);
  assert.equal(job.result?.['bpm'], 124);
});

test('the analysis request has both spellings of the song id, and the MFCC matrix is reduced to 13 means', async () => {
  const [call] = fixture.services.callsOf('analysis');
  assert.equal(call?.body['song_id'], call?.body['songId']);
  assert.match(String(call?.body['file_url']), /token=/);
  const rows = await fixture.sql<{ mfccs: number[][]; duration: number; bytes: number }[]>`
    select analysis #> '{spectral,mfccs}' as mfccs, (analysis ->> 'duration_sec')::float8 as duration,
      octet_length(analysis::text) as bytes
    from mashup.analyses`;
  assert.equal(rows.length, 2);
  for (const row of rows) {
    assert.deepEqual(
      row.mfccs.map((each) => each.length),
      Array.from({ length: 13 }, () => 1),
    );
    assert.equal(row.duration, 120);
    assert.ok(row.bytes < 2_000);
  }
});

test('the planning request has ids, names and the whole brief, and no matrices', () => {
  const [call] = fixture.services.callsOf('orchestrator');
  const first = call?.body['song1_analysis'] as Record<string, unknown>;
  assert.equal(first['song_id'], 'song-1');
  assert.equal(first['name'], 'Song 1');
  assert.equal(first['duration_sec'], 120);
  assert.equal(JSON.stringify(first).includes('mfccs'), false);
  assert.equal((call?.body['mashup'] as { songs: unknown[] }).songs.length, 2);
});

test('the render request has the flattened plan with the song ids', () => {
  const [call] = fixture.services.callsOf('processing');
  const plan = call?.body['masterplan'] as { timeline: { layers: { songId: string }[] }[]; global_settings: object };
  const ids = new Set(plan.timeline.flatMap((section) => section.layers.map((layer) => layer.songId)));
  assert.deepEqual([...ids].sort(), ['song-1', 'song-2']);
  assert.ok('targetBPM' in plan.global_settings);
});

test('no request to a service contains a key', () => {
  for (const { headers, body } of fixture.services.calls) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers['apikey'], undefined);
    assert.equal(JSON.stringify(body).includes('service_role'), false);
    assert.equal(headers['bypass-tunnel-reminder'], 'true');
  }
});

test('songs that were analysed and separated before are taken from the cache', async () => {
  const before = fixture.services.calls.length;
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete');
  const later = fixture.services.calls.slice(before).map((call) => call.service);
  assert.deepEqual(later, ['scoring', 'orchestrator', 'processing']);
});

test('scores out of range are limited to 0..100', async () => {
  const body = await readFixture('scoring.response.out-of-range.json');
  fixture.services.next('scoring', { status: 200, contentType: 'application/json', body });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete');
  const [row] = await fixture.sql<{ pairs: { score: number; raw_score: number }[] }[]>`
    select pairs from mashup.scores where job_id = ${job.id}`;
  const [pair] = row?.pairs ?? [];
  assert.ok(pair && pair.raw_score < 0 && pair.score >= 0 && pair.score <= 100);
});

test('a scoring service that fails with a plain text is replaced by the local formula, with a warning', async () => {
  fixture.services.always('scoring', await recordedError('scoring', 'cannot be encoded'));
  const job = await fixture.untilEnded(await fixture.submit(songs));
  fixture.services.always('scoring', undefined);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    ownWarnings(job).map(({ code }) => code),
    ['scored_locally'],
  );
});

test('a planner without a key is called once, and rules make the plan, with a warning', async () => {
  const before = fixture.services.callsOf('orchestrator').length;
  fixture.services.next('orchestrator', await recordedError('orchestrator', 'no API key'));
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    ownWarnings(job).map(({ code }) => code),
    ['rule_based_plan'],
  );
  assert.equal(fixture.services.callsOf('orchestrator').length, before + 1);
});

test('faults of a plan are sent back, and the corrected plan is used', async () => {
  const before = fixture.services.callsOf('orchestrator').length;
  const good = (await readFixture('orchestrator.response.aliases.json')) as Record<string, unknown>;
  const body = { ...good, masterplan: { ...(good['masterplan'] as object), timeline: [] } };
  fixture.services.next('orchestrator', { status: 200, contentType: 'application/json', body });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(ownWarnings(job), []);
  const [, corrected] = fixture.services.callsOf('orchestrator').slice(before);
  assert.ok((corrected?.body['mashup'] as { faults: string[] }).faults.length > 0);
  const [row] = await fixture.sql`select count(*)::int as kept from mashup.plan_receipts where job_id = ${job.id}`;
  assert.equal(row?.['kept'], 2);
});

test('a failed render is retried', async () => {
  const before = fixture.services.callsOf('processing').length;
  fixture.services.next('processing', { stream: await recordedStream('failure') });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(fixture.services.callsOf('processing').length, before + 2);
});

test('a render stream without a terminal event is retried', async () => {
  fixture.services.next('processing', { stream: 'data: {"progress": 12, "message": "Separating"}\n\n' });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
});

test('a render stream that stops sending is aborted and retried', async () => {
  fixture.services.next('processing', { stream: 'data: {"progress": 12, "message": "Separating"}\n\n', silent: true });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
});

test('a planning call whose connection was lost may have been paid for and is not repeated', async () => {
  const before = fixture.services.callsOf('orchestrator').length;
  fixture.services.next('orchestrator', 'reset');
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    ownWarnings(job).map(({ code }) => code),
    ['rule_based_plan'],
  );
  assert.equal(fixture.services.callsOf('orchestrator').length, before + 1);
});

test('the receipt of a paid answer that was not recorded is reused', async () => {
  const id = await fixture.submit(songs);
  await fixture.untilEnded(id);
  const before = fixture.services.callsOf('orchestrator').length;
  await fixture.sql`delete from mashup_plans where job_id = ${id}`;
  await fixture.sql`update mashup_jobs set stage = 'planning' where id = ${id}`;
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete');
  assert.equal(job.title, 'Lanterns on the Night Line');
  assert.equal(fixture.services.callsOf('orchestrator').length, before);
});

test('an iteration sends the earlier plan and the feedback of the user', async () => {
  const parent = await fixture.submit(songs);
  await fixture.untilEnded(parent);
  const before = fixture.services.callsOf('orchestrator').length;
  const job = await fixture.untilEnded(await fixture.iterate(parent, 'more energy'));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const brief = fixture.services.callsOf('orchestrator')[before]?.body['mashup'] as Record<string, unknown>;
  assert.equal(brief['feedback'], 'more energy');
  assert.equal((brief['previous'] as { masterplan: { title: string } }).masterplan.title, 'Lanterns on the Night Line');
});

test('an iteration without the planner is revised by rules and describes the changes', async () => {
  const parent = await fixture.submit(songs);
  await fixture.untilEnded(parent);
  fixture.services.next('orchestrator', await recordedError('orchestrator', 'no API key'));
  const job = await fixture.untilEnded(await fixture.iterate(parent, 'more vocals'));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const [plan] = await fixture.sql`select source, changes, plan from mashup_plans where job_id = ${job.id}`;
  assert.equal(plan?.['source'], 'rules');
  assert.ok((plan?.['changes'] as string).length > 0);
  assert.equal(job.title, 'Lanterns on the Night Line');
});

test('one unusable song of three is excluded, with a warning', async () => {
  const text = await fixture.upload('words.wav', Buffer.from('These are words. '.repeat(100)));
  const job = await fixture.untilEnded(await fixture.submit([...songs, text]));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    ownWarnings(job).map(({ code }) => code),
    ['song_excluded'],
  );
});
