/** Analyses songs with known keys and scores what is stated. */
import { keyScore } from '../../metrics.ts';
import { formatKey } from '../../../music/theory/keys.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { composeKeySongs, type KeySong } from './compose-key-song.ts';
import { KEPT_ASIDE } from './kept-aside.ts';
import { playKeySong } from './play-key-song.ts';

/** 64 songs, half of them minor, of progressions that no fitting song has. */
export const keptAsideSongs = (): KeySong[] => composeKeySongs(KEPT_ASIDE, 2, 5000);

/** Scores of songs: share of exact keys, mean MIREX score, and the share of exact keys in minor. */
export type KeyRates = { exact: number; mirex: number; exactMinor: number };

/** Rates of the stated keys of songs. */
export function rateKeys(songs: readonly KeySong[], stated: readonly string[]): KeyRates {
  const scores = songs.map((song, i) => ({ mode: song.mode, score: keyScore(formatKey(song), stated[i]!) }));
  const exact = (of: typeof scores): number => of.filter(({ score }) => score === 1).length / of.length;
  return {
    exact: exact(scores),
    mirex: scores.reduce((sum, { score }) => sum + score, 0) / scores.length,
    exactMinor: exact(scores.filter(({ mode }) => mode === 'minor')),
  };
}

/** Plays and analyses songs. */
export async function measureKeySongs(songs: readonly KeySong[]): Promise<KeyRates> {
  const stated: string[] = [];
  for (const [i, song] of songs.entries()) {
    const mix = playKeySong(song, i);
    stated.push((await analyzeSong([mix, mix])).harmonic.key);
  }
  return rateKeys(songs, stated);
}
