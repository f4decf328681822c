import type { SongAnalysis } from '../../../schema.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { type PlayedSong, playSong } from '../band.ts';

/** Tempo and length of the songs: eight bars. */
export const TUNED_BPM = 120;
export const TUNED_SECONDS = 16;
export const TUNED_PARTS = [{ bars: 8, bpm: TUNED_BPM, meter: 4 }];

type TunedSong = { played: PlayedSong; analysis: SongAnalysis };

const songs = new Map<number, Promise<TunedSong>>();

/** A song in G major at some cents, and its analysis. Each is made once. */
export function tunedSong(cents: number): Promise<TunedSong> {
  const song = songs.get(cents) ?? makeSong(cents);
  songs.set(cents, song);
  return song;
}

async function makeSong(cents: number): Promise<TunedSong> {
  const played = playSong({ cents, parts: TUNED_PARTS });
  return { played, analysis: await analyzeSong([played.mix, played.mix]) };
}
