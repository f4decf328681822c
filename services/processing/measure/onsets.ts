/** Where a sound strikes: envelopes of its attacks, fine enough to tell milliseconds. */
import { applyFilter } from '../../../audio/effects/filters.ts';

/** Samples between two values of an envelope: 2.9 ms. */
export const EAR_HOP = 128;

/** Attacks of a sound, one value 0..1 for each `EAR_HOP` samples: of kick and snare by their strength, and of all of it. */
export type Percussion = { kick: Float32Array; snare: Float32Array; attack: Float32Array };

/** Under this is the kick and not the body of the snare; steep, since the two lie an octave apart. */
const KICK_HZ = 75;
/** Between these is the snare; above is what strikes on every beat. */
const SNARE_HZ = [180, 4000] as const;
/** What lies this far under the loudest moment is no attack. */
const RANGE_DB = 45;
/** A low note has no energy to speak of within one value: it is gathered over several. */
const KICK_SPREAD = 6;

/** Mean of both channels. */
export function toMono(channels: readonly Float32Array[], from = 0, to = channels[0]?.length ?? 0): Float32Array {
  const [left, right = left] = channels;
  return Float32Array.from({ length: to - from }, (_, i) => (left![from + i]! + right![from + i]!) / 2);
}

/** Energy of each value, gathered over `spread` of them. */
function energies(samples: Float32Array, spread: number): Float32Array {
  const count = Math.floor(samples.length / EAR_HOP);
  const own = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    let sum = 0;
    for (let i = k * EAR_HOP; i < (k + 1) * EAR_HOP; i++) sum += samples[i]! * samples[i]!;
    own[k] = sum;
  }
  if (spread === 1) return own;
  return own.map((_, k) => {
    let sum = 0;
    for (let j = Math.max(0, k - spread + 1); j <= k; j++) sum += own[j]!;
    return sum;
  });
}

/** Rise of the level over `span` values, as a share of the range that is heard. */
function rises(energy: Float32Array, span: number): Float32Array {
  const loudest = energy.reduce((a, b) => Math.max(a, b), 1e-12);
  const level = energy.map((value) => Math.max(0, 10 * Math.log10(value / loudest + 1e-12) + RANGE_DB) / RANGE_DB);
  return level.map((value, k) => Math.max(0, value - (level[Math.max(0, k - span)] ?? 0)));
}

/** Rise of the amplitude over `span` values, as a share of the loudest: strokes weigh by their strength. */
function swells(energy: Float32Array, span: number): Float32Array {
  const amplitude = energy.map(Math.sqrt);
  const loudest = amplitude.reduce((a, b) => Math.max(a, b), 1e-6);
  return amplitude.map((value, k) => Math.max(0, value - (amplitude[Math.max(0, k - span)] ?? 0)) / loudest);
}

/** Hears the attacks of a sound of one channel at 44.1 kHz. */
export function hearPercussion(mono: Float32Array, sampleRate: number): Percussion {
  const low = mono.slice();
  const middle = mono.slice();
  for (let pass = 0; pass < 2; pass++) {
    applyFilter([low], sampleRate, { kind: 'low-pass', frequency: KICK_HZ });
    applyFilter([middle], sampleRate, { kind: 'high-pass', frequency: SNARE_HZ[0] });
    applyFilter([middle], sampleRate, { kind: 'low-pass', frequency: SNARE_HZ[1] });
  }
  const edges = mono.map((value, i) => value - (mono[i - 1] ?? value));
  return {
    kick: swells(energies(low, KICK_SPREAD), KICK_SPREAD),
    snare: swells(energies(middle, 2), 4),
    attack: rises(energies(edges, 1), 2),
  };
}
