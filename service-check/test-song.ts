/** A synthetic song with a clear beat at 120 bpm, as four stems that sum to it. */
import { SAMPLE_RATE } from '../audio/decode/decode.ts';
import { encodeWav16 } from '../audio/encode/encode-wav.ts';
import { STEMS } from '../schema/constants.ts';
import type { Stem } from '../schema.ts';

/** Tempo of the song. */
export const TEST_BPM = 120;
/** Length of the song in seconds. */
export const TEST_SONG_SEC = 12;

const BEAT_SEC = 60 / TEST_BPM;
const BEATS_PER_CHORD = 4;
/** A minor, F major, C major, G major: roots in hertz and the two other notes of each chord. */
const CHORDS = [
  [110, 130.81, 164.81],
  [87.31, 110, 130.81],
  [130.81, 164.81, 196],
  [98, 123.47, 146.83],
];

/** Times of the beats in seconds. */
export const TEST_BEATS: readonly number[] = Array.from(
  { length: TEST_SONG_SEC / BEAT_SEC },
  (_, beat) => beat * BEAT_SEC,
);

interface TestSong {
  mix: Buffer;
  stems: Record<Stem, Buffer>;
}

let song: TestSong | undefined;

/** The song and its stems, as 16-bit stereo WAV files. Made once. */
export function testSong(): TestSong {
  return (song ??= makeSong());
}

function makeSong(): TestSong {
  const frames = TEST_SONG_SEC * SAMPLE_RATE;
  const stems = Object.fromEntries(STEMS.map((stem) => [stem, new Float32Array(frames)])) as Record<Stem, Float32Array>;
  const random = makeNoise();
  for (let i = 0; i < frames; i++) {
    const t = i / SAMPLE_RATE;
    const beat = Math.floor(t / BEAT_SEC);
    const inBeat = t - beat * BEAT_SEC;
    const [root = 0, third = 0, fifth = 0] = CHORDS[Math.floor(beat / BEATS_PER_CHORD) % CHORDS.length] ?? [];
    const noise = random();
    const kick = 0.45 * Math.exp(-inBeat * 25) * Math.sin(2 * Math.PI * (50 + 60 * Math.exp(-inBeat * 40)) * inBeat);
    stems.drums[i] = beat % 2 === 0 ? kick : 0.22 * Math.exp(-inBeat * 30) * noise;
    stems.bass[i] = 0.16 * Math.min(1, inBeat * 200) * wave(root / 2, t);
    stems.other[i] = 0.05 * (wave(root * 2, t) + wave(third * 2, t) + wave(fifth * 2, t));
    stems.vocals[i] = 0.08 * wave(fifth * 4 * (1 + 0.004 * Math.sin(2 * Math.PI * 5 * t)), t) * (beat % 8 < 6 ? 1 : 0);
  }
  const mix = Float32Array.from({ length: frames }, (_, i) =>
    STEMS.reduce((sum, stem) => sum + (stems[stem][i] ?? 0), 0),
  );
  const encode = (samples: Float32Array): Buffer => Buffer.from(encodeWav16([samples, samples], SAMPLE_RATE));
  return {
    mix: encode(mix),
    stems: Object.fromEntries(STEMS.map((stem) => [stem, encode(stems[stem])])) as Record<Stem, Buffer>,
  };
}

const wave = (hertz: number, t: number): number => Math.sin(2 * Math.PI * hertz * t);

/** A reproducible generator of numbers in [-1, 1). */
function makeNoise(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
