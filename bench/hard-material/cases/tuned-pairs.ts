/** Pairs of songs in different tunings, brought together as the renderer does it, and a bass line whose key is shifted. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { warp } from '../../../audio/time/stretch.ts';
import { steadyMap } from '../../../audio/time/time-map.ts';
import { estimateTuning, tuningDistance } from '../../../audio/tuning.ts';
import { measureNotes } from '../../../services/processing/measure/chroma.ts';
import { stemShift } from '../../../services/processing/plan/arrangement.ts';
import type { RenderLayer } from '../../../services/processing/plan/plan.ts';
import { chooseTuning } from '../../../services/processing/plan/tuning.ts';
import { readSong } from '../../../services/processing/song/song.ts';
import type { Stem } from '../../../schema.ts';
import type { PlayedSong } from '../band.ts';
import type { HardCase, HardOutcome } from '../hard-case.ts';
import { toneCents } from '../tone-cents.ts';
import { TUNED_BPM, TUNED_SECONDS, tunedSong } from './tuned-songs.ts';

const layer = (songId: string, stem: Stem): RenderLayer => {
  return { songId, stem, volumeDb: 0, effects: [], sourceStartSec: undefined, free: false };
};

/** Shifts the chords of two songs for a mashup in G major, and measures how far their tunings are apart. */
async function measurePair(centsOfSongs: readonly number[]): Promise<HardOutcome> {
  const made = await Promise.all(centsOfSongs.map(tunedSong));
  const songs = made.map(({ analysis }, i) => {
    const sent = { song_id: String(i), name: String(i), storage_path: '', analysis };
    return readSong(sent, undefined, TUNED_BPM).song;
  });
  const layers = [layer('0', 'bass'), layer('0', 'other'), layer('1', 'other')];
  const section = { start: 0, end: TUNED_SECONDS, bpm: TUNED_BPM, description: '', energy: 1, layers };
  const plan = {
    bpm: TUNED_BPM,
    key: 'G major',
    shifts: {},
    beatsPerBar: 4,
    durationSec: TUNED_SECONDS,
    sections: [section],
  };
  const tuning = chooseTuning(plan, new Map(songs.map((song) => [song.id, song])));
  const moved = songs.map((song, i) => centsOfSongs[i]! + 100 * stemShift('other', song, tuning));
  const heard = await Promise.all(
    songs.map((song, i) => tuningAfter(made[i]!.played, stemShift('other', song, tuning))),
  );
  // Both are needed: tunings may agree a semitone apart.
  const apart = Math.max(tuningDistance(heard[0]!, heard[1]!), Math.abs(moved[0]! - moved[1]!));
  return { value: `${apart.toFixed(1)} cents apart`, right: apart < 10 };
}

/** Tuning of the chords of a song after a shift, in cents. */
async function tuningAfter({ stems }: PlayedSong, semitones: number): Promise<number> {
  const options = { sampleRate: SAMPLE_RATE, frames: TUNED_SECONDS * SAMPLE_RATE, semitones };
  const [sound] = await warp([stems.other, stems.other], steadyMap(0, 1), {
    ...options,
    keepFormants: false,
    keep: 'notes',
  });
  return estimateTuning((await measureNotes(sound!, SAMPLE_RATE, 0)).tuning).cents;
}

const pairCase = (name: string, cents: readonly number[], before: string): HardCase => ({
  group: 'tuning',
  name,
  truth: 'less than 10 cents apart',
  before,
  measure: () => measurePair(cents),
});

/** E1 to C3. */
const BASS_LINE = [28, 33, 40, 36, 43, 31, 48];
const NOTE_SEC = 0.6;

/** Shifts a bass line by semitones, and returns the largest deviation of a note in cents. */
async function measureBassLine(semitones: number): Promise<HardOutcome> {
  const hertz = BASS_LINE.map((pitch) => 440 * 2 ** ((pitch - 69) / 12));
  const source = Float32Array.from(hertz.flatMap((each) => [...bassNote(each)]));
  const options = {
    sampleRate: SAMPLE_RATE,
    frames: source.length,
    semitones,
    keepFormants: false,
    keep: 'lowNotes' as const,
  };
  const [sound] = await warp([source, source], steadyMap(0, 1), options);
  const off = hertz.map((each, i) => {
    const [from, to] = [0.12, 0.52].map((at) => Math.round((i * NOTE_SEC + at) * SAMPLE_RATE));
    return Math.abs(toneCents(sound!.subarray(from, to), SAMPLE_RATE, each * 2 ** (semitones / 12)));
  });
  const isRight = off.every((cents, i) => cents < (BASS_LINE[i]! < 40 ? 10 : 5));
  return { value: `${Math.max(...off).toFixed(1)} cents off`, right: isRight };
}

/** A note with four partials. */
function bassNote(hertz: number): Float32Array {
  const length = Math.round(NOTE_SEC * SAMPLE_RATE);
  const edge = SAMPLE_RATE / 50;
  return Float32Array.from({ length }, (_, i) => {
    const level = Math.min(1, i / edge, (length - i) / edge);
    const phase = (2 * Math.PI * hertz * i) / SAMPLE_RATE;
    return level * [1, 2, 3, 4].reduce((sum, n) => sum + (0.3 / n) * Math.sin(n * phase), 0);
  });
}

const bassCase = (semitones: number, before: string): HardCase => ({
  group: 'tuning',
  name: `bass line from E1 to C3, shifted by ${semitones} semitones`,
  truth: 'within 5 cents from 82 Hz, 10 below',
  before,
  measure: () => measureBassLine(semitones),
});

export const TUNED_PAIR_CASES: readonly HardCase[] = [
  pairCase('song at 432 Hz over one at 30 cents', [30, -31.8], '61.8 cents apart'),
  pairCase('song at -45 cents over one at 45', [45, -45], '90.0 cents apart'),
  bassCase(-5, '84 cents off'),
  bassCase(-3, '89 cents off'),
  bassCase(2, '58 cents off'),
];
