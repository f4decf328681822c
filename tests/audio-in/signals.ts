/** Synthetic signals with known content. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';

/** A reproducible generator of numbers in [-1, 1). */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** A sine of `hertz` with amplitude `level`, one channel. */
export function tone(seconds: number, hertz: number, level = 0.5, sampleRate = SAMPLE_RATE): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => level * Math.sin((2 * Math.PI * hertz * i) / sampleRate),
  );
}

/** Adds `value(t)` (t in seconds) to `length` seconds of `target` from time `at` on. */
function add(target: Float32Array, at: number, length: number, value: (t: number) => number): void {
  const start = Math.round(at * SAMPLE_RATE);
  const end = Math.min(target.length, start + Math.round(length * SAMPLE_RATE));
  for (let i = Math.max(0, start); i < end; i++) target[i]! += value((i - start) / SAMPLE_RATE);
}

/** One channel of sound, and its beats and downbeats in seconds. */
export type Band = { samples: Float32Array; beats: number[]; downbeats: number[] };

/**
 * A synthetic band at `bpm`: kick on 1 (and 3), snare on 2 and 4 (in a meter of three: soft ones on 2 and 3), hats on eighths, a bass on
 * the root and triads on the degrees I V vi IV of the major scale on `tonic` (semitones above C), one chord per bar.
 */
export function playBand(options: {
  bpm: number;
  tonic: number;
  seconds: number;
  meter?: number;
  startSec?: number;
}): Band {
  const { bpm, tonic, seconds, meter = 4, startSec = 0.3 } = options;
  const samples = new Float32Array(Math.round(seconds * SAMPLE_RATE));
  const random = noise(7);
  const beat = 60 / bpm;
  const beats: number[] = [];
  const downbeats: number[] = [];
  const progression = [
    [0, 4, 7],
    [7, 11, 14],
    [9, 12, 16],
    [5, 9, 12],
  ];
  const frequency = (pitch: number): number => 261.63 * 2 ** ((pitch + tonic) / 12);
  for (let index = 0; startSec + index * beat < seconds; index++) {
    const at = startSec + index * beat;
    const inBar = index % meter;
    beats.push(at);
    if (inBar === 0) downbeats.push(at);
    if (inBar === 0 || (meter === 4 && inBar === 2))
      add(
        samples,
        at,
        0.15,
        (t) => 0.6 * Math.exp(-t * 25) * Math.sin(2 * Math.PI * (50 + 60 * Math.exp(-t * 40)) * t),
      );
    else add(samples, at, 0.12, (t) => (meter === 4 ? 0.3 : 0.12) * Math.exp(-t * 30) * random());
    for (const half of [0, 0.5]) add(samples, at + half * beat, 0.04, (t) => 0.06 * Math.exp(-t * 90) * random());
    const chord = progression[Math.floor(index / meter) % 4]!;
    for (const pitch of chord) {
      add(
        samples,
        at,
        beat,
        (t) => 0.05 * Math.min(1, t * 200, (beat - t) * 200) * Math.sin(2 * Math.PI * frequency(pitch) * t),
      );
    }
    add(
      samples,
      at,
      beat * 0.9,
      (t) => 0.12 * Math.min(1, t * 200) * Math.sin(2 * Math.PI * (frequency(chord[0]!) / 4) * t),
    );
  }
  return { samples, beats, downbeats };
}
