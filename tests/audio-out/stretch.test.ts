import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { warp } from '../../audio/time/stretch.ts';
import { steadyMap } from '../../audio/time/time-map.ts';
import { toneCents } from '../../bench/hard-material/tone-cents.ts';
import { clicks, onsets, sine } from './signals.ts';

const RATE = 44_100;

describe('stretching', () => {
  it('puts the beats of a drifting song on an even grid, within 5 ms', async () => {
    // A tempo that varies by 3 % around 0.5 s per beat.
    const beats = Array.from({ length: 24 }, (_, i) => 0.5 + i * 0.5 + 0.12 * Math.sin(i / 4));
    const source = clicks(beats, 14, RATE);
    const output = beats.map((_, i) => i * 0.46);
    const frames = Math.round(0.46 * 22 * RATE);
    const options = { sampleRate: RATE, frames, semitones: 0, keepFormants: false, keep: 'attacks' as const };
    const [left] = await warp([source, source], { output, source: beats }, options);
    const detected = onsets(left!, RATE);
    assert.equal(detected.length, 22);
    detected.forEach((at, i) => assert.ok(Math.abs(at - i * 0.46) < 0.005, `click ${i} is at ${at}`));
  });

  for (const semitones of [-5, -0.3, 2, 6]) {
    it(`shifts tones by ${semitones} semitones within 3 cents, at another speed`, async () => {
      const hertz = [147, 440];
      const [low, high] = hertz.map((each) => sine(each, 2, RATE, 0.5));
      const options = { sampleRate: RATE, frames: RATE, semitones, keepFormants: false, keep: 'notes' as const };
      const warped = await warp([low!, high!], steadyMap(0.3, 1.15), options);
      hertz.forEach((each, i) => {
        const cents = toneCents(warped[i]!, RATE, each * 2 ** (semitones / 12));
        assert.ok(Math.abs(cents) < 3, `${each} Hz is off by ${cents} cents`);
      });
    });
  }

  it('returns the same samples for the same input, also at extreme ratios', async () => {
    const tone = sine(220, 4, RATE, 0.5);
    const options = { sampleRate: RATE, frames: 2 * RATE, semitones: 3, keepFormants: true, keep: 'notes' as const };
    for (const rate of [0.3, 1.1]) {
      const first = await warp([tone, tone], steadyMap(0, rate), options);
      const second = await warp([tone, tone], steadyMap(0, rate), options);
      assert.ok(Buffer.from(first[0]!.buffer).equals(Buffer.from(second[0]!.buffer)));
    }
  });

  it('is silent after the end of the source', async () => {
    const tone = sine(440, 1, RATE, 0.5);
    const options = { sampleRate: RATE, frames: 3 * RATE, semitones: 0, keepFormants: false, keep: 'notes' as const };
    const [left] = await warp([tone, tone], steadyMap(0, 1), options);
    assert.ok(left!.subarray(2 * RATE).every((x) => Math.abs(x) < 1e-3));
  });
});
