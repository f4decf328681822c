/** Composes songs with a known key: notes in seconds. Equal seeds give equal songs. */
import { SeededRandom } from '../../songs/random.ts';
import type { TimedNote } from '../../songs/timing.ts';
import { progressionOf, type NamedChord } from './chord-names.ts';

/** Progressions by mode; see `chord-names.ts`. */
export type Progressions = Record<'major' | 'minor', readonly string[]>;

const TEXTURES = ['pad', 'arpeggio', 'strum', 'power', 'sevenths', 'suspended'] as const;
const BASS_LINES = ['roots', 'roots', 'fifths', 'walking', 'inversions', 'none'] as const;
const LEADS = ['voice', 'voice', 'lead', 'none'] as const;

/** How a song is played. */
export type KeySongStyle = {
  texture: (typeof TEXTURES)[number];
  bass: (typeof BASS_LINES)[number];
  lead: (typeof LEADS)[number];
  drums: boolean;
  bpm: number;
  meter: 3 | 4;
  /** Deviation from A = 440 Hz. */
  cents: number;
  /** The last bar is a tonic chord; otherwise the song stops where the progression ends, as a song that is faded out. */
  endsOnTonic: boolean;
};

/** A song: pitches are MIDI numbers, times seconds. `kicks` and `snares` are times. */
export type KeySong = {
  tonic: number;
  mode: 'major' | 'minor';
  progressions: readonly string[];
  style: KeySongStyle;
  bass: TimedNote[];
  chords: TimedNote[];
  melody: TimedNote[];
  kicks: number[];
  snares: number[];
  beats: number[];
  lengthSec: number;
};

type Bar = { atSec: number; beatSec: number; meter: number; chord: NamedChord; next: NamedChord; endsPhrase: boolean };

const SCALES = { major: [0, 2, 4, 5, 7, 9, 11], minor: [0, 2, 3, 5, 7, 8, 10] } as const;

function styleOf(random: SeededRandom): KeySongStyle {
  return {
    texture: random.pick(TEXTURES),
    bass: random.pick(BASS_LINES),
    lead: random.pick(LEADS),
    drums: random.chance(0.7),
    bpm: Math.round(random.between(74, 148)),
    meter: random.chance(0.12) ? 3 : 4,
    cents: random.chance(0.4) ? Math.round(random.between(-20, 20)) : 0,
    endsOnTonic: random.chance(0.5),
  };
}

/** Bars of verse and chorus, alternating: 24 bars at least. */
function barsOf(verse: NamedChord[], chorus: NamedChord[], home: NamedChord, style: KeySongStyle): Bar[] {
  const part = (chords: NamedChord[]): NamedChord[] => (chords.length > 4 ? chords : [...chords, ...chords]);
  const chords = [...part(verse), ...part(chorus), ...part(verse)];
  if (style.endsOnTonic) chords.push(home);
  const beatSec = 60 / style.bpm;
  return chords.map((chord, i) => ({
    atSec: i * style.meter * beatSec,
    beatSec,
    meter: style.meter,
    chord,
    next: chords[i + 1] ?? home,
    endsPhrase: i % 4 === 3 || i === chords.length - 1,
  }));
}

/** Lowest pitch from `low` on with a pitch class. */
const pitchFrom = (low: number, pitchClass: number): number => low + ((((pitchClass - low) % 12) + 12) % 12);

function bassOf({ atSec, beatSec, meter, chord, next }: Bar, tonic: number, style: KeySongStyle, random: SeededRandom) {
  const root = pitchFrom(31, tonic + chord.root);
  const [third, fifth] = [root + chord.intervals[1]!, root + chord.intervals[2]!];
  const low = random.chance(0.25) ? third : root;
  const lines: Record<KeySongStyle['bass'], number[]> = {
    none: [],
    roots: Array.from({ length: meter }, () => root),
    fifths: meter === 3 ? [root, fifth, fifth] : [root, root, fifth, root],
    walking: [root, third, fifth, pitchFrom(31, tonic + next.root) + random.pick([-1, 1, 2])].slice(0, meter),
    inversions: Array.from({ length: meter }, () => low),
  };
  return lines[style.bass].map((pitch, beat) => ({
    atSec: atSec + beat * beatSec,
    lengthSec: 0.9 * beatSec,
    pitch,
    velocity: 100,
  }));
}

/** Intervals of a chord in a texture. */
function intervalsOf(chord: NamedChord, mode: 'major' | 'minor', { texture }: KeySongStyle): readonly number[] {
  if (texture === 'power') return [0, 7, 12];
  if (texture !== 'sevenths' || chord.intervals.length > 3) return chord.intervals;
  const inScale = [10, 11].find((seventh) => (SCALES[mode] as readonly number[]).includes((chord.root + seventh) % 12));
  return inScale === undefined ? chord.intervals : [...chord.intervals, inScale];
}

function chordsOf(bar: Bar, tonic: number, mode: 'major' | 'minor', style: KeySongStyle): TimedNote[] {
  const { atSec, beatSec, meter, chord } = bar;
  const root = pitchFrom(style.texture === 'power' ? 43 : 52, tonic + chord.root);
  const pitches = intervalsOf(chord, mode, style).map((interval) => root + interval);
  const note = (beat: number, beats: number, pitch: number): TimedNote => ({
    atSec: atSec + beat * beatSec,
    lengthSec: 0.95 * beats * beatSec,
    pitch,
    velocity: 70,
  });
  const eighths = Array.from({ length: 2 * meter }, (_, i) => i / 2);
  switch (style.texture) {
    case 'arpeggio':
      return eighths.map((beat, i) => note(beat, 0.7, pitches[i % pitches.length]! + 12 * (i % 3 === 2 ? 1 : 0)));
    case 'strum':
    case 'power':
      return eighths.flatMap((beat) => pitches.map((pitch) => note(beat, 0.5, pitch)));
    case 'suspended':
      return pitches.flatMap((pitch, i) =>
        i === 1 ? [note(0, 1, root + 5), note(1, meter - 1, pitch)] : [note(0, meter, pitch)],
      );
    default:
      return pitches.map((pitch) => note(0, meter, pitch));
  }
}

/** Pitch classes of the scale over a chord, relative to the tonic: notes of the chord replace their neighbours. */
function scaleOver(chord: NamedChord, mode: 'major' | 'minor'): number[] {
  const tones = chord.intervals.map((interval) => (chord.root + interval) % 12);
  const kept = SCALES[mode].filter((note) => !tones.includes((note + 1) % 12) && !tones.includes((note + 11) % 12));
  return [...new Set([...kept, ...tones])].sort((a, b) => a - b);
}

/** A melody: notes of the chord on strong beats, steps of the scale between; phrases end on a note of the chord, often low. */
function melodyOf(bars: readonly Bar[], tonic: number, mode: 'major' | 'minor', random: SeededRandom): TimedNote[] {
  const notes: TimedNote[] = [];
  const low = 57 + Math.floor(random.next() * 5);
  let pitch = pitchFrom(low, tonic + 7);
  const nearest = (classes: readonly number[]): number => {
    const reachable = classes.flatMap((each) => [0, 12].map((octave) => pitchFrom(low, tonic + each) + octave));
    return reachable.reduce((a, b) => (Math.abs(b - pitch) < Math.abs(a - pitch) ? b : a));
  };
  for (const { atSec, beatSec, meter, chord, endsPhrase } of bars) {
    const tones = chord.intervals.slice(0, 3).map((interval) => (chord.root + interval) % 12);
    for (let beat = 0; beat < meter;) {
      const isLast = endsPhrase && beat >= 1;
      const beats = isLast ? meter - beat - 0.5 : Math.min(meter - beat, random.pick([0.5, 1, 1, 1.5]));
      if (beats <= 0) break;
      pitch += random.pick([-4, -2, 0, 1, 3]);
      const homes = tones.filter((tone) => tone === 0 || tone === SCALES[mode][2]);
      if (isLast && homes.length > 0 && random.chance(0.6)) pitch = nearest(homes);
      else pitch = nearest(isLast || beat % 2 === 0 ? tones : scaleOver(chord, mode));
      if (isLast || random.chance(0.85))
        notes.push({ atSec: atSec + beat * beatSec, lengthSec: 0.92 * beats * beatSec, pitch, velocity: 95 });
      if (isLast) break;
      beat += beats;
    }
  }
  return notes;
}

/** Composes a song with verse and chorus of two progressions. `changes` replace random choices of the style. */
export function composeKeySong(
  mode: 'major' | 'minor',
  progressions: readonly [string, string],
  seed: number,
  changes: Partial<KeySongStyle> = {},
): KeySong {
  const random = new SeededRandom(seed);
  const tonic = seed % 12;
  const style = { ...styleOf(random), ...changes };
  const home: NamedChord = { root: 0, intervals: [0, mode === 'major' ? 4 : 3, 7] };
  const bars = barsOf(progressionOf(progressions[0]), progressionOf(progressions[1]), home, style);
  const beats = bars.flatMap(({ atSec, beatSec, meter }) =>
    Array.from({ length: meter }, (_, i) => atSec + i * beatSec),
  );
  const melody = style.lead === 'none' ? [] : melodyOf(bars, tonic, mode, random);
  return {
    tonic,
    mode,
    progressions,
    style,
    bass: bars.flatMap((bar) => bassOf(bar, tonic, style, random)),
    chords: bars.flatMap((bar) => chordsOf(bar, tonic, mode, style)),
    melody,
    kicks: style.drums ? beats.filter((_, i) => i % style.meter === 0 || (style.meter === 4 && i % 4 === 2)) : [],
    snares: style.drums ? beats.filter((_, i) => i % style.meter !== 0 && i % 4 !== 2) : [],
    beats,
    lengthSec: bars.length * style.meter * (60 / style.bpm),
  };
}

/** `perProgression` songs for each progression (its verse), with another one as chorus; modes alternate. */
export function composeKeySongs(pool: Progressions, perProgression: number, firstSeed: number): KeySong[] {
  const songs: KeySong[] = [];
  for (let round = 0; round < perProgression; round++) {
    for (let i = 0; i < Math.max(pool.major.length, pool.minor.length); i++) {
      for (const mode of ['minor', 'major'] as const) {
        const list = pool[mode];
        if (i >= list.length) continue;
        const seed = firstSeed + 7 * songs.length;
        songs.push(composeKeySong(mode, [list[i]!, list[(i + 5 + 3 * round) % list.length]!], seed));
      }
    }
  }
  return songs;
}
