import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StretchKernel } from '../../audio/time/stretch-kernel.ts';
import { warp } from '../../audio/time/stretch.ts';
import { steadyMap } from '../../audio/time/time-map.ts';
import { noise } from './signals.ts';

const RATE = 44_100;

describe('the stretch kernel', () => {
  it('returns its input at speed 1, for all sizes of transforms', async () => {
    const sound = noise(0.8, RATE, 0.4, 1);
    const other = noise(0.8, RATE, 0.4, 2);
    const options = { frames: Math.round(0.5 * RATE), semitones: 0, keepFormants: false };
    // Blocks scale with the rate: these have transforms of 1, 3 and 5 times a power of two, odd and even.
    for (const sampleRate of [22_050, 32_000, 40_000, 44_100, 64_000]) {
      for (const keep of ['attacks', 'notes', 'lowNotes'] as const) {
        const start = Math.round(0.2 * sampleRate) / sampleRate;
        const warped = await warp([sound, other], steadyMap(start, 1), { ...options, sampleRate, keep });
        const from = Math.round(start * sampleRate);
        const reach = Math.min(options.frames, sound.length - from - sampleRate / 5);
        [sound, other].forEach((source, c) => {
          for (let i = 0; i < reach; i++) {
            const error = Math.abs(warped[c]![i]! - source[from + i]!);
            if (error > 1e-4) assert.fail(`${keep} at ${sampleRate} Hz, sample ${i} of channel ${c}: off by ${error}`);
          }
        });
      }
    }
  });

  it('is silent where the source is silent, and plays on afterwards', async () => {
    const sound = noise(3, RATE, 0.4, 3).fill(0, RATE, 2 * RATE);
    const options = { sampleRate: RATE, frames: 3 * RATE, semitones: 0, keepFormants: false, keep: 'attacks' as const };
    const [left] = await warp([sound, sound], steadyMap(0, 1.01), options);
    const rms = (from: number, to: number): number =>
      Math.sqrt(left!.subarray(from * RATE, to * RATE).reduce((sum, x) => sum + x * x, 0) / ((to - from) * RATE));
    assert.ok(rms(1.1, 1.9) < 1e-6, `${rms(1.1, 1.9)}`);
    assert.ok(rms(2.1, 2.9) > 0.2, `${rms(2.1, 2.9)}`);
  });

  it('refuses blocks that are longer than its memory', async () => {
    const kernel = await StretchKernel.create();
    assert.throws(() => kernel.configure({ channels: 2, block: 50_000, interval: 1000, formantFactor: 1 }), RangeError);
  });
});
