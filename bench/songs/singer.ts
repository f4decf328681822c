/** Synthesizes a singing voice: harmonics with vowel formants, vibrato, glides and consonants. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { TimedNote } from './timing.ts';
import type { SeededRandom } from './random.ts';

/** Centre frequencies (Hz) of the first four formants of a, e, i, o, u (Peterson and Barney 1952, rounded). */
const VOWELS: readonly (readonly number[])[] = [
  [730, 1090, 2440, 3400],
  [530, 1840, 2480, 3500],
  [300, 2200, 3000, 3700],
  [570, 840, 2410, 3300],
  [320, 870, 2240, 3200],
];
const FORMANT_WIDTHS = [90, 110, 170, 250];
const FORMANT_LEVELS = [1, 0.6, 0.35, 0.2];
/** Upper limit of the harmonics. */
const TOP_HZ = 6000;
const GLIDE_SEC = 0.05;

/** Gain of a harmonic in a vowel. `scale` shifts the formants. */
function formantGain(hertz: number, vowel: readonly number[], scale: number): number {
  let gain = 0.02;
  vowel.forEach((centre, i) => {
    gain += FORMANT_LEVELS[i]! / (1 + ((hertz - centre * scale) / FORMANT_WIDTHS[i]!) ** 2);
  });
  return gain;
}

/** Sings a melody: one channel of `samples` samples at 44.1 kHz, tuned `cents` from A = 440 Hz. A high voice is an octave above a low one. */
export function sing(
  notes: readonly TimedNote[],
  samples: number,
  isHigh: boolean,
  cents: number,
  random: SeededRandom,
): Float32Array {
  const out = new Float32Array(samples);
  const scale = isHigh ? 1.15 : 1;
  let before = 0;
  for (const note of notes) {
    const hertz = 440 * 2 ** ((note.pitch + cents / 100 + (isHigh ? 12 : 0) - 69) / 12);
    const from = before > 0 ? before : hertz;
    before = hertz;
    const vowel = random.pick(VOWELS);
    const start = Math.round(note.atSec * SAMPLE_RATE);
    const length = Math.min(samples - start, Math.round(note.lengthSec * SAMPLE_RATE));
    const count = Math.floor(TOP_HZ / hertz);
    const gains = Float32Array.from(
      { length: count },
      (_, h) => formantGain((h + 1) * hertz, vowel, scale) / (h + 1) ** 0.7,
    );
    const vibrato = 2 * Math.PI * (5 + random.next());
    const consonant = random.chance(0.6);
    let phase = 0;
    let noise = 0;
    for (let i = 0; i < length; i++) {
      const t = i / SAMPLE_RATE;
      const glide = Math.min(1, t / GLIDE_SEC);
      const pitch = from * (hertz / from) ** glide * (1 + 0.006 * Math.min(1, t * 4) * Math.sin(vibrato * t));
      phase += (2 * Math.PI * pitch) / SAMPLE_RATE;
      const level = Math.min(1, t * 30, (length - i) / (0.04 * SAMPLE_RATE));
      // Harmonics by the recurrence sin((n + 1)x) = 2 cos(x) sin(nx) - sin((n - 1)x).
      const turn = 2 * Math.cos(phase);
      let [older, newer, sum] = [0, Math.sin(phase), 0];
      for (let h = 0; h < count; h++) {
        sum += gains[h]! * newer;
        [older, newer] = [newer, turn * newer - older];
      }
      if (consonant && t < 0.05) {
        const white = 2 * random.next() - 1;
        sum += 0.6 * (white - noise) * (1 - t / 0.05);
        noise = white;
      }
      out[start + i]! += 0.12 * level * sum;
    }
  }
  return out;
}
