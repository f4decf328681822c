/** Estimates tempo, beats and bars of a song from its features. */
import { findPauses } from './beat-pauses.ts';
import type { FittedGrid } from './beats.ts';
import type { BeatChroma } from './chroma.ts';
import { chromaByBeat } from './chroma.ts';
import { SAME_TEMPO } from './grid-candidates.ts';
import { ONSET_REACH_SEC } from './grid-score.ts';
import { findMeterChange } from './meter-change.ts';
import { peakAt } from './per-beat.ts';
import { isBeat, pulseClarity } from './pulse.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { rhythmSignals } from './rhythm-signals.ts';
import type { RhythmSignals } from './rhythm-signals.ts';
import { beatFeatures, rankSpan, readBars } from './rhythm-span.ts';
import { mean } from './statistics.ts';
import { findTempoChanges } from './tempo-changes.ts';
import { estimateParts } from './tempo-parts.ts';
import type { RhythmPart } from './tempo-parts.ts';
import type { TempoCandidate } from './tempo.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Tempo of the grid of sound without a beat. */
const FALLBACK_BPM = 120;

/** The rhythm of a song. */
export type Rhythm = {
  bpm: number;
  /** 0..1 */
  confidence: number;
  /** Tempo candidates that differ from `bpm`. */
  alternatives: TempoCandidate[];
  /** Beat times, seconds. */
  beats: number[];
  /** Beats per bar of the longest part; null if it is not known. */
  meter: number | null;
  /** Indices of the downbeats in `beats`. */
  downbeats: number[];
  /** The parts between changes of tempo: one if the tempo does not change. */
  parts: RhythmPart[];
  /** True if the tempo is constant. */
  steady: boolean;
  /** False for sound without a beat: the grid is only a scale of time then. */
  hasBeat: boolean;
  chroma: BeatChroma;
  /** Onset strength at RHYTHM_RATE. */
  strength: Float32Array;
};

/** Estimates tempo, beat grid, meter and downbeats. Sound without a beat has an even grid and confidence 0. */
export function estimateRhythm(features: RhythmFeatures, tone: ToneFeatures, durationSec: number): Rhythm {
  const signals = rhythmSignals(features, tone, durationSec);
  if (!isBeat(pulseClarity(features))) return fallbackRhythm(signals);
  const changes = findTempoChanges(signals.beatStrength);
  const parts = changes.length > 0 ? estimateParts(signals, changes) : null;
  if (parts) return joinParts(signals, parts, []);
  const { grids, candidates } = rankSpan(signals, 0, durationSec);
  if (!grids[0]) return fallbackRhythm(signals);
  const { grid } = grids[0];
  const pauses = findPauses(signals, grid);
  const pausedParts = pauses.length > 0 ? estimateParts(signals, pauses) : null;
  if (pausedParts) return joinParts(signals, pausedParts, []);
  return joinParts(signals, partsByMeter(signals, grid), candidates);
}

/** The parts of a song with one tempo: one, or two with different meters. */
function partsByMeter(signals: RhythmSignals, best: FittedGrid): RhythmPart[] {
  const { grid, meter: bars } = readBars(signals, best);
  const { times } = grid;
  const change = bars.meter <= 4 ? findMeterChange(beatFeatures(signals, times, grid.bpm)) : null;
  if (change) {
    const { at, meters, firstPhase } = change;
    const partOf = (from: number, to: number, meter: number, phase: number): RhythmPart => {
      const beats = times.slice(from, to);
      const downbeats = beats.flatMap((_, i) => (i % meter === phase ? [i] : []));
      const [startSec, endSec] = [from === 0 ? 0 : times[from]!, times[to] ?? signals.durationSec];
      return { startSec, endSec, grid, beats, meter, downbeats };
    };
    return [partOf(0, at, meters[0], firstPhase), partOf(at, times.length, meters[1], 0)];
  }
  const downbeats = grid.times.flatMap((_, i) => (i % bars.meter === bars.phase ? [i] : []));
  const meter = bars.known ? bars.meter : null;
  return [{ startSec: 0, endSec: signals.durationSec, grid, beats: grid.times, meter, downbeats }];
}

/** The longest part of a song. */
export function longestPart({ parts }: Pick<Rhythm, 'parts'>): RhythmPart {
  return parts.reduce((a, b) => (b.endSec - b.startSec > a.endSec - a.startSec ? b : a));
}

/** The rhythm of a song of one or more parts. */
function joinParts(
  { strength, tone }: RhythmSignals,
  parts: RhythmPart[],
  candidates: readonly TempoCandidate[],
): Rhythm {
  const longest = longestPart({ parts });
  const beats = parts.flatMap((part) => part.beats);
  const onBeat = mean(peakAt(strength, beats, RHYTHM_RATE, ONSET_REACH_SEC));
  const contrast = Math.min(1, onBeat / (onBeat + 1));
  const closeness = Math.max(0, 1 - longest.grid.residual / 0.03);
  let first = 0;
  const downbeats = parts.flatMap((part) => {
    const offset = first;
    first += part.beats.length;
    return part.downbeats.map((index) => index + offset);
  });
  return {
    bpm: longest.grid.bpm,
    confidence: Math.max(0, Math.min(1, contrast * (0.5 + 0.5 * closeness))),
    alternatives: candidates.filter(({ bpm }) => Math.abs(bpm / longest.grid.bpm - 1) > SAME_TEMPO),
    beats,
    meter: longest.meter,
    downbeats,
    parts,
    steady: parts.length === 1 && longest.grid.steady,
    hasBeat: true,
    chroma: chromaByBeat(tone, beats),
    strength,
  };
}

/** An even grid for sound without a beat. */
function fallbackRhythm({ tone, strength, durationSec }: RhythmSignals): Rhythm {
  const step = 60 / FALLBACK_BPM;
  const beats = Array.from({ length: Math.max(1, Math.ceil(durationSec / step)) }, (_, i) => i * step);
  const grid = { times: beats, bpm: FALLBACK_BPM, residual: 0, steady: true };
  const downbeats = beats.flatMap((_, i) => (i % 4 === 0 ? [i] : []));
  return {
    bpm: FALLBACK_BPM,
    confidence: 0,
    alternatives: [],
    beats,
    meter: 4,
    downbeats,
    parts: [{ startSec: 0, endSec: durationSec, grid, beats, meter: 4, downbeats }],
    steady: true,
    hasBeat: false,
    chroma: chromaByBeat(tone, beats),
    strength,
  };
}
