import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { applyFilter } from '../../audio/effects/filters.ts';
import { limitTruePeak } from '../../audio/level/limiter.ts';
import { integratedLoudness, measureLoudness } from '../../audio/level/loudness.ts';
import { TruePeakStreamLimiter } from '../../audio/level/stream-limiter.ts';
import { estimateGain, type LevelSpan } from '../../services/processing/live/level.ts';
import { cutParts, PartMaker, type PlayablePart } from '../../services/processing/live/parts.ts';
import type { RenderSection } from '../../services/processing/plan/plan.ts';
import { noise } from './signals.ts';

const RATE = 44_100;
const BEAT_SEC = 0.5;

/** Noise with bursts far above full scale. */
function loudNoise(seconds: number, seed: number): Float32Array {
  const samples = noise(seconds, RATE, 0.5, seed);
  for (let i = 0; i < samples.length; i++) if (i % 7_777 < 300) samples[i]! *= 5;
  return samples;
}

const section = (start: number, end: number, volumeDb = 0): RenderSection => ({
  start,
  end,
  bpm: 60 / BEAT_SEC,
  description: '',
  energy: 0.5,
  layers: [{ songId: 'a', stem: 'drums', volumeDb, effects: [], sourceStartSec: undefined, free: false }],
});

/** Three sections of a mashup of 14 s; each has a beat before it and a tail after it. */
const PLAN = { sections: [section(0, 9), section(9, 10), section(10, 14)], durationSec: 14 };

function mixed(index: number): { offset: number; channels: [Float32Array, Float32Array] } {
  const { start, end } = PLAN.sections[index]!;
  const from = index === 0 ? 0 : start - BEAT_SEC;
  const to = index === 2 ? end : end + 3;
  return { offset: Math.round(from * RATE), channels: [loudNoise(to - from, index), loudNoise(to - from, index + 9)] };
}

async function allParts(maxParts: number): Promise<PlayablePart[]> {
  const maker = new PartMaker(PLAN, maxParts);
  const parts: PlayablePart[] = [];
  for (let i = 0; i < 3; i++) for await (const part of maker.add(mixed(i))) parts.push(part);
  return parts;
}

const decode = async ({ bytes }: PlayablePart): Promise<Float32Array[]> =>
  (await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } })).channels;

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

describe('the limiter for streams', () => {
  for (const pieces of [[1], [1_000, 1, 13, 40_000], [90_000]]) {
    it(`limits a stream in pieces of ${pieces.join(', ')} samples as the whole signal`, () => {
      const whole = [loudNoise(1, 1), loudNoise(1, 2)];
      const limiter = new TruePeakStreamLimiter(RATE, -1, 2);
      const limited: number[][] = [[], []];
      const take = (channels: Float32Array[]): void =>
        channels.forEach((samples, c) => samples.forEach((sample) => limited[c]!.push(sample)));
      const length = pieces[0] === 1 && pieces.length === 1 ? 3_000 : whole[0]!.length;
      for (let at = 0, i = 0; at < length; i++) {
        const to = Math.min(length, at + pieces[i % pieces.length]!);
        take(limiter.push(whole.map((samples) => samples.slice(at, to))));
        at = to;
      }
      take(limiter.finish());
      const expected = whole.map((samples) => samples.slice(0, length));
      limitTruePeak(expected, RATE, -1);
      for (const c of [0, 1]) {
        assert.equal(limited[c]!.length, length);
        assert.ok(largestDifference(expected[c]!, limited[c]!) < 1e-5);
      }
    });
  }

  it('returns nothing for an empty stream', () => {
    const limiter = new TruePeakStreamLimiter(RATE, -1, 2);
    limiter.push([new Float32Array(0), new Float32Array(0)]);
    assert.deepEqual(
      limiter.finish().map(({ length }) => length),
      [0, 0],
    );
  });
});

describe('playable parts', () => {
  it('join exactly to the mix of all sections at one gain, limited as a whole', async () => {
    const parts = await allParts(20);
    const ends = parts.map(({ end }) => end);
    assert.equal(ends.at(-1), 14 * RATE);
    const decoded = await Promise.all(parts.map(decode));
    decoded.forEach(([left], i) => assert.equal(left!.length, ends[i]! - (ends[i - 1] ?? 0)));

    const whole = [new Float32Array(14 * RATE), new Float32Array(14 * RATE)];
    for (let i = 0; i < 3; i++) {
      const { offset, channels } = mixed(i);
      whole.forEach((mix, c) => {
        for (let k = 0; k < channels[c]!.length && offset + k < mix.length; k++) mix[offset + k]! += channels[c]![k]!;
      });
    }
    for (const mix of whole) for (let i = 0; i < 882; i++) mix[mix.length - 1 - i]! *= i / 882;
    applyFilter(whole, RATE, { kind: 'high-pass', frequency: 25 });
    const first = whole.map((samples) => samples.slice(0, 8.5 * RATE));
    const spans = PLAN.sections.map((one, i) => ({
      section: one,
      measured: i === 0 ? integratedLoudness(first, RATE) : undefined,
    }));
    const gain = 10 ** (estimateGain(spans) / 20);
    for (const samples of whole) for (let i = 0; i < samples.length; i++) samples[i]! *= gain;
    limitTruePeak(whole, RATE, -1);
    whole.forEach((samples, c) => {
      const joined = decoded.flatMap((channels) => [...channels[c]!]);
      assert.ok(largestDifference(samples, joined) < 1.1 / 32_768);
    });
    assert.ok(measureLoudness(whole, RATE).true_peak_dbtp <= -1);
  });

  it('begin with a short one, and never hold what a later section changes', async () => {
    const maker = new PartMaker(PLAN, 20);
    const ends: number[] = [];
    for await (const { end } of maker.add(mixed(0))) ends.push(end / RATE);
    assert.equal(ends[0], 6);
    assert.ok(ends.at(-1)! <= 8.5 && ends.at(-1)! > 8.48, `${ends.at(-1)}`);
  });

  it('are no more than their targets', async () => {
    assert.equal((await allParts(2)).length, 2);
  });

  it('are cut without a rest that is too short to play', () => {
    assert.deepEqual(cutParts(7 * RATE, true), [[0, 7 * RATE]]);
    assert.deepEqual(cutParts(61 * RATE, false), [
      [0, 30 * RATE],
      [30 * RATE, 61 * RATE],
    ]);
    assert.deepEqual(cutParts(0, true), []);
  });
});

describe('the level of playable parts', () => {
  /** Drums at 0 dB have this loudness by the plan. */
  const planned = -19;
  const spans = (first: RenderSection, measured: number | undefined, ...others: RenderSection[]): LevelSpan[] => [
    { section: first, measured },
    ...others.map((section) => ({ section, measured: undefined })),
  ];

  it('is that of the finished mashup if it sounds as planned', () => {
    const gain = estimateGain(spans(section(0, 10), planned, section(10, 20), section(20, 30)));
    assert.ok(Math.abs(planned + gain + 14) < 0.01, `${gain}`);
  });

  it('leaves a beginning quiet that is planned quiet', () => {
    const played = planned - 5 + estimateGain(spans(section(0, 10, -5), planned - 5, section(10, 60)));
    assert.ok(played > -19 && played < -18, `${played}`);
  });

  it('follows a beginning that differs from its plan only in part', () => {
    const gain = estimateGain(spans(section(0, 10), planned - 8, section(10, 200)));
    assert.ok(Math.abs(planned - 2 + gain + 14) < 0.4, `${gain}`);
  });

  it('is bounded, whatever the plan says', () => {
    assert.equal(-16 + estimateGain(spans(section(0, 10, -40), -16, section(10, 60, 12))), -14 - 12);
  });

  it('comes from the plan alone for a silent beginning', () => {
    const gain = estimateGain(spans(section(0, 10), -70, section(10, 60)));
    assert.ok(Math.abs(planned + gain + 14) < 0.01, `${gain}`);
  });
});
