/** What is measured on a finished file, whoever made it. */
import { measureLoudness } from '../../audio/loudness.ts';

export type FileSound = {
  duration_sec: number;
  loudness_lufs: number;
  true_peak_dbtp: number;
  /** Places where three or more samples in a row stand at full scale. */
  clipped: number;
  /** Longest stretch under -60 dBFS in both channels. */
  longest_gap_sec: number;
  /** Splices at which the wave jumps. */
  clicks: number;
};

const FULL_SCALE = 0.9999;
const CLIPPED_RUN = 3;
const SILENCE = 0.001;
/** Around a splice: where a jump is looked for. */
const CLICK_SEC = 0.0015;
/** What a jump is compared with, in samples from it: the stroke of a drum goes on, a jump is over at once. */
const BESIDE = { from: 4, to: 64 };
/** A jump stands out this much from both sides. A choice: steps of -26 dBFS in a full mix are found, strokes are not. */
const CLICK_RATIO = 10;

function countClipped(channels: readonly Float32Array[]): number {
  let count = 0;
  for (const samples of channels) {
    let run = 0;
    for (const value of samples) {
      run = Math.abs(value) >= FULL_SCALE ? run + 1 : 0;
      if (run === CLIPPED_RUN) count++;
    }
  }
  return count;
}

function longestGap(channels: readonly Float32Array[], sampleRate: number): number {
  const length = channels[0]?.length ?? 0;
  let quiet = 0;
  let longest = 0;
  for (let i = 0; i < length; i++) {
    quiet = channels.every((samples) => Math.abs(samples[i]!) < SILENCE) ? quiet + 1 : 0;
    if (quiet > longest) longest = quiet;
  }
  return longest / sampleRate;
}

/** Whether the wave jumps at `at`: its third difference has a peak there that neither side has the like of. */
function jumpsAt(samples: Float32Array, at: number, sampleRate: number): boolean {
  const near = Math.round(CLICK_SEC * sampleRate);
  const room = near + BESIDE.to + 3;
  if (at < room || at + room >= samples.length) return false;
  const edge = (i: number): number =>
    Math.abs(samples[i]! - 3 * samples[i - 1]! + 3 * samples[i - 2]! - samples[i - 3]!);
  const rms = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += edge(i) ** 2;
    return Math.sqrt(sum / (to - from));
  };
  let peak = at;
  for (let i = at - near; i < at + near; i++) if (edge(i) > edge(peak)) peak = i;
  const before = rms(peak - BESIDE.to, peak - BESIDE.from);
  const after = rms(peak + BESIDE.from, peak + BESIDE.to);
  return edge(peak) / Math.max(before, after, 1e-5) > CLICK_RATIO;
}

/**
 * Measures a file's samples.
 * @param splices seconds at which pieces meet
 */
export function hearFile(channels: Float32Array[], sampleRate: number, splices: readonly number[]): FileSound {
  return {
    duration_sec: (channels[0]?.length ?? 0) / sampleRate,
    ...renamed(measureLoudness(channels, sampleRate)),
    clipped: countClipped(channels),
    longest_gap_sec: longestGap(channels, sampleRate),
    clicks: splices.filter((at) =>
      channels.some((samples) => jumpsAt(samples, Math.round(at * sampleRate), sampleRate)),
    ).length,
  };
}

function renamed(measured: { integrated_lufs: number; true_peak_dbtp: number }): {
  loudness_lufs: number;
  true_peak_dbtp: number;
} {
  return { loudness_lufs: measured.integrated_lufs, true_peak_dbtp: measured.true_peak_dbtp };
}
