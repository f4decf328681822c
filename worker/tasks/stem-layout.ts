/** The layout of a song's stems. */
import { contentOf, hasBeat } from '../../music/theory/content.ts';
import type { SongAnalysis, StemLayout } from '../../schema.ts';

/** Layout of stems in the cache whose song has all four. */
export const FOUR_STEMS = 'four_stems';

/**
 * Returns the layout of a song's stems, undefined for four. Equal bytes can have different layouts, because the name of the song is a
 * hint of what it contains.
 */
export function layoutOf(name: string, analysis: SongAnalysis): StemLayout | undefined {
  if (contentOf({ name, analysis }) === 'acapella') return 'voices_only';
  return hasBeat(analysis) ? undefined : 'no_drums';
}
