/**
 * Key estimation: the evidence for each of the 24 keys (`key-evidence.ts`) is weighted and becomes a probability. The weights are a
 * multinomial logistic regression on songs with known keys; see docs/explanation/audio-analysis.md.
 */
import type { Key } from '../../music/theory/key.ts';
import { keyEvidence, KEYS } from './key-evidence.ts';
import type { HarmonyByBeat, KeyEvidence } from './key-evidence.ts';

/** No key is reported below this correlation of the pitch classes with its profile. */
const MIN_CORRELATION = 0.3;
/** Contrasts of the pitch classes of noise, and of music from which on they do not reduce the confidence. */
const NOISE_CONTRAST = 0.15;
const CLEAR_CONTRAST = 0.3;

const WEIGHTS: KeyEvidence = {
  profile: 4.41,
  chordFit: 2.75,
  tonicLast: 1.03,
  phraseStart: 2.37,
  halfCadence: 1.14,
  authentic: 4.22,
  plagal: 5.06,
  subtonic: 4.61,
  bassDownbeats: 2.18,
  third: 2.05,
  leadingNote: 1.37,
  endNotes: 3.57,
  isMinor: 1.14,
};
const FEATURES = Object.keys(WEIGHTS) as (keyof KeyEvidence)[];
/** Evidence of where chords stand. It is weak alone: a loop can start on any of its chords. */
const POSITION: readonly (keyof KeyEvidence)[] = ['phraseStart', 'bassDownbeats'];

/** An estimated key, with a confidence 0..1. */
export type KeyEstimate = Key & { confidence: number };

/** Weighted sum of the features of each key. */
const scoresOf = (keys: readonly KeyEvidence[], features: readonly (keyof KeyEvidence)[]): number[] =>
  keys.map((each) => features.reduce((sum, name) => sum + WEIGHTS[name] * each[name], 0));

/** Probability of a key by the scores of all, reduced by its lead over the best other one. */
function certainty(scores: readonly number[], key: number): number {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const other = Math.max(...weights.filter((_, index) => index !== key));
  return (weights[key]! / total) * (0.5 + (0.5 * (weights[key]! - other)) / total);
}

/**
 * Estimates the key. Returns null if the pitch classes fit no key. The confidence is the lower of two certainties: by all evidence, and without that of
 * position. It is about 0.4 where two keys are equally likely, and near 0 for noise.
 */
export function estimateKey(harmony: HarmonyByBeat): KeyEstimate | null {
  const { keys, contrast } = keyEvidence(harmony);
  const scores = scoresOf(keys, FEATURES);
  const best = scores.indexOf(Math.max(...scores));
  if (keys[best]!.profile < MIN_CORRELATION) return null;
  const withoutPosition = scoresOf(
    keys,
    FEATURES.filter((name) => !POSITION.includes(name)),
  );
  const clarity = Math.max(0, Math.min(1, (contrast - NOISE_CONTRAST) / (CLEAR_CONTRAST - NOISE_CONTRAST)));
  const confidence = clarity * Math.min(certainty(scores, best), certainty(withoutPosition, best));
  return { ...KEYS[best]!, confidence };
}
