/** The method that needs no model: masks from the repetition, the harmony and the place of sounds. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { BlockSeparator } from './block-separator.ts';
import type { SeparationMethod } from './method.ts';

/** Length of a block: long enough to contain repetitions, short enough for memory (about 80 MB in total). */
const BLOCK = 24 * SAMPLE_RATE;
/** Length of the cross-fade between consecutive blocks. */
const OVERLAP = 2 * SAMPLE_RATE;
/** Masks depend on some sound before and after a part. See docs/explanation/audio-quality.md for what it changes. */
const CONTEXT = 2 * SAMPLE_RATE;

/**
 * Returns the length of equally long blocks for sound of a known length. The last block of a song has the full length, so that others
 * cover half of a short part twice.
 */
function blockLength(samples?: number): number {
  if (samples === undefined) return BLOCK;
  const count = Math.ceil(Math.max(1, samples - OVERLAP) / (BLOCK - OVERLAP));
  return Math.ceil((samples + (count - 1) * OVERLAP) / count);
}

export const CLASSICAL: SeparationMethod = {
  model: 'dsp-4',
  overlap: OVERLAP,
  context: CONTEXT,
  gridSec: 2,
  costOf: (samples) => samples,
  lengthFor: (samples) => samples,
  blockLength,
  open: (block) => BlockSeparator.create(block),
};
