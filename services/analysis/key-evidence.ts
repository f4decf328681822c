/**
 * Evidence for each of the 24 keys: pitch classes, chords, their changes, the chords at the starts and ends of phrases and of the song, and the bass. A
 * major key and its relative minor have the same notes. They differ in where the harmony rests and how it gets there.
 */
import type { Key } from '../../music/theory/key.ts';
import { scaleToMax } from './chroma.ts';
import type { BeatChroma } from './chroma.ts';

/** Qualities of a chord: with a major third, a minor third, or none (power chords, suspensions). */
const [MAJOR_CHORD, MINOR_CHORD, OPEN_CHORD] = [0, 1, 2];
const chordIndex = (root: number, quality: number): number => 3 * (root % 12) + quality;
const CHORDS = 36;
/** A chord whose third has less energy than this share of root and fifth has none. The fifth harmonic of the root is not a third. */
const AUDIBLE_THIRD = 0.4;
const THIRD_IN_ROOT = 0.4;
/** Bars of a phrase. */
const PHRASE_BARS = 4;

/** What a song says about its key. `downbeats` are indices of beats. `chords` has a triad for each beat (2 * root, 1 more for minor), null where no note sounds. */
export type HarmonyByBeat = { chroma: BeatChroma; chords: readonly (number | null)[]; downbeats: readonly number[] };

/** Profiles of Krumhansl and Kessler (1982). */
const MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR = [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/**
 * Share of time that a song in a key spends on a chord, by degree (semitones above the tonic; `m` marks minor chords). Rounded
 * from statistics of popular songs, not fitted.
 */
const DEGREES: Record<Key['mode'], Record<string, number>> = {
  major: {
    '0': 0.28,
    '5': 0.2,
    '7': 0.18,
    '9m': 0.12,
    '2m': 0.07,
    '4m': 0.05,
    '10': 0.03,
    '5m': 0.015,
    '2': 0.015,
    '4': 0.015,
    '8': 0.01,
    '3': 0.01,
  },
  minor: {
    '0m': 0.3,
    '8': 0.14,
    '10': 0.13,
    '5m': 0.12,
    '7': 0.09,
    '3': 0.08,
    '7m': 0.05,
    '5': 0.03,
    '2m': 0.01,
    '1': 0.008,
  },
};
/** The same for all other chords. */
const FOREIGN_CHORD = 0.006;
/** Share of a pitch class's energy that is attributed to it as third or fifth harmonic of another one. */
const THIRD_HARMONIC = 0.15;
const FIFTH_HARMONIC = 0.25;

/** Evidence for one key. Shares are 0..1. */
export type KeyEvidence = {
  /** Correlation of the pitch classes with the profile of the key, -1..1. */
  profile: number;
  /** Mean log-likelihood of the chords in the key. */
  chordFit: number;
  /** 1 if the last chord is the tonic chord. */
  tonicLast: number;
  /** Share of phrases that start with the tonic chord. */
  phraseStart: number;
  /** Share of phrases that end with the dominant chord. */
  halfCadence: number;
  /** Shares of the chord changes that lead to the tonic chord: from the major chord on the fifth, from the fourth, from the flat seventh. */
  authentic: number;
  plagal: number;
  subtonic: number;
  /** Share of the tonic in the bass of the downbeats. */
  bassDownbeats: number;
  /** Share of the key's third in both thirds, and of the leading note in both sevenths. */
  third: number;
  leadingNote: number;
  /** Share of the tonic in the notes at the ends of phrases. */
  endNotes: number;
  isMinor: number;
};

/** Sums by triad or pitch class that all keys share. */
type Totals = {
  notes: number[];
  /** Share of the beats by chord, and of the chords at the starts and ends of phrases. */
  share: number[];
  starts: number[];
  ends: number[];
  /** Share of the chord changes by triads before (row) and after. */
  changes: number[][];
  last: number | undefined;
  bassDownbeats: number[];
  endNotes: number[];
};

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

function normalized(values: readonly number[]): number[] {
  const sum = values.reduce((a, b) => a + b, 0);
  return sum > 0 ? values.map((value) => value / sum) : [...values];
}

function shares(chords: readonly (number | null | undefined)[]): number[] {
  const counts = zeros(CHORDS);
  for (const chord of chords) if (chord !== null && chord !== undefined) counts[chord]!++;
  return normalized(counts);
}

/** Sum of rows, each scaled to a sum of 1. */
function meanRow(rows: readonly (readonly number[])[]): number[] {
  const sum = zeros(12);
  for (const row of rows) normalized(row).forEach((value, pitch) => (sum[pitch]! += value));
  return normalized(sum);
}

/** Pitch classes without the energy of harmonics of other pitch classes. */
function withoutHarmonics(chroma: readonly number[]): number[] {
  return chroma.map((value, pitch) =>
    Math.max(0, value - THIRD_HARMONIC * chroma[(pitch + 5) % 12]! - FIFTH_HARMONIC * chroma[(pitch + 8) % 12]!),
  );
}

function changesOf(chords: readonly (number | null)[]): number[][] {
  const changes = Array.from({ length: CHORDS }, () => zeros(CHORDS));
  let count = 0;
  let before: number | null = null;
  for (const chord of chords) {
    if (chord === null || chord === before) continue;
    if (before !== null) {
      changes[before]![chord]!++;
      count++;
    }
    before = chord;
  }
  return changes.map((row) => row.map((value) => value / Math.max(1, count)));
}

/** The chord of each beat, by `chordIndex`. */
function withOpenChords({ chroma, chords }: HarmonyByBeat): (number | null)[] {
  return chords.map((triad, beat) => {
    if (triad === null) return null;
    const root = triad >> 1;
    const notes = withoutHarmonics(chroma.treble[beat]!);
    const at = (semitones: number): number => notes[(root + semitones) % 12]!;
    const third = Math.max(at(3), at(4) - THIRD_IN_ROOT * chroma.treble[beat]![root]!);
    const isOpen = third < (AUDIBLE_THIRD * (at(0) + at(7))) / 2;
    return chordIndex(root, isOpen ? OPEN_CHORD : triad % 2 === 1 ? MINOR_CHORD : MAJOR_CHORD);
  });
}

function totalsOf(harmony: HarmonyByBeat): Totals {
  const { chroma, downbeats } = harmony;
  const chords = withOpenChords(harmony);
  const sounding = chords.flatMap((chord, beat) => (chord === null ? [] : [beat]));
  const first = sounding[0] ?? 0;
  const bars = downbeats.filter((beat) => beat >= first);
  const phrases = bars.filter((_, bar) => bar % PHRASE_BARS === 0);
  const rows = (plane: readonly number[][], beats: readonly number[]): number[][] =>
    beats.map((beat) => plane[beat] ?? zeros(12));
  const notes = chroma.treble
    .map(scaleToMax)
    .reduce((sum, row) => sum.map((value, pitch) => value + row[pitch]!), zeros(12));
  return {
    notes: withoutHarmonics(notes),
    share: shares(chords),
    starts: shares(phrases.map((beat) => chords[beat])),
    ends: shares(phrases.map((beat) => chords[beat - 1])),
    changes: changesOf(chords),
    last: chords[sounding.at(-1) ?? 0] ?? undefined,
    bassDownbeats: meanRow(rows(chroma.bass, bars)),
    endNotes: meanRow(
      rows(
        chroma.treble,
        phrases.flatMap((beat) => [beat - 2, beat - 1]).filter((beat) => beat >= 0),
      ),
    ),
  };
}

function correlate(a: readonly number[], b: readonly number[]): number {
  const meanA = a.reduce((sum, value) => sum + value, 0) / a.length;
  const meanB = b.reduce((sum, value) => sum + value, 0) / b.length;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB);
    aa += (a[i]! - meanA) ** 2;
    bb += (b[i]! - meanB) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** Mean log-likelihood of the chords in a key. */
function chordFit(share: readonly number[], { tonic, mode }: Key): number {
  return share.reduce((sum, part, chord) => {
    const degree = (Math.floor(chord / 3) - tonic + 12) % 12;
    const [major, minor] = [DEGREES[mode][degree] ?? FOREIGN_CHORD, DEGREES[mode][`${degree}m`] ?? FOREIGN_CHORD];
    const quality = chord % 3;
    return (
      sum + part * Math.log(quality === MAJOR_CHORD ? major : quality === MINOR_CHORD ? minor : Math.max(major, minor))
    );
  }, 0);
}

function evidenceFor(totals: Totals, key: Key): KeyEvidence {
  const { tonic, mode } = key;
  const { notes, share, starts, ends, changes, last } = totals;
  const minor = mode === 'minor';
  const note = (semitones: number): number => notes[(tonic + semitones) % 12]!;
  const balance = (a: number, b: number): number => (note(a) + note(b) > 0 ? note(a) / (note(a) + note(b)) : 0.5);
  const chordsOn = (semitones: number, ...qualities: number[]): number[] =>
    qualities.map((quality) => chordIndex(tonic + semitones, quality));
  const sum = (row: readonly number[], chords: readonly number[]): number =>
    chords.reduce((total, chord) => total + row[chord]!, 0);
  const home = chordsOn(0, minor ? MINOR_CHORD : MAJOR_CHORD, OPEN_CHORD);
  const arrivals = (from: readonly number[]): number =>
    from.reduce((total, chord) => total + sum(changes[chord]!, home), 0);
  const dominant = chordsOn(7, MAJOR_CHORD, OPEN_CHORD);
  const profile = minor ? MINOR : MAJOR;
  return {
    profile: correlate(
      notes,
      profile.map((_, pitch) => profile[(pitch - tonic + 12) % 12]!),
    ),
    chordFit: chordFit(share, key),
    tonicLast: last !== undefined && home.includes(last) ? 1 : 0,
    phraseStart: sum(starts, home),
    halfCadence: sum(ends, dominant),
    authentic: arrivals(dominant),
    plagal: arrivals(chordsOn(5, MAJOR_CHORD, MINOR_CHORD, OPEN_CHORD)),
    subtonic: arrivals(chordsOn(10, MAJOR_CHORD, OPEN_CHORD)),
    bassDownbeats: totals.bassDownbeats[tonic]!,
    third: minor ? balance(3, 4) : balance(4, 3),
    leadingNote: balance(11, 10),
    endNotes: totals.endNotes[tonic]!,
    isMinor: minor ? 1 : 0,
  };
}

/** All keys, in the order of `keyEvidence`. */
export const KEYS: readonly Key[] = Array.from({ length: 12 }, (_, tonic) => tonic).flatMap((tonic) =>
  (['major', 'minor'] as const).map((mode) => ({ tonic, mode })),
);

/**
 * Evidence for each key of `KEYS`, and the contrast of the pitch classes (standard deviation over mean): 0.16 for noise, 0.28 and more for music.
 */
export function keyEvidence(harmony: HarmonyByBeat): { keys: KeyEvidence[]; contrast: number } {
  const totals = totalsOf(harmony);
  const mean = totals.notes.reduce((sum, value) => sum + value, 0) / 12;
  const variance = totals.notes.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 12;
  return { keys: KEYS.map((key) => evidenceFor(totals, key)), contrast: mean > 0 ? Math.sqrt(variance) / mean : 0 };
}
