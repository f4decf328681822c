import { displayKeyWithCamelot } from '../../../music/theory/keys.ts';
import type { SongAnalysis } from '../../../schema.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { composeKeySong, type KeySong } from '../key-songs/compose-key-song.ts';
import { playKeySong } from '../key-songs/play-key-song.ts';
import { keptAsideSongs, measureKeySongs } from '../key-songs/score-key-songs.ts';
import type { HardCase } from '../hard-case.ts';

/** Highest confidence of a key that could as well be its relative. */
const UNCERTAIN = 0.55;

async function harmonyOf(song: KeySong): Promise<SongAnalysis['harmonic']> {
  const mix = playKeySong(song);
  return (await analyzeSong([mix, mix])).harmonic;
}

/** A case of a song whose key is stated exactly. */
function keyCase(name: string, truth: string, before: string, song: () => KeySong): HardCase {
  return {
    group: 'key',
    name,
    truth,
    before,
    measure: async () => {
      const { key } = await harmonyOf(song());
      return { value: key, right: key === truth };
    },
  };
}

const QUICK = { bpm: 144, meter: 4, lead: 'lead' } as const;

export const KEY_CASES: readonly HardCase[] = [
  keyCase('minor song with its fifth as a major chord', 'F minor', 'F minor', () =>
    composeKeySong('minor', ['i iv V i', 'i bVI iv V'], 5009, { ...QUICK, texture: 'arpeggio', endsOnTonic: true }),
  ),
  keyCase('minor song that starts on its sixth and has no leading note', 'Bb minor', 'C# major', () =>
    composeKeySong('minor', ['bVI bVII i i', 'i v iv i'], 5014, { ...QUICK, texture: 'pad', endsOnTonic: false }),
  ),
  keyCase('minor song of power chords that starts on its fourth', 'G minor', 'G major', () =>
    composeKeySong('minor', ['iv i V i', 'i bVII bVI V'], 5011, { ...QUICK, texture: 'power', endsOnTonic: true }),
  ),
  keyCase('dorian song', 'E minor', 'D major', () =>
    composeKeySong('minor', ['i i IV IV', 'i bVII IV i'], 5020, { ...QUICK, texture: 'strum' }),
  ),
  keyCase('mixolydian song', 'Eb major', 'D# major', () =>
    composeKeySong('major', ['I bVII IV I', 'V IV I I'], 5007, { ...QUICK, texture: 'strum' }),
  ),
  {
    group: 'key',
    name: 'loop of Am F C G',
    truth: `A minor or C major, confidence at most ${UNCERTAIN}`,
    before: 'A minor, confidence 0.56',
    measure: async () => {
      const song = composeKeySong('major', ['vi IV I V', 'vi IV I V'], 5004 - (5004 % 12), {
        ...QUICK,
        texture: 'pad',
        endsOnTonic: false,
      });
      const { key, key_confidence } = await harmonyOf(song);
      const right = ['A minor', 'C major'].includes(key) && key_confidence <= UNCERTAIN;
      return { value: `${key}, confidence ${key_confidence.toFixed(2)}`, right };
    },
  },
  {
    group: 'key',
    name: 'song in B flat major',
    truth: 'B♭ major (6B), chords with flats',
    before: 'A# major, chords with sharps',
    measure: async () => {
      const song = composeKeySong('major', ['I vi IV V', 'I iii IV V'], 5002, { ...QUICK, texture: 'pad' });
      const { key, chord_progression: chords } = await harmonyOf(song);
      const flats = !chords.some((chord) => chord.includes('#'));
      const value = `${displayKeyWithCamelot(key)}, chords with ${flats ? 'flats' : 'sharps'}`;
      return { value, right: key === 'Bb major' && flats };
    },
  },
];

/** Takes minutes. */
export const KEY_SET_CASES: readonly HardCase[] = [
  {
    group: 'key',
    name: '64 songs, half of them minor, of progressions that no fitting song has',
    truth: 'exact >= 0.90, MIREX >= 0.93',
    before: 'exact 0.88 (minor 0.78), MIREX 0.91',
    measure: async () => {
      const { exact, mirex, exactMinor } = await measureKeySongs(keptAsideSongs());
      const value = `exact ${exact.toFixed(2)} (minor ${exactMinor.toFixed(2)}), MIREX ${mirex.toFixed(2)}`;
      return { value, right: exact >= 0.9 && mirex >= 0.93 };
    },
  },
];
