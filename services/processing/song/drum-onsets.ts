/** The drum onsets of a song in its own time. Its beats are checked by them, even in sections that do not play its drums. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { readMonoStem, type StemSource } from '../files/read-stem.ts';
import { measureOnsets, type OnsetEnvelopes } from '../measure/onsets.ts';

/** Null if the drum stem is shorter than a second. */
export type DrumOnsets = OnsetEnvelopes | null;

/**
 * Measures the onsets of a drum stem.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function measureDrumOnsets(source: StemSource): Promise<DrumOnsets> {
  const mono = await readMonoStem(source);
  return mono.length < SAMPLE_RATE ? null : measureOnsets(mono, SAMPLE_RATE);
}
