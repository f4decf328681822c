/**
 * Offline time-stretching and pitch-shifting with the method of Signalsmith Stretch, in a WebAssembly kernel. Calls block the thread:
 * use a worker thread.
 */
import { Resampler } from './resample.ts';
import { divideRate, haveEqualSamples, SPARE_RANGE, spareRate } from './spare-rate.ts';
import { StretchKernel } from './stretch-kernel.ts';
import { sourceReader, type TimeMap } from './time-map.ts';

/**
 * Lengths of a block and of the interval between blocks, in seconds of the output, by what must be kept: attacks, notes, or notes down
 * to 37 Hz. Longer blocks keep lower notes in tune, shorter ones smear attacks less, and longer intervals cost less. Notes without a
 * shift have the default of the library.
 */
const BLOCKS = {
  attacks: { block: 0.1, interval: 0.04 },
  notes: { block: 0.12, interval: 0.03 },
  shiftedNotes: { block: 0.1, interval: 0.1 / 3 },
  lowNotes: { block: 0.12, interval: 0.04 },
};
/** Largest denominator of the ratio of a pitch shift: within 0.05 cents. */
const MAX_DENOMINATOR = 200;
/** Samples that are stretched beyond the end, because a sample of another rate depends on its neighbours. */
const RESAMPLING_MARGIN = 64;
/** Sound before and after the played part that a stretch may read: more than two of the longest blocks. */
const MARGIN_SEC = 0.5;

let loading: Promise<StretchKernel> | undefined;

/** Settings of `warp`. */
export type WarpOptions = {
  sampleRate: number;
  /** Length of the output in samples. */
  frames: number;
  /** Pitch shift in semitones; may be fractional. */
  semitones: number;
  /** Preserves the formants when the pitch is shifted: for voices. */
  keepFormants: boolean;
  /** What matters most: the attacks of drums, notes, or the low notes of a bass, down to 37 Hz. */
  keep: 'attacks' | 'notes' | 'lowNotes';
};

/** The fraction nearest to `value` with a denominator of at most `MAX_DENOMINATOR`, by continued fractions. */
function nearestFraction(value: number): { numerator: number; denominator: number } {
  let [before, now] = [
    { numerator: 0, denominator: 1 },
    { numerator: 1, denominator: 0 },
  ];
  for (let rest = value; ; rest = 1 / (rest - Math.floor(rest))) {
    const whole = Math.floor(rest);
    const next = {
      numerator: whole * now.numerator + before.numerator,
      denominator: whole * now.denominator + before.denominator,
    };
    if (next.denominator > MAX_DENOMINATOR) return now;
    [before, now] = [now, next];
    if (rest - whole < 1e-9) return now;
  }
}

/**
 * Stretches `source` (two equally long channels) along `map` and shifts its pitch. The source is silent before its start and
 * after its end. Returns two channels of `options.frames` samples. Equal input gives equal output.
 *
 * The pitch is shifted by another sample rate of what was stretched the more, because the library's own shift detunes notes below
 * 250 Hz by up to 70 cents. Sound without high frequencies is stretched at a lower rate, and two equal channels as one.
 */
export async function warp(source: Float32Array[], map: TimeMap, options: WarpOptions): Promise<Float32Array[]> {
  const { channels, origin } = playedPart(source, map, options);
  const distinct = haveEqualSamples(channels) ? channels.slice(0, 1) : channels;
  const down = await spareRate(distinct, options.sampleRate);
  const low = down === 1 ? distinct : distinct.map((samples) => divideRate(samples, down));
  const moved = { output: map.output, source: map.source.map((at) => at - origin) };
  const warped = await warpAtRate(low, moved, options, down);
  return distinct.length === 1 ? [warped[0]!, warped[0]!.slice()] : warped;
}

/** The part of `source` that is played, with a margin, and the second of the source at which it begins. */
function playedPart(
  source: readonly Float32Array[],
  map: TimeMap,
  { sampleRate, frames }: WarpOptions,
): { channels: Float32Array[]; origin: number } {
  const read = sourceReader(map);
  const from = Math.max(0, Math.floor((read(0) - MARGIN_SEC) * sampleRate));
  const to = Math.max(from, Math.ceil((read(frames / sampleRate) + MARGIN_SEC) * sampleRate));
  return { channels: source.map((samples) => samples.subarray(from, to)), origin: from / sampleRate };
}

/** Warps sound of rate `sampleRate / down` to `sampleRate`. */
async function warpAtRate(
  source: Float32Array[],
  map: TimeMap,
  { sampleRate, frames, semitones, keepFormants, keep }: WarpOptions,
  down: number,
): Promise<Float32Array[]> {
  const { numerator, denominator } = nearestFraction(2 ** (semitones / 12));
  const ratio = numerator / denominator;
  const { block, interval } = BLOCKS[keep === 'notes' && ratio !== 1 ? 'shiftedNotes' : keep];
  const rate = sampleRate / down;
  const settings = {
    sampleRate: rate,
    block: Math.round(block * ratio * rate),
    interval: Math.round(interval * ratio * rate),
    formantFactor: keepFormants ? 2 ** (-semitones / 12) : 1,
  };
  if (ratio === 1 && down === 1) return stretch(source, map, { ...settings, frames });
  const longer = { output: map.output.map((at) => at * ratio), source: map.source };
  const stretched = await stretch(source, longer, {
    ...settings,
    frames: Math.ceil((frames * ratio) / down) + RESAMPLING_MARGIN,
  });
  const shape = down === 1 ? undefined : SPARE_RANGE;
  return stretched.map((samples) =>
    new Resampler(numerator, denominator * down, shape).push(samples).subarray(0, frames),
  );
}

/** `block` and `interval` in samples. `formantFactor` moves the formants without the pitch. */
type StretchSettings = {
  sampleRate: number;
  frames: number;
  block: number;
  interval: number;
  formantFactor: number;
};

/** Stretches one or two channels without a shift of pitch. */
async function stretch(source: Float32Array[], map: TimeMap, settings: StretchSettings): Promise<Float32Array[]> {
  const kernel = await (loading ??= StretchKernel.create());
  const { sampleRate, frames, block, interval, formantFactor } = settings;
  kernel.configure({ channels: source.length, block, interval, formantFactor });
  const read = sourceReader(map);
  /** The place of the source at output sample `n`. */
  const placeAt = (n: number): number => Math.round(read(n / sampleRate) * sampleRate);
  const half = Math.floor(block / 2);
  const result = source.map(() => new Float32Array(frames));
  // One block more than the start of the output needs, so that the phases of its first one follow from another.
  const first = -interval * (Math.ceil(half / interval) + 1);
  let before = 2 * placeAt(first) - placeAt(first + interval);
  for (let n = first; n - half < frames; n += interval) {
    const place = Math.max(before, placeAt(n));
    const distance = place - before;
    source.forEach((samples, c) => {
      copyRange(samples, place - half - interval, kernel.input(c));
    });
    kernel.step(interval / Math.max(1, distance), n === first || Math.abs(distance - interval) > 1);
    before = place;
    const at = n - half;
    const from = Math.max(0, -at);
    const to = Math.min(interval, frames - at);
    if (to <= from) continue;
    result.forEach((samples, c) => {
      samples.set(kernel.output(c).subarray(from, to), at + from);
    });
  }
  return result;
}

/** Fills `into` with the samples from `from` on, with silence outside of them. */
function copyRange(samples: Float32Array, from: number, into: Float32Array): void {
  const first = Math.max(from, 0);
  const last = Math.min(from + into.length, samples.length);
  if (last <= first) {
    into.fill(0);
    return;
  }
  into.fill(0, 0, first - from);
  into.fill(0, last - from);
  into.set(samples.subarray(first, last), first - from);
}
