import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitTruePeak } from '../../audio/level/limiter.ts';
import { RepeatLimiter } from '../../audio/level/repeat-limiter.ts';
import { measureLoudness } from '../../audio/level/loudness.ts';
import { db, noise, sine } from './signals.ts';

const RATE = 44_100;

describe('the limiter', () => {
  it('keeps the ceiling between samples, for a loud sine at a quarter of the sample rate', () => {
    const samples = sine(RATE / 4, 2, RATE, db(6), Math.PI / 4);
    limitTruePeak([samples], RATE, -1);
    const { true_peak_dbtp } = measureLoudness([samples], RATE);
    assert.ok(true_peak_dbtp <= -1 && true_peak_dbtp > -1.6, `${true_peak_dbtp}`);
  });

  it('keeps the ceiling for noise bursts 12 dB over it', () => {
    const left = noise(4, RATE, 1, 3);
    for (let i = 0; i < left.length; i++) left[i]! *= i % 11_025 < 900 ? 4 : 0.2;
    const right = left.map((x) => x * 0.5);
    const { max_reduction_db } = limitTruePeak([left, right], RATE, -1);
    assert.ok(measureLoudness([left, right], RATE).true_peak_dbtp <= -1);
    assert.ok(max_reduction_db > 10);
  });

  it('keeps the balance of the channels', () => {
    const left = noise(1, RATE, 3, 5);
    const right = left.map((x) => x * 0.25);
    limitTruePeak([left, right], RATE, -1);
    for (let i = 0; i < left.length; i += 97) assert.ok(Math.abs(right[i]! - left[i]! * 0.25) < 1e-6);
  });

  it('does not change sound below the ceiling', () => {
    const samples = sine(440, 1, RATE, 0.5);
    const before = samples.slice();
    const { max_reduction_db } = limitTruePeak([samples], RATE, -1);
    assert.equal(max_reduction_db, 0);
    assert.ok(Buffer.from(samples.buffer).equals(Buffer.from(before.buffer)));
  });
});

describe('RepeatLimiter', () => {
  it('gives at each gain what limiting the amplified signal gives', () => {
    const sound = [noise(3, RATE, 0.4, 1), noise(3, RATE, 0.2, 2)];
    const limiter = new RepeatLimiter(sound, RATE);
    const limited = sound.map((samples) => new Float32Array(samples.length));
    for (const gainDb of [0, 6, 12, 3]) {
      const report = limiter.limit(gainDb, -1, limited);
      const expected = sound.map((samples) => samples.map((value) => value * 10 ** (gainDb / 20)));
      const { max_reduction_db, p95_reduction_db } = limitTruePeak(expected, RATE, -1);
      assert.ok(Math.abs(report.max_reduction_db - max_reduction_db) < 1e-4);
      assert.equal(report.p95_reduction_db, p95_reduction_db);
      expected.forEach((samples, c) => {
        assert.ok(
          samples.every((value, i) => Math.abs(value - limited[c]![i]!) < 1e-6),
          `at ${gainDb} dB`,
        );
      });
    }
  });
});
