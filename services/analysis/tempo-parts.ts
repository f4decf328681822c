/** Grids of the parts of a song between changes of tempo: the tempo of each part, the moment of each change, and the joined beats. */
import type { FittedGrid } from './beats.ts';
import type { GridCandidate } from './grid-candidates.ts';
import { ONSET_REACH_SEC } from './grid-score.ts';
import { peakAt } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmSignals } from './rhythm-signals.ts';
import { meterOf, rankSpan } from './rhythm-span.ts';
import type { RankedSpan } from './rhythm-span.ts';
import { mean } from './statistics.ts';
import type { TempoChange } from './tempo-changes.ts';

/** Distance from the estimated time of a change within which it is searched. The tempo of a part is estimated outside of it. */
const CHANGE_REACH_SEC = 5;
/** Shortest span that a tempo is estimated from. */
const MIN_SPAN_SEC = 6;
/** Largest deviation of the ratio of two tempi from the ratio that the change has. */
const RATIO_TOLERANCE = 0.04;
/** Largest loss of a span's score (log odds) against its best grid. Another octave costs less; a wrong tempo costs more. */
const MAX_SCORE_LOSS = 10;
/** Grids of one tempo that are nearer than this are one grid. */
const MIN_SHIFT_BEATS = 0.15;
/** Share of a beat that the last beat before a change keeps from the first one after it. */
const MIN_GAP_BEATS = 0.5;

/** A part of a song. `downbeats` are indices into `beats`. Times are in seconds from the start of the song. */
export type RhythmPart = {
  startSec: number;
  endSec: number;
  grid: FittedGrid;
  beats: number[];
  /** Beats per bar; null if it is not known. Then `downbeats` assume four. */
  meter: number | null;
  downbeats: number[];
};

/** The grid of a span whose times count from the start of the song. */
function placed({ startSec }: RankedSpan, { grid }: GridCandidate): FittedGrid {
  return { ...grid, times: grid.times.map((time) => time + startSec) };
}

/**
 * Chooses a grid for each span so that their tempi have the ratios of the changes: the choice with the highest sum of scores. Null if
 * no grids have these ratios, so that there is no change.
 */
function chooseGrids(spans: readonly RankedSpan[], changes: readonly TempoChange[]): FittedGrid[] | null {
  let best: { grids: FittedGrid[]; score: number } | null = null;
  const firstGrids = spans[0]!.grids;
  for (const first of firstGrids.filter(({ score }) => score > firstGrids[0]!.score - MAX_SCORE_LOSS)) {
    const chosen: GridCandidate[] = [first];
    for (const [i, { ratio }] of changes.entries()) {
      const expected = chosen[i]!.bpm * ratio;
      const { grids } = spans[i + 1]!;
      const next = grids.find(({ bpm }) => Math.abs(bpm / expected - 1) < RATIO_TOLERANCE);
      if (!next || next.score < grids[0]!.score - MAX_SCORE_LOSS) break;
      chosen.push(next);
    }
    const score = chosen.reduce((sum, candidate) => sum + candidate.score, 0);
    if (chosen.length === spans.length && score > (best?.score ?? -Infinity))
      best = { grids: chosen.map((candidate, i) => placed(spans[i]!, candidate)), score };
  }
  return best?.grids ?? null;
}

/** Distance of the later beats from those of the earlier grid, 0 to 0.5 beats. */
function shiftBetween({ times }: FittedGrid, later: FittedGrid): number {
  const step = 60 / later.bpm;
  const beats = (later.times[0]! - times.at(-1)!) / step;
  return Math.abs(beats - Math.round(beats));
}

/** The times continued at the tempo of their ends over [fromSec, toSec). */
function extended(times: readonly number[], fromSec: number, toSec: number): { times: number[]; added: number } {
  const span = Math.min(16, times.length - 1);
  const firstStep = (times[span]! - times[0]!) / span;
  const lastStep = (times.at(-1)! - times.at(-1 - span)!) / span;
  const before: number[] = [];
  for (let at = times[0]! - firstStep; at >= fromSec - 1e-6; at -= firstStep) before.push(at);
  const after: number[] = [];
  for (let at = times.at(-1)! + lastStep; at < toSec; at += lastStep) after.push(at);
  return { times: [...before.reverse(), ...times, ...after], added: before.length };
}

/** Strength at the beats within a range, minus their mean: positive at beats of the part with this grid. */
function centredStrength(strength: Float32Array, beats: readonly number[]): number[] {
  const values = peakAt(strength, beats, RHYTHM_RATE, ONSET_REACH_SEC);
  const centre = mean(values);
  return values.map((value) => value - centre);
}

/** The downbeat of the later grid from which on onsets agree with it rather than with the earlier grid. */
function momentOfChange(
  strength: Float32Array,
  atSec: number,
  earlier: number[],
  later: number[],
  downbeats: number[],
): number {
  const isNear = (time: number): boolean => Math.abs(time - atSec) <= CHANGE_REACH_SEC;
  const [before, after] = [earlier.filter(isNear), later.filter(isNear)];
  const [gains, losses] = [centredStrength(strength, before), centredStrength(strength, after)];
  const scoreOf = (moment: number): number =>
    gains.reduce((sum, gain, i) => sum + (before[i]! < moment - ONSET_REACH_SEC ? gain : 0), 0) +
    losses.reduce((sum, gain, i) => sum + (after[i]! >= moment - 1e-6 ? gain : 0), 0);
  const moments = downbeats.filter(isNear);
  return moments.reduce((best, moment) => (scoreOf(moment) > scoreOf(best) ? moment : best), moments[0] ?? atSec);
}

type PlacedPart = Pick<RhythmPart, 'meter' | 'grid'> & { times: number[]; downbeats: number[] };

/** Bars of a grid over the span it was estimated from, and its beats continued over the moments of change. */
function placeBars(
  whole: RhythmSignals,
  span: RankedSpan,
  grid: FittedGrid,
  isFirst: boolean,
  isLast: boolean,
): PlacedPart {
  const local = grid.times.map((time) => time - span.startSec);
  const { meter, phase, known } = meterOf(span.signals, local, grid.bpm);
  const fromSec = isFirst ? 0 : Math.max(0, span.startSec - 2 * CHANGE_REACH_SEC);
  const endSec = span.startSec + span.signals.durationSec + 2 * CHANGE_REACH_SEC;
  const { times, added } = extended(
    grid.times,
    fromSec,
    isLast ? whole.durationSec : Math.min(whole.durationSec, endSec),
  );
  const downbeats = times.filter((_, i) => (((i - added - phase) % meter) + meter) % meter === 0);
  return { times, downbeats, meter: known ? meter : null, grid };
}

/**
 * Estimates the parts of a song between changes of tempo. Null if the grids of the parts do not confirm the changes.
 * @param changes at least one, in order
 */
export function estimateParts(whole: RhythmSignals, changes: readonly TempoChange[]): RhythmPart[] | null {
  const edges = [0, ...changes.map(({ atSec }) => atSec), whole.durationSec];
  const spans = edges.slice(1).map((end, i) => {
    const [from, to] = [
      i === 0 ? 0 : edges[i]! + CHANGE_REACH_SEC,
      i === changes.length ? end : end - CHANGE_REACH_SEC,
    ];
    return to - from < MIN_SPAN_SEC ? rankSpan(whole, edges[i]!, end) : rankSpan(whole, from, to);
  });
  const grids = chooseGrids(spans, changes);
  if (!grids) return null;
  if (changes.some(({ ratio }, i) => ratio === 1 && shiftBetween(grids[i]!, grids[i + 1]!) < MIN_SHIFT_BEATS))
    return null;
  const parts = grids.map((grid, i) => placeBars(whole, spans[i]!, grid, i === 0, i === changes.length));
  const moments = changes.map(({ atSec }, i) => {
    const [earlier, later] = [parts[i]!, parts[i + 1]!];
    return momentOfChange(whole.beatStrength, atSec, earlier.times, later.times, later.downbeats);
  });
  return parts.map(({ times, downbeats, meter, grid }, i) => {
    const [startSec, endSec] = [moments[i - 1] ?? 0, moments[i] ?? whole.durationSec];
    const gap = i === changes.length ? 0 : (MIN_GAP_BEATS * 60) / parts[i + 1]!.grid.bpm;
    const beats = times.filter((time) => time >= startSec - 1e-6 && time < endSec - gap);
    return {
      startSec,
      endSec,
      grid,
      beats,
      meter,
      downbeats: beats.flatMap((time, k) => (downbeats.includes(time) ? [k] : [])),
    };
  });
}
