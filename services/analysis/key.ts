/**
 * The key of a song from its pitch classes (correlation with the 24 rotated profiles of Krumhansl and Kessler 1982) and from
 * its chords: how likely a song in a key spends its time on them, and whether it begins and ends at home. Pitch classes alone confuse a key
 * with its fifth and its relative; on generated songs they found half of the keys that chords found.
 */

export const PITCH_NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR = [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
/** Correlations below this are no key at all. */
const MIN_CORRELATION = 0.3;
/** Lead over the best unrelated key that counts as certain. */
const CERTAIN_LEAD = 0.4;

/**
 * How much of its time a song in a key spends on a chord, by degree (semitones above the tonic; `m` marks minor chords): rounded
 * from what popular songs do, not fitted. Chords of no degree are rare.
 */
const DEGREES: Record<'major' | 'minor', Record<string, number>> = {
  major: { '0': 0.28, '5': 0.2, '7': 0.2, '9m': 0.14, '2m': 0.07, '4m': 0.05, '10': 0.02 },
  minor: { '0m': 0.3, '5m': 0.12, '7m': 0.05, '7': 0.07, '8': 0.14, '10': 0.13, '3': 0.09, '5': 0.02 },
};
const FOREIGN_CHORD = 0.006;
/** Weights of the profile's correlation, of the chords' mean log-likelihood, and of the tonic chord at either end. */
const PROFILE_WEIGHT = 0.5;
const CHORD_WEIGHT = 0.8;
const ENDS_AT_HOME = 0.15;
const BEGINS_AT_HOME = 0.05;
/** Part of a pitch class that is taken for the third harmonic of the fifth below it, and for the fifth one of the third. */
const THIRD_HARMONIC = 0.15;
const FIFTH_HARMONIC = 0.05;

export type KeyEstimate = { key: string; tonic: number; mode: 'major' | 'minor'; confidence: number };

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

/** Pitch classes less what harmonics of other ones may have brought there. */
function withoutHarmonics(chroma: readonly number[]): number[] {
  return chroma.map((value, pitch) =>
    Math.max(0, value - THIRD_HARMONIC * chroma[(pitch + 5) % 12]! - FIFTH_HARMONIC * chroma[(pitch + 8) % 12]!),
  );
}

/**
 * The key that fits twelve pitch-class weights (C first) and the chords of the beats best, or null where none stands out.
 */
export function estimateKey(chroma: readonly number[], chords: readonly (string | null)[]): KeyEstimate | null {
  const notes = withoutHarmonics(chroma);
  const heard = chords.filter((label) => label !== null);
  const ranked = PITCH_NAMES.flatMap((_, tonic) =>
    (['major', 'minor'] as const).map((mode) => {
      const profile = mode === 'major' ? MAJOR : MINOR;
      const rotated = profile.map((__, pitch) => profile[(pitch - tonic + 12) % 12]!);
      const correlation = correlate(notes, rotated);
      const home = `${PITCH_NAMES[tonic]!}${mode === 'minor' ? 'm' : ''}`;
      const score =
        PROFILE_WEIGHT * correlation +
        CHORD_WEIGHT * chordFit(heard, tonic, mode) +
        (heard.at(-1) === home ? ENDS_AT_HOME : 0) +
        (heard[0] === home ? BEGINS_AT_HOME : 0);
      return { tonic, mode, correlation, score };
    }),
  ).sort((a, b) => b.score - a.score);
  const [best, second] = [ranked[0]!, ranked[1]!];
  if (best.correlation < MIN_CORRELATION) return null;
  const lead = Math.min(1, (best.score - second.score) / CERTAIN_LEAD);
  return {
    key: `${PITCH_NAMES[best.tonic]!} ${best.mode}`,
    tonic: best.tonic,
    mode: best.mode,
    confidence: Math.max(0, Math.min(1, best.correlation * (0.5 + 0.5 * lead))),
  };
}
