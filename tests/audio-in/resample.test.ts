import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resampler } from '../../audio/time/resample.ts';
import { tone } from './signals.ts';

const RATE = 44_100;

/** Level in dB at `heard` Hz of a sine of `hertz` and amplitude 1 that is converted from `rate` to 44.1 kHz. */
function levelDb(rate: number, hertz: number, heard = hertz): number {
  const resampler = new Resampler(rate, RATE);
  const converted = resampler.push(tone(0.5, hertz, 1, rate));
  const [from, to] = [Math.floor(converted.length * 0.2), Math.floor(converted.length * 0.8)];
  let [re, im, weight] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i - from)) / (to - from));
    const phase = (2 * Math.PI * heard * i) / RATE;
    re += window * converted[i]! * Math.cos(phase);
    im += window * converted[i]! * Math.sin(phase);
    weight += window;
  }
  return 20 * Math.log10((2 * Math.hypot(re, im)) / weight + 1e-9);
}

test('sound up to 20 kHz keeps its level from 48, 96 and 192 kHz', () => {
  for (const rate of [48_000, 96_000, 192_000]) {
    for (const hertz of [1000, 15_000, 19_000, 20_000]) {
      const level = levelDb(rate, hertz);
      assert.ok(Math.abs(level) < 0.15, `${hertz} Hz from ${rate} Hz: ${level} dB`);
    }
  }
});

test('sound above half of the new rate is mirrored above 20 kHz only, and below -90 dB elsewhere', () => {
  const mirrored = (hertz: number): number => RATE - hertz;
  assert.ok(levelDb(48_000, 23_000, mirrored(23_000)) < -50);
  assert.ok(levelDb(48_000, 23_500, mirrored(23_500)) < -90);
  for (const rate of [96_000, 192_000])
    for (const hertz of [24_100, 30_000, 40_000])
      assert.ok(levelDb(rate, hertz, mirrored(hertz)) < -90, `${hertz} Hz from ${rate} Hz`);
});

test('low rates keep nine tenths of their band, and its images stay below -90 dB', () => {
  for (const [rate, hertz] of [
    [22_050, 10_000],
    [8000, 3600],
  ] as const) {
    assert.ok(Math.abs(levelDb(rate, hertz)) < 0.15);
    assert.ok(levelDb(rate, hertz, rate - hertz) < -90);
  }
});
