/** Levels of stems in a mashup. */
import type { Stem } from '../../../schema.ts';

/** Loudness to which each stem is matched before the plan's own levels apply: a usual balance of a finished mix. */
export const STEM_LUFS: Record<Stem, number> = { vocals: -18, drums: -19, bass: -21, other: -22 };
