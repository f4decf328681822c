/** Resolves the names that planners use for songs and stems. */
import type { AnalyzedSong, Stem } from '../../schema.ts';

const plain = (text: string): string => text.trim().toLowerCase().replace(/\s+/g, ' ');

/** Finds a song by id, by `song1`, `song_1`, `Song 1` or `1` (counted from 1), or by its name with or without artist. */
export function resolveSong(reference: unknown, songs: readonly AnalyzedSong[]): AnalyzedSong | undefined {
  const text = String(typeof reference === 'number' ? reference : typeof reference === 'string' ? reference : '');
  const exact = songs.find((song) => song.song_id === text);
  if (exact) return exact;
  const wanted = plain(text);
  if (wanted === '') return undefined;
  const numbered = /^(?:(?:song|track)[ _-]?)?(\d{1,2})$/.exec(wanted);
  if (numbered) return songs[Number(numbered[1]) - 1];
  const lettered = /^(?:song|track)[ _-]?([a-c])$/.exec(wanted)?.[1];
  if (lettered) return songs['abc'.indexOf(lettered)];
  const named = songs.filter((song) => {
    const name = plain(song.name);
    const artist = plain(song.artist);
    return [
      name,
      `${artist} - ${name}`,
      `${name} - ${artist}`,
      `${name} by ${artist}`,
      song.song_id.toLowerCase(),
    ].includes(wanted);
  });
  // A name that two songs share is ambiguous.
  return named.length === 1 ? named[0] : undefined;
}

const STEM_SYNONYMS: Record<Stem, readonly string[]> = {
  vocals: ['vocal', 'voice', 'lead vocal', 'lead vocals', 'acapella', 'a cappella', 'singing', 'rap'],
  drums: ['drum', 'beat', 'beats', 'percussion', 'rhythm', 'kick'],
  bass: ['bassline', 'bass line', 'sub', 'sub bass'],
  other: [
    'others',
    'melody',
    'harmony',
    'instrumental',
    'instruments',
    'music',
    'synth',
    'synths',
    'guitar',
    'piano',
    'keys',
    'pad',
    'strings',
    'accompaniment',
  ],
};

/** Finds the stem that a word or a synonym names; undefined for other words. */
export function resolveStem(word: unknown): Stem | undefined {
  if (typeof word !== 'string') return undefined;
  const wanted = plain(word).replace(/_/g, ' ');
  return (Object.keys(STEM_SYNONYMS) as Stem[]).find((stem) => stem === wanted || STEM_SYNONYMS[stem].includes(wanted));
}
