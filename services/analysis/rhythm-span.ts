/** Estimates the rhythm of a span of a song with one tempo: grids of beats by score, and bars. */
import { chromaByBeat } from './chroma.ts';
import { rankGrids } from './grid-candidates.ts';
import type { GridCandidate } from './grid-candidates.ts';
import { ONSET_REACH_SEC } from './grid-score.ts';
import { harmonicNovelty } from './harmonic-novelty.ts';
import { estimateMeter } from './meter.ts';
import type { MeterEstimate } from './meter.ts';
import { peakAt } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import { sliceSignals } from './rhythm-signals.ts';
import type { RhythmSignals, SignalSpan } from './rhythm-signals.ts';
import { estimateTempo } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';

/** Range on each side of a beat over which harmonic novelty is measured to find downbeats. */
const BAR_REACH_BEATS = 1.5;

/** A span with its tempo candidates, and its grids by score, best first: empty without onsets. */
export type RankedSpan = SignalSpan & { candidates: TempoCandidate[]; grids: GridCandidate[] };

/** Ranks the grids of the span from `fromSec` to `toSec`. Times of the grids count from the start of the span. */
export function rankSpan(whole: RhythmSignals, fromSec: number, toSec: number): RankedSpan {
  const span = sliceSignals(whole, fromSec, toSec);
  const candidates = estimateTempo(span.signals.strength, span.signals.mid);
  return { ...span, candidates, grids: rankGrids(candidates, span.signals) };
}

/** Meter and first downbeat of beats at times from the start of `signals`. */
export function meterOf({ drums, tone }: RhythmSignals, beats: readonly number[], bpm: number): MeterEstimate {
  const onsets = [drums.kick, drums.snare, drums.hat].map((level) =>
    peakAt(level, beats, RHYTHM_RATE, ONSET_REACH_SEC),
  ) as [number[], number[], number[]];
  const novelty = harmonicNovelty(tone, beats, (BAR_REACH_BEATS * 60) / bpm);
  return estimateMeter({ chroma: chromaByBeat(tone, beats), onsets, novelty });
}
