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

/** An estimated key, with a confidence 0..1. */
export type KeyEstimate = Key & { confidence: number };

/**
 * Estimates the key. Returns null if the pitch classes fit no key. The confidence is the probability of the key, reduced by the lead over the
 * second: where two keys are equally likely (a loop of Am F C G), it is about 0.4.
 */
export function estimateKey(harmony: HarmonyByBeat): KeyEstimate | null {
  const { keys, contrast } = keyEvidence(harmony);
  const scores = keys.map((each) => FEATURES.reduce((sum, name) => sum + WEIGHTS[name] * each[name], 0));
  const top = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
  const best = scores.indexOf(top);
  const second = Math.max(...scores.filter((_, key) => key !== best));
  const [probability, lead] = [1 / total, (1 - Math.exp(second - top)) / total];
  if (keys[best]!.profile < MIN_CORRELATION) return null;
  const clarity = Math.max(0, Math.min(1, (contrast - NOISE_CONTRAST) / (CLEAR_CONTRAST - NOISE_CONTRAST)));
  return { ...KEYS[best]!, confidence: probability * (0.5 + 0.5 * lead) * clarity };
}
