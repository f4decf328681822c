import { isSameRecording } from '../../../music/theory/fingerprint.ts';
import { separateAs } from '../../../services/separation/stem-layouts.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { contentOf, hasBeat } from '../../../music/theory/content.ts';
import { STEMS } from '../../../schema.ts';
import type { SongAnalysis, Stem } from '../../../schema.ts';
import { playSong } from '../band.ts';
import type { PlayedSong } from '../band.ts';
import { ambientPad, arpeggio, drone, pinkNoise, rubatoPiano, speech, whiteNoise } from '../free-sounds.ts';
import type { HardCase, HardOutcome } from '../hard-case.ts';
import { TAG_CASES } from './content-tags.ts';

const SECONDS = 20;

const analyzeMono = (sound: Float32Array): Promise<SongAnalysis> => analyzeSong([sound, sound]);

/** The tempo if there is a beat, with the confidence. */
function beatOf({ rhythmic: { bpm, beat_confidence, has_beat } }: SongAnalysis): string {
  if (has_beat === false) return 'no beat';
  return `${bpm.toFixed(1)} bpm, confidence ${beat_confidence}`;
}

/** A sound without a beat. */
const withoutBeat = (name: string, before: string, sound: () => Float32Array): HardCase => ({
  group: 'content',
  name,
  truth: 'no beat',
  before,
  measure: async () => {
    const analysis = await analyzeMono(sound());
    return { value: beatOf(analysis), right: analysis.rhythmic.has_beat === false };
  },
});

/** A sound with a beat of `bpm`, or its half or double. */
const withBeat = (name: string, bpm: number, before: string, sound: () => Float32Array): HardCase => ({
  group: 'content',
  name,
  truth: `a beat of ${bpm} bpm (or half, or double)`,
  before,
  measure: async () => {
    const analysis = await analyzeMono(sound());
    const right = [0.5, 1, 2].some((times) => Math.abs(analysis.rhythmic.bpm / (times * bpm) - 1) < 0.02);
    return { value: beatOf(analysis), right: right && analysis.rhythmic.has_beat === true };
  },
});

const SHORT = { parts: [{ bars: 9, bpm: 100, meter: 4 }] };

/** The usual song; it is played once. */
let usual: PlayedSong | undefined;
const usualSong = (): PlayedSong => (usual ??= playSong(SHORT));

/** Sum of stems of a song. */
function sumOf({ stems }: PlayedSong, ...names: (keyof PlayedSong['stems'])[]): Float32Array {
  return stems.drums.map((_, i) => names.reduce((sum, name) => sum + stems[name][i]!, 0));
}

/** A file with some stems of a song. */
const contentCase = (
  name: string,
  truth: string,
  before: string,
  ...stems: (keyof PlayedSong['stems'])[]
): HardCase => ({
  group: 'content',
  name,
  truth,
  before,
  measure: async () => {
    const { content = 'nothing said' } = await analyzeMono(sumOf(usualSong(), ...stems));
    return { value: content, right: content === truth };
  },
});

/** The sound as an encoder of low quality gives it: late, quieter, with noise, and without high frequencies. */
function encoded(sound: Float32Array, delay: number): Float32Array {
  const out = new Float32Array(sound.length + delay);
  let low = 0;
  sound.forEach((value, i) => {
    low += 0.5 * (value - low);
    out[i + delay] = 0.6 * low + 0.002 * Math.sin(i * i);
  });
  return out;
}

async function compare(first: Float32Array, second: Float32Array, same: boolean): Promise<HardOutcome> {
  const [a, b] = [await analyzeMono(first), await analyzeMono(second)];
  const isSame = isSameRecording(a.fingerprint, b.fingerprint);
  return { value: isSame ? 'the same recording' : 'two recordings', right: isSame === same };
}

/** Two files: the same recording or not. */
const pairCase = (name: string, same: boolean, sounds: () => [Float32Array, Float32Array]): HardCase => ({
  group: 'content',
  name,
  truth: same ? 'the same recording' : 'two recordings',
  before: 'two recordings',
  measure: () => compare(...sounds(), same),
});

async function* oneChunk(mono: Float32Array): AsyncGenerator<[Float32Array, Float32Array]> {
  yield [mono, mono];
}

/** Stems of a file by the built-in analysis and separation: the share of its power that is in `wanted`. */
const stemCase = (
  name: string,
  truth: string,
  before: string,
  { wanted, sound }: { wanted: Stem; sound: () => Float32Array },
): HardCase => ({
  group: 'content',
  name,
  truth,
  before,
  measure: async () => {
    const mono = sound();
    const analysis = await analyzeMono(mono);
    const isVoice = contentOf({ name: 'song', analysis }) === 'acapella';
    const layout = isVoice ? 'voices_only' : hasBeat(analysis) ? undefined : 'no_drums';
    const power = { vocals: 0, drums: 0, bass: 0, other: 0 };
    for await (const stems of separateAs(layout, oneChunk(mono))) {
      for (const stem of STEMS) for (const value of stems[stem][0]) power[stem] += value * value;
    }
    const share = power[wanted] / STEMS.reduce((sum, stem) => sum + power[stem], 0);
    return { value: `${Math.round(100 * share)} % of the power`, right: share > 0.95 };
  },
});

export const CONTENT_CASES: readonly HardCase[] = [
  withoutBeat('white noise', '100.8 bpm, confidence 0.436', () => whiteNoise(SECONDS)),
  withoutBeat('pink noise', '100.6 bpm, confidence 0.439', () => pinkNoise(SECONDS)),
  withoutBeat('drone of two beating fifths', '63.0 bpm, confidence 0.356', () => drone(SECONDS)),
  withoutBeat('ambient pad, chords that fade into each other', '90.0 bpm, confidence 0.423', () => ambientPad(SECONDS)),
  withoutBeat('piano in free time', '144.2 bpm, confidence 0.366', () => rubatoPiano(SECONDS)),
  withoutBeat('speech', '95.8 bpm, confidence 0.318', () => speech(SECONDS)),
  withBeat('piano in even eighths, no drums', 96, '96.0 bpm, confidence 0.783', () => arpeggio(SECONDS, 96)),
  withBeat('band without drums', 100, '100.0 bpm, confidence 0.774', () =>
    sumOf(usualSong(), 'vocals', 'bass', 'other'),
  ),
  withBeat('drums without a band', 100, '100.0 bpm, confidence 0.825', () => sumOf(usualSong(), 'drums')),
  contentCase('voice alone', 'acapella', 'nothing said', 'vocals'),
  contentCase('drums alone', 'instrumental', 'nothing said', 'drums'),
  contentCase('whole band', 'full', 'nothing said', 'vocals', 'drums', 'bass', 'other'),
  contentCase('voice and chords', 'full', 'nothing said', 'vocals', 'other'),
  stemCase('voice alone, separated', 'all of it is vocals', '92 % of the power', {
    wanted: 'vocals',
    sound: () => sumOf(usualSong(), 'vocals'),
  }),
  stemCase('pink noise, separated', 'nearly all of it is other: no drums of noise', '8 % of the power', {
    wanted: 'other',
    sound: () => pinkNoise(SECONDS),
  }),
  pairCase('a song and its encoding, 0.4 s late and 4 dB quieter', true, () => {
    const { mix } = usualSong();
    return [mix, encoded(mix, 17_640)];
  }),
  pairCase('a song and its instrumental version', false, () => {
    const song = usualSong();
    return [song.mix, encoded(sumOf(song, 'drums', 'bass', 'other'), 0)];
  }),
  pairCase('a song and itself a semitone higher', false, () => [usualSong().mix, playSong({ ...SHORT, tonic: 8 }).mix]),
  pairCase('a song and its cover with another melody', false, () => [
    usualSong().mix,
    playSong({ ...SHORT, melody: [4, 7, 9, 7, 0, 4, 2, 7], seed: 3 }).mix,
  ]),
  ...TAG_CASES,
];
