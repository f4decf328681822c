/** Mixing of stems: level, stereo width, reverberation, ducking, and mastering with one gain for all stems. */
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { reverberate } from '../../audio/effects/reverb.ts';

/** Samples of the four stems at 44.1 kHz, equally long. */
export type Stems = Record<Stem, StereoChunk>;

const map = (channels: StereoChunk, change: (value: number, i: number) => number): StereoChunk => [
  channels[0].map(change),
  channels[1].map(change),
];

/** Scales to a level of `decibels` (RMS of both channels, dBFS). Silence is returned unchanged. */
export function level(channels: StereoChunk, decibels: number): StereoChunk {
  let power = 0;
  for (const channel of channels) for (const value of channel) power += value * value;
  if (power === 0) return channels;
  const gain = 10 ** (decibels / 20) / Math.sqrt(power / (2 * channels[0].length));
  return map(channels, (value) => value * gain);
}

/** Adds reverberation with a decay of `decaySec` at `decibels` relative to the sound. */
export function addReverb(channels: StereoChunk, decaySec: number, decibels: number): StereoChunk {
  const wet = reverberate(channels, SAMPLE_RATE, decaySec);
  const powerOf = (all: readonly Float32Array[]): number =>
    all.reduce((sum, channel) => sum + channel.reduce((part, value) => part + value * value, 0), 1e-12);
  const gain = 10 ** (decibels / 20) * Math.sqrt(powerOf(channels) / powerOf(wet));
  return [
    channels[0].map((value, i) => value + gain * wet[0]![i]!),
    channels[1].map((value, i) => value + gain * wet[1]![i]!),
  ];
}

/** Simulates double tracking: adds the sound with a slowly varying delay, which differs between the channels. */
export function addDoubling(channels: StereoChunk, amount: number): StereoChunk {
  const moving = (channel: Float32Array, phase: number): Float32Array =>
    channel.map((value, i) => {
      const delay = SAMPLE_RATE * (0.018 + 0.004 * Math.sin((2 * Math.PI * 0.4 * i) / SAMPLE_RATE + phase));
      const at = i - delay;
      const low = Math.floor(at);
      const late = low < 0 ? 0 : channel[low]! + (at - low) * (channel[low + 1]! - channel[low]!);
      return (1 - 0.5 * amount) * value + amount * late;
    });
  return [moving(channels[0], 0), moving(channels[1], Math.PI)];
}

/** Narrows the stereo image until the power of the channels' difference is at most `share` of that of their sum; 0 is mono. */
export function narrowStereo([left, right]: StereoChunk, share: number): StereoChunk {
  let [sum, difference] = [0, 1e-12];
  left.forEach((value, i) => {
    sum += (value + right[i]!) ** 2;
    difference += (value - right[i]!) ** 2;
  });
  const width = Math.min(1, Math.sqrt((share * sum) / difference));
  const [far, near] = [0.5 * (1 + width), 0.5 * (1 - width)];
  return [
    left.map((value, i) => far * value + near * right[i]!),
    left.map((value, i) => near * value + far * right[i]!),
  ];
}

/** Lowers the sound at each of `timesSec` by `depth` (0..1). It recovers within `releaseSec`. */
export function duckAt(
  channels: StereoChunk,
  timesSec: readonly number[],
  depth: number,
  releaseSec: number,
): StereoChunk {
  const gains = new Float32Array(channels[0].length).fill(1);
  for (const time of timesSec) {
    const start = Math.round(time * SAMPLE_RATE);
    const length = Math.round(releaseSec * SAMPLE_RATE);
    for (let i = 0; i < length && start + i < gains.length; i++) {
      gains[start + i] = Math.min(gains[start + i]!, 1 - depth * (1 - i / length) ** 2);
    }
  }
  return map(channels, (value, i) => value * gains[i]!);
}

/**
 * Limits the sum of the stems and applies the gain to every stem, so that the stems sum to the mastered mix.
 * @param decibels reduction of the highest peaks; 0 or less only scales the mix to full scale
 */
export function master(stems: Stems, decibels: number): Stems {
  const length = stems.drums[0].length;
  const hop = 64;
  const peaks = new Float32Array(Math.ceil(length / hop));
  let highest = 1e-9;
  for (let i = 0; i < length; i++) {
    let [left, right] = [0, 0];
    for (const stem of STEMS) [left, right] = [left + stems[stem][0][i]!, right + stems[stem][1][i]!];
    const peak = Math.max(Math.abs(left), Math.abs(right));
    peaks[Math.floor(i / hop)] = Math.max(peaks[Math.floor(i / hop)]!, peak);
    highest = Math.max(highest, peak);
  }
  const ceiling = 0.95;
  const drive = (ceiling / highest) * 10 ** (Math.max(0, decibels) / 20);
  // The gain falls 3 ms before a peak and recovers within 80 ms.
  const gains = peaks.map((peak) => Math.min(1, ceiling / (drive * peak + 1e-9)));
  const ahead = Math.ceil((0.003 * SAMPLE_RATE) / hop);
  const lowest = gains.map((_, i) => Math.min(...gains.subarray(i, i + ahead + 1)));
  const back = 1 - Math.exp(-hop / (0.08 * SAMPLE_RATE));
  for (let i = 1; i < lowest.length; i++) {
    lowest[i] = Math.min(lowest[i]!, lowest[i - 1]! + back * (1 - lowest[i - 1]!));
  }
  const gainAt = (i: number): number => {
    const step = Math.floor(i / hop);
    const part = (i % hop) / hop;
    const next = lowest[Math.min(lowest.length - 1, step + 1)]!;
    return drive * (lowest[step]! * (1 - part) + next * part);
  };
  const limited = (stem: Stem): StereoChunk => map(stems[stem], (value, i) => value * gainAt(i));
  return { vocals: limited('vocals'), drums: limited('drums'), bass: limited('bass'), other: limited('other') };
}
