/** Sample-rate conversion in chunks with a polyphase windowed sinc filter. */
import { besselI0 } from './bessel.ts';
import { type Polyphase, runPolyphase } from './resample-kernel.ts';

/*
 * Measured with sines from 48 kHz to 44.1 kHz: 20 kHz -0.1 dB, 21 kHz -2.8 dB. What lies above 22.05 kHz is mirrored into the range above
 * 20.1 kHz: 22.5 kHz at -29 dB, 23 kHz at -53 dB, 23.5 kHz at -97 dB. From 96 and 192 kHz the passband is the same, and from 24.1 kHz on
 * everything is below -93 dB. From 22.05 kHz: 10 kHz -0.1 dB, images of 10 kHz -95 dB and of 10.5 kHz -65 dB. From 8 kHz: 3.6 kHz 0.0 dB,
 * images of 3.6 kHz -101 dB and of 3.8 kHz -71 dB.
 */
/** Zero crossings of the sinc on each side, and the frequency of -6 dB as a share of the lower Nyquist frequency. */
export type ResamplerShape = { crossings: number; cutoff: number };
/** For sound of the full range: the transition band reaches 8 % to each side of the cutoff. */
const FULL_RANGE: ResamplerShape = { crossings: 32, cutoff: 0.97 };
/** Shape of the Kaiser window: 9 gives side lobes near -90 dB. */
const KAISER_BETA = 9;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Converts one channel from rate `from` to rate `to` (Hz), chunk by chunk. Output sample n has the time of input sample
 * n * from / to: there is no delay, and the durations are equal to within one sample.
 */
export class Resampler {
  private readonly half: number;
  private readonly filter: Polyphase;
  private pending: Float32Array;
  /** Index of pending[0] in the input. It starts at -`half`: the signal is preceded by `half` zeros. */
  private pendingStart: number;
  private produced = 0;
  private consumed = 0;

  /** `shape` is that of sound of the full range if it is not given. */
  constructor(from: number, to: number, shape = FULL_RANGE) {
    const divisor = greatestCommonDivisor(from, to);
    const up = to / divisor;
    const down = from / divisor;
    const cutoff = Math.min(1, to / from) * shape.cutoff;
    this.half = 2 * Math.ceil(shape.crossings / cutoff / 2);
    const length = 2 * this.half;
    const taps = new Float32Array(up * length);
    for (let phase = 0; phase < up; phase++) taps.set(this.phaseTaps(phase / up, cutoff), phase * length);
    this.filter = { taps, length, up, down };
    this.pending = new Float32Array(this.half);
    this.pendingStart = -this.half;
  }

  private phaseTaps(fraction: number, cutoff: number): Float32Array {
    const taps = new Float32Array(2 * this.half);
    let sum = 0;
    for (let i = 0; i < taps.length; i++) {
      const x = i - this.half + 1 - fraction;
      const position = x / this.half;
      const window = Math.abs(position) >= 1 ? 0 : besselI0(KAISER_BETA * Math.sqrt(1 - position ** 2));
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
      taps[i] = window * sinc;
      sum += taps[i]!;
    }
    for (let i = 0; i < taps.length; i++) taps[i]! /= sum;
    return taps;
  }

  /** Adds input and returns the output that can be computed from the input so far. */
  push(input: Float32Array): Float32Array {
    const { up, down } = this.filter;
    this.consumed += input.length;
    const joined = new Float32Array(this.pending.length + input.length);
    joined.set(this.pending);
    joined.set(input, this.pending.length);
    const available = this.pendingStart + joined.length;
    // Output n needs input up to floor(n * down / up) + half.
    const last = Math.floor(((available - this.half) * up - 1) / down);
    const count = Math.max(0, last - this.produced + 1);
    const output = this.run(joined, count);
    const keepFrom = Math.floor((this.produced * down) / up) - this.half + 1;
    const drop = Math.max(0, Math.min(joined.length, keepFrom - this.pendingStart));
    this.pending = joined.slice(drop);
    this.pendingStart += drop;
    return output;
  }

  /** Ends the input and returns the rest of the output. */
  flush(): Float32Array {
    const { up, down } = this.filter;
    const total = Math.round((this.consumed * up) / down);
    const output = this.push(new Float32Array(this.half + 2 + Math.ceil(down / up)));
    const surplus = Math.max(0, this.produced - total);
    return output.subarray(0, Math.max(0, output.length - surplus));
  }

  private run(input: Float32Array, count: number): Float32Array {
    const { up, down } = this.filter;
    const position = this.produced * down;
    const whole = Math.floor(position / up);
    const at = whole - this.half + 1 - this.pendingStart;
    this.produced += count;
    return runPolyphase(this.filter, input, { count, at, phase: position - whole * up });
  }
}
