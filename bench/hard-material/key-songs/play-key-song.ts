/** Plays a composed song with synthesized instruments: one channel at 44.1 kHz. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { SeededRandom } from '../../songs/random.ts';
import { sing } from '../../songs/singer.ts';
import type { TimedNote } from '../../songs/timing.ts';
import type { KeySong } from './compose-key-song.ts';

/** Number of harmonics, which fall by 1/n; level; decay per second. */
type Instrument = { harmonics: number; level: number; decay: number };

const BASS: Instrument = { harmonics: 5, level: 0.14, decay: 1 };
const LEAD: Instrument = { harmonics: 10, level: 0.08, decay: 0.8 };
const CHORDS: Record<KeySong['style']['texture'], Instrument> = {
  pad: { harmonics: 6, level: 0.04, decay: 0.3 },
  arpeggio: { harmonics: 5, level: 0.1, decay: 3 },
  strum: { harmonics: 8, level: 0.045, decay: 4 },
  power: { harmonics: 14, level: 0.05, decay: 1 },
  sevenths: { harmonics: 4, level: 0.05, decay: 1.5 },
  suspended: { harmonics: 6, level: 0.045, decay: 0.6 },
};

const CYCLE = 2048;

/** One cycle of an instrument. */
function cycleOf({ harmonics }: Instrument): Float32Array {
  const cycle = new Float32Array(CYCLE);
  for (let n = 1; n <= harmonics; n++)
    for (let i = 0; i < CYCLE; i++) cycle[i]! += Math.sin((2 * Math.PI * n * i) / CYCLE) / n;
  return cycle;
}

function addNotes(target: Float32Array, notes: readonly TimedNote[], cents: number, instrument: Instrument): void {
  const cycle = cycleOf(instrument);
  const fade = Math.exp(-instrument.decay / SAMPLE_RATE);
  for (const { atSec, lengthSec, pitch } of notes) {
    const start = Math.round(atSec * SAMPLE_RATE);
    const length = Math.min(target.length - start, Math.round(lengthSec * SAMPLE_RATE));
    const step = (CYCLE * 440 * 2 ** ((pitch - 69 + cents / 100) / 12)) / SAMPLE_RATE;
    let gain = instrument.level;
    for (let i = 0; i < length; i++, gain *= fade) {
      const at = i * step;
      const below = Math.floor(at);
      const value = cycle[below % CYCLE]! + (at - below) * (cycle[(below + 1) % CYCLE]! - cycle[below % CYCLE]!);
      target[start + i]! += gain * Math.min(1, i / 220, (length - i) / 880) * value;
    }
  }
}

function addDrum(target: Float32Array, atSec: number, value: (t: number) => number): void {
  const start = Math.round(atSec * SAMPLE_RATE);
  const end = Math.min(target.length, start + Math.round(0.15 * SAMPLE_RATE));
  for (let i = start; i < end; i++) target[i]! += value((i - start) / SAMPLE_RATE);
}

/** Plays a song. Equal songs and seeds give equal sound. */
export function playKeySong(song: KeySong, seed = 1): Float32Array {
  const { cents, texture, lead } = song.style;
  const random = new SeededRandom(seed);
  const mix = new Float32Array(Math.round((song.lengthSec + 0.3) * SAMPLE_RATE));
  addNotes(mix, song.bass, cents, BASS);
  addNotes(mix, song.chords, cents, CHORDS[texture]);
  if (lead === 'lead') addNotes(mix, song.melody, cents, LEAD);
  if (lead === 'voice') sing(song.melody, mix.length, false, cents, random).forEach((value, i) => (mix[i]! += value));
  for (const at of song.kicks)
    addDrum(mix, at, (t) => 0.5 * Math.exp(-t * 25) * Math.sin(2 * Math.PI * (50 * t - 1.5 * Math.exp(-t * 40))));
  for (const at of song.snares) addDrum(mix, at, (t) => 0.25 * Math.exp(-t * 30) * (2 * random.next() - 1));
  return mix.map((value) => 0.7 * value);
}
