/** The existing services, as recorded, take jobs through all stages. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from '../worker/sounds.ts';
import { useWorld } from '../worker/worker-fixture.ts';
import { readFixture, recordedError, recordedStream } from './replay-server.ts';

const world = await useWorld({ after });
/** Two songs whose analyses and stems are in the cache after the first job. */
const songs = [await world.upload('a.wav', wavFile(120, 1)), await world.upload('b.wav', wavFile(120, 2))];
await world.work({ limits: { renderIdleMs: 400 } });

test('a job goes through all stages with the existing services unchanged', async () => {
  const id = await world.submit(songs);
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(job.progress, 100);
  assert.equal(job.title, 'Lanterns on the Night Line');
  assert.deepEqual(job.warnings, []);
  assert.match(job.result_path ?? '', new RegExp(`^generated/${id}/1-[0-9a-f-]{36}\\.wav$`));
  assert.equal(job.result?.['duration_sec'], 2);
  assert.equal(job.result?.['bpm'], 124);
});

test('analysis is asked in both spellings and its matrix is reduced to 13 means', async () => {
  const [call] = world.services.callsOf('analysis');
  assert.equal(call?.body['song_id'], call?.body['songId']);
  assert.match(String(call?.body['file_url']), /token=/);
  const rows = await world.sql<{ mfccs: number[][]; duration: number; bytes: number }[]>`
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

test('planning gets ids, names and the whole brief, and no matrices', () => {
  const [call] = world.services.callsOf('orchestrator');
  const first = call?.body['song1_analysis'] as Record<string, unknown>;
  assert.equal(first['song_id'], 'song-1');
  assert.equal(first['name'], 'Song 1');
  assert.equal(first['duration_sec'], 120);
  assert.equal(JSON.stringify(first).includes('mfccs'), false);
  assert.equal((call?.body['mashup'] as { songs: unknown[] }).songs.length, 2);
});

test('rendering gets the flattened plan with real ids', () => {
  const [call] = world.services.callsOf('processing');
  const plan = call?.body['masterplan'] as { timeline: { layers: { songId: string }[] }[]; global_settings: object };
  const ids = new Set(plan.timeline.flatMap((section) => section.layers.map((layer) => layer.songId)));
  assert.deepEqual([...ids].sort(), ['song-1', 'song-2']);
  assert.ok('targetBPM' in plan.global_settings);
});

test('no service is ever sent a key', () => {
  for (const { headers, body } of world.services.calls) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers['apikey'], undefined);
    assert.equal(JSON.stringify(body).includes('service_role'), false);
    assert.equal(headers['bypass-tunnel-reminder'], 'true');
  }
});

test('songs that were analysed and separated before are not sent again', async () => {
  const before = world.services.calls.length;
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete');
  const later = world.services.calls.slice(before).map((call) => call.service);
  assert.deepEqual(later, ['scoring', 'orchestrator', 'processing']);
});

test('scores out of range are bounded', async () => {
  const body = await readFixture('scoring.response.out-of-range.json');
  world.services.next('scoring', { status: 200, contentType: 'application/json', body });
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete');
  const [row] = await world.sql<{ pairs: { score: number; raw_score: number }[] }[]>`
    select pairs from mashup.scores where job_id = ${job.id}`;
  const [pair] = row?.pairs ?? [];
  assert.ok(pair && pair.raw_score < 0 && pair.score >= 0 && pair.score <= 100);
});

test('a scoring service that fails with a plain text is replaced by the local formula, with a warning', async () => {
  world.services.always('scoring', await recordedError('scoring', 'cannot be encoded'));
  const job = await world.ended(await world.submit(songs));
  world.services.always('scoring', undefined);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    job.warnings.map(({ code }) => code),
    ['scored_locally'],
  );
});

test('a planner without a key gives a plan by rules, with a warning, and is asked once', async () => {
  const before = world.services.callsOf('orchestrator').length;
  world.services.next('orchestrator', await recordedError('orchestrator', 'no API key'));
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    job.warnings.map(({ code }) => code),
    ['rule_based_plan'],
  );
  assert.equal(world.services.callsOf('orchestrator').length, before + 1);
});

test('faults of a plan are sent back, and the corrected plan is used', async () => {
  const before = world.services.callsOf('orchestrator').length;
  const good = (await readFixture('orchestrator.response.aliases.json')) as Record<string, unknown>;
  const body = { ...good, masterplan: { ...(good['masterplan'] as object), timeline: [] } };
  world.services.next('orchestrator', { status: 200, contentType: 'application/json', body });
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(job.warnings, []);
  const [, corrected] = world.services.callsOf('orchestrator').slice(before);
  assert.ok((corrected?.body['mashup'] as { faults: string[] }).faults.length > 0);
  const [row] = await world.sql`select count(*)::int as kept from mashup.plan_receipts where job_id = ${job.id}`;
  assert.equal(row?.['kept'], 2);
});

test('a render that fails is tried again and progress never falls', async () => {
  const before = world.services.callsOf('processing').length;
  world.services.next('processing', { stream: await recordedStream('failure') });
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(world.services.callsOf('processing').length, before + 2);
});

test('a render stream that ends without a last word is tried again', async () => {
  world.services.next('processing', { stream: 'data: {"progress": 12, "message": "Separating"}\n\n' });
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
});

test('a render stream that falls silent is given up and tried again', async () => {
  world.services.next('processing', { stream: 'data: {"progress": 12, "message": "Separating"}\n\n', silent: true });
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
});

test('a planning call whose connection was lost may have been paid for and is not repeated', async () => {
  const before = world.services.callsOf('orchestrator').length;
  world.services.next('orchestrator', 'reset');
  const job = await world.ended(await world.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    job.warnings.map(({ code }) => code),
    ['rule_based_plan'],
  );
  assert.equal(world.services.callsOf('orchestrator').length, before + 1);
});

test('an answer that was paid for and not recorded is used again, not asked again', async () => {
  const id = await world.submit(songs);
  await world.ended(id);
  const before = world.services.callsOf('orchestrator').length;
  await world.sql`delete from mashup_plans where job_id = ${id}`;
  await world.sql`update mashup_jobs set stage = 'planning' where id = ${id}`;
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete');
  assert.equal(job.title, 'Lanterns on the Night Line');
  assert.equal(world.services.callsOf('orchestrator').length, before);
});

test('an iteration sends the earlier plan and the words of the user', async () => {
  const parent = await world.submit(songs);
  await world.ended(parent);
  const before = world.services.callsOf('orchestrator').length;
  const job = await world.ended(await world.iterate(parent, 'more energy'));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const brief = world.services.callsOf('orchestrator')[before]?.body['mashup'] as Record<string, unknown>;
  assert.equal(brief['feedback'], 'more energy');
  assert.equal((brief['previous'] as { masterplan: { title: string } }).masterplan.title, 'Lanterns on the Night Line');
});

test('an iteration without the planner is revised by rules, and says what changed', async () => {
  const parent = await world.submit(songs);
  await world.ended(parent);
  world.services.next('orchestrator', await recordedError('orchestrator', 'no API key'));
  const job = await world.ended(await world.iterate(parent, 'more vocals'));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const [plan] = await world.sql`select source, changes, plan from mashup_plans where job_id = ${job.id}`;
  assert.equal(plan?.['source'], 'rules');
  assert.ok((plan?.['changes'] as string).length > 0);
  assert.equal(job.title, 'Lanterns on the Night Line');
});

test('of three songs one that cannot be used is left out, with a warning', async () => {
  const text = await world.upload('words.wav', Buffer.from('These are words. '.repeat(100)));
  const job = await world.ended(await world.submit([...songs, text]));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.deepEqual(
    job.warnings.map(({ code }) => code),
    ['song_excluded'],
  );
});
