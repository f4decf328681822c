/** Wishes in words: short phrases for users. */
import type { Stem, Wish, WishSong } from '../../schema.ts';
import { clock } from '../plan/clock.ts';
import { cleanText } from '../plan/text.ts';
import { displayKey } from '../theory/keys.ts';
import { STEM_NAMES } from '../theory/stem-texts.ts';

type Names = readonly Pick<WishSong, 'song_id' | 'name'>[];

const DEGREES = { little: 'a bit ', much: 'much ' } as const;

const degreeOf = ({ degree }: { degree?: 'little' | 'much' | undefined }): string => (degree ? DEGREES[degree] : '');

/** Amount of a change before its name: in its unit, in percent, or by its degree. */
function amountOf(
  wish: { degree?: 'little' | 'much' | undefined; by_percent?: number | undefined },
  by: number | undefined,
  unit: string,
): string {
  if (by !== undefined) return `${by} ${unit} `;
  return wish.by_percent === undefined ? degreeOf(wish) : `${wish.by_percent} % `;
}

/** Returns a wish as a short phrase: `more bass`, `vocals from "Halo"`, `2:30 long`. */
export function describeWish(wish: Wish, songs: Names): string {
  const song = (id: string): string => `"${cleanText(songs.find(({ song_id }) => song_id === id)?.name ?? id, 60)}"`;
  const part = ({ stem, song_id }: { stem?: Stem | undefined; song_id?: string | undefined }): string =>
    [stem && STEM_NAMES[stem], stem && song_id && 'of', song_id && song(song_id)].filter(Boolean).join(' ');
  switch (wish.kind) {
    case 'source':
      return `${STEM_NAMES[wish.stem]} from ${song(wish.song_id)}`;
    case 'edge':
      return wish.sound === 'fade' ? `fade ${wish.edge === 'start' ? 'in' : 'out'}` : `${wish.sound} ${wish.edge}`;
    case 'edge_part':
      return `${wish.edge} ${wish.how === 'without' ? 'without' : 'with'} ${part(wish)}${wish.how === 'only' ? ' alone' : ''}`;
    case 'drop':
      return `${wish.change} drop`;
    case 'length':
      return `${amountOf(wish, wish.by_sec, 's')}${wish.change}`;
    case 'length_exact':
      return `${clock(wish.sec)} long`;
    case 'length_limit':
      return `at most ${clock(wish.sec)} long`;
    case 'tempo':
      return `${amountOf(wish, wish.by_bpm, 'bpm')}${wish.change}`;
    case 'tempo_exact':
      return `${wish.bpm} bpm`;
    case 'key': {
      const size = Math.abs(wish.semitones);
      return `${size} semitone${size === 1 ? '' : 's'} ${wish.semitones < 0 ? 'lower' : 'higher'}`;
    }
    case 'key_exact':
      return `in ${displayKey(wish.key)}`;
    case 'level':
      return `${wish.by_db === undefined ? degreeOf(wish) : `${wish.by_db} dB `}${wish.change} ${part(wish)}`;
    case 'without':
      return `no ${part(wish)}`;
    case 'effect': {
      const on = part(wish);
      return `${wish.change === 'off' ? 'no' : wish.change} ${wish.effect ?? 'effects'}${on === '' ? '' : ` on ${on}`}`;
    }
    default:
      return describeForm(wish);
  }
}

/** Phrases for wishes about the arrangement. */
function describeForm(
  wish: Extract<Wish, { kind: 'swap' | 'transitions' | 'sections' | 'sections_exact' | 'energy' | 'keep' | 'again' }>,
): string {
  switch (wish.kind) {
    case 'swap':
      return 'the songs swapped';
    case 'transitions':
      return `${wish.change} transitions`;
    case 'sections':
      return `${wish.change} sections`;
    case 'sections_exact':
      return `${wish.count} sections`;
    case 'energy':
      return `${degreeOf(wish)}${wish.change} energy`;
    case 'keep':
      return `the same ${wish.what}`;
    case 'again':
      return 'another arrangement';
  }
}
