/** Texts of the pages. */
import { clock } from '../../../music/plan/clock.ts';
import { bpmText, joinWords } from '../../../music/texts/words.ts';
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
  return [clock(durationSec), ...(bpm === undefined ? [] : [bpmText(bpm)]), ...(key === '' ? [] : [displayKey(key)])];
}

/** A mashup in one sentence, for previews. */
export function descriptionOf(mashup: SharedMashup): string {
  const songs = joinWords(mashup.songs.map(creditOf));
  return `A mashup${songs === '' ? '' : ` of ${songs}`}. ${factsOf(mashup).join(', ')}.`;
}
