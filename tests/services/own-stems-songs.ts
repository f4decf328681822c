/** Stems of a short song, made of noise and tones, and what users do to stems. */
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';

export const SONG_SEC = 7;
const LENGTH = SONG_SEC * SAMPLE_RATE;

/** Stereo samples. */
export type Sound = [Float32Array, Float32Array];

/** Noise between -1 and 1 that depends on a seed. */
function noise(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const make = (sample: (seconds: number, i: number) => number, side = 0): Sound => {
  const left = Float32Array.from({ length: LENGTH }, (_, i) => sample(i / SAMPLE_RATE, i));
  return [left, left.map((value, i) => value + side * (left[i - 200] ?? 0))];
};

/** A syllable every `beat` with a rest after each five, at pitches that glide. */
function vocals(seed: number, beat: number): Sound {
  const random = noise(seed);
  const pitches = Array.from({ length: 40 }, () => 220 * 2 ** (random() / 2));
  let phase = 0;
  return make((t) => {
    const syllable = Math.floor(t / beat);
    const within = t / beat - syllable;
    const pitch = pitches[syllable]! * (1 + 0.03 * Math.sin(2 * Math.PI * 5 * t));
    phase += (2 * Math.PI * pitch) / SAMPLE_RATE;
    if (syllable % 6 === 5) return 0;
    let tone = 0;
    for (let k = 1; k <= 12; k++) tone += Math.sin(k * phase) / k;
    return Math.sin(Math.PI * within) ** 0.5 * (0.1 * tone + 0.01 * random());
  });
}

/** A beat every `beat`, of noise and a low tone, never twice the same. */
function drums(seed: number, beat: number): Sound {
  const random = noise(seed + 100);
  return make((t) => {
    const within = t % beat;
    const isSnare = Math.floor(t / beat) % 2 === 1;
    const low = isSnare
      ? 0
      : 0.4 * Math.exp(-12 * within) * Math.sin(2 * Math.PI * (50 + 60 * Math.exp(-40 * within)) * within);
    return low + (isSnare ? 0.25 : 0.06) * Math.exp(-25 * within) * random();
  });
}

function bass(seed: number, beat: number): Sound {
  const random = noise(seed + 200);
  const pitches = Array.from({ length: 30 }, () => 55 * 2 ** (Math.round(random() * 7) / 12));
  return make((t) => {
    const within = (t / beat) % 1;
    const pitch = pitches[Math.floor(t / beat)]!;
    return (
      0.15 *
      (1 - within) *
      (Math.sin(2 * Math.PI * pitch * t) + 0.4 * Math.sin(4 * Math.PI * pitch * t) + 0.02 * random())
    );
  });
}

function other(seed: number, beat: number): Sound {
  const random = noise(seed + 300);
  const roots = Array.from({ length: 8 }, () => 262 * 2 ** (Math.round(random() * 5) / 12));
  return make((t) => {
    const root = roots[Math.floor(t / (4 * beat))]!;
    const decay = Math.exp(-1.5 * (t % (4 * beat)));
    let tone = 0;
    for (const interval of [1, 1.26, 1.5, 2.01, 3.02]) tone += Math.sin(2 * Math.PI * root * interval * t);
    return 0.06 * decay * tone + 0.004 * random();
  }, 0.5);
}

/** The stems of a song. Other seeds are other songs, and with the same speed (1 by default) they are in time with one another. */
export function songStems(seed: number, speed = 1): Record<Stem, Sound> {
  return {
    vocals: vocals(seed, 0.37 / speed),
    drums: drums(seed, 0.5 / speed),
    bass: bass(seed, 0.5 / speed),
    other: other(seed, 0.5 / speed),
  };
}

/** The sum of sounds. */
export function mix(...sounds: Sound[]): Sound {
  const part = (c: 0 | 1): Float32Array =>
    Float32Array.from({ length: sounds[0]![c].length }, (_, i) => sounds.reduce((sum, sound) => sum + sound[c][i]!, 0));
  return [part(0), part(1)];
}

export const mixOf = (stems: Record<Stem, Sound>): Sound => mix(...STEMS.map((stem) => stems[stem]));

/** A sound that starts `samples` later (earlier if negative), cut to its length or to `length`. */
export function moved([left, right]: Sound, samples: number, length = left.length): Sound {
  const part = (from: Float32Array): Float32Array => Float32Array.from({ length }, (_, i) => from[i - samples] ?? 0);
  return [part(left), part(right)];
}

export const amplified = ([left, right]: Sound, gain: number): Sound => [
  left.map((value) => value * gain),
  right.map((value) => value * gain),
];

/** A sound that plays faster by a factor. */
export function atSpeed([left, right]: Sound, factor: number): Sound {
  const part = (from: Float32Array): Float32Array =>
    Float32Array.from({ length: Math.floor(from.length / factor) }, (_, i) => {
      const at = Math.floor(i * factor);
      const share = i * factor - at;
      return from[at]! * (1 - share) + (from[at + 1] ?? 0) * share;
    });
  return [part(left), part(right)];
}

export const wavOf = (sound: Sound, sampleRate = SAMPLE_RATE): Uint8Array => encodeWav16(sound, sampleRate);

/** How much of a sound is another one than expected, in dB below the expected one. */
export function errorDb(expected: Sound, found: Sound): number {
  let [error, energy] = [0, 0];
  for (const c of [0, 1] as const) {
    for (let i = 0; i < expected[c].length; i++) {
      error += (expected[c][i]! - (found[c][i] ?? 0)) ** 2;
      energy += expected[c][i]! ** 2;
    }
  }
  return 10 * Math.log10((error + 1e-12) / (energy + 1e-12));
}
