/** Onset envelopes: how strongly a sound starts at each moment, with a resolution of milliseconds. */
import { applyFilter } from '../../../audio/effects/filters.ts';

/** Samples between two values of an envelope: 2.9 ms. */
export const ENVELOPE_HOP = 128;

/**
 * Onsets of a sound, one value 0..1 for each `ENVELOPE_HOP` samples. `kick` and `snare` are rises of amplitude in the bands of those
 * drums, so that onsets count by their strength. `attack` is rises of level over the whole spectrum.
 */
export type OnsetEnvelopes = { kick: Float32Array; snare: Float32Array; attack: Float32Array };

/** The kick lies below this frequency. The filter is steep because the body of the snare lies only an octave above. */
const KICK_HZ = 75;
/** The snare lies between these frequencies. Cymbals, which play on every beat, lie above. */
const SNARE_HZ = [180, 4000] as const;
/** Levels this far below the loudest moment do not count as onsets. */
const RANGE_DB = 45;
/** A low note has too little energy within one value: its energy is summed over several. */
const KICK_SPREAD = 6;

/** Mean of the channels, from sample `from` to `to`. */
export function toMono(channels: readonly Float32Array[], from = 0, to = channels[0]?.length ?? 0): Float32Array {
  const [left, right = left] = channels;
  const mono = new Float32Array(to - from);
  for (let i = from; i < to; i++) mono[i - from] = (left![i]! + right![i]!) / 2;
  return mono;
}

/** Energy of each hop, summed over the last `spread` hops. */
function energies(samples: Float32Array, spread: number): Float32Array {
  const count = Math.floor(samples.length / ENVELOPE_HOP);
  const own = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    let sum = 0;
    for (let i = k * ENVELOPE_HOP; i < (k + 1) * ENVELOPE_HOP; i++) sum += samples[i]! * samples[i]!;
    own[k] = sum;
  }
  if (spread === 1) return own;
  return own.map((_, k) => {
    let sum = 0;
    for (let j = Math.max(0, k - spread + 1); j <= k; j++) sum += own[j]!;
    return sum;
  });
}

/** Rise of the level in decibels over `span` values, as a share of `RANGE_DB`. */
function levelRises(energy: Float32Array, span: number): Float32Array {
  const loudest = energy.reduce((a, b) => Math.max(a, b), 1e-12);
  const level = energy.map((value) => Math.max(0, 10 * Math.log10(value / loudest + 1e-12) + RANGE_DB) / RANGE_DB);
  return level.map((value, k) => Math.max(0, value - (level[Math.max(0, k - span)] ?? 0)));
}

/** Rise of the amplitude over `span` values, as a share of the largest amplitude. */
function amplitudeRises(energy: Float32Array, span: number): Float32Array {
  const amplitude = energy.map(Math.sqrt);
  const loudest = amplitude.reduce((a, b) => Math.max(a, b), 1e-6);
  return amplitude.map((value, k) => Math.max(0, value - (amplitude[Math.max(0, k - span)] ?? 0)) / loudest);
}

/** Measures the onsets of a sound of one channel at 44.1 kHz. */
export function measureOnsets(mono: Float32Array, sampleRate: number): OnsetEnvelopes {
  // One copy serves all three bands, one after the other.
  const band = mono.slice();
  const filter = (kind: 'low-pass' | 'high-pass', frequency: number): void =>
    applyFilter([band], sampleRate, { kind, frequency });
  for (let pass = 0; pass < 2; pass++) filter('low-pass', KICK_HZ);
  const kick = amplitudeRises(energies(band, KICK_SPREAD), KICK_SPREAD);
  band.set(mono);
  for (let pass = 0; pass < 2; pass++) {
    filter('high-pass', SNARE_HZ[0]);
    filter('low-pass', SNARE_HZ[1]);
  }
  const snare = amplitudeRises(energies(band, 2), 4);
  for (let i = 1; i < mono.length; i++) band[i] = mono[i]! - mono[i - 1]!;
  band[0] = 0;
  return { kick, snare, attack: levelRises(energies(band, 1), 2) };
}
