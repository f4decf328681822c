/** The beat grid of a song: the times of its beats and downbeats from its start to its end. */

/** The members of an analysis that make a beat grid. Other analysis services may leave most of them out. */
export type GridSource = {
  bpm: number;
  beats_sec?: readonly number[];
  downbeats_sec?: readonly number[];
  meter?: number | null | undefined;
};

export type BeatGrid = {
  bpm: number;
  meter: number;
  /** False if the analysis found no meter, so that bars of four beats are an assumption. */
  meterKnown: boolean;
  /** Ascending beat times in seconds, extended to the start and the end of the song. */
  beats: number[];
  /** Indices into `beats` of the first beat of each bar. */
  downbeats: number[];
};

/** With fewer beats than this, the grid is made from the tempo alone. */
export const MIN_BEATS = 8;
/** Beats on each side that a beat is smoothed with. This removes the jitter of beat detection and keeps drift. */
const SMOOTHING_REACH = 3;

/** Moves each beat onto the least-squares line through its neighbours. */
function smoothBeats(beats: readonly number[]): number[] {
  return beats.map((_, i) => {
    const reach = Math.min(SMOOTHING_REACH, i, beats.length - 1 - i);
    // With the same number of beats on both sides, the value of the line at the centre is their mean.
    let sum = 0;
    for (let k = -reach; k <= reach; k++) sum += beats[i + k]!;
    return sum / (2 * reach + 1);
  });
}

/** The values that are at least 0.1 s later than the value before. */
function ascending(values: readonly number[]): number[] {
  const result: number[] = [];
  for (const value of values) {
    if (Number.isFinite(value) && value >= 0 && value > (result.at(-1) ?? -1) + 0.1) result.push(value);
  }
  return result;
}

function medianGap(beats: readonly number[]): number {
  const gaps = beats.slice(1).map((beat, i) => beat - beats[i]!);
  return gaps.sort((a, b) => a - b)[gaps.length >> 1]!;
}

/**
 * Builds the grid of a song of `durationSec` seconds, or of its part from `startSec` on. Without usable beats it is a fixed grid at `bpm` that starts at `startSec`.
 * Without downbeats, every `meter`-th beat from the first on is a downbeat.
 */
export function buildBeatGrid(source: GridSource, durationSec: number, startSec = 0): BeatGrid {
  const meter = source.meter ?? 4;
  const given = ascending(source.beats_sec ?? []);
  const step = 60 / source.bpm;
  const beats =
    given.length >= MIN_BEATS
      ? smoothBeats(given)
      : Array.from({ length: Math.max(2, Math.ceil((durationSec - startSec) / step)) }, (_, i) => startSec + i * step);

  const firstBeat = beats[0]!;
  const headStep = medianGap(beats.slice(0, MIN_BEATS));
  const before = Array.from(
    { length: Math.max(0, Math.floor((firstBeat - startSec + 1e-6) / headStep)) },
    (_, i) => firstBeat - (i + 1) * headStep,
  );
  const tailStep = medianGap(beats.slice(-MIN_BEATS));
  const lastBeat = beats.at(-1)!;
  const after: number[] = [];
  for (let at = lastBeat + tailStep; at < durationSec; at += tailStep) after.push(at);
  const all = [...before.reverse(), ...beats, ...after];

  return {
    bpm: 60 / medianGap(beats),
    meter,
    meterKnown: source.meter !== null,
    beats: all,
    downbeats: findDownbeats(all, source, before.length, meter),
  };
}

/** Indices of the downbeats in `beats`: the given ones, continued to both ends in steps of a bar. */
function findDownbeats(beats: number[], source: GridSource, firstGiven: number, meter: number): number[] {
  const marked = new Set<number>();
  for (const at of source.downbeats_sec ?? []) {
    const index = nearestIndex(beats, at);
    if (Math.abs(beats[index]! - at) < 0.2) marked.add(index);
  }
  const known = [...marked].sort((a, b) => a - b);
  const first = known[0] ?? firstGiven;
  const last = known.at(-1) ?? first;
  const head: number[] = [];
  for (let i = first - meter; i >= 0; i -= meter) head.push(i);
  const tail: number[] = [];
  for (let i = last + meter; i < beats.length; i += meter) tail.push(i);
  return [...head.reverse(), ...(known.length > 0 ? known : [first]), ...tail];
}

/** Index of the value in the ascending list `values` that is nearest to `at`. */
export function nearestIndex(values: readonly number[], at: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at - values[low - 1]! <= values[low]! - at ? low - 1 : low;
}

/** Time in seconds of a beat index. Fractions are interpolated; indices beyond the ends continue at the tempo of that end. */
export function beatTime(grid: BeatGrid, index: number): number {
  const { beats } = grid;
  const base = Math.min(Math.max(Math.floor(index), 0), beats.length - 2);
  return beats[base]! + (index - base) * (beats[base + 1]! - beats[base]!);
}

/** Beat index, with fractions, of a time in seconds; the inverse of `beatTime`. */
export function beatIndex(grid: BeatGrid, at: number): number {
  const { beats } = grid;
  const nearest = nearestIndex(beats, at);
  const base = Math.min(Math.max(beats[nearest]! > at ? nearest - 1 : nearest, 0), beats.length - 2);
  return base + (at - beats[base]!) / (beats[base + 1]! - beats[base]!);
}
