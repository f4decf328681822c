/**
 * A band that plays songs with known truth: drums, bass, chords and a voice, each as a stem of one channel at 44.1 kHz. It needs no
 * synthesizer outside this project.
 */
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { SeededRandom } from '../songs/random.ts';
import { sing } from '../songs/singer.ts';
import type { TimedNote } from '../songs/timing.ts';

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

/** A stretch of a song with one tempo and meter. */
export type BandPart = { bars: number; bpm: number; meter: number };

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

type Bar = { atSec: number; beatSec: number; meter: number; chord: BandChord; index: number };

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
  const step = 2 * Math.PI * hertz;
  add(target, note.atSec, note.lengthSec, (t) => {
    const edge = Math.min(1, t * 200, (note.lengthSec - t) * 50);
    let sum = 0;
    for (let n = 1; n <= count; n++) sum += Math.sin(n * step * t) / n;
    return level * edge * Math.exp(-t * decay) * sum;
  });
}

function addDrums(target: Float32Array, { atSec, beatSec, meter }: Bar, random: SeededRandom): void {
  const noise = (): number => 2 * random.next() - 1;
  for (let beat = 0; beat < meter; beat++) {
    const at = atSec + beat * beatSec;
    const isKick = beat === 0 || (beat === 2 && meter >= 4);
    if (isKick)
      add(
        target,
        at,
        0.15,
        (t) => 0.6 * Math.exp(-t * 25) * Math.sin(2 * Math.PI * (50 * t - 1.5 * Math.exp(-t * 40))),
      );
    else add(target, at, 0.12, (t) => 0.3 * Math.exp(-t * 30) * noise());
    for (const half of [0, 0.5]) add(target, at + half * beatSec, 0.04, (t) => 0.08 * Math.exp(-t * 90) * noise());
  }
}

/** Bars of a song, in order. */
function barsOf({ parts = DEFAULT_PARTS, progression = COMMON_PROGRESSION, silenceSec = 0 }: BandSong): Bar[] {
  const bars: Bar[] = [];
  let atSec = silenceSec;
  for (const { bars: count, bpm, meter } of parts) {
    for (let i = 0; i < count; i++) {
      const index = bars.length;
      bars.push({ atSec, beatSec: 60 / bpm, meter, chord: progression[index % progression.length]!, index });
      atSec += (meter * 60) / bpm;
    }
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
    const { atSec, beatSec, meter, chord, index } = bar;
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
    const half = (meter * beatSec) / 2;
    for (const part of [0, 1])
      sung.push({
        ...whole,
        atSec: atSec + part * half,
        lengthSec: half * 0.9,
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
