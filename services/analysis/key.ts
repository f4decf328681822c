/** The key of a song from its pitch classes (Krumhansl and Kessler 1982, as correlation with 24 rotated profiles). */

export const PITCH_NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR = [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
/** Correlations below this are no key at all. */
const MIN_CORRELATION = 0.3;
/** Lead over the best unrelated key that counts as certain. */
const CERTAIN_LEAD = 0.25;

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

/** The key that fits twelve pitch-class weights (C first) best, or null where none stands out. */
export function estimateKey(chroma: readonly number[]): KeyEstimate | null {
  const ranked = PITCH_NAMES.flatMap((_, tonic) =>
    (['major', 'minor'] as const).map((mode) => {
      const profile = mode === 'major' ? MAJOR : MINOR;
      const rotated = profile.map((__, pitch) => profile[(pitch - tonic + 12) % 12]!);
      return { tonic, mode, correlation: correlate(chroma, rotated) };
    }),
  ).sort((a, b) => b.correlation - a.correlation);
  const [best, second] = [ranked[0]!, ranked[1]!];
  if (best.correlation < MIN_CORRELATION) return null;
  const lead = Math.min(1, (best.correlation - second.correlation) / CERTAIN_LEAD);
  return {
    key: `${PITCH_NAMES[best.tonic]!} ${best.mode}`,
    tonic: best.tonic,
    mode: best.mode,
    confidence: Math.max(0, Math.min(1, best.correlation * (0.5 + 0.5 * lead))),
  };
}
