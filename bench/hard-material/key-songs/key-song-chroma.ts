/** Pitch classes of a composed song by beat, from its notes: what an exact analysis would measure, without rendering the sound. */
import type { BeatChroma } from '../../../services/analysis/chroma.ts';
import type { KeySong } from './compose-key-song.ts';
import type { TimedNote } from '../../songs/timing.ts';

/** Harmonics of a note that are counted; harmonic n has the magnitude 1/n. */
const HARMONICS = 5;
/** As in the analysis: the split between bass and treble, and the frequency from which on partials count less. */
const BASS_SPLIT_HZ = 250;
const FULL_WEIGHT_HZ = 1000;

/** Treble and bass chroma of each beat, in the form of the analysis. */
export function keySongChroma(song: KeySong): BeatChroma {
  const empty = (): number[][] => song.beats.map(() => new Array<number>(12).fill(0));
  const chroma: BeatChroma = { treble: empty(), bass: empty() };
  const beatSec = 60 / song.style.bpm;
  const add = ({ atSec, lengthSec, pitch }: TimedNote, level: number): void => {
    for (let beat = Math.floor(atSec / beatSec + 1e-6); beat * beatSec < atSec + lengthSec; beat++) {
      const overlap = Math.min(atSec + lengthSec, (beat + 1) * beatSec) - Math.max(atSec, beat * beatSec);
      if (beat >= song.beats.length || overlap <= 0) continue;
      for (let n = 1; n <= HARMONICS; n++) {
        const exact = pitch + 12 * Math.log2(n);
        const hertz = 440 * 2 ** ((exact - 69) / 12);
        const plane = hertz < BASS_SPLIT_HZ ? chroma.bass : chroma.treble;
        plane[beat]![Math.round(exact) % 12]! += (level * overlap * Math.min(1, FULL_WEIGHT_HZ / hertz)) / Math.sqrt(n);
      }
    }
  };
  for (const note of song.bass) add(note, 1);
  for (const note of song.chords) add(note, 0.6);
  for (const note of song.melody) add(note, 0.9);
  return chroma;
}
