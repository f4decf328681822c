/** Which stems of a song are those of its user, which ones are what is left of the song, and which ones have to be separated. */
import { STEMS } from '../../../schema.ts';
import type { OwnStem, Stem } from '../../../schema.ts';

/** How the four stems of a song come about. */
export interface Recipe {
  /** The stems that the user gave. */
  given: readonly Stem[];
  /** What the others are taken from; `silence`: there are no others. */
  base: 'song' | 'instrumental' | 'silence';
  /** The given stems that are subtracted from it. */
  subtracted: readonly Stem[];
  /** The stems that are taken from it. A single one is all of it; several are separated. */
  taken: readonly Stem[];
  /** The vocals are what the instrumental lacks of the song. */
  vocalsAreRest: boolean;
}

/**
 * Returns how the stems come about.
 * @param files the files that the user gave
 * @param song whether there is a song beside them
 * @param canSubtract whether a file is of the recording of the song, so that it can be subtracted from it
 */
export function recipeFor(
  files: readonly OwnStem[],
  { song, canSubtract }: { song: boolean; canSubtract: (file: OwnStem) => boolean },
): Recipe {
  const given = STEMS.filter((stem) => files.includes(stem));
  const others = STEMS.filter((stem) => !given.includes(stem));
  const recipe = { given, subtracted: [], taken: [], vocalsAreRest: false };
  if (others.length === 0) return { ...recipe, base: 'silence' };
  if (files.includes('instrumental')) {
    const taken = others.filter((stem) => stem !== 'vocals');
    const subtracted = given.filter((stem) => stem !== 'vocals');
    return { ...recipe, base: 'instrumental', subtracted, taken, vocalsAreRest: song && others.includes('vocals') };
  }
  if (!song) return { ...recipe, base: 'silence' };
  return { ...recipe, base: 'song', subtracted: given.filter(canSubtract), taken: others };
}

/** Whether the stems of a recipe have to be separated. */
export const needsSeparation = ({ taken, base, given, subtracted }: Recipe): boolean =>
  base !== 'silence' && (taken.length > 1 || (base === 'song' && subtracted.length < given.length));
