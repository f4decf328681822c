/**
 * Key estimation from pitch classes (correlation with the 24 rotated profiles of Krumhansl and Kessler 1982) and from chords: the
 * likelihood of the chords in a key, and whether the song begins and ends on its tonic. Pitch classes alone confuse a key with
 * its fifth and its relative: on generated songs they found half as many keys as chords did.
 */
import type { Key } from '../../music/theory/key.ts';

/** Names of the twelve pitch classes in chord labels. */
export const PITCH_NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR = [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
/** No key is reported below this correlation. */
const MIN_CORRELATION = 0.3;
/** Lead of the best score over the second from which on the confidence is not reduced. */
const CERTAIN_LEAD = 0.4;

/**
 * Share of time that a song in a key spends on a chord, by degree (semitones above the tonic; `m` marks minor chords). Rounded
 * from statistics of popular songs, not fitted.
 */
const DEGREES: Record<'major' | 'minor', Record<string, number>> = {
  major: { '0': 0.28, '5': 0.2, '7': 0.2, '9m': 0.14, '2m': 0.07, '4m': 0.05, '10': 0.02 },
  minor: { '0m': 0.3, '5m': 0.12, '7m': 0.05, '7': 0.07, '8': 0.14, '10': 0.13, '3': 0.09, '5': 0.02 },
};
/** The same for all other chords. */
const FOREIGN_CHORD = 0.006;
/** Weights of the profile's correlation, of the chords' mean log-likelihood, and of a tonic chord at the end or the start. */
const PROFILE_WEIGHT = 0.5;
const CHORD_WEIGHT = 0.8;
const ENDS_ON_TONIC = 0.15;
const BEGINS_ON_TONIC = 0.05;
/** Share of a pitch class's energy that is attributed to it as third or fifth harmonic of another one. */
const THIRD_HARMONIC = 0.15;
const FIFTH_HARMONIC = 0.05;

/** An estimated key, with a confidence 0..1. */
export type KeyEstimate = Key & { confidence: number };

function correlate(a: readonly number[], b: readonly number[]): number {
  const meanA = a.reduce((sum, value) => sum + value, 0) / a.length;
  const meanB = b.reduce((sum, value) => sum + value, 0) / b.length;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB);
    aa += (a[i]! - meanA) ** 2;
    bb += (b[i]! - meanB) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** Mean log-likelihood of the chords in a key. */
function chordFit(chords: readonly string[], tonic: number, mode: 'major' | 'minor'): number {
  let sum = 0;
  for (const label of chords) {
    const minor = label.endsWith('m');
    const root = PITCH_NAMES.findIndex((name) => name === (minor ? label.slice(0, -1) : label));
    sum += Math.log(DEGREES[mode][`${(root - tonic + 12) % 12}${minor ? 'm' : ''}`] ?? FOREIGN_CHORD);
  }
  return sum / Math.max(1, chords.length);
}

/** Pitch classes without the energy of harmonics of other pitch classes. */
function withoutHarmonics(chroma: readonly number[]): number[] {
  return chroma.map((value, pitch) =>
    Math.max(0, value - THIRD_HARMONIC * chroma[(pitch + 5) % 12]! - FIFTH_HARMONIC * chroma[(pitch + 8) % 12]!),
  );
}

/**
 * Estimates the key. Returns null if no key correlates with the pitch classes.
 * @param chroma weights of the twelve pitch classes, C first
 * @param chords chord label of each beat, null for beats without one
 */
export function estimateKey(chroma: readonly number[], chords: readonly (string | null)[]): KeyEstimate | null {
  const notes = withoutHarmonics(chroma);
  const labels = chords.filter((label) => label !== null);
  const ranked = PITCH_NAMES.flatMap((_, tonic) =>
    (['major', 'minor'] as const).map((mode) => {
      const profile = mode === 'major' ? MAJOR : MINOR;
      const rotated = profile.map((__, pitch) => profile[(pitch - tonic + 12) % 12]!);
      const correlation = correlate(notes, rotated);
      const tonicChord = `${PITCH_NAMES[tonic]!}${mode === 'minor' ? 'm' : ''}`;
      const score =
        PROFILE_WEIGHT * correlation +
        CHORD_WEIGHT * chordFit(labels, tonic, mode) +
        (labels.at(-1) === tonicChord ? ENDS_ON_TONIC : 0) +
        (labels[0] === tonicChord ? BEGINS_ON_TONIC : 0);
      return { tonic, mode, correlation, score };
    }),
  ).sort((a, b) => b.score - a.score);
  const [best, second] = [ranked[0]!, ranked[1]!];
  if (best.correlation < MIN_CORRELATION) return null;
  const lead = Math.min(1, (best.score - second.score) / CERTAIN_LEAD);
  return {
    tonic: best.tonic,
    mode: best.mode,
    confidence: Math.max(0, Math.min(1, best.correlation * (0.5 + 0.5 * lead))),
  };
}
