/** What is measured on a finished file, whoever made it. */
import { measureLoudness } from '../../../audio/level/loudness.ts';

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
/** So many jumps of at least this part of its size elsewhere make one at a splice a part of the music. A choice. */
const OWN_JUMPS = 3;
const OWN_JUMP = 0.7;

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

/** How sharp the wave is bent at a sample: its third difference. */
function edge(samples: Float32Array, i: number): number {
  return Math.abs(samples[i]! - 3 * samples[i - 1]! + 3 * samples[i - 2]! - samples[i - 3]!);
}

/** Whether a bend has not its like on either side. */
function isJump(samples: Float32Array, at: number): boolean {
  if (at < BESIDE.to + 3 || at + BESIDE.to >= samples.length) return false;
  const rms = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += edge(samples, i) ** 2;
    return Math.sqrt(sum / (to - from));
  };
  const before = rms(at - BESIDE.to, at - BESIDE.from);
  const after = rms(at + BESIDE.from, at + BESIDE.to);
  return edge(samples, at) / Math.max(before, after, 1e-5) > CLICK_RATIO;
}

/** Where within CLICK_SEC of `at` the wave is bent most. */
function sharpestNear(samples: Float32Array, at: number, near: number): number {
  let peak = at;
  for (let i = Math.max(3, at - near); i < Math.min(samples.length, at + near); i++)
    if (edge(samples, i) > edge(samples, peak)) peak = i;
  return peak;
}

/** Splices at which the wave jumps as it does not elsewhere: some drums begin with a jump of their own, and parts meet on beats. */
function clicksAt(samples: Float32Array, splices: readonly number[], near: number): Set<number> {
  const jumps = splices
    .map((splice) => ({ splice, at: sharpestNear(samples, splice, near) }))
    .filter(({ at }) => isJump(samples, at));
  if (jumps.length === 0) return new Set();
  const smallest = OWN_JUMP * Math.min(...jumps.map(({ at }) => edge(samples, at)));
  const own: number[] = [];
  for (let i = 3; i < samples.length; i++) {
    const size = edge(samples, i);
    if (size < smallest || splices.some((splice) => Math.abs(splice - i) <= 2 * near) || !isJump(samples, i)) continue;
    own.push(size);
    i += BESIDE.to;
  }
  const isAlone = (size: number): boolean => own.filter((other) => other >= OWN_JUMP * size).length < OWN_JUMPS;
  return new Set(jumps.filter(({ at }) => isAlone(edge(samples, at))).map(({ splice }) => splice));
}

/**
 * Measures a file's samples.
 * @param splices seconds at which pieces meet
 */
export function hearFile(channels: Float32Array[], sampleRate: number, splices: readonly number[]): FileSound {
  const at = splices.map((seconds) => Math.round(seconds * sampleRate));
  const near = Math.round(CLICK_SEC * sampleRate);
  return {
    duration_sec: (channels[0]?.length ?? 0) / sampleRate,
    ...renamed(measureLoudness(channels, sampleRate)),
    clipped: countClipped(channels),
    longest_gap_sec: longestGap(channels, sampleRate),
    clicks: new Set(channels.flatMap((samples) => [...clicksAt(samples, at, near)])).size,
  };
}

function renamed(measured: { integrated_lufs: number; true_peak_dbtp: number }): {
  loudness_lufs: number;
  true_peak_dbtp: number;
} {
  return { loudness_lufs: measured.integrated_lufs, true_peak_dbtp: measured.true_peak_dbtp };
}
