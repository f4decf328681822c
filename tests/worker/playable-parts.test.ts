/** Playable parts: a renderer that publishes some, the job's row, who may read them, and when they are deleted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { downloadPart } from '@mashup-engine/client';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { RenderRequest } from '../../schema.ts';
import type { PlayableAudio } from '../../schema.ts';
import { until } from '../support/until.ts';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const fixture = await useWorkerFixture({ after });
const { services, sql } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const part = await encodeFlac([new Float32Array(4_410).fill(0.1), new Float32Array(4_410).fill(0.1)], 44_100, {});
const file = new Uint8Array(wavFile(60, 3));

/** One call of the renderer, which the test answers. */
interface Call {
  body: RenderRequest;
  response: ServerResponse;
}
const calls: Call[] = [];

const renderer = createServer((request, response) => {
  // The check of its health.
  if (request.method === 'GET') return void response.writeHead(200).end();
  void (async () => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    calls.push({ body: RenderRequest.parse(JSON.parse(text)), response });
  })();
});
await once(renderer.listen(0, '127.0.0.1'), 'listening');
after(() => renderer.close());
const processing = `http://127.0.0.1:${(renderer.address() as AddressInfo).port}`;
const worker = await fixture.startWorker({ serviceUrls: { ...services.urls, processing } });
after(() => worker.stop());

const send = ({ response }: Call, event: unknown): boolean => response.write(`data: ${JSON.stringify(event)}\n\n`);

async function nextCall(count: number): Promise<Call> {
  await until(
    () => `call ${count}`,
    () => Promise.resolve(calls.length >= count),
  );
  return calls[count - 1]!;
}

function playableOf({ body }: Call, ends: number[]): PlayableAudio {
  return { path: body.parts!.path, sample_rate: 44_100, total_frames: 1_000_000, ends };
}

/** Stores a part and says so. */
async function publish(call: Call, ends: number[]): Promise<void> {
  const { url } = call.body.parts!.uploads[ends.length - 1]!;
  const put = await fetch(url, { method: 'PUT', body: part, headers: { 'content-type': 'audio/flac' } });
  assert.ok(put.ok, await put.text());
  send(call, { progress: 20, message: 'Rendering', playable: playableOf(call, ends) });
}

async function finish({ body, response }: Call): Promise<void> {
  const put = await fetch(body.upload!.url, { method: 'PUT', body: file, headers: { 'content-type': 'audio/wav' } });
  assert.ok(put.ok, await put.text());
  response.end(`data: ${JSON.stringify({ progress: 100, storage_path: body.upload!.path })}\n\n`);
}

async function playableIn(id: string): Promise<PlayableAudio | null> {
  const [row] = await sql<{ playable: PlayableAudio | null }[]>`select playable from mashup_jobs where id = ${id}`;
  return row!.playable;
}

const untilParts = (id: string, count: number): Promise<void> =>
  until(
    () => `${count} parts`,
    async () => ((await playableIn(id))?.ends.length ?? 0) === count,
  );

test('the row names the parts of the running claim at once, and their owner alone can read them', async () => {
  const id = await fixture.submit(songs);
  const call = await nextCall(1);
  const { path, uploads } = call.body.parts!;
  const [task] = await sql<{ output_prefix: string }[]>`
    select output_prefix from mashup.tasks where job_id = ${id} and kind = 'render'`;
  assert.equal(path, `${task!.output_prefix}.parts`);
  assert.deepEqual(
    uploads.map((target) => target.path),
    uploads.map((_, i) => `${path}/${i}.flac`),
  );
  assert.ok(uploads.length >= call.body.masterplan.timeline.length);
  const hasToken = uploads.map(({ url }) => new URL(url).searchParams.has('token'));
  assert.deepEqual(hasToken, [true, true, ...uploads.slice(2).map(() => false)]);
  assert.ok(new URL(uploads[2]!.url).pathname.endsWith(`${path}/2.flac`));

  await publish(call, [4_410]);
  await untilParts(id, 1);
  await publish(call, [4_410, 8_820]);
  await untilParts(id, 2);
  const playable = (await playableIn(id))!;
  assert.deepEqual(playable, playableOf(call, [4_410, 8_820]));

  assert.deepEqual(new Uint8Array(await downloadPart(fixture.user, playable, 1)), part);
  const other = createClient(fixture.supabaseUrl, fixture.anonKey, { auth: { persistSession: false } });
  await other.auth.signInAnonymously();
  await assert.rejects(downloadPart(other, playable, 0), { code: 'part_gone' });

  await finish(call);
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  assert.equal(await playableIn(id), null);
  assert.equal((await downloadPart(fixture.user, playable, 0)).byteLength, part.length);
  const deletions = await sql<{ minutes: number }[]>`
    select round(extract(epoch from not_before - now()) / 60)::int as minutes from mashup.storage_deletions
    where is_prefix and path = ${`${playable.path}/`}`;
  assert.deepEqual([...deletions], [{ minutes: 15 }]);
  assert.deepEqual([...(await sql`select * from mashup.unreferenced_files()`)], []);
});

test('parts that are not below the own path, or more than the targets, are ignored', async () => {
  const id = await fixture.submit(songs);
  const call = await nextCall(2);
  const good = playableOf(call, [4_410]);
  send(call, { progress: 5, playable: { ...good, path: 'generated/elsewhere.parts' } });
  send(call, { progress: 5, playable: { ...good, ends: call.body.parts!.uploads.map((_, i) => i + 1).concat(999) } });
  send(call, { progress: 5, playable: { ...good, ends: [20, 10] } });
  send(call, { progress: 5, playable: 'nonsense' });
  send(call, { progress: 5, playable: good });
  await untilParts(id, 1);
  assert.deepEqual(await playableIn(id), good);
  await finish(call);
  await fixture.untilEnded(id);
});

test('a replay while parts are played begins without them, and a late part changes nothing', async () => {
  const id = await fixture.submit(songs);
  const call = await nextCall(3);
  await publish(call, [4_410]);
  await untilParts(id, 1);
  await sql`update mashup_jobs set stage = 'rendering' where id = ${id}`;
  assert.equal(await playableIn(id), null);
  const again = await nextCall(4);
  assert.notEqual(again.body.parts!.path, call.body.parts!.path);
  const [discarded] = await sql<{ found: boolean }[]>`
    select exists (select from mashup.storage_deletions where is_prefix and starts_with(${call.body.parts!.path}, path)) as found`;
  assert.ok(discarded!.found);
  await publish(again, [8_820]);
  await untilParts(id, 1);
  assert.deepEqual((await playableIn(id))?.ends, [8_820]);
  await finish(again);
  await fixture.untilEnded(id);
});

test('the files are deleted at once with the job, and nobody reads those of a mashup that was taken down', async () => {
  const id = await fixture.submit(songs);
  const call = await nextCall(5);
  await publish(call, [4_410]);
  await untilParts(id, 1);
  const playable = (await playableIn(id))!;
  await finish(call);
  await fixture.untilEnded(id);
  await sql`select mashup.take_down(${id}, 'a test')`;
  await assert.rejects(downloadPart(fixture.user, playable, 0), { code: 'part_gone' });
  await sql`delete from mashup_jobs where id = ${id}`;
  await until(
    () => 'parts deleted',
    async () => ((await fixture.bucket.list(playable.path)).data ?? []).length === 0,
  );
});

test('the setting max_playable_parts limits the parts; 0 switches them off', async () => {
  await sql`update mashup.settings set value = '2' where name = 'max_playable_parts'`;
  const limited = await fixture.submit(songs);
  assert.equal((await nextCall(6)).body.parts!.uploads.length, 2);
  await finish(calls[5]!);
  await fixture.untilEnded(limited);
  await sql`update mashup.settings set value = '0' where name = 'max_playable_parts'`;
  const none = await fixture.submit(songs);
  const call = await nextCall(7);
  assert.equal(call.body.parts, undefined);
  await finish(call);
  assert.equal((await fixture.untilEnded(none)).stage, 'complete');
});
