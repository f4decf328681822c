/** Stems as FLAC in parts: sound, sizes and number of the parts. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { WAV16_HEADER_BYTES } from '../../audio/encode/encode-wav.ts';
import { maxStemParts } from '../../schema.ts';
import type { StemChunk } from '../../services/separation/block-separator.ts';
import { writeStems } from '../../services/separation/stem-files.ts';
import { noise, sine } from './signals.ts';

const PART_BYTES = 1_000_000;
const folder = await mkdtemp(join(tmpdir(), 'mashup-parts-'));
after(() => rm(folder, { recursive: true }));

async function* chunksOf(channels: StereoChunk): AsyncGenerator<StemChunk> {
  const length = 100_003;
  for (let at = 0; at < channels[0].length; at += length) {
    const chunk: StereoChunk = [channels[0].subarray(at, at + length), channels[1].subarray(at, at + length)];
    yield { vocals: chunk, drums: chunk, bass: chunk, other: chunk };
  }
}

/** Writes channels as a WAV stem and in parts. Returns the samples of both, and the sizes of the parts. */
async function throughParts(channels: StereoChunk): Promise<{ wav: Int16Array; joined: number[]; sizes: number[] }> {
  const whole = await writeStems(chunksOf(channels), folder);
  const inParts = await writeStems(chunksOf(channels), folder, PART_BYTES);
  const wav = await readFile(whole.drums[0]!);
  const joined: number[] = [];
  const sizes: number[] = [];
  for (const part of inParts.drums) {
    const bytes = new Uint8Array(await readFile(part));
    sizes.push(bytes.length);
    assert.ok(
      bytes.subarray(26, 42).some((byte) => byte !== 0),
      'the checksum of the samples',
    );
    const { chunks, format } = openAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } });
    assert.equal(format, 'flac');
    for await (const [left, right] of chunks)
      for (let i = 0; i < left.length; i++) joined.push(left[i]! * 32_768, right[i]! * 32_768);
  }
  return {
    wav: new Int16Array(wav.buffer.slice(wav.byteOffset + WAV16_HEADER_BYTES, wav.byteOffset + wav.length)),
    joined,
    sizes,
  };
}

test('parts of a stem that cannot be compressed have exactly its samples, and no part is too large', async () => {
  const seconds = 14;
  const white = (seed: number): Float32Array => noise(seconds, SAMPLE_RATE, 0.99, seed);
  const { wav, joined, sizes } = await throughParts([white(1), white(2)]);
  assert.equal(joined.length, wav.length);
  assert.ok(wav.every((value, i) => value === joined[i]));
  assert.ok(sizes.length > 2 && sizes.length <= maxStemParts(seconds, PART_BYTES), `${sizes.length} parts`);
  assert.ok(Math.max(...sizes) <= PART_BYTES, sizes.join(', '));
});

test('a stem that can be compressed is one file of exactly its samples', async () => {
  const { wav, joined, sizes } = await throughParts([sine(220, 6, SAMPLE_RATE, 1.2), sine(330, 6, SAMPLE_RATE, 0.4)]);
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
