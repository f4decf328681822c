/** Features by beat and by bar, for the structure of a song. */
import { CURVE_HOP_SEC } from './curves.ts';
import { meanByBeat } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import type { Rhythm } from './rhythm.ts';
import { mean } from './statistics.ts';

/** Range of band levels below the loudest beat of the band, dB. */
const BAND_RANGE_DB = 48;

/** Features of one bar. `energy` and `voice` are 0..1. */
export type BarFeatures = {
  start_sec: number;
  end_sec: number;
  /** Twelve pitch classes, C first. */
  chroma: number[];
  /** Levels of the low, mid and high band, 0..1. */
  bands: number[];
  energy: number;
  voice: number;
};

/** Low, mid and high band level of each beat, 0..1. `beats` in seconds. */
export function bandsByBeat(features: RhythmFeatures, beats: readonly number[]): number[][] {
  const levels = features.bandPower.map((power) => {
    const decibels = meanByBeat(power, beats, RHYTHM_RATE).map((value) => 10 * Math.log10(value + 1e-12));
    const loudest = Math.max(...decibels);
    return decibels.map((level) => Math.max(0, Math.min(1, 1 + (level - loudest) / BAND_RANGE_DB)));
  });
  return beats.map((_, beat) => levels.map((band) => band[beat]!));
}

/** Mean of a curve with steps of `CURVE_HOP_SEC` over [from, to) seconds. */
function meanOfCurve(curve: readonly number[], from: number, to: number): number {
  const first = Math.floor(from / CURVE_HOP_SEC);
  return mean(curve.slice(first, Math.max(first + 1, Math.floor(to / CURVE_HOP_SEC))));
}

/** Mean of each column. */
function meanOfRows(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, k) => mean(rows.map((row) => row[k]!)));
}

/**
 * Features of each bar from the first downbeat on.
 * @param bands band levels of each beat
 * @param curves energy and voice presence in steps of `CURVE_HOP_SEC`
 */
export function featuresByBar(
  rhythm: Rhythm,
  bands: readonly (readonly number[])[],
  curves: { energy: readonly number[]; voice: readonly number[] },
  durationSec: number,
): BarFeatures[] {
  const bars: BarFeatures[] = [];
  for (const [i, first] of rhythm.downbeats.entries()) {
    const last = rhythm.downbeats[i + 1] ?? rhythm.beats.length;
    const start = rhythm.beats[first]!;
    const end = rhythm.beats[last] ?? durationSec;
    bars.push({
      start_sec: start,
      end_sec: end,
      chroma: meanOfRows(rhythm.chroma.treble.slice(first, last)),
      bands: meanOfRows(bands.slice(first, last)),
      energy: meanOfCurve(curves.energy, start, end),
      voice: meanOfCurve(curves.voice, start, end),
    });
  }
  return bars;
}
