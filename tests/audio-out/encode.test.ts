import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OUTPUT_FORMATS } from '../../schema.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { encodeAudio } from '../../audio/encode/encode.ts';
import { clicks, sine } from './signals.ts';

const RATE = 44_100;
const FRAMES = RATE * 6 + 137;
/** Largest RMS of the difference from the original, relative to the RMS of the original. */
const LARGEST_ERROR = { wav: 0.001, flac: 0.001, mp3: 0.03 };

const left = clicks([0.1, 1, 2.5, 5.9], 7, RATE, 0.5).subarray(0, FRAMES);
const right = sine(330, 7, RATE, 0.4).subarray(0, FRAMES);
const tags = { title: 'Größe\n≠', artist: 'A vs. B' };

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let error = 0;
  let power = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    power += expected[i]! ** 2;
  }
  return Math.sqrt(error / power);
}

describe('encoding', () => {
  for (const format of OUTPUT_FORMATS) {
    it(`${format} decodes to the same length and sound, without a delay`, async () => {
      const bytes = await encodeAudio([left, right], RATE, format, tags);
      const decoded = await decodeAudio(bytes);
      assert.equal(decoded.format, format);
      assert.equal(decoded.channels[0].length, FRAMES);
      for (const [c, original] of [left, right].entries()) {
        const error = relativeError(decoded.channels[c as 0 | 1], original);
        assert.ok(error < LARGEST_ERROR[format], `channel ${c} is off by ${error}`);
      }
    });

    it(`${format} contains title and artist, and is byte-identical each time`, async () => {
      const bytes = Buffer.from(await encodeAudio([left, right], RATE, format, tags));
      assert.ok(bytes.includes('Größe ≠'), 'control characters become a space');
      assert.ok(bytes.includes('A vs. B'));
      assert.ok(bytes.equals(Buffer.from(await encodeAudio([left, right], RATE, format, tags))));
      assert.ok((await decodeAudio(await encodeAudio([left, right], RATE, format))).duration_sec > 6);
    });
  }

  it('flac contains a checksum, so that players can verify it', async () => {
    const bytes = await encodeAudio([left, right], RATE, 'flac', tags);
    const md5 = bytes.subarray(26, 42);
    assert.ok(md5.some((byte) => byte !== 0));
  });

  it('clips samples beyond full scale instead of wrapping them', async () => {
    const loud = sine(440, 5.5, RATE, 1.5);
    for (const format of ['wav', 'flac'] as const) {
      const decoded = await decodeAudio(await encodeAudio([loud, loud], RATE, format));
      assert.ok(
        relativeError(
          decoded.channels[0],
          loud.map((x) => Math.max(-1, Math.min(1, x))),
        ) < 0.001,
      );
    }
  });
});
