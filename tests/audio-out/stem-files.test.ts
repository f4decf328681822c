/** Reading stems in parts, and delivering a mashup in a size that Storage accepts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { encodeAudio } from '../../audio/encode/encode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { finishMashup } from '../../services/processing/delivery/finish.ts';
import type { FinishTask } from '../../services/processing/delivery/finish.ts';
import { RenderError } from '../../services/processing/errors.ts';
import { readStem } from '../../services/processing/files/read-stem.ts';
import { clicks, sine } from './signals.ts';

const RATE = 44_100;
const SECONDS = 6;
/** Silence for half of the stem: its first part is silent. */
const left = sine(220, SECONDS, RATE, 0.5).map((value, i) => (i < (SECONDS * RATE) / 2 ? 0 : value));
const right = clicks([4, 5, 5.5], SECONDS, RATE).subarray(0, left.length);
const cut = (from: number, to: number): Promise<Uint8Array> =>
  encodeAudio([left.slice(from, to), right.slice(from, to)], RATE, 'flac');
const files = new Map<string, Uint8Array>([
  ['/whole', encodeWav16([left, right], RATE)],
  ['/1', await cut(0, 2.9 * RATE)],
  ['/2', await cut(2.9 * RATE, 3.1 * RATE)],
  ['/3', await cut(3.1 * RATE, SECONDS * RATE)],
]);
const puts: { path: string; type: string | undefined; bytes: number }[] = [];
const requests: string[] = [];
const storage = createServer((request, response) => {
  const path = request.url ?? '';
  requests.push(path);
  if (request.method !== 'PUT') return response.writeHead(files.has(path) ? 200 : 404).end(files.get(path));
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => {
    puts.push({ path, type: request.headers['content-type'], bytes });
    if (!path.startsWith('/refused')) return response.end('{}');
    const message = 'The object exceeded the maximum allowed size';
    return response.writeHead(400).end(JSON.stringify({ statusCode: '413', code: 'EntityTooLarge', message }));
  });
});
await once(storage.listen(0, '127.0.0.1'), 'listening');
const url = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
after(() => {
  storage.close();
  storage.closeAllConnections();
});

async function samplesOf(paths: string[]): Promise<[Float32Array, Float32Array]> {
  const read: [Float32Array, Float32Array] = [new Float32Array(left.length), new Float32Array(left.length)];
  await readStem({ urls: paths.map((path) => url + path), song: 'A song', stem: 'vocals' }, (chunk, at) => {
    for (const c of [0, 1] as const) read[c].set(chunk[c], at);
  });
  return read;
}

test('a stem in FLAC parts has exactly the samples of the same stem as one WAV, also if a part is silent', async () => {
  const whole = await samplesOf(['/whole']);
  const inParts = await samplesOf(['/1', '/2', '/3']);
  for (const c of [0, 1] as const) assert.ok(whole[c].every((value, i) => value === inParts[c][i]));
  assert.ok(whole[0].some((value) => value !== 0));
});

test('what follows the samples that are needed is neither decoded nor downloaded', async () => {
  let chunks = 0;
  const before = requests.length;
  await readStem({ urls: ['/1', '/gone'].map((path) => url + path), song: 'A song', stem: 'vocals' }, () => {
    chunks++;
    return false;
  });
  assert.deepEqual([chunks, requests.slice(before)], [1, ['/1']]);
});

test('a missing part is an error of the stem', async () => {
  await assert.rejects(samplesOf(['/1', '/gone', '/3']), { code: 'stem_unavailable' });
});

const finish = (changes: Partial<FinishTask>): ReturnType<typeof finishMashup> =>
  finishMashup(
    {
      sections: [{ offset: 0, channels: [left.slice(), right.slice()] }],
      frames: left.length,
      bpm: 120,
      keys: ['A minor'],
      plannedKey: 'A minor',
      title: undefined,
      artist: undefined,
      output: { format: 'flac', upload: { path: 'mashup.flac', url: `${url}/mashup.flac` } },
      splices: [],
      layerChecks: [],
      corrections: [],
      warnings: [],
      ...changes,
    },
    () => {},
  );

test('a mashup that would be too large for Storage is delivered in the smaller format', async () => {
  const smaller = { format: 'mp3', upload: { path: 'mashup.mp3', url: `${url}/mashup.mp3` } } as const;
  const { storage_path, result } = await finish({ smaller, maxBytes: 10_000 });
  assert.deepEqual([storage_path, result.format], ['mashup.mp3', 'mp3']);
  assert.deepEqual(puts.at(-1), { path: '/mashup.mp3', type: 'audio/mpeg', bytes: result.bytes });
  assert.ok(result.true_peak_dbtp <= -1);
  const fits = await finish({ smaller, maxBytes: 10_000_000 });
  assert.deepEqual([fits.storage_path, fits.result.format], ['mashup.flac', 'flac']);
});

test('a mashup that Storage refuses for its size ends with what Storage said', async () => {
  const output = { format: 'wav', upload: { path: 'm.wav', url: `${url}/refused?token=secret` } } as const;
  await assert.rejects(finish({ output }), (error: unknown) => {
    assert.ok(error instanceof RenderError);
    assert.equal(error.code, 'upload_too_large');
    assert.match(error.message, /Storage refused the mashup \(1\.1 MB\): 413 EntityTooLarge: The object exceeded/);
    assert.match(error.hint, /global file size limit/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
