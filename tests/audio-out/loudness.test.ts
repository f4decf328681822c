import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureLoudness, SILENCE_DBTP, SILENCE_LUFS } from '../../audio/level/loudness.ts';
import { db, sine } from './signals.ts';

/** Steps of `[seconds, level in dBFS]` of a 1 kHz stereo sine, as in EBU Tech 3341. */
function steps(sampleRate: number, ...levels: [number, number][]): Float32Array[] {
  const parts = levels.map(([seconds, level]) => sine(1000, seconds, sampleRate, db(level)));
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return [joined, joined];
}

describe('integrated loudness (EBU Tech 3341)', () => {
  const cases: [string, [number, number][], number][] = [
    ['case 1: a steady sine', [[20, -23]], -23],
    ['case 2: a quieter sine', [[20, -33]], -33],
    [
      'case 3: the relative gate excludes quiet ends',
      [
        [10, -36],
        [60, -23],
        [10, -36],
      ],
      -23,
    ],
    [
      'case 4: the absolute gate excludes quieter ends',
      [
        [10, -72],
        [10, -36],
        [60, -23],
        [10, -36],
        [10, -72],
      ],
      -23,
    ],
    [
      'case 5: three levels',
      [
        [20, -26],
        [20.1, -20],
        [20, -26],
      ],
      -23,
    ],
  ];
  for (const [name, levels, expected] of cases) {
    for (const sampleRate of [44_100, 48_000]) {
      it(`${name}, at ${sampleRate} Hz, within 0.1 LU`, () => {
        const { integrated_lufs } = measureLoudness(steps(sampleRate, ...levels), sampleRate);
        assert.ok(Math.abs(integrated_lufs - expected) < 0.1, `${integrated_lufs} is not ${expected}`);
      });
    }
  }

  it('a mono channel is 3 LU quieter than the same signal in both channels', () => {
    const channel = sine(1000, 5, 48_000, db(-20));
    const mono = measureLoudness([channel], 48_000).integrated_lufs;
    const stereo = measureLoudness([channel, channel], 48_000).integrated_lufs;
    assert.ok(Math.abs(stereo - mono - 3.01) < 0.01);
  });

  it('silence, and a sound shorter than one block, measure as the floor and not as infinity', () => {
    assert.deepEqual(measureLoudness([new Float32Array(48_000)], 48_000), {
      integrated_lufs: SILENCE_LUFS,
      true_peak_dbtp: SILENCE_DBTP,
    });
    assert.equal(measureLoudness([sine(1000, 0.1, 48_000, 1)], 48_000).integrated_lufs, SILENCE_LUFS);
    assert.equal(measureLoudness([], 48_000).integrated_lufs, SILENCE_LUFS);
  });
});

describe('true peak (EBU Tech 3341)', () => {
  const cases: [string, number, number, number, number][] = [
    ['case 15', 4, 0, 0.5, -6],
    ['case 16', 4, 45, 0.5, -6],
    ['case 17', 6, 60, 0.5, -6],
    ['case 18', 8, 67.5, 0.5, -6],
    ['case 19', 4, 45, 1.41, 3],
  ];
  for (const [name, divisor, degrees, amplitude, expected] of cases) {
    it(`${name}: a sine at a ${divisor}th of the sample rate, ${degrees} degrees, measures as ${expected} dBTP (+0.2, -0.4)`, () => {
      const fadeIn = 4800;
      const samples = sine(48_000 / divisor, 2, 48_000, amplitude, (degrees * Math.PI) / 180);
      for (let i = 0; i < fadeIn; i++) {
        samples[i]! *= i / fadeIn;
        samples[samples.length - 1 - i]! *= i / fadeIn;
      }
      const { true_peak_dbtp } = measureLoudness([samples], 48_000);
      assert.ok(true_peak_dbtp < expected + 0.2 && true_peak_dbtp > expected - 0.4, `${true_peak_dbtp}`);
    });
  }
});
