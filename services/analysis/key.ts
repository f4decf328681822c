/**
 * The key of a song from its pitch classes (correlation with the 24 rotated profiles of Krumhansl and Kessler 1982) and from
 * its chords: a song spends its time on the chords of its key.
 */

export const PITCH_NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR = [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
/** Correlations below this are no key at all. */
const MIN_CORRELATION = 0.3;
/** Lead over the best unrelated key that counts as certain. */
const CERTAIN_LEAD = 0.25;

/** How much a chord on each degree (semitones above the tonic) speaks for a key; `m` marks minor chords. */
const DEGREES: Record<'major' | 'minor', Record<string, number>> = {
  major: { '0': 1, '5': 0.8, '7': 0.8, '9m': 0.75, '2m': 0.6, '4m': 0.5 },
  minor: { '0m': 1, '5m': 0.75, '7m': 0.55, '7': 0.65, '8': 0.75, '10': 0.7, '3': 0.7 },
};
/** Weight of the chords beside the correlation with the profile. */
const CHORD_WEIGHT = 0.6;

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

/** Mean weight of the chords (one label for each beat) in a key. */
function chordFit(chords: readonly (string | null)[], tonic: number, mode: 'major' | 'minor'): number {
  let [sum, count] = [0, 0];
  for (const label of chords) {
    if (label === null) continue;
    const minor = label.endsWith('m');
    const root = PITCH_NAMES.findIndex((name) => name === (minor ? label.slice(0, -1) : label));
    sum += DEGREES[mode][`${(root - tonic + 12) % 12}${minor ? 'm' : ''}`] ?? 0;
    count++;
  }
  return count > 0 ? sum / count : 0;
}

/**
 * The key that fits twelve pitch-class weights (C first) and the chords of the beats best, or null where none stands out.
 */
export function estimateKey(chroma: readonly number[], chords: readonly (string | null)[]): KeyEstimate | null {
  const ranked = PITCH_NAMES.flatMap((_, tonic) =>
    (['major', 'minor'] as const).map((mode) => {
      const profile = mode === 'major' ? MAJOR : MINOR;
      const rotated = profile.map((__, pitch) => profile[(pitch - tonic + 12) % 12]!);
      const correlation = correlate(chroma, rotated);
      return { tonic, mode, correlation, score: correlation + CHORD_WEIGHT * chordFit(chords, tonic, mode) };
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
