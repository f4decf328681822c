/** The drums of a song in its own time. Its beats are checked by their onsets, even in sections that do not play its drums. */
import type { Curve } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { readMonoStem, type StemSource } from '../files/read-stem.ts';
import { levelCurve } from '../measure/level-curve.ts';
import { measureOnsets, type OnsetEnvelopes } from '../measure/onsets.ts';

/** Onsets of a drum stem and its level over time. Null if the stem is shorter than a second. */
export type DrumMeasurement = { onsets: OnsetEnvelopes; level: Curve } | null;

/**
 * Measures a drum stem.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function measureDrums(source: StemSource): Promise<DrumMeasurement> {
  const mono = await readMonoStem(source);
  if (mono.length < SAMPLE_RATE) return null;
  return { onsets: measureOnsets(mono, SAMPLE_RATE), level: levelCurve(mono, SAMPLE_RATE) };
}
