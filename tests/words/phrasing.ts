/** The form of a phrasing with its expected reading, and short names for wishes. */
import { Wish, type Stem, type WishEffect, type WishSong } from '../../schema.ts';

/** A text, the songs it is about, the wishes it has, and the core of each part that nobody can do. */
export interface Phrasing {
  songs: readonly WishSong[];
  text: string;
  wishes: readonly Wish[];
  quoted?: readonly string[];
}

type Degree = 'little' | 'much';
const withDegree = (degree?: Degree): { degree?: Degree } => (degree ? { degree } : {});

export const source = (song_id: string, ...stems: Stem[]): Wish[] =>
  stems.map((stem) => ({ kind: 'source', stem, song_id }));
/** The song plays everything but the voice. */
export const backing = (song_id: string): Wish[] => source(song_id, 'drums', 'bass', 'other');
export const more = (stem: Stem, degree?: Degree, song_id?: string): Wish => ({
  kind: 'level',
  change: 'more',
  stem,
  ...(song_id ? { song_id } : {}),
  ...withDegree(degree),
});
export const less = (stem: Stem, degree?: Degree, song_id?: string): Wish => ({
  ...more(stem, degree, song_id),
  ...{ kind: 'level', change: 'less' },
});
/** The level changes by so many decibels. */
export const byDb = (wish: Wish, by_db: number): Wish => Wish.parse({ ...wish, by_db });
export const songLevel = (change: 'more' | 'less', song_id: string, degree?: Degree): Wish => ({
  kind: 'level',
  change,
  song_id,
  ...withDegree(degree),
});
export const without = (stem: Stem, song_id?: string): Wish => ({
  kind: 'without',
  stem,
  ...(song_id ? { song_id } : {}),
});
export const edge = (at: 'start' | 'end', sound: 'quiet' | 'loud' | 'fade'): Wish => ({
  kind: 'edge',
  edge: at,
  sound,
});
export const edgePart = (
  at: 'start' | 'end',
  how: 'with' | 'only' | 'without',
  part: { stem?: Stem; song_id?: string },
): Wish => ({ kind: 'edge_part', edge: at, how, ...part });
export const drop = (change: 'earlier' | 'later'): Wish => ({ kind: 'drop', change });
export const longer = (more: { degree?: Degree; by_sec?: number; by_percent?: number } = {}): Wish => ({
  kind: 'length',
  change: 'longer',
  ...more,
});
export const shorter = (more: { degree?: Degree; by_sec?: number; by_percent?: number } = {}): Wish => ({
  kind: 'length',
  change: 'shorter',
  ...more,
});
export const seconds = (sec: number): Wish => ({ kind: 'length_exact', sec });
/** A limit was read as a length until there were wishes for limits. */
export const atMost = (sec: number): Wish => ({ kind: 'length_limit', sec });
export const faster = (more: { degree?: Degree; by_bpm?: number; by_percent?: number } = {}): Wish => ({
  kind: 'tempo',
  change: 'faster',
  ...more,
});
export const slower = (more: { degree?: Degree; by_bpm?: number; by_percent?: number } = {}): Wish => ({
  kind: 'tempo',
  change: 'slower',
  ...more,
});
export const bpm = (value: number): Wish => ({ kind: 'tempo_exact', bpm: value });
export const key = (semitones: number): Wish => ({ kind: 'key', semitones });
export const inKey = (name: string): Wish => ({ kind: 'key_exact', key: name });
export const swap: Wish = { kind: 'swap' };
export const effect = (
  change: 'more' | 'less' | 'off',
  name?: WishEffect,
  on: { stem?: Stem; song_id?: string } = {},
): Wish => ({ kind: 'effect', change, ...(name ? { effect: name } : {}), ...on });
export const transitions = (change: 'smoother' | 'harder'): Wish => ({ kind: 'transitions', change });
export const sections = (change: 'more' | 'fewer'): Wish => ({ kind: 'sections', change });
export const sectionCount = (count: number): Wish => ({ kind: 'sections_exact', count });
export const energy = (change: 'more' | 'less', degree?: Degree): Wish => ({
  kind: 'energy',
  change,
  ...withDegree(degree),
});
export const keep = (what: 'tempo' | 'key' | 'length'): Wish => ({ kind: 'keep', what });
export const again: Wish = { kind: 'again' };
