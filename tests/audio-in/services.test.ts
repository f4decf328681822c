import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { AnalyzeResponse, SeparateResponse, ServiceErrorBody, STEMS } from '../../schema.ts';
import { createAnalysisServer } from '../../services/analysis/server.ts';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { loadAudio } from '../../services/http/audio-input.ts';
import { parseWav, readWavFrames } from '../../audio/decode/wav.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { ServiceError } from '../../services/http/errors.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { playBand } from './signals.ts';

const SONG_SEC = 30;
const { samples } = playBand({ bpm: 120, tonic: 0, seconds: SONG_SEC });
const song = encodeWav16(
  [samples, samples.map((value, i) => 0.7 * value + 0.1 * (samples[i - 300] ?? 0))],
  SAMPLE_RATE,
);
/** Long enough for a separation of far more than a second. */
const longSong = encodeWav16([playBand({ bpm: 120, tonic: 0, seconds: 240 }).samples], SAMPLE_RATE);

/** A storage server: serves the songs and keeps uploads in memory. */
const stored = new Map<string, Buffer>();
const storage = createServer((request, response) => {
  if (request.method === 'PUT') {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.url?.startsWith('/refused')) response.statusCode = 403;
      stored.set(request.url!.split('?')[0]!, Buffer.concat(pieces));
      response.end('{}');
    });
    return;
  }
  if (request.url?.startsWith('/song')) response.end(song);
  else if (request.url?.startsWith('/long')) response.end(longSong);
  else if (request.url?.startsWith('/status/')) response.writeHead(Number(request.url.slice(8, 11))).end();
  else if (request.url?.startsWith('/broken')) {
    response.writeHead(200, { 'content-length': song.length });
    response.write(song.subarray(0, 1000), () => response.destroy());
  } else if (request.url?.startsWith('/never')) return;
  else if (request.url?.startsWith('/text')) response.end('These are the lyrics.\n'.repeat(100));
  else response.writeHead(404).end();
});
const analysis = createAnalysisServer();
const separation = createSeparationServer();

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const post = (server: Server, path: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
  fetch(`${urlOf(server)}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
const uploads = (folder: string): Record<string, { path: string; url: string }> =>
  Object.fromEntries(
    STEMS.map((stem) => [
      stem,
      { path: `stems/u/${stem}.wav`, url: `${urlOf(storage)}/${folder}/${stem}?token=secret` },
    ]),
  );

before(async () => {
  for (const server of [storage, analysis, separation]) await once(server.listen(0, '127.0.0.1'), 'listening');
});
after(() => {
  for (const server of [storage, analysis, separation]) {
    server.close();
    server.closeAllConnections();
  }
});

test('both services report that they are healthy', async () => {
  for (const [server, service] of [
    [analysis, 'analysis'],
    [separation, 'separation'],
  ] as const) {
    const answer = await (await fetch(`${urlOf(server)}/health`)).json();
    assert.deepEqual({ ...answer, version: '' }, { status: 'ok', service, version: '' });
  }
});

test('a song is analysed by URL and by its bytes, with the same result', async () => {
  const byUrl = AnalyzeResponse.parse(
    await (
      await post(analysis, '/analyze', { song_id: 'a', songId: 'a', file_url: `${urlOf(storage)}/song?token=secret` })
    ).json(),
  );
  const byBytes = AnalyzeResponse.parse(
    await (await post(analysis, '/analyze', { song_id: 'b', audio_data: Buffer.from(song).toString('base64') })).json(),
  );
  assert.equal(byUrl.songId, 'a');
  assert.deepEqual(byUrl.analysis, byBytes.analysis);
  assert.ok(Math.abs(byUrl.analysis.rhythmic.bpm - 120) < 0.05);
});

test('invalid input gives a 4xx with detail, code and hint, and leaks no token', async () => {
  const storageUrl = urlOf(storage);
  for (const [body, status, code] of [
    [{ song_id: 'a', file_url: `${storageUrl}/text?token=secret` }, 400, 'audio_unsupported_format'],
    [{ song_id: 'a', file_url: `${storageUrl}/missing?token=secret` }, 400, 'fetch_failed'],
    [{ song_id: 'a', file_url: 'file:///etc/passwd?token=secret' }, 400, 'fetch_failed'],
    [{ song_id: 'a' }, 400, 'audio_missing'],
    [{ song_id: 1 }, 422, undefined],
  ] as const) {
    const response = await post(analysis, '/analyze', body);
    const text = await response.text();
    assert.equal(response.status, status, text);
    const error = ServiceErrorBody.parse(JSON.parse(text));
    assert.equal(error.code, code);
    if (status === 400) assert.ok(error.hint);
    assert.doesNotMatch(text, /secret/);
  }
});

test('an unavailable source gives 502, which workers retry; a source that rejects the request gives 400', async () => {
  const closed = createServer();
  await once(closed.listen(0, '127.0.0.1'), 'listening');
  const unreachable = urlOf(closed);
  closed.close();
  for (const [url, status] of [
    [`${unreachable}/song?token=secret`, 502],
    [`${urlOf(storage)}/broken?token=secret`, 502],
    [`${urlOf(storage)}/status/500?token=secret`, 502],
    [`${urlOf(storage)}/status/429?token=secret`, 502],
    [`${urlOf(storage)}/status/403?token=secret`, 400],
    [`${urlOf(storage)}/status/410?token=secret`, 400],
  ] as const) {
    const answers = [
      await post(analysis, '/analyze', { song_id: 'a', file_url: url }),
      await post(separation, '/separate', { audio_url: url, job_id: 'j', uploads: uploads('x') }),
    ];
    for (const response of answers) {
      const text = await response.text();
      assert.equal(response.status, status, `${url}: ${text}`);
      const error = ServiceErrorBody.parse(JSON.parse(text));
      assert.equal(error.code, 'fetch_failed');
      assert.ok(error.hint);
      assert.doesNotMatch(text, /secret/);
    }
  }
});

test('a source that does not answer in time gives 504', async () => {
  const error = await loadAudio(`${urlOf(storage)}/never?token=secret`, new AbortController().signal, 50).then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ServiceError);
  assert.equal(error.status, 504);
  assert.equal(error.code, 'fetch_failed');
  assert.doesNotMatch(error.message, /secret/);
});

test('a song is separated into four WAV files that sum to it', async () => {
  const response = await post(separation, '/separate', {
    audio_url: `${urlOf(storage)}/song`,
    job_id: 'j/s',
    uploads: uploads('stems'),
  });
  const answer = SeparateResponse.parse(await response.json());
  assert.equal(answer.stems.drums, 'stems/u/drums.wav');
  const mixInfo = parseWav(song);
  const mix = readWavFrames(song, mixInfo, 0, mixInfo.frames)[0]!;
  const sum = new Float32Array(mix.length);
  for (const stem of STEMS) {
    const file = stored.get(`/stems/${stem}`)!;
    const info = parseWav(file);
    assert.deepEqual(
      [info.frames, info.channels, info.sampleRate, info.bitsPerSample],
      [mix.length, 2, SAMPLE_RATE, 16],
    );
    readWavFrames(file, info, 0, info.frames)[0]!.forEach((value, i) => (sum[i]! += value));
  }
  const power = mix.reduce((total, value) => total + value * value, 0);
  const error = sum.reduce((total, value, i) => total + (value - mix[i]!) ** 2, 0);
  assert.ok(10 * Math.log10(error / power) < -60, `${10 * Math.log10(error / power)} dB`);
});

test('separation without upload URLs or with rejected ones gives 400 with a hint or code', async () => {
  const audio_url = `${urlOf(storage)}/song`;
  const without = await post(separation, '/separate', { audio_url, job_id: 'j' });
  assert.equal(without.status, 400);
  assert.match(ServiceErrorBody.parse(await without.json()).hint!, /signed upload URL/);
  const refused = await post(separation, '/separate', { audio_url, job_id: 'j', uploads: uploads('refused') });
  const text = await refused.text();
  assert.equal(refused.status, 400);
  assert.equal(ServiceErrorBody.parse(JSON.parse(text)).code, 'upload_failed');
  assert.doesNotMatch(text, /secret/);
});

test('a closed connection ends the separation within a second and leaves no file', async () => {
  const folders = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('mashup-stems-'));
  const before = new Set(await folders());
  const ownFolders = async (): Promise<string[]> => (await folders()).filter((name) => !before.has(name));
  const started = async (): Promise<boolean> => {
    for (const folder of await ownFolders()) {
      const sizes = await Promise.all(
        STEMS.map((stem) => readFile(`${tmpdir()}/${folder}/${stem}.wav`).catch(() => null)),
      );
      if (sizes.some((file) => file !== null && file.length > 44)) return true;
    }
    return false;
  };
  const controller = new AbortController();
  const request = post(
    separation,
    '/separate',
    { audio_url: `${urlOf(storage)}/long`, job_id: 'j', uploads: uploads('x') },
    controller.signal,
  );
  const ended = assert.rejects(request);
  while (!(await started())) await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  const abortedAt = performance.now();
  await ended;
  while ((await ownFolders()).length > 0) {
    assert.ok(performance.now() - abortedAt < 1000, 'the work continues a second after the connection was closed');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(stored.has('/x/vocals'), false);
});

test('the event loop is not blocked during an analysis', async () => {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  await (await post(analysis, '/analyze', { song_id: 'a', file_url: `${urlOf(storage)}/song` })).json();
  clearInterval(timer);
  assert.ok(longest < 250, `the event loop was blocked for ${longest} ms`);
});
