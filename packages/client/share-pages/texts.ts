/** Texts of the pages. */
import { clock } from '../../../music/plan/clock.ts';
import { displayKey } from '../../../music/theory/keys.ts';
import type { SharedMashup, SharedSong } from './shared-mashup.ts';

/** A time to wait in words: `1 second`, `17 seconds`, `2 minutes`. */
export function waitText(seconds: number): string {
  const isLong = seconds > 90;
  const value = isLong ? Math.ceil(seconds / 60) : Math.ceil(seconds);
  return `${value} ${isLong ? 'minute' : 'second'}${value === 1 ? '' : 's'}`;
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
