/**
 * Loudness by ITU-R BS.1770-4 and EBU R 128: K-weighting, 400 ms blocks with 75 % overlap, an absolute gate at -70 LUFS
 * and a relative gate 10 LU below the mean of the blocks that passed the absolute one; true peak at four times the sample rate.
 */
import { truePeak } from './true-peak.ts';

/** Reading for silence and for less than one block of sound: the absolute gate. */
export const SILENCE_LUFS = -70;
/** Lower bound of true peak readings; the reading for silence. */
export const SILENCE_DBTP = -120;

const RELATIVE_GATE_LU = 10;
/** BS.1770-4 table 3 for L, R, C, LFE, Ls, Rs. */
const CHANNEL_WEIGHTS = [1, 1, 1, 0, 1.41, 1.41];

type Biquad = { b0: number; b1: number; b2: number; a1: number; a2: number };

/**
 * The two K-weighting filters at any sample rate. The standard tabulates them at 48 kHz only. They are derived from the
 * analogue prototypes of the table (Mansbridge, Finn, Reiss 2012), which yield its coefficients at 48 kHz.
 */
function kWeighting(sampleRate: number): [Biquad, Biquad] {
  const shelfK = Math.tan((Math.PI * 1681.974450955533) / sampleRate);
  const shelfQ = 0.7071752369554196;
  const vh = 10 ** (3.999843853973347 / 20);
  const vb = vh ** 0.4996667741545416;
  const shelfNorm = 1 + shelfK / shelfQ + shelfK * shelfK;
  const passK = Math.tan((Math.PI * 38.13547087602444) / sampleRate);
  const passQ = 0.5003270373238773;
  const passNorm = 1 + passK / passQ + passK * passK;
  return [
    {
      b0: (vh + (vb * shelfK) / shelfQ + shelfK * shelfK) / shelfNorm,
      b1: (2 * (shelfK * shelfK - vh)) / shelfNorm,
      b2: (vh - (vb * shelfK) / shelfQ + shelfK * shelfK) / shelfNorm,
      a1: (2 * (shelfK * shelfK - 1)) / shelfNorm,
      a2: (1 - shelfK / shelfQ + shelfK * shelfK) / shelfNorm,
    },
    {
      b0: 1,
      b1: -2,
      b2: 1,
      a1: (2 * (passK * passK - 1)) / passNorm,
      a2: (1 - passK / passQ + passK * passK) / passNorm,
    },
  ];
}

/** Accumulates the K-weighted energy of one channel of a stream, one sum for each complete 100 ms. */
class ChannelEnergy {
  readonly sums: number[] = [];
  private readonly sampleRate: number;
  private readonly filters: [Biquad, Biquad];
  private position = 0;
  private sum = 0;
  /** States of the two filters. */
  private shelf1 = 0;
  private shelf2 = 0;
  private pass1 = 0;
  private pass2 = 0;

  constructor(sampleRate: number) {
    this.sampleRate = sampleRate;
    this.filters = kWeighting(sampleRate);
  }

  push(samples: Float32Array): void {
    for (let from = 0; from < samples.length;) {
      const stepEnd = Math.round(((this.sums.length + 1) * this.sampleRate) / 10);
      const to = Math.min(samples.length, from + stepEnd - this.position);
      this.add(samples, from, to);
      this.position += to - from;
      from = to;
      if (this.position === stepEnd) {
        this.sums.push(this.sum);
        this.sum = 0;
      }
    }
  }

  private add(samples: Float32Array, from: number, to: number): void {
    const [shelf, pass] = this.filters;
    let { shelf1: s1, shelf2: s2, pass1: p1, pass2: p2, sum } = this;
    for (let i = from; i < to; i++) {
      const x = samples[i]!;
      const y = shelf.b0 * x + s1;
      s1 = shelf.b1 * x - shelf.a1 * y + s2;
      s2 = shelf.b2 * x - shelf.a2 * y;
      const z = y + p1;
      p1 = pass.b1 * y - pass.a1 * z + p2;
      p2 = y - pass.a2 * z;
      sum += z * z;
    }
    this.shelf1 = s1;
    this.shelf2 = s2;
    this.pass1 = p1;
    this.pass2 = p2;
    this.sum = sum;
  }
}

const toLufs = (power: number): number => -0.691 + 10 * Math.log10(power);

function meanAbove(powers: Float64Array, gate: number): number {
  let sum = 0;
  let count = 0;
  for (const power of powers) {
    if (power > gate) {
      sum += power;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** Measures the integrated loudness of a stream. */
export class LoudnessMeter {
  private readonly sampleRate: number;
  private readonly energies: (ChannelEnergy | null)[];

  /** @param channels number of channels; order L, R, C, LFE, Ls, Rs; mono counts as one channel */
  constructor(sampleRate: number, channels: number) {
    this.sampleRate = sampleRate;
    this.energies = Array.from({ length: channels }, (_, i) =>
      (CHANNEL_WEIGHTS[i] ?? 0) > 0 ? new ChannelEnergy(sampleRate) : null,
    );
  }

  /** Adds the next samples: equally long arrays, one for each channel, -1..1 is full scale. */
  push(channels: readonly Float32Array[]): void {
    channels.forEach((samples, i) => this.energies[i]?.push(samples));
  }

  /** Mean K-weighted power of each 400 ms block, one block every 100 ms. */
  private blockPowers(): Float64Array {
    const steps = this.energies[0]?.sums.length ?? 0;
    const sums = new Float64Array(steps);
    this.energies.forEach((energy, i) => {
      for (let step = 0; energy && step < steps; step++) sums[step]! += energy.sums[step]! * CHANNEL_WEIGHTS[i]!;
    });
    const powers = new Float64Array(Math.max(0, steps - 3));
    for (let i = 0; i < powers.length; i++) {
      powers[i] = (sums[i]! + sums[i + 1]! + sums[i + 2]! + sums[i + 3]!) / (0.4 * this.sampleRate);
    }
    return powers;
  }

  /** Integrated loudness of all samples so far, LUFS; `SILENCE_LUFS` if no block passes the gate. */
  integrated(): number {
    const powers = this.blockPowers();
    const absoluteGate = 10 ** ((SILENCE_LUFS + 0.691) / 10);
    const ungated = meanAbove(powers, absoluteGate);
    if (ungated === 0) return SILENCE_LUFS;
    return toLufs(meanAbove(powers, Math.max(absoluteGate, ungated / 10 ** (RELATIVE_GATE_LU / 10))));
  }
}

/** Integrated loudness in LUFS of equally long channels (-1..1 is full scale); `SILENCE_LUFS` if no block passes the gate. */
export function integratedLoudness(channels: readonly Float32Array[], sampleRate: number): number {
  const meter = new LoudnessMeter(sampleRate, channels.length);
  meter.push(channels);
  return meter.integrated();
}

/** Converts a linear peak to dBTP; at least `SILENCE_DBTP`. */
export function peakToDb(peak: number): number {
  return Math.max(SILENCE_DBTP, 20 * Math.log10(peak));
}

/**
 * Integrated loudness (LUFS) and true peak (dBTP) of a signal.
 * @param channels equally long, -1..1 is full scale; order L, R, C, LFE, Ls, Rs; mono counts as one channel
 */
export function measureLoudness(
  channels: readonly Float32Array[],
  sampleRate: number,
): { integrated_lufs: number; true_peak_dbtp: number } {
  return {
    integrated_lufs: integratedLoudness(channels, sampleRate),
    true_peak_dbtp: peakToDb(Math.max(0, ...channels.map(truePeak))),
  };
}
