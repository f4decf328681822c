/** Groove: timing stability and swing. */
import { RHYTHM_RATE } from './rhythm-features.ts';
import { median } from './statistics.ts';

/** Median deviation from the grid, as a share of a beat, at which the stability is 0. */
const FREE_TIME_DEVIATION = 0.12;
/** Weaker onsets (in standard deviations) are ignored. */
const MIN_ONSET = 1;
/** Smallest share of beats with an off-beat onset from which swing is measured. */
const MIN_OFFBEAT_RATIO = 0.2;

/** Time of the strongest onset in (from, to) seconds, or null if none exceeds `MIN_ONSET`. */
function strongestOnset(strength: Float32Array, from: number, to: number): number | null {
  let best = -1;
  const end = Math.min(strength.length - 2, Math.floor(to * RHYTHM_RATE));
  for (let i = Math.max(1, Math.ceil(from * RHYTHM_RATE)); i <= end; i++) {
    const value = strength[i]!;
    if (
      value >= MIN_ONSET &&
      value >= strength[i - 1]! &&
      value > strength[i + 1]! &&
      (best < 0 || value > strength[best]!)
    ) {
      best = i;
    }
  }
  return best < 0 ? null : best / RHYTHM_RATE;
}

/**
 * Measures timing stability and swing.
 *
 * `stability` is 1 if onsets lie on the grid and beats are equally long, 0 in free time. `swing` is 0 for straight eighths and 1 if
 * off-beats lie on the third triplet or later.
 * @param strength onset strength at RHYTHM_RATE
 * @param beats beat times, seconds
 */
export function measureGroove(strength: Float32Array, beats: readonly number[]): { stability: number; swing: number } {
  const deviations: number[] = [];
  const offbeats: number[] = [];
  const gaps: number[] = [];
  for (let i = 0; i + 1 < beats.length; i++) {
    const start = beats[i]!;
    const gap = beats[i + 1]! - start;
    gaps.push(gap);
    const onBeat = strongestOnset(strength, start - gap * 0.2, start + gap * 0.2);
    if (onBeat !== null) deviations.push(Math.abs(onBeat - start) / gap);
    const offBeat = strongestOnset(strength, start + gap * 0.4, start + gap * 0.8);
    if (offBeat !== null) offbeats.push((offBeat - start) / gap);
  }
  if (gaps.length === 0) return { stability: 0, swing: 0 };
  const middle = median(gaps);
  const drift = median(gaps.map((gap) => Math.abs(gap - middle) / middle));
  const stability = Math.max(0, Math.min(1, 1 - (median(deviations) + drift) / FREE_TIME_DEVIATION));
  const isMeasurable = offbeats.length >= MIN_OFFBEAT_RATIO * gaps.length;
  const swing = isMeasurable ? Math.max(0, Math.min(1, (median(offbeats) - 0.5) / (2 / 3 - 0.5))) : 0;
  return { stability, swing };
}
