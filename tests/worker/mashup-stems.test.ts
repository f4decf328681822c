/** The stems of a mashup from end to end: a renderer that makes some, the job's row, the command line, the ZIP file of the page. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { downloadPart, readStems, requestStems, stemUrls, toMashupJob } from '@mashup-engine/client';
import type { MashupJob, ReadyStems } from '@mashup-engine/client';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { zipStems } from '../../packages/react/audio/stems/zip-stems.ts';
import { RenderRequest, RenderStemsRequest, STEMS_PATH } from '../../schema.ts';
import { mashup } from '../cli/cli.ts';
import { until } from '../support/until.ts';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const BLOCK = 4096;
/** Two parts, the first of whole blocks. */
const ENDS = [2 * BLOCK, 2 * BLOCK + 1000];
const MASTERING = { gain_db: -2.5, ceiling_db: -1 };

const fixture = await useWorkerFixture({ after });
const { sql } = fixture;
const admin = createClient(fixture.supabaseUrl, fixture.serviceRoleKey, { auth: { persistSession: false } });
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const file = new Uint8Array(wavFile(60, 3));
const parts = await Promise.all(
  ENDS.map((end, i) => {
    const samples = new Float32Array(end - (ENDS[i - 1] ?? 0)).fill(0.1 * (i + 1));
    return encodeFlac([samples, samples], 44_100, {});
  }),
);

const requests: RenderStemsRequest[] = [];
/** What the next call for stems is answered with; the stems without it. */
let fault: object | undefined;

async function put(url: string, body: Uint8Array<ArrayBuffer>, type: string): Promise<void> {
  const response = await fetch(url, { method: 'PUT', body, headers: { 'content-type': type } });
  assert.ok(response.ok, await response.text());
}

const renderer = createServer((request, response) => {
  // The check of its health.
  if (request.method === 'GET') return void response.writeHead(200).end();
  void (async () => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const end = request.url === STEMS_PATH ? await makeStems(text, response) : await makeMashup(text);
    response.end(`data: ${JSON.stringify(end)}\n\n`);
  })();
});
await once(renderer.listen(0, '127.0.0.1'), 'listening');
after(() => renderer.close());
const processing = `http://127.0.0.1:${(renderer.address() as AddressInfo).port}`;
const worker = await fixture.startWorker({ serviceUrls: { ...fixture.services.urls, processing } });
after(() => worker.stop());

async function makeMashup(text: string): Promise<object> {
  const { upload } = RenderRequest.parse(JSON.parse(text));
  await put(upload!.url, file, 'audio/wav');
  const result = {
    duration_sec: 60,
    loudness_lufs: -14,
    true_peak_dbtp: -1,
    sample_rate: 44_100,
    channels: 2,
    format: 'wav',
    bytes: file.length,
    bpm: 120,
    key: 'A minor',
    mastering: MASTERING,
  };
  return { progress: 100, storage_path: upload!.path, result };
}

async function makeStems(text: string, response: ServerResponse): Promise<object> {
  const sent = RenderStemsRequest.parse(JSON.parse(text));
  requests.push(sent);
  if (fault) return fault;
  response.write(`data: ${JSON.stringify({ progress: 50, message: 'Mixing' })}\n\n`);
  const files = sent.stems.files.slice(0, 2);
  for (const target of files) {
    for (const [i, part] of parts.entries()) {
      const { url, path } = target.parts[i]!;
      // The fixture has no edge functions: the test signs as renew-upload would.
      const signed = new URL(url);
      signed.searchParams.set('token', await signUpload(path));
      await put(signed.href, part, 'audio/flac');
    }
  }
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  return {
    progress: 100,
    storage_path: sent.stems.path,
    stems: {
      sample_rate: 44_100,
      total_frames: ENDS.at(-1),
      ends: ENDS,
      level_db: -1.5,
      residual_db: -78.2,
      files: files.map(({ song_id, stem, path }) => ({ song_id, stem, path, bytes })),
    },
  };
}

async function signUpload(path: string): Promise<string> {
  const { data, error } = await admin.storage.from('mashups').createSignedUploadUrl(path, { upsert: true });
  assert.equal(error, null);
  return data!.token;
}

async function completeJob(): Promise<MashupJob> {
  const id = await fixture.submit(songs);
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  return readJob(id);
}

async function readJob(id: string): Promise<MashupJob> {
  const { data } = await fixture.user.from('mashup_jobs').select('*').eq('id', id).single<object>();
  return toMashupJob(data!);
}

const stateOf = async (id: string): Promise<string | undefined> => (await readJob(id)).result?.stems?.state;

const untilState = (id: string, state: string): Promise<void> =>
  until(
    () => `stems are ${state}`,
    async () => (await stateOf(id)) === state,
  );

const job = await completeJob();

test('stems are rendered from the plan, the stems and the mastering of the mashup, and only its owner can read them', async () => {
  assert.equal((await requestStems(fixture.user, job.id)).state, 'pending');
  await untilState(job.id, 'ready');
  const [sent] = requests;
  assert.deepEqual(sent!.stems.mastering, MASTERING);
  assert.ok(sent!.stems.mashup_url.includes(job.resultPath!));
  const [row] =
    await sql`select sources, coalesce(r.plan, p.plan) as plan from mashup_results r join mashup_plans p using (job_id) where job_id = ${job.id}`;
  assert.deepEqual(Object.keys(row!['sources'] as object).sort(), sent!.songs.map(({ song_id }) => song_id).sort());
  assert.equal(
    sent!.masterplan.timeline.length,
    (row!['plan'] as { masterplan: { timeline: [] } }).masterplan.timeline.length,
  );

  const stems = (await readStems(fixture.user, job)) as ReadyStems;
  const urls = await stemUrls(fixture.user, stems);
  const first = await fetch(urls[0]!.urls[1]!);
  assert.deepEqual(new Uint8Array(await first.arrayBuffer()), parts[1]);
  const other = createClient(fixture.supabaseUrl, fixture.anonKey, { auth: { persistSession: false } });
  await other.auth.signInAnonymously();
  await assert.rejects(downloadPart(other, stems.files[0]!, 0), { code: 'part_gone' });
  assert.equal(await readStems(other, job), null);
});

test('the page saves them as one ZIP file, with names that say song and stem', async () => {
  const stems = (await readStems(fixture.user, job)) as ReadyStems;
  const shares: number[] = [];
  const zip = await zipStems({
    job,
    stems,
    readPart: (one, i) => downloadPart(fixture.user, one, i),
    onProgress: (share) => shares.push(share),
  });
  const text = Buffer.from(await zip.arrayBuffer()).toString('latin1');
  for (const { songId } of stems.files) {
    const number = job.songs.findIndex((song) => song.songId === songId) + 1;
    assert.ok(text.includes(`${number} ${job.songs[number - 1]!.name} - `));
  }
  assert.ok(text.includes('fLaC'), 'files are stored as they are');
  assert.equal(shares.at(-1), 1);
});

test('the command line asks for them, waits, and writes one file for each stem', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-stems-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const email = `stems-${job.id}@example.test`;
  const { error } = await fixture.user.auth.updateUser({ email, password: 'a password of some length' });
  assert.equal(error, null);
  const env = {
    SUPABASE_URL: fixture.supabaseUrl,
    SUPABASE_PUBLISHABLE_KEY: fixture.anonKey,
    MASHUP_EMAIL: email,
    MASHUP_PASSWORD: 'a password of some length',
  };
  const run = await mashup(['stems', job.id.slice(0, 8), '--out', folder, '--format', 'wav', '--json'], env);
  assert.equal(run.code, 0, run.stderr);
  const told = JSON.parse(run.stdout) as { files: { path: string }[]; level_db: number; residual_db: number };
  assert.deepEqual([told.level_db, told.residual_db], [-1.5, -78.2]);
  assert.equal((await readdir(folder)).length, 2);
  const { channels } = await decodeAudio(await readFile(told.files[0]!.path), { limits: { minSec: 0 } });
  assert.equal(channels[0]!.length, ENDS.at(-1), 'the parts are one file');
  assert.ok(Math.abs(channels[0]![ENDS[0]! + 10]! - 0.2) < 1e-3);
  const missing = await mashup(['stems', 'ffffffff'], env);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /You have no mashup ffffffff/);
});

test('a fault of the renderer leaves the mashup as it is, says why, and stems can be asked for again', async () => {
  const second = await completeJob();
  fault = { error: 'The stems do not sum to the mashup', code: 'mashup_differs', hint: 'Replay it from rendering.' };
  await requestStems(fixture.user, second.id);
  await untilState(second.id, 'failed');
  const failed = await readJob(second.id);
  assert.equal(failed.stage, 'complete');
  assert.match(failed.result?.stems?.message ?? '', /do not sum/);
  assert.equal(failed.result?.stems?.hint, 'Replay it from rendering.');
  fault = { error: 'More is needed', code: 'stems_missing', missing: [{ song_id: 'a', start_sec: 1, end_sec: 2 }] };
  await requestStems(fixture.user, second.id);
  await until(
    () => 'the job stays complete although the stems of its songs do not hold all of it',
    async () => /have been deleted/.test((await readJob(second.id)).result?.stems?.message ?? ''),
  );
  assert.equal((await readJob(second.id)).stage, 'complete');
  fault = undefined;
  await requestStems(fixture.user, second.id);
  await untilState(second.id, 'ready');
});
