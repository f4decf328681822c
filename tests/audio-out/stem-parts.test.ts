/** Stems as FLAC in parts: sound, sizes and number of the parts. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeWav16, WAV16_HEADER_BYTES } from '../../audio/encode/encode-wav.ts';
import { maxStemParts } from '../../schema.ts';
import { encodeParts } from '../../services/separation/encode-parts.ts';
import { noise, sine } from './signals.ts';

const PART_BYTES = 1_000_000;
const folder = await mkdtemp(join(tmpdir(), 'mashup-parts-'));
after(() => rm(folder, { recursive: true }));

/** Encodes channels as WAV and then in parts. Returns the samples of the WAV and of the parts, and the sizes of the parts. */
async function throughParts(
  name: string,
  channels: [Float32Array, Float32Array],
): Promise<{ wav: Int16Array; joined: number[]; sizes: number[] }> {
  const file = encodeWav16(channels, SAMPLE_RATE);
  const path = join(folder, `${name}.wav`);
  await writeFile(path, file);
  const paths = await encodeParts(path, (part) => join(folder, `${name}.${part}.flac`), PART_BYTES);
  const joined: number[] = [];
  const sizes: number[] = [];
  for (const part of paths) {
    const bytes = new Uint8Array(await readFile(part));
    sizes.push(bytes.length);
    const { chunks, format } = openAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } });
    assert.equal(format, 'flac');
    for await (const [left, right] of chunks)
      for (let i = 0; i < left.length; i++) joined.push(left[i]! * 32_768, right[i]! * 32_768);
  }
  return { wav: new Int16Array(file.buffer, WAV16_HEADER_BYTES), joined, sizes };
}

test('parts of a stem that cannot be compressed have exactly its samples, and no part is too large', async () => {
  const seconds = 14;
  const white = (seed: number): Float32Array => noise(seconds, SAMPLE_RATE, 0.99, seed);
  const { wav, joined, sizes } = await throughParts('noise', [white(1), white(2)]);
  assert.equal(joined.length, wav.length);
  assert.ok(wav.every((value, i) => value === joined[i]));
  assert.ok(sizes.length > 2 && sizes.length <= maxStemParts(seconds, PART_BYTES), `${sizes.length} parts`);
  assert.ok(Math.max(...sizes) <= PART_BYTES, sizes.join(', '));
});

test('a stem that can be compressed is one file of exactly its samples', async () => {
  const { wav, joined, sizes } = await throughParts('tone', [
    sine(220, 6, SAMPLE_RATE, 1.2),
    sine(330, 6, SAMPLE_RATE, 0.4),
  ]);
  assert.equal(sizes.length, 1);
  assert.equal(joined.length, wav.length);
  assert.ok(wav.every((value, i) => value === joined[i]));
});

test('the longest song needs at most five parts of 40 MB', () => {
  assert.deepEqual(
    [10, 220, 240, 900].map((seconds) => maxStemParts(seconds, 40_000_000)),
    [1, 1, 2, 4],
  );
});
