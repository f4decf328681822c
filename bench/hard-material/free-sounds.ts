/** Sounds without a beat, with one channel at 44.1 kHz: noise, a drone, pads, a piano in free time, and speech. */
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { SeededRandom } from '../songs/random.ts';
import { sing } from '../songs/singer.ts';
import type { TimedNote } from '../songs/timing.ts';
import { addNote } from './band.ts';

const hertzOf = (pitch: number): number => 440 * 2 ** ((pitch - 69) / 12);
/** A whole number from `low` to `high`. */
const whole = (random: SeededRandom, low: number, high: number): number => Math.floor(random.between(low, high + 1));
const silence = (seconds: number): Float32Array => new Float32Array(Math.round(seconds * SAMPLE_RATE));

/** White noise. */
export function whiteNoise(seconds: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  return silence(seconds).map(() => 0.2 * (2 * random.next() - 1));
}

/** Pink noise: white noise through three first-order filters, accurate to 0.5 dB (Kellet, "economy" filter). */
export function pinkNoise(seconds: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  let [a, b, c] = [0, 0, 0];
  return silence(seconds).map(() => {
    const white = 2 * random.next() - 1;
    a = 0.99765 * a + white * 0.099046;
    b = 0.963 * b + white * 0.2965164;
    c = 0.57 * c + white * 1.0526913;
    return 0.08 * (a + b + c + white * 0.1848);
  });
}

/** A drone: two beating harmonic tones a fifth apart, whose level swells slowly. */
export function drone(seconds: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  const base = hertzOf(36 + whole(random, 0, 11));
  const swellSec = random.between(9, 17);
  const tones = [1, 1.003, 1.5, 1.502, 2.004].map((ratio) => ({
    step: 2 * Math.PI * base * ratio,
    phase: random.between(0, 6),
  }));
  return silence(seconds).map((_, i) => {
    const t = i / SAMPLE_RATE;
    const level = 0.06 * (1 + 0.4 * Math.sin((2 * Math.PI * t) / swellSec));
    return (
      level * tones.reduce((sum, { step, phase }) => sum + Math.sin(step * t + phase) + 0.4 * Math.sin(3 * step * t), 0)
    );
  });
}

/** An ambient pad: chords of 5 to 11 s that fade into each other over 2 to 4 s. */
export function ambientPad(seconds: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  const out = silence(seconds);
  const tonic = 48 + whole(random, 0, 11);
  for (let at = -2; at < seconds;) {
    const lengthSec = random.between(5, 11);
    const fadeSec = random.between(2, 4);
    const root = tonic + random.pick([0, 5, 7, -3, 2]);
    for (const interval of [0, 7, 12, random.pick([15, 16]), 19]) {
      const step = 2 * Math.PI * hertzOf(root + interval) * (1 + 0.002 * (random.next() - 0.5));
      const [from, total] = [Math.round(Math.max(0, at) * SAMPLE_RATE), lengthSec + fadeSec];
      for (let i = from; i < Math.min(out.length, Math.round((at + total) * SAMPLE_RATE)); i++) {
        const t = i / SAMPLE_RATE - at;
        const level = Math.min(1, t / fadeSec, (total - t) / fadeSec);
        out[i]! += 0.03 * level * (Math.sin(step * t) + 0.5 * Math.sin(2 * step * t) + 0.2 * Math.sin(3 * step * t));
      }
    }
    at += lengthSec;
  }
  return out;
}

/** A piano in free time: phrases that hurry and linger, with rolled chords and pauses. */
export function rubatoPiano(seconds: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  const out = silence(seconds);
  const scale = [0, 2, 4, 5, 7, 9, 11, 12, 14, 16];
  const tonic = 57 + whole(random, 0, 6);
  const play = (atSec: number, pitch: number, level: number): void =>
    addNote(
      out,
      { atSec, lengthSec: random.between(1, 3), pitch, velocity: 100 },
      { hertz: hertzOf(pitch), count: 6, level, decay: 2 },
    );
  let at = 0.3;
  while (at < seconds - 1) {
    const notes = whole(random, 4, 10);
    let gap = random.between(0.25, 0.7);
    let degree = whole(random, 0, 6);
    for (const interval of [-24, -12, -5]) play(at + random.between(0, 0.12), tonic + interval, 0.08);
    for (let i = 0; i < notes; i++) {
      play(at, tonic + scale[degree]!, random.between(0.06, 0.14));
      degree = Math.max(0, Math.min(scale.length - 1, degree + whole(random, -2, 2)));
      gap *= random.between(0.72, 1.38);
      if (gap < 0.16 || gap > 1.2) gap = random.between(0.25, 0.9);
      at += gap;
    }
    at += random.between(0.5, 1.8);
  }
  return out;
}

/** Sound like speech: syllables of uneven length with falling pitch, consonants, and pauses between phrases. */
export function speech(seconds: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  const syllables: TimedNote[] = [];
  const low = random.between(40, 54);
  let at = 0.2;
  while (at < seconds - 1) {
    const count = whole(random, 4, 16);
    for (let i = 0; i < count; i++) {
      const lengthSec = random.between(0.09, 0.32);
      const pitch = low + 5 * (1 - i / count) + random.between(-2.5, 2.5);
      syllables.push({ atSec: at, lengthSec, pitch, velocity: 100 });
      at += lengthSec + random.pick([0, 0.02, 0.05, 0.12]);
    }
    at += random.between(0.25, 1.4);
  }
  return sing(syllables, Math.round(seconds * SAMPLE_RATE), false, 0, random);
}

/** A piano that plays even eighths, without drums: a broken chord per bar. It has a beat. */
export function arpeggio(seconds: number, bpm: number, seed = 1): Float32Array {
  const random = new SeededRandom(seed);
  const out = silence(seconds);
  const tonic = 57 + whole(random, 0, 6);
  const roots = [0, -5, -3, -7];
  const step = 30 / bpm;
  for (let i = 0; i * step < seconds - 1; i++) {
    const root = tonic + roots[Math.floor(i / 8) % 4]!;
    const pitch = root + [0, 7, 12, 16, 19, 16, 12, 7][i % 8]!;
    const level = i % 8 === 0 ? 0.14 : i % 2 === 0 ? 0.1 : 0.07;
    const atSec = i * step + random.between(0, 0.012);
    addNote(
      out,
      { atSec, lengthSec: 1.2, pitch, velocity: 100 },
      { hertz: hertzOf(pitch), count: 6, level, decay: 2.5 },
    );
  }
  return out;
}
