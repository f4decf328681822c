/** Mastering: loudness against the work of the limiter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integratedLoudness } from '../../audio/level/loudness.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { type Master, masterMix } from '../../services/processing/delivery/master.ts';
import { sharedSamples } from '../../services/processing/sound/slice.ts';

const TARGET_LUFS = -14;
const SECONDS = 8;
const BEAT_SEC = 0.5;

/** Masters a soft tone with short loud beats, whose level decides how hard the limiter works. Returns the loudness as well. */
function masterBeats(level: number): Master & { loudness: number } {
  const samples = sharedSamples(SECONDS * SAMPLE_RATE);
  for (let i = 0; i < samples.length; i++) {
    const isBeat = i % (BEAT_SEC * SAMPLE_RATE) < 0.01 * SAMPLE_RATE;
    samples[i] = (isBeat ? level : 0.12) * Math.sin((2 * Math.PI * 1000 * i) / SAMPLE_RATE);
  }
  const loudness = integratedLoudness([samples, samples], SAMPLE_RATE);
  const master = masterMix({ mix: { channels: [samples, samples], loudness }, format: 'wav', ceilingDb: -1 });
  return { ...master, loudness: integratedLoudness(master.channels, SAMPLE_RATE) };
}

test('a mix that needs little limiting has the target loudness', () => {
  const { loudness, limited } = masterBeats(0.9);
  assert.ok(Math.abs(loudness - TARGET_LUFS) < 0.1, `${loudness} LUFS`);
  assert.ok(limited.p95_reduction_db < 4, `${limited.p95_reduction_db} dB`);
});

test('a mix on which the limiter would just be heard is a little softer instead', () => {
  const { loudness, limited } = masterBeats(1.02);
  assert.ok(limited.p95_reduction_db <= 4, `${limited.p95_reduction_db} dB`);
  assert.ok(loudness < TARGET_LUFS - 0.1 && loudness > TARGET_LUFS - 0.5, `${loudness} LUFS`);
});

test('a mix that would need more than that has the target loudness, and its limiting is measured', () => {
  const { loudness, limited } = masterBeats(1.3);
  assert.ok(Math.abs(loudness - TARGET_LUFS) < 0.1, `${loudness} LUFS`);
  assert.ok(limited.p95_reduction_db > 5, `${limited.p95_reduction_db} dB`);
});
