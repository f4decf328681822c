/** Estimates tempo, beats and bars of a song from its features. */
import type { BeatChroma } from './chroma.ts';
import { chromaByBeat } from './chroma.ts';
import { measureDrumOnsets } from './drum-onset-strength.ts';
import { rankGrids, SAME_TEMPO } from './grid-candidates.ts';
import { ONSET_REACH_SEC } from './grid-score.ts';
import { harmonicNovelty } from './harmonic-novelty.ts';
import { estimateMeter } from './meter.ts';
import { peakAt } from './per-beat.ts';
import { isBeat, pulseClarity } from './pulse.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { mean } from './statistics.ts';
import { estimateTempo, onsetStrength } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Tempo of the grid of sound without a beat. */
const FALLBACK_BPM = 120;
/** Range on each side of a beat over which harmonic novelty is measured to find downbeats. */
const BAR_REACH_BEATS = 1.5;

/** The rhythm of a song. */
export type Rhythm = {
  bpm: number;
  /** 0..1 */
  confidence: number;
  /** Tempo candidates that differ from `bpm`. */
  alternatives: TempoCandidate[];
  /** Beat times, seconds. */
  beats: number[];
  /** Beats per bar. */
  meter: number;
  /** Index of the first downbeat in `beats`. */
  phase: number;
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
  const strength = onsetStrength(features.flux);
  if (!isBeat(pulseClarity(features))) return fallbackRhythm(tone, strength, durationSec);
  const bands = features.bandFlux.map(onsetStrength) as [Float32Array, Float32Array, Float32Array];
  const candidates = estimateTempo(strength, bands[1]);
  const drums = measureDrumOnsets(features);
  const [best] = rankGrids(candidates, strength, { drums, tone }, durationSec);
  if (!best) return fallbackRhythm(tone, strength, durationSec);
  const { grid } = best;
  const beats = grid.times;
  const chroma = chromaByBeat(tone, beats);
  const onsets = [drums.kick, drums.snare, drums.hat].map((level) =>
    peakAt(level, beats, RHYTHM_RATE, ONSET_REACH_SEC),
  ) as [number[], number[], number[]];
  const novelty = harmonicNovelty(tone, beats, (BAR_REACH_BEATS * 60) / grid.bpm);
  const { meter, phase } = estimateMeter({ chroma, onsets, novelty });
  const onBeat = mean(peakAt(strength, beats, RHYTHM_RATE, ONSET_REACH_SEC));
  const contrast = Math.min(1, onBeat / (onBeat + 1));
  const closeness = Math.max(0, 1 - grid.residual / 0.03);
  return {
    bpm: grid.bpm,
    confidence: Math.max(0, Math.min(1, contrast * (0.5 + 0.5 * closeness))),
    alternatives: candidates.filter(({ bpm }) => Math.abs(bpm / grid.bpm - 1) > SAME_TEMPO),
    beats,
    meter,
    phase,
    steady: grid.steady,
    hasBeat: true,
    chroma,
    strength,
  };
}

/** An even grid for sound without a beat. */
function fallbackRhythm(tone: ToneFeatures, strength: Float32Array, durationSec: number): Rhythm {
  const step = 60 / FALLBACK_BPM;
  const beats = Array.from({ length: Math.max(1, Math.ceil(durationSec / step)) }, (_, i) => i * step);
  return {
    bpm: FALLBACK_BPM,
    confidence: 0,
    alternatives: [],
    beats,
    meter: 4,
    phase: 0,
    steady: true,
    hasBeat: false,
    chroma: chromaByBeat(tone, beats),
    strength,
  };
}
