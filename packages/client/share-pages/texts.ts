/** Texts of the pages. */
import { displayKey } from '../../../music/theory/keys.ts';
import type { SharedMashup, SharedSong } from './shared-mashup.ts';

/** Minutes and seconds: `1:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A song with its artist. */
export function creditOf({ name, artist }: SharedSong): string {
  const quoted = `“${name || 'Untitled'}”`;
  return artist === '' ? quoted : `${quoted} by ${artist}`;
}

/** Length, tempo and key, as far as they are known. */
export function factsOf({ durationSec, bpm, key }: SharedMashup): string[] {
  return [
    clock(durationSec),
    ...(bpm === undefined ? [] : [`${Math.round(bpm * 10) / 10} bpm`]),
    ...(key === '' ? [] : [displayKey(key)]),
  ];
}

/** A mashup in one sentence, for previews. */
export function descriptionOf(mashup: SharedMashup): string {
  const credits = mashup.songs.map(creditOf);
  const songs = credits.length > 1 ? `${credits.slice(0, -1).join(', ')} and ${credits.at(-1)}` : credits[0];
  return `A mashup${songs === undefined ? '' : ` of ${songs}`}. ${factsOf(mashup).join(', ')}.`;
}
