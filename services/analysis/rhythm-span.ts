/** Estimates the rhythm of a span of a song with one tempo: grids of beats by score, and bars. */
import { chromaByBeat } from './chroma.ts';
import { rankGrids } from './grid-candidates.ts';
import type { GridCandidate } from './grid-candidates.ts';
import { ONSET_REACH_SEC } from './grid-score.ts';
import { harmonicNovelty } from './harmonic-novelty.ts';
import type { FittedGrid } from './beats.ts';
import { estimateMeter } from './meter.ts';
import type { BeatFeatures, MeterEstimate } from './meter.ts';
import { doubledGrid, findOddPulses } from './odd-meter.ts';
import { peakAt } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import { sliceSignals } from './rhythm-signals.ts';
import type { RhythmSignals, SignalSpan } from './rhythm-signals.ts';
import { estimateTempo } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';

/** Range on each side of a beat over which harmonic novelty is measured to find downbeats. */
const BAR_REACH_BEATS = 1.5;
/** Similarity of beats a bar apart from which on a meter of five or seven at another tempo is known. */
const MIN_ODD_SIMILARITY = 0.5;

/** Share of the similarity of two bars that one has, if the bars are half as long as estimated. */
const HALVED_SHARE = 0.8;

/** A span with its tempo candidates, and its grids by score, best first: empty without onsets. */
export type RankedSpan = SignalSpan & { candidates: TempoCandidate[]; grids: GridCandidate[] };

/** Ranks the grids of the span from `fromSec` to `toSec`. Times of the grids count from the start of the span. */
export function rankSpan(whole: RhythmSignals, fromSec: number, toSec: number): RankedSpan {
  const span = sliceSignals(whole, fromSec, toSec);
  const candidates = estimateTempo(span.signals.strength, span.signals.mid);
  return { ...span, candidates, grids: rankGrids(candidates, span.signals) };
}

/** Features of the beats at times from the start of `signals`. */
export function beatFeatures({ drums, tone }: RhythmSignals, beats: readonly number[], bpm: number): BeatFeatures {
  const onsets = [drums.kick, drums.snare, drums.hat].map((level) =>
    peakAt(level, beats, RHYTHM_RATE, ONSET_REACH_SEC),
  ) as [number[], number[], number[]];
  const novelty = harmonicNovelty(tone, beats, (BAR_REACH_BEATS * 60) / bpm);
  return { chroma: chromaByBeat(tone, beats), onsets, novelty };
}

/** Meter and first downbeat of beats at times from the start of `signals`. */
export function meterOf(signals: RhythmSignals, beats: readonly number[], bpm: number): MeterEstimate {
  return estimateMeter(beatFeatures(signals, beats, bpm), (signals.durationSec * bpm) / 60);
}

type Bars = { grid: FittedGrid; meter: MeterEstimate };

/**
 * The meter of a grid over the whole of `signals`. If bars of five or seven beats explain the song better at another tempo, the grid is
 * that of their beats.
 */
export function readBars(signals: RhythmSignals, grid: FittedGrid): Bars {
  const read = (each: FittedGrid): Bars => ({ grid: each, meter: meterOf(signals, each.times, each.bpm) });
  const odd = (grid.steady ? findOddPulses(signals, grid) : []).map(read);
  const isOdd = ({ meter }: Bars): boolean => meter.known && meter.meter >= 5 && meter.similarity >= MIN_ODD_SIMILARITY;
  const best = odd.find(isOdd) ?? read(grid);
  if (odd.length > 0 && !isOdd(best)) return { grid, meter: { ...best.meter, meter: 4, known: false } };
  // Two bars of seven eighths are seven quarters long.
  const doubled = best.meter.meter >= 5 ? doubledGrid(best.grid) : null;
  const halves = doubled && read(doubled);
  const isHalved = halves?.meter.meter === best.meter.meter && isOdd(halves);
  return isHalved && halves.meter.similarity >= HALVED_SHARE * best.meter.similarity ? halves : best;
}
