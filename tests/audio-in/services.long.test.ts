import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AnalyzeResponse, filesOf, SeparateResponse, ServiceErrorBody, STEMS } from '../../schema.ts';
import { createAnalysisServer } from '../../services/analysis/server.ts';
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { loadAudio } from '../../services/http/audio-input.ts';
import { readPcm } from '../../audio/decode/pcm.ts';
import { parseWav } from '../../audio/decode/wav.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { ServiceError } from '../../services/http/errors.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { putFile } from '../../services/separation/upload.ts';
import { playBand } from './signals.ts';
import { startOwnTime } from '../support/own-time.ts';

const SONG_SEC = 30;
const { samples } = playBand({ bpm: 120, tonic: 0, seconds: SONG_SEC });
const song = encodeWav16(
  [samples, samples.map((value, i) => 0.7 * value + 0.1 * (samples[i - 300] ?? 0))],
  SAMPLE_RATE,
);
const shortSong = encodeWav16([playBand({ bpm: 120, tonic: 0, seconds: 12 }).samples], SAMPLE_RATE);
/** Long enough for a separation of far more than a second. */
const longSong = encodeWav16([playBand({ bpm: 120, tonic: 0, seconds: 240 }).samples], SAMPLE_RATE);

const refusal = (statusCode: string, code: string, message: string, http = 400): { http: number; body: string } => ({
  http,
  body: JSON.stringify({ statusCode, code, error: code, message }),
});
/** Answers of Storage to uploads below a folder. Most errors are 400, with the real status in the body. */
const STORAGE_REFUSALS: Record<string, { http: number; body: string }> = {
  'too-large': refusal('413', 'EntityTooLarge', 'The object exceeded the maximum allowed size'),
  'too-large-for-proxy': { http: 413, body: '<html><h1>413 Request Entity Too Large</h1></html>' },
  expired: refusal('400', 'InvalidJWT', '"exp" claim timestamp check failed'),
  forbidden: refusal('403', 'AccessDenied', 'new row violates row-level security policy'),
  overloaded: refusal('503', 'SlowDown', 'Too many connections', 503),
};

/** A storage server: serves the songs and keeps uploads in memory. */
const stored = new Map<string, Buffer>();
const storage = createServer((request, response) => {
  if (request.method === 'PUT') {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.url?.startsWith('/refused')) response.statusCode = 403;
      const refusal = STORAGE_REFUSALS[request.url?.split('/')[1] ?? ''];
      if (refusal) return response.writeHead(refusal.http, { 'content-type': 'application/json' }).end(refusal.body);
      stored.set(request.url!.split('?')[0]!, Buffer.concat(pieces));
      response.end('{}');
    });
    return;
  }
  if (request.url?.startsWith('/song')) response.end(song);
  else if (request.url?.startsWith('/short')) response.end(shortSong);
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
  for (const server of [storage, analysis, separation]) {
    // An idle connection that the server ends while this process works would fail the next request.
    server.keepAliveTimeout = 0;
    await once(server.listen(0, '127.0.0.1'), 'listening');
  }
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
    assert.partialDeepStrictEqual(answer, { status: 'ok', service });
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
  assert.equal(answer.stems?.drums, 'stems/u/drums.wav');
  const mixInfo = parseWav(song);
  const mix = readPcm(song, mixInfo, 0, mixInfo.frames)[0]!;
  const sum = new Float32Array(mix.length);
  for (const stem of STEMS) {
    const file = stored.get(`/stems/${stem}`)!;
    const info = parseWav(file);
    assert.deepEqual([info.frames, info.channels, info.sampleRate, info.scaleBits], [mix.length, 2, SAMPLE_RATE, 16]);
    readPcm(file, info, 0, info.frames)[0]!.forEach((value, i) => (sum[i]! += value));
  }
  const power = mix.reduce((total, value) => total + value * value, 0);
  const error = sum.reduce((total, value, i) => total + (value - mix[i]!) ** 2, 0);
  assert.ok(10 * Math.log10(error / power) < -60, `${10 * Math.log10(error / power)} dB`);
});

/** Upload targets with parts, below a folder. */
const uploadsInParts = (folder: string): unknown =>
  Object.fromEntries(
    Object.entries(uploads(folder)).map(([stem, whole]) => [
      stem,
      {
        ...whole,
        parts: [1, 2, 3, 4, 5].map((part) => ({ path: `p/${stem}.${part}`, url: whole.url.replace('?', `.${part}?`) })),
      },
    ]),
  );

test('ranges of a song are separated in pieces that sum to it, nearly as the whole song is', async () => {
  const response = await post(separation, '/separate', {
    audio_url: `${urlOf(storage)}/song`,
    job_id: 'j/s',
    uploads: uploadsInParts('ranges'),
    ranges: [
      { start_sec: 3, end_sec: 9 },
      { start_sec: 20.5, end_sec: 24 },
      { start_sec: 27.5, end_sec: 29 },
    ],
  });
  const { pieces = [] } = SeparateResponse.parse(await response.json());
  const parts = pieces.map(({ start_sec, end_sec, drums }) => [start_sec, end_sec, drums]);
  assert.deepEqual(parts, [
    [2, 10, 'p/drums.1'],
    [20, 30, 'p/drums.2'],
  ]);
  const mix = readPcm(song, parseWav(song), 0, SONG_SEC * SAMPLE_RATE)[0]!;
  for (const [i, { start_sec, end_sec }] of pieces.entries()) {
    const from = start_sec * SAMPLE_RATE;
    const wanted = mix.subarray(from, end_sec * SAMPLE_RATE);
    const sum = new Float32Array(wanted.length);
    for (const stem of STEMS) {
      const { channels } = await decodeAudio(stored.get(`/ranges/${stem}.${i + 1}`)!, { limits: { minSec: 0 } });
      assert.equal(channels[0].length, wanted.length);
      channels[0].forEach((value, k) => (sum[k]! += value));
      // Stored by the test before.
      const file = stored.get(`/stems/${stem}`)!;
      const whole = readPcm(file, parseWav(file), from, from + wanted.length)[0]!;
      const difference = differenceDb(channels[0], whole, wanted);
      assert.ok(difference < -9, `${stem} of piece ${i} differs by ${difference} dB`);
    }
    assert.ok(differenceDb(sum, wanted, wanted) < -60);
  }
});

/** Power of the difference of two signals, in dB over that of a third. */
function differenceDb(a: Float32Array, b: Float32Array, reference: Float32Array): number {
  const power = reference.reduce((total, value) => total + value * value, 0);
  return 10 * Math.log10(a.reduce((total, value, i) => total + (value - b[i]!) ** 2, 0) / power);
}

test('a caller that names targets for parts gets FLAC with exactly the samples of the WAV files', async () => {
  const body = { audio_url: `${urlOf(storage)}/song`, job_id: 'j/s' };
  const partBytes = 1_000_000;
  const response = await post(separation, '/separate', {
    ...body,
    uploads: uploadsInParts('flac'),
    part_bytes: partBytes,
  });
  const { stems } = SeparateResponse.parse(await response.json());
  assert.ok(stems);
  assert.ok(filesOf(stems.drums).length > 1);
  assert.ok(filesOf(stems.drums).every((path, i) => path === `p/drums.${i + 1}`));
  for (const stem of STEMS) {
    // Stored by the test before.
    const wav = stored.get(`/stems/${stem}`)!;
    const expected = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
    const files = [1, 2, 3, 4, 5].flatMap((part) => stored.get(`/flac/${stem}.${part}`) ?? []);
    assert.ok(files.every(({ length }) => length <= partBytes));
    const decoded = await Promise.all(
      files.map((file) => decodeAudio(file, { limits: { minSec: 0, maxBytes: partBytes } })),
    );
    const left = decoded.flatMap(({ channels }) => [...channels[0]]);
    assert.equal(left.length, expected.length / 2);
    assert.ok(
      left.every((value, i) => value * 32_768 === expected[2 * i]),
      stem,
    );
  }
  const few = await post(separation, '/separate', {
    ...body,
    audio_url: `${urlOf(storage)}/short`,
    uploads: Object.fromEntries(Object.entries(uploads('few')).map(([stem, whole]) => [stem, { ...whole, parts: [] }])),
  });
  assert.deepEqual([few.status, ServiceErrorBody.parse(await few.json()).code], [400, 'uploads_missing']);
});

test('a refused upload names what Storage said, with a status by which workers know what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-upload-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'drums.wav');
  await writeFile(file, new Uint8Array(1_250_000));
  for (const [place, status, code, said] of [
    ['too-large', 413, 'upload_too_large', /the drums stem \(1\.3 MB\): 413 EntityTooLarge: The object exceeded/],
    ['too-large-for-proxy', 413, 'upload_too_large', /stem \(1\.3 MB\): 413\./],
    ['expired', 500, 'upload_url_expired', /400 InvalidJWT: "exp" claim/],
    ['forbidden', 400, 'upload_failed', /403 AccessDenied: new row violates/],
    ['overloaded', 502, 'upload_failed', /503 SlowDown: Too many/],
  ] as const) {
    const target = { path: 'p', url: `${urlOf(storage)}/${place}/drums?token=secret` };
    const error = await putFile(file, target, 'drums stem', new AbortController().signal).then(
      () => null,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ServiceError);
    assert.deepEqual([error.status, error.code], [status, code]);
    assert.match(error.message, said);
    assert.ok(error.hint);
    assert.doesNotMatch(error.message, /secret/);
    if (status === 413) assert.match(error.hint, /global file size limit.*mashup doctor/);
  }
});

test('a stem that Storage refuses for its size ends the separation with 413', async () => {
  const response = await post(separation, '/separate', {
    audio_url: `${urlOf(storage)}/short`,
    job_id: 'j',
    uploads: uploads('too-large'),
  });
  const error = ServiceErrorBody.parse(await response.json());
  assert.deepEqual([response.status, error.code], [413, 'upload_too_large']);
});

test('separation without upload URLs or with rejected ones gives 400 with a hint or code', async () => {
  const audio_url = `${urlOf(storage)}/song`;
  const without = await post(separation, '/separate', { audio_url, job_id: 'j' });
  assert.equal(without.status, 400);
  assert.match(ServiceErrorBody.parse(await without.json()).hint!, /signed upload URL/);
  const refused = await post(separation, '/separate', {
    audio_url: `${urlOf(storage)}/short`,
    job_id: 'j',
    uploads: uploads('refused'),
  });
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
  const ownTime = startOwnTime();
  await ended;
  while ((await ownFolders()).length > 0) {
    assert.ok(ownTime() < 1000, 'the work continues a second after the connection was closed');
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
