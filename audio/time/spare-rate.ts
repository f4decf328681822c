/** Rates below the full one for sound that has no high frequencies: stretching costs in proportion to the rate. */
import { highestSound } from './bandwidth.ts';
import { Resampler, type ResamplerShape } from './resample.ts';

/** Divisors of the sample rate that are tried, from the largest on. */
const DIVISORS = [8, 4, 2] as const;
/**
 * Shape of the filters between a divided rate and the full one: flat below 0.7 of the lower Nyquist frequency, with images above 1.3
 * of it at -90 dB.
 */
export const SPARE_RANGE: ResamplerShape = { crossings: 10, cutoff: 1 };
const USABLE_SHARE = 0.69;

/** The largest of the divisors at whose rate no audible sound is lost; 1 if there is none. */
export async function spareRate(channels: readonly Float32Array[], sampleRate: number): Promise<number> {
  const limits = DIVISORS.map((divisor) => (USABLE_SHARE * sampleRate) / 2 / divisor);
  const limit = await highestSound(channels, sampleRate, limits);
  return limit === undefined ? 1 : DIVISORS[limits.indexOf(limit)]!;
}

/** The samples at a rate that is divided by `divisor`, without what lies above its Nyquist frequency. */
export function divideRate(samples: Float32Array, divisor: number): Float32Array {
  const resampler = new Resampler(divisor, 1, SPARE_RANGE);
  const body = resampler.push(samples);
  const rest = resampler.flush();
  const low = new Float32Array(body.length + rest.length);
  low.set(body);
  low.set(rest, body.length);
  return low;
}

/** Whether all channels have the same samples, bit by bit. */
export function haveEqualSamples([first, ...others]: readonly Float32Array[]): boolean {
  const bytes = (samples: Float32Array): Uint8Array =>
    new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return first !== undefined && others.every((other) => Buffer.compare(bytes(first), bytes(other)) === 0);
}
