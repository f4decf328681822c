/** Measurements of a finished file; they need nothing but its samples. */
import { measureLoudness } from '../../../audio/level/loudness.ts';
import { type EndsMeasurement, measureEnds } from './ends.ts';

export type FileMeasurement = EndsMeasurement & {
  duration_sec: number;
  loudness_lufs: number;
  true_peak_dbtp: number;
  /** Number of places where three or more consecutive samples are at full scale. */
  clipped: number;
  /** Longest time between two sounds in which both channels are below -60 dBFS. */
  longest_gap_sec: number;
  /** Number of splices with a click. */
  clicks: number;
};

const FULL_SCALE = 0.9999;
const CLIPPED_RUN = 3;
/** -60 dBFS. */
const SILENCE = 0.001;
/** A click is looked for this far around a splice. */
const CLICK_SEC = 0.0015;
/** A click is compared with the samples at these distances from it: a drum hit goes on, a click ends at once. */
const CONTEXT = { from: 4, to: 64 };
/** A click is this much sharper than its context on both sides. A choice: steps of -26 dBFS in a full mix are found, drum hits are not. */
const CLICK_RATIO = 10;
/**
 * A click at a splice is part of the music if so many similar ones lie away from splices. Similar means at least this share of its
 * size. Both are choices.
 */
const MUSICAL_CLICKS = 3;
const MUSICAL_CLICK_SHARE = 0.7;

function countClipped(channels: readonly Float32Array[]): number {
  let count = 0;
  for (const samples of channels) {
    let run = 0;
    for (let i = 0; i < samples.length; i++) {
      run = Math.abs(samples[i]!) >= FULL_SCALE ? run + 1 : 0;
      if (run === CLIPPED_RUN) count++;
    }
  }
  return count;
}

function longestGap(channels: readonly Float32Array[], sampleRate: number): number {
  const length = channels[0]?.length ?? 0;
  let lastSound = -1;
  let longest = 0;
  const [left, right = left] = channels;
  for (let i = 0; i < length; i++) {
    if (Math.abs(left![i]!) < SILENCE && Math.abs(right![i]!) < SILENCE) continue;
    if (lastSound >= 0) longest = Math.max(longest, i - lastSound - 1);
    lastSound = i;
  }
  return longest / sampleRate;
}

/** Sharpness of the waveform at a sample: the size of its third difference. */
function sharpness(samples: Float32Array, i: number): number {
  return Math.abs(samples[i]! - 3 * samples[i - 1]! + 3 * samples[i - 2]! - samples[i - 3]!);
}

/** Whether the waveform is much sharper at a sample than on both sides of it. */
function isClick(samples: Float32Array, at: number): boolean {
  if (at < CONTEXT.to + 3 || at + CONTEXT.to >= samples.length) return false;
  const rms = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += sharpness(samples, i) ** 2;
    return Math.sqrt(sum / (to - from));
  };
  const before = rms(at - CONTEXT.to, at - CONTEXT.from);
  const after = rms(at + CONTEXT.from, at + CONTEXT.to);
  return sharpness(samples, at) / Math.max(before, after, 1e-5) > CLICK_RATIO;
}

/** The sample within `near` samples of `at` at which the waveform is sharpest. */
function sharpestNear(samples: Float32Array, at: number, near: number): number {
  let peak = at;
  for (let i = Math.max(3, at - near); i < Math.min(samples.length, at + near); i++)
    if (sharpness(samples, i) > sharpness(samples, peak)) peak = i;
  return peak;
}

/**
 * Splices with a click that is not part of the music: the sound of some drums begins with a click, and splices lie on beats.
 * Positions are samples.
 */
function clicksAt(samples: Float32Array, splices: readonly number[], near: number): Set<number> {
  const clicks = splices
    .map((splice) => ({ splice, at: sharpestNear(samples, splice, near) }))
    .filter(({ at }) => isClick(samples, at));
  if (clicks.length === 0) return new Set();
  const smallest = MUSICAL_CLICK_SHARE * Math.min(...clicks.map(({ at }) => sharpness(samples, at)));
  const musical: number[] = [];
  for (let i = 3; i < samples.length; i++) {
    const size = sharpness(samples, i);
    if (size < smallest || splices.some((splice) => Math.abs(splice - i) <= 2 * near) || !isClick(samples, i)) continue;
    musical.push(size);
    i += CONTEXT.to;
  }
  const isUnusual = (size: number): boolean =>
    musical.filter((other) => other >= MUSICAL_CLICK_SHARE * size).length < MUSICAL_CLICKS;
  return new Set(clicks.filter(({ at }) => isUnusual(sharpness(samples, at))).map(({ splice }) => splice));
}

/**
 * Measures the samples of a file.
 * @param splices seconds at which sections or loops are joined
 */
export function measureFile(channels: Float32Array[], sampleRate: number, splices: readonly number[]): FileMeasurement {
  const at = splices.map((seconds) => Math.round(seconds * sampleRate));
  const near = Math.round(CLICK_SEC * sampleRate);
  const loudness = measureLoudness(channels, sampleRate);
  return {
    duration_sec: (channels[0]?.length ?? 0) / sampleRate,
    loudness_lufs: loudness.integrated_lufs,
    true_peak_dbtp: loudness.true_peak_dbtp,
    clipped: countClipped(channels),
    longest_gap_sec: longestGap(channels, sampleRate),
    ...measureEnds(channels, sampleRate),
    clicks: new Set(channels.flatMap((samples) => [...clicksAt(samples, at, near)])).size,
  };
}
