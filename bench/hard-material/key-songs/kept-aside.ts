/**
 * Progressions of songs that are kept aside: the estimation of keys is measured with them and was never fitted to them. No fitting song has one of them,
 * started anywhere.
 */
import type { Progressions } from './compose-key-song.ts';

export const KEPT_ASIDE: Progressions = {
  minor: [
    'i bVII bVI V',
    'i iv V i',
    'iv i V i',
    'i bVI iv V',
    'bVI bVII i i',
    'i v iv i',
    'i bIII bVII IV',
    'i V bVII IV bVI bIII iv V',
    'iim7b5 V7 i i',
    'i iv bVII bIII bVI iim7b5 V i',
    'V7 V7 i i',
    'i bVI bVII i',
    'i bII V i',
    'i bVII iv i',
    'i i i i iv iv i i bVI V i V',
    'i7 IV7 i7 IV7',
  ],
  major: [
    'I vi IV V',
    'ii V I I',
    'I V IV IV',
    'IV I V I',
    'I bVII IV I',
    'V IV I I',
    'I II IV I',
    'vi ii V I',
    'I iii IV V',
    'I V vi iii IV I IV V',
    'I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7',
    'IV V I I',
    'I IV ii V',
    'I I7 IV iv',
    'iii vi ii V I I I I',
    'I bVI bVII I',
  ],
};
