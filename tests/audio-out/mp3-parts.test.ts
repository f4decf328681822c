import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { encodeMp3, writeMp3 } from '../../audio/encode/encode-mp3.ts';
import { encodeMp3Part, joinMp3Parts, mp3Parts, SAMPLES_PER_FRAME } from '../../audio/encode/mp3-parts.ts';
import { clicks, noise } from './signals.ts';

const RATE = 44_100;
const SEC = 102;

describe('an MP3 file that is encoded in parts', () => {
  let sound: Float32Array[];
  let error: Float32Array;
  let join: number;

  before(async () => {
    const beats = Array.from({ length: 2 * SEC - 1 }, (_, i) => i / 2 + 0.1);
    const hits = clicks(beats, SEC, RATE);
    const hiss = noise(SEC, RATE, 0.05, 3);
    const left = hits.map((value, i) => 0.5 * value + hiss[i]! * Math.sin(i / 40_000) + 0.2 * Math.sin(i / 30));
    sound = [left, left];
    const file = await writeMp3(left.length, {}, (part) => encodeMp3Part(sound, RATE, part));
    const { channels } = await decodeAudio(file);
    assert.equal(channels[0].length, left.length);
    error = channels[0].map((value, i) => value - left[i]!);
    join = mp3Parts(left.length)[1]!.from * SAMPLES_PER_FRAME;
  });

  const rms = (from: number, to: number): number =>
    Math.sqrt(error.subarray(from, to).reduce((sum, value) => sum + value * value, 0) / (to - from));

  it('is as close to its sound where parts are joined as elsewhere', () => {
    const reach = 10 * RATE;
    const elsewhere = rms(20 * RATE, 40 * RATE);
    for (let from = join - reach; from < join + reach; from += RATE / 2)
      assert.ok(rms(from, from + RATE / 2) < 2 * elsewhere, `${from / RATE} s`);
  });

  it('is one part if it is short, and of equal bytes as one encoder writes', async () => {
    const short = sound.map((samples) => samples.subarray(0, 5 * RATE));
    assert.equal(mp3Parts(5 * RATE).length, 1);
    const file = await writeMp3(5 * RATE, { title: 'A' }, (part) => encodeMp3Part(short, RATE, part));
    assert.deepEqual(file, await encodeMp3(short, RATE, { title: 'A' }));
  });

  it('has no join where no frames are equal', () => {
    const [first, second] = mp3Parts(sound[0]!.length);
    const frames = (byte: number): Uint8Array => {
      const stream = new Uint8Array(1044 * 3000).fill(byte);
      for (let at = 0; at < stream.length; at += 1044) stream.set([0xff, 0xfb, 0xe0, 0], at);
      return stream;
    };
    assert.equal(joinMp3Parts([first!, second!], [frames(1), frames(2)]), null);
    assert.notEqual(joinMp3Parts([first!, second!], [frames(1), frames(1)]), null);
  });
});
