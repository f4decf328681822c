/**
 * A band that plays songs with known truth: drums, bass, chords and a voice, each as a stem of one channel at 44.1 kHz. It needs no
 * synthesizer outside this project.
 */
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { SeededRandom } from '../songs/random.ts';
import { sing } from '../songs/singer.ts';
import type { TimedNote } from '../songs/timing.ts';
import { type DrumPattern, usualDrums } from './drum-patterns.ts';

/** A chord: its root in semitones above the tonic, and its intervals above the root. */
export type BandChord = { root: number; intervals: readonly number[] };

export const MAJOR_TRIAD = [0, 4, 7] as const;
export const MINOR_TRIAD = [0, 3, 7] as const;

/** I V vi IV: the usual progression of `playSong`. */
export const COMMON_PROGRESSION: readonly BandChord[] = [
  { root: 0, intervals: MAJOR_TRIAD },
  { root: 7, intervals: MAJOR_TRIAD },
  { root: 9, intervals: MINOR_TRIAD },
  { root: 5, intervals: MAJOR_TRIAD },
];

/** A stretch of a song with one tempo and meter. A drifting tempo has a part for each bar. */
export type BandPart = {
  bars: number;
  bpm: number;
  /** Beats per bar. */
  meter: number;
  /** Absent: `usualDrums`. */
  drums?: DrumPattern;
  /** Beat of the second note that the voice sings in a bar. Absent: the middle. */
  secondNoteBeat?: number;
  /** Silence after the part. */
  restSec?: number;
};

export type BandStem = 'vocals' | 'drums' | 'bass' | 'other';

export type BandSong = {
  parts?: readonly BandPart[];
  /** Pitch class of the tonic; C is 0. */
  tonic?: number;
  progression?: readonly BandChord[];
  /** Deviation from A = 440 Hz. */
  cents?: number;
  /** Degrees in semitones above the tonic that the voice sings, two notes per bar. */
  melody?: readonly number[];
  /** Stems that play. */
  stems?: readonly BandStem[];
  /** Silence before the music. */
  silenceSec?: number;
  seed?: number;
};

/** Stems of a song (one channel each, equally long), and the truth. Times are in seconds. */
export type PlayedSong = {
  stems: Record<BandStem, Float32Array>;
  mix: Float32Array;
  beats: number[];
  downbeats: number[];
};

const BAND_STEMS: readonly BandStem[] = ['vocals', 'drums', 'bass', 'other'];
/** 32 bars of 4/4 at 100 bpm: 76.8 s. */
const DEFAULT_PARTS: readonly BandPart[] = [{ bars: 32, bpm: 100, meter: 4 }];
/** G. */
const DEFAULT_TONIC = 7;
const DEFAULT_MELODY = [0, 4, 7, 4, 9, 7, 5, 4];

type Bar = Omit<BandPart, 'bars' | 'bpm' | 'restSec'> & {
  atSec: number;
  beatSec: number;
  chord: BandChord;
  index: number;
};

/** Adds `value(t)` (t in seconds) to `lengthSec` seconds of `target`. */
function add(target: Float32Array, atSec: number, lengthSec: number, value: (t: number) => number): void {
  const start = Math.round(atSec * SAMPLE_RATE);
  const end = Math.min(target.length, start + Math.round(lengthSec * SAMPLE_RATE));
  for (let i = start; i < end; i++) target[i]! += value((i - start) / SAMPLE_RATE);
}

/** A note with `count` harmonics that fall by 1/n and decay at `decay` per second. */
export function addNote(
  target: Float32Array,
  note: TimedNote,
  { hertz, count, level, decay }: { hertz: number; count: number; level: number; decay: number },
): void {
  const start = Math.round(note.atSec * SAMPLE_RATE);
  const end = Math.min(target.length, start + Math.round(note.lengthSec * SAMPLE_RATE));
  const angle = (2 * Math.PI * hertz) / SAMPLE_RATE;
  const [turnCos, turnSin, fall] = [Math.cos(angle), Math.sin(angle), Math.exp(-decay / SAMPLE_RATE)];
  let [cos, sin, gain] = [1, 0, level];
  for (let i = start; i < end; i++) {
    const t = (i - start) / SAMPLE_RATE;
    // sin((n + 1) x) = 2 cos(x) sin(n x) - sin((n - 1) x)
    let [previous, current, sum] = [0, sin, 0];
    for (let n = 1; n <= count; n++) {
      sum += current / n;
      const next = 2 * cos * current - previous;
      previous = current;
      current = next;
    }
    target[i]! += gain * Math.min(1, t * 200, (note.lengthSec - t) * 50) * sum;
    const turned = cos * turnCos - sin * turnSin;
    sin = cos * turnSin + sin * turnCos;
    cos = turned;
    gain *= fall;
  }
}

function addDrums(target: Float32Array, { atSec, beatSec, meter, drums }: Bar, random: SeededRandom): void {
  const noise = (): number => 2 * random.next() - 1;
  const { kicks, snares, hats } = drums ?? usualDrums(meter);
  for (const beat of kicks)
    add(
      target,
      atSec + beat * beatSec,
      0.15,
      (t) => 0.6 * Math.exp(-t * 25) * Math.sin(2 * Math.PI * (50 * t - 1.5 * Math.exp(-t * 40))),
    );
  for (const beat of snares) add(target, atSec + beat * beatSec, 0.12, (t) => 0.3 * Math.exp(-t * 30) * noise());
  for (const beat of hats) add(target, atSec + beat * beatSec, 0.04, (t) => 0.08 * Math.exp(-t * 90) * noise());
}

/** Bars of a song, in order. */
function barsOf({ parts = DEFAULT_PARTS, progression = COMMON_PROGRESSION, silenceSec = 0 }: BandSong): Bar[] {
  const bars: Bar[] = [];
  let atSec = silenceSec;
  for (const { bars: count, bpm, restSec = 0, ...part } of parts) {
    for (let i = 0; i < count; i++) {
      const index = bars.length;
      bars.push({ ...part, atSec, beatSec: 60 / bpm, chord: progression[index % progression.length]!, index });
      atSec += (part.meter * 60) / bpm;
    }
    atSec += restSec;
  }
  return bars;
}

/** Plays a song. Without options: 32 bars of 4/4 at 100 bpm in G major, I V vi IV. Equal options give equal sound. */
export function playSong(song: BandSong = {}): PlayedSong {
  const { tonic = DEFAULT_TONIC, cents = 0, melody = DEFAULT_MELODY, stems = BAND_STEMS, seed = 1 } = song;
  const random = new SeededRandom(seed);
  const bars = barsOf(song);
  const last = bars.at(-1)!;
  const length = Math.round((last.atSec + last.meter * last.beatSec + 0.5) * SAMPLE_RATE);
  const silence = (): Float32Array => new Float32Array(length);
  const played: PlayedSong['stems'] = { vocals: silence(), drums: silence(), bass: silence(), other: silence() };
  const hertz = (pitch: number): number => 440 * 2 ** ((pitch - 69 + cents / 100) / 12);
  const sung: TimedNote[] = [];
  for (const bar of bars) {
    const { atSec, beatSec, meter, chord, index, secondNoteBeat = meter / 2 } = bar;
    if (stems.includes('drums')) addDrums(played.drums, bar, random);
    const root = 36 + ((tonic + chord.root) % 12);
    for (let beat = 0; beat < meter; beat++) {
      const note = { atSec: atSec + beat * beatSec, lengthSec: beatSec * 0.9, pitch: 0, velocity: 100 };
      if (stems.includes('bass')) addNote(played.bass, note, { hertz: hertz(root), count: 5, level: 0.14, decay: 1 });
    }
    const whole = { atSec, lengthSec: meter * beatSec, pitch: 0, velocity: 100 };
    for (const interval of stems.includes('other') ? chord.intervals : [])
      addNote(played.other, whole, { hertz: hertz(root + 24 + interval), count: 6, level: 0.05, decay: 0.6 });
    // The voice rests in every fourth bar.
    if (index % 4 === 3) continue;
    const noteBeats = [0, secondNoteBeat, meter] as const;
    for (const part of [0, 1] as const)
      sung.push({
        ...whole,
        atSec: atSec + noteBeats[part] * beatSec,
        lengthSec: (noteBeats[part + 1]! - noteBeats[part]) * beatSec * 0.9,
        pitch: 60 + ((tonic + melody[(2 * index + part) % melody.length]!) % 12),
      });
  }
  if (stems.includes('vocals')) played.vocals = sing(sung, length, false, cents, random).map((value) => 1.5 * value);
  const mix = played.drums.map((_, i) => BAND_STEMS.reduce((sum, stem) => sum + played[stem][i]!, 0) * 0.7);
  const beats = bars.flatMap(({ atSec, beatSec, meter }) =>
    Array.from({ length: meter }, (_, i) => atSec + i * beatSec),
  );
  return { stems: played, mix, beats, downbeats: bars.map(({ atSec }) => atSec) };
}
