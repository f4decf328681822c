/**
 * Loudness by ITU-R BS.1770-4 and EBU R 128: K-weighting, 400 ms blocks with 75 % overlap, an absolute gate at -70 LUFS
 * and a relative one 10 LU under the mean of what passed it; true peak at four times the sample rate.
 */
import { truePeak } from './true-peak.ts';

/** What silence (or less than one block of sound) reads: the absolute gate. */
export const SILENCE_LUFS = -70;
/** Lowest true peak that is told apart from silence. */
export const SILENCE_DBTP = -120;

const RELATIVE_GATE_LU = 10;
/** BS.1770-4 table 3 for L, R, C, LFE, Ls, Rs. */
const CHANNEL_WEIGHTS = [1, 1, 1, 0, 1.41, 1.41];

type Biquad = { b0: number; b1: number; b2: number; a1: number; a2: number };

/**
 * The two K-weighting filters at any sample rate. The standard tabulates them at 48 kHz only; these are the analogue
 * prototypes behind the table (Mansbridge, Finn, Reiss 2012), which give the table's figures at 48 kHz.
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

/** Adds the K-weighted energy of one channel to `sums`, one entry for each 100 ms. */
function addEnergy(samples: Float32Array, sampleRate: number, weight: number, sums: Float64Array): void {
  const [shelf, pass] = kWeighting(sampleRate);
  let s1 = 0;
  let s2 = 0;
  let p1 = 0;
  let p2 = 0;
  for (let step = 0; step < sums.length; step++) {
    const end = Math.min(samples.length, Math.round(((step + 1) * sampleRate) / 10));
    let sum = 0;
    for (let i = Math.round((step * sampleRate) / 10); i < end; i++) {
      const x = samples[i]!;
      const y = shelf.b0 * x + s1;
      s1 = shelf.b1 * x - shelf.a1 * y + s2;
      s2 = shelf.b2 * x - shelf.a2 * y;
      const z = y + p1;
      p1 = pass.b1 * y - pass.a1 * z + p2;
      p2 = y - pass.a2 * z;
      sum += z * z;
    }
    sums[step]! += sum * weight;
  }
}

const toLufs = (power: number): number => -0.691 + 10 * Math.log10(power);

/** Mean K-weighted power of each 400 ms block, one block every 100 ms. */
function blockPowers(channels: Float32Array[], sampleRate: number): Float64Array {
  const length = channels[0]?.length ?? 0;
  const sums = new Float64Array(Math.floor((length * 10) / sampleRate));
  channels.forEach((samples, i) => {
    const weight = CHANNEL_WEIGHTS[i] ?? 0;
    if (weight > 0) addEnergy(samples, sampleRate, weight, sums);
  });
  const powers = new Float64Array(Math.max(0, sums.length - 3));
  for (let i = 0; i < powers.length; i++) {
    powers[i] = (sums[i]! + sums[i + 1]! + sums[i + 2]! + sums[i + 3]!) / (0.4 * sampleRate);
  }
  return powers;
}

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

/** Integrated loudness in LUFS of equally long channels (-1..1 is full scale); `SILENCE_LUFS` where nothing passes the gate. */
export function integratedLoudness(channels: Float32Array[], sampleRate: number): number {
  const powers = blockPowers(channels, sampleRate);
  const absoluteGate = 10 ** ((SILENCE_LUFS + 0.691) / 10);
  const ungated = meanAbove(powers, absoluteGate);
  if (ungated === 0) return SILENCE_LUFS;
  return toLufs(meanAbove(powers, Math.max(absoluteGate, ungated / 10 ** (RELATIVE_GATE_LU / 10))));
}

/** Largest true peak of all channels in dBTP; `SILENCE_DBTP` for silence. */
function truePeakDb(channels: Float32Array[]): number {
  const peak = Math.max(0, ...channels.map(truePeak));
  return Math.max(SILENCE_DBTP, 20 * Math.log10(peak));
}

/**
 * Integrated loudness (LUFS) and true peak (dBTP) of a signal.
 * @param channels equally long, -1..1 is full scale; order L, R, C, LFE, Ls, Rs; mono counts as one channel
 */
export function measureLoudness(
  channels: Float32Array[],
  sampleRate: number,
): { integrated_lufs: number; true_peak_dbtp: number } {
  return { integrated_lufs: integratedLoudness(channels, sampleRate), true_peak_dbtp: truePeakDb(channels) };
}
