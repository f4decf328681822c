/** Tempo, beats and bars of a song, from its features. */
import type { BeatChroma } from './chroma.ts';
import { chromaByBeat } from './chroma.ts';
import { mean, ONSET_REACH_SEC } from './evidence.ts';
import { estimateBars } from './meter.ts';
import { harmonicNovelty } from './novelty.ts';
import { peakAt } from './per-beat.ts';
import { findPulses, SAME_TEMPO } from './pulse.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { findStrokes } from './onsets.ts';
import { estimateTempo, onsetStrength } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';
import type { ToneFeatures } from './tone-features.ts';

/** What a song without any onset is given, so that it can still be laid on a grid. */
const FALLBACK_BPM = 120;
/** Beats on each side of a beat whose harmony tells whether a bar begins there. */
const BAR_REACH_BEATS = 1.5;

export type Rhythm = {
  bpm: number;
  confidence: number;
  alternatives: TempoCandidate[];
  beats: number[];
  meter: number;
  /** Index of the first downbeat in `beats`. */
  phase: number;
  steady: boolean;
  chroma: BeatChroma;
  strength: Float32Array;
};

/** Tempo, beat grid, meter and downbeats; a song without onsets gets an even grid and no confidence. */
export function estimateRhythm(features: RhythmFeatures, tone: ToneFeatures, durationSec: number): Rhythm {
  const strength = onsetStrength(features.flux);
  const bands = features.bandFlux.map(onsetStrength) as [Float32Array, Float32Array, Float32Array];
  const candidates = estimateTempo(strength, bands[1]);
  const strokes = findStrokes(features);
  const pulses = findPulses(candidates, strength, { strokes, tone }, durationSec);
  const [pulse] = pulses;
  if (!pulse) return evenGrid(tone, strength, durationSec);
  const { grid } = pulse;
  const beats = grid.times;
  const chroma = chromaByBeat(tone, beats);
  const struck = [strokes.kick, strokes.snare, strokes.hat].map((level) =>
    peakAt(level, beats, RHYTHM_RATE, ONSET_REACH_SEC),
  );
  const onsets = struck as [number[], number[], number[]];
  const turns = harmonicNovelty(tone, beats, (BAR_REACH_BEATS * 60) / grid.bpm);
  const bars = estimateBars({ chroma, onsets, turns });
  const onBeat = mean(peakAt(strength, beats, RHYTHM_RATE, ONSET_REACH_SEC));
  const contrast = Math.min(1, onBeat / (onBeat + 1));
  const closeness = Math.max(0, 1 - grid.residual / 0.03);
  return {
    bpm: grid.bpm,
    confidence: Math.max(0, Math.min(1, contrast * (0.5 + 0.5 * closeness))),
    alternatives: candidates.filter(({ bpm }) => Math.abs(bpm / grid.bpm - 1) > SAME_TEMPO),
    beats,
    meter: bars.meter,
    phase: bars.phase,
    steady: grid.steady,
    chroma,
    strength,
  };
}

function evenGrid(tone: ToneFeatures, strength: Float32Array, durationSec: number): Rhythm {
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
    chroma: chromaByBeat(tone, beats),
    strength,
  };
}
