import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { warp } from '../../audio/time/stretch.ts';
import { steadyMap } from '../../audio/time/time-map.ts';
import { clicks, onsets, sine, toneCents } from './signals.ts';

const RATE = 44_100;

/** A note of a bass with four partials. */
function bassNote(hertz: number, seconds: number): Float32Array {
  const partials = [1, 2, 3, 4].map((n) => sine(n * hertz, seconds, RATE, 0.3 / n));
  const edge = RATE / 50;
  return partials[0]!.map((_, i) => {
    const level = Math.min(1, i / edge, (partials[0]!.length - i) / edge);
    return level * partials.reduce((sum, partial) => sum + partial[i]!, 0);
  });
}

describe('stretching', () => {
  it('puts the beats of a drifting song on an even grid, within 5 ms', async () => {
    // A tempo that varies by 3 % around 0.5 s per beat.
    const beats = Array.from({ length: 24 }, (_, i) => 0.5 + i * 0.5 + 0.12 * Math.sin(i / 4));
    const source = clicks(beats, 14, RATE);
    const output = beats.map((_, i) => i * 0.46);
    const frames = Math.round(0.46 * 22 * RATE);
    const options = { sampleRate: RATE, frames, semitones: 0, keepFormants: false, lowNotes: false };
    const [left] = await warp([source, source], { output, source: beats }, options);
    const detected = onsets(left!, RATE);
    assert.equal(detected.length, 22);
    detected.forEach((at, i) => assert.ok(Math.abs(at - i * 0.46) < 0.005, `click ${i} is at ${at}`));
  });

  for (const semitones of [-5, -0.3, 2, 6]) {
    it(`shifts tones by ${semitones} semitones within 3 cents, at another speed`, async () => {
      const hertz = [147, 440];
      const [low, high] = hertz.map((each) => sine(each, 2, RATE, 0.5));
      const options = { sampleRate: RATE, frames: RATE, semitones, keepFormants: false, lowNotes: false };
      const warped = await warp([low!, high!], steadyMap(0.3, 1.15), options);
      hertz.forEach((each, i) => {
        const cents = toneCents(warped[i]!, RATE, each * 2 ** (semitones / 12));
        assert.ok(Math.abs(cents) < 3, `${each} Hz is off by ${cents} cents`);
      });
    });
  }

  for (const semitones of [-5, -1, 0, 5]) {
    it(`keeps a bass line from E1 to C3 in tune, shifted by ${semitones} semitones`, async () => {
      const line = [41.2, 55, 82.41, 65.41, 98, 49, 130.81];
      const noteSec = 0.6;
      const source = Float32Array.from(line.flatMap((hertz) => [...bassNote(hertz, noteSec)]));
      const frames = Math.round(line.length * noteSec * RATE);
      const options = { sampleRate: RATE, frames, semitones, keepFormants: false, lowNotes: true };
      const [left] = await warp([source, source], steadyMap(0, 1), options);
      line.forEach((hertz, i) => {
        const [from, to] = [0.12, 0.52].map((at) => Math.round((i * noteSec + at) * RATE));
        const cents = toneCents(left!.subarray(from, to), RATE, hertz * 2 ** (semitones / 12));
        assert.ok(Math.abs(cents) < (hertz < 82 ? 10 : 5), `${hertz} Hz is off by ${cents} cents`);
      });
    });
  }

  it('returns the same samples for the same input, also at extreme ratios', async () => {
    const tone = sine(220, 4, RATE, 0.5);
    const options = { sampleRate: RATE, frames: 2 * RATE, semitones: 3, keepFormants: true, lowNotes: false };
    for (const rate of [0.3, 1.1]) {
      const first = await warp([tone, tone], steadyMap(0, rate), options);
      const second = await warp([tone, tone], steadyMap(0, rate), options);
      assert.ok(Buffer.from(first[0]!.buffer).equals(Buffer.from(second[0]!.buffer)));
    }
  });

  it('is silent after the end of the source', async () => {
    const tone = sine(440, 1, RATE, 0.5);
    const options = { sampleRate: RATE, frames: 3 * RATE, semitones: 0, keepFormants: false, lowNotes: false };
    const [left] = await warp([tone, tone], steadyMap(0, 1), options);
    assert.ok(left!.subarray(2 * RATE).every((x) => Math.abs(x) < 1e-3));
  });
});
