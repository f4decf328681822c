import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { joinFlac } from '../../audio/encode/flac-join.ts';
import { noise } from './signals.ts';

const RATE = 44_100;
const BLOCK = 4096;
/** More than 128 blocks, so that numbers of frames take one byte in the parts and two in the joined file. */
const SAMPLES = 200 * BLOCK + 1000;

describe('FLAC files that follow one another', () => {
  const sound = [1, 2].map((seed) => noise(SAMPLES / RATE, RATE, 0.2, seed).subarray(0, SAMPLES));
  const cut = (from: number, to: number): Promise<Uint8Array<ArrayBuffer>> =>
    encodeFlac(
      sound.map((samples) => samples.slice(from, to)),
      RATE,
      { title: 'part' },
    );

  it('are joined to one file with the same samples', async () => {
    const ends = [90 * BLOCK, 180 * BLOCK, SAMPLES];
    const parts = await Promise.all(ends.map((end, i) => cut(ends[i - 1] ?? 0, end)));
    const [joined, whole] = await Promise.all(
      [joinFlac(parts), await cut(0, SAMPLES)].map((file) => decodeAudio(file, { limits: { minSec: 0 } })),
    );
    assert.equal(joined!.channels[0]!.length, SAMPLES);
    joined!.channels.forEach((samples, c) => assert.deepEqual(samples, whole!.channels[c]));
  });

  it('cannot be joined behind a part that ends inside a block, or in another format', async () => {
    const [short, next] = [await cut(0, BLOCK + 5), await cut(BLOCK + 5, 3 * BLOCK)];
    assert.throws(() => joinFlac([short, next]), { code: 'audio_damaged' });
    const other = await encodeFlac([sound[0]!.slice(0, BLOCK)], RATE, {});
    assert.throws(() => joinFlac([other, next]), { code: 'audio_damaged' });
    assert.throws(() => joinFlac([]), { code: 'audio_damaged' });
  });
});
