/** What stems are called where users read it. `other` is a name of the data; users read of instruments. */
import type { OwnStem, Stem } from '../../schema/music.ts';

/** Names in sentences. */
export const STEM_NAMES: Record<Stem, string> = {
  vocals: 'vocals',
  drums: 'drums',
  bass: 'bass',
  other: 'instruments',
};

/** Names in sentences, also of stems that a user gives with a song. */
export const OWN_STEM_NAMES: Record<OwnStem, string> = { ...STEM_NAMES, instrumental: 'instrumental' };

const NAMES: Readonly<Record<string, string>> = OWN_STEM_NAMES;

/** Returns the name of a stem as a heading or label: `Instruments`. The name of an unknown stem is returned with a capital letter. */
export function stemTitle(stem: string): string {
  const name = Object.hasOwn(NAMES, stem) ? NAMES[stem]! : stem;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Returns whether the name of a stem takes a singular verb. */
export const isSingular = (stem: OwnStem): boolean => stem === 'bass' || stem === 'instrumental';
