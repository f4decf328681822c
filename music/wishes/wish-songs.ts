/** What the reading of a text needs to know of songs. */
import type { AnalyzedSong, WishSong } from '../../schema.ts';
import { singsAtAll } from '../theory/content.ts';
import { parseKey } from '../theory/keys.ts';

/** Returns what the reading of a text needs to know of analysed songs. */
export function wishSongs(songs: readonly AnalyzedSong[]): WishSong[] {
  return songs.map((song) => {
    const { key } = song.analysis.harmonic;
    return {
      song_id: song.song_id,
      name: song.name,
      artist: song.artist,
      has_vocals: singsAtAll(song),
      bpm: song.analysis.rhythmic.bpm,
      ...(parseKey(key) ? { key } : {}),
    };
  });
}
