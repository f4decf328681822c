/** Onset envelopes: how strongly a sound starts at each moment, with a resolution of milliseconds. */
import { FilterChain } from '../../../audio/effects/filters.ts';

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
/** Samples that are filtered at a time. */
const BLOCK = 1 << 14;

/** Mean of the channels, from sample `from` to `to`. */
export function toMono(channels: readonly Float32Array[], from = 0, to = channels[0]?.length ?? 0): Float32Array {
  const [left, right = left] = channels;
  const mono = new Float32Array(to - from);
  for (let i = from; i < to; i++) mono[i - from] = (left![i]! + right![i]!) / 2;
  return mono;
}

/** Energy of each hop of a sound that comes in blocks. */
class HopEnergies {
  readonly #energies: number[] = [];
  #sum = 0;
  #count = 0;

  add(samples: Float32Array): void {
    for (let from = 0; from < samples.length;) {
      const to = Math.min(samples.length, from + ENVELOPE_HOP - this.#count);
      let sum = this.#sum;
      for (let i = from; i < to; i++) sum += samples[i]! * samples[i]!;
      this.#sum = sum;
      this.#count += to - from;
      from = to;
      if (this.#count < ENVELOPE_HOP) break;
      this.#energies.push(sum);
      this.#sum = 0;
      this.#count = 0;
    }
  }

  /** The energies of complete hops, each summed over the last `spread` hops. */
  summed(spread: number): Float32Array {
    const own = Float32Array.from(this.#energies);
    if (spread === 1) return own;
    return own.map((_, k) => {
      let sum = 0;
      for (let j = Math.max(0, k - spread + 1); j <= k; j++) sum += own[j]!;
      return sum;
    });
  }
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

/** Measures the onsets of a sound of one channel at 44.1 kHz that comes in blocks of any length. */
export class OnsetMeter {
  readonly #kick: FilterChain;
  readonly #snare: FilterChain;
  readonly #energies = { kick: new HopEnergies(), snare: new HopEnergies(), attack: new HopEnergies() };
  /** One block serves all three bands, one after the other. It is short enough for the cache of the processor. */
  readonly #band = new Float32Array(BLOCK);
  /** The last sample; undefined before the first. */
  #last: number | undefined;

  constructor(sampleRate: number) {
    const snare = [
      { kind: 'high-pass', frequency: SNARE_HZ[0] },
      { kind: 'low-pass', frequency: SNARE_HZ[1] },
    ] as const;
    const kick = { kind: 'low-pass', frequency: KICK_HZ } as const;
    this.#kick = new FilterChain(sampleRate, [kick, kick]);
    this.#snare = new FilterChain(sampleRate, [...snare, ...snare]);
  }

  /** Adds the next samples. */
  add(mono: Float32Array): void {
    for (let from = 0; from < mono.length; from += BLOCK) this.#addBlock(mono.subarray(from, from + BLOCK));
  }

  #addBlock(mono: Float32Array): void {
    const band = this.#band.subarray(0, mono.length);
    for (const name of ['kick', 'snare'] as const) {
      band.set(mono);
      (name === 'kick' ? this.#kick : this.#snare).process(band);
      this.#energies[name].add(band);
    }
    let last = this.#last ?? mono[0]!;
    for (let i = 0; i < mono.length; i++) {
      const sample = mono[i]!;
      band[i] = sample - last;
      last = sample;
    }
    this.#last = last;
    this.#energies.attack.add(band);
  }

  /** The onsets of all samples so far. */
  onsets(): OnsetEnvelopes {
    const { kick, snare, attack } = this.#energies;
    return {
      kick: amplitudeRises(kick.summed(KICK_SPREAD), KICK_SPREAD),
      snare: amplitudeRises(snare.summed(2), 4),
      attack: levelRises(attack.summed(1), 2),
    };
  }
}

/** Measures the onsets of a sound of one channel at 44.1 kHz. */
export function measureOnsets(mono: Float32Array, sampleRate: number): OnsetEnvelopes {
  const meter = new OnsetMeter(sampleRate);
  meter.add(mono);
  return meter.onsets();
}
