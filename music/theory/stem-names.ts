/** What a file of a stem pack is, by its name. */
import type { OwnStem } from '../../schema/music.ts';

/** In this order: a name such as `no vocals` is that of an instrumental, and a bass drum is one of the drums. */
const WORDS: [OwnStem | 'song', RegExp][] = [
  [
    'instrumental',
    /\b(no ?vocals?|no ?vox|minus ?(one|vocals?)|inst|instr|instrumental|karaoke|backing ?tracks?|accompaniment|beat ?only)\b/,
  ],
  [
    'vocals',
    /\b(a ?capp?ell?as?|acc?app?ell?as?|acap+a?s?|vocals?|vox|vocal ?stems?|voices?|singing|singer|lead ?vox|choir|bvs?|rap)\b/,
  ],
  ['drums', /\b(drums?|drumloop|perc|percs?|percussion|kicks?|snares?|hats?|hihats?|cymbals?|beats?)\b/],
  ['bass', /\b(bass|bassline|basses|sub|subs|808s?)\b/],
  [
    'other',
    /\b(others?|synths?|instruments?|keys|keyboards?|pianos?|guitars?|gtrs?|chords?|pads?|strings|melody|melodic|music|leads?|fx|rest)\b/,
  ],
  ['song', /\b(mix|full|fullmix|mixdown|master|mastered|original|song|mixture)\b/],
];

/** Returns what a file is by its name; `song`: the full mix. Undefined if the name does not say it. */
export function stemOfName(fileName: string): OwnStem | 'song' | undefined {
  const words = fileName
    .replace(/\.[^.]+$/, '')
    .normalize('NFKD')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ');
  // The end of a name says what it is: `Vox Machina - Drums`.
  const parts = words.trim().split(' ');
  for (const part of [parts.slice(-2).join(' '), words])
    for (const [stem, pattern] of WORDS) if (pattern.test(part)) return stem;
  return undefined;
}
