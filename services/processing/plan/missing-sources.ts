/** What an arrangement plays of songs and their stems do not hold. */
import type { SongRange } from '../../../schema.ts';
import { RenderError } from '../errors.ts';
import type { RenderSong } from '../song/song.ts';
import { holdsSpan } from '../song/song-pieces.ts';
import type { Arrangement } from './arrangement.ts';
import { sourceAt } from './run.ts';

/**
 * Checks that the stems hold what the runs play.
 * @throws RenderError stems_missing with the missing ranges
 */
export function requireSources({ runs }: Arrangement, songs: ReadonlyMap<string, RenderSong>): void {
  const missing: SongRange[] = [];
  for (const run of runs) {
    const song = songs.get(run.songId)!;
    const from = Math.max(0, sourceAt(run, song, run.start));
    const to = Math.min(song.durationSec, sourceAt(run, song, run.end));
    if (to > from && !holdsSpan(song.pieces, from, to))
      missing.push({ song_id: run.songId, start_sec: from, end_sec: to });
  }
  const [first] = missing;
  if (!first) return;
  const name = songs.get(first.song_id)!.name;
  throw new RenderError(
    'stems_missing',
    `The stems of "${name}" do not hold ${first.start_sec.toFixed(1)} to ${first.end_sec.toFixed(1)} s`,
    'Separate these parts of the song as well and render again.',
    undefined,
    missing,
  );
}
