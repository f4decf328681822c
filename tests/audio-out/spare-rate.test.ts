import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spareRate } from '../../audio/time/spare-rate.ts';
import { warp } from '../../audio/time/stretch.ts';
import { steadyMap } from '../../audio/time/time-map.ts';
import { sine } from './signals.ts';

const RATE = 44_100;
const OPTIONS = { sampleRate: RATE, frames: RATE, semitones: 0, keepFormants: false, keep: 'lowNotes' as const };

const sum = (...parts: Float32Array[]): Float32Array =>
  parts[0]!.map((_, i) => parts.reduce((total, part) => total + part[i]!, 0));

/** Level of a tone in the middle of `samples`, by correlation. */
function levelOf(samples: Float32Array, hertz: number): number {
  const [from, to] = [Math.round(0.2 * RATE), Math.round(0.8 * RATE)];
  let [re, im] = [0, 0];
  for (let i = from; i < to; i++) {
    re += samples[i]! * Math.cos((2 * Math.PI * hertz * i) / RATE);
    im += samples[i]! * Math.sin((2 * Math.PI * hertz * i) / RATE);
  }
  return (2 * Math.hypot(re, im)) / (to - from);
}

describe('stretching at a lower rate', () => {
  it('takes the rate from the highest audible sound', async () => {
    const low = sine(80, 1, RATE, 0.5);
    assert.equal(await spareRate([low, low], RATE), 8);
    assert.equal(await spareRate([low, sum(low, sine(3000, 1, RATE, 0.01))], RATE), 4);
    assert.equal(await spareRate([sum(low, sine(6000, 1, RATE, 0.01)), low], RATE), 2);
    assert.equal(await spareRate([sum(low, sine(9000, 1, RATE, 0.01)), low], RATE), 1);
    assert.equal(
      await spareRate([sum(low, sine(9000, 1, RATE, 0.0001)), low], RATE),
      8,
      'what is inaudible does not count',
    );
  });

  it('keeps the levels of tones and adds no mirrored tones', async () => {
    for (const [hertz, mirrored] of [
      [80, RATE / 8 - 80],
      [1800, RATE / 8 - 1800],
      [3500, RATE / 4 - 3500],
    ] as const) {
      const tone = sine(hertz, 2, RATE, 0.5);
      const [left, right] = await warp([tone, tone.slice()], steadyMap(0.3, 1.05), OPTIONS);
      assert.ok(Math.abs(20 * Math.log10(levelOf(left!, hertz) / 0.5)) < 0.2, `${hertz} Hz: ${levelOf(left!, hertz)}`);
      assert.ok(levelOf(left!, mirrored) < 2e-4, `${mirrored} Hz: ${levelOf(left!, mirrored)}`);
      assert.deepEqual(right, left);
      assert.notEqual(right, left, 'the channels have memory of their own');
    }
  });

  it('plays the part of the map, not what is before or after it', async () => {
    const source = sum(sine(80, 6, RATE, 0.5));
    source.fill(0, 0, 2 * RATE).fill(0, 3.5 * RATE);
    const [left] = await warp([source, source], steadyMap(1.5, 1), { ...OPTIONS, frames: 3 * RATE });
    const rms = (from: number, to: number): number =>
      Math.sqrt(left!.subarray(from * RATE, to * RATE).reduce((total, x) => total + x * x, 0) / ((to - from) * RATE));
    assert.ok(rms(0, 0.4) < 0.001 && rms(2.1, 3) < 0.001, `${rms(0, 0.4)} ${rms(2.1, 3)}`);
    assert.ok(Math.abs(rms(0.6, 1.9) - 0.5 * Math.SQRT1_2) < 0.01);
  });
});
