/** The beat grid of a song: where its beats and downbeats are, from before its start to its end. */

/** What rendering reads of a song's analysis; other services leave most of it out. */
export type GridSource = {
  bpm: number;
  beats_sec?: readonly number[];
  downbeats_sec?: readonly number[];
  meter?: number;
};

export type SongGrid = {
  bpm: number;
  meter: number;
  /** Beat times in seconds, rising, extended to the start and the end of the song. */
  beats: number[];
  /** Indices into `beats` of the first beat of each bar. */
  downbeats: number[];
};

/** Fewer beats than this are no grid; the tempo alone then makes one. */
export const MIN_BEATS = 8;
/** Beats on each side whose straight line a beat is pulled to: takes the jitter of detection out and keeps drift. */
const SMOOTHING_REACH = 3;

/** Each beat moved onto the least-squares line through its neighbours. */
function smoothBeats(beats: readonly number[]): number[] {
  return beats.map((_, i) => {
    const reach = Math.min(SMOOTHING_REACH, i, beats.length - 1 - i);
    // With equal reach on both sides the line's value at the centre is the mean.
    let sum = 0;
    for (let k = -reach; k <= reach; k++) sum += beats[i + k]!;
    return sum / (2 * reach + 1);
  });
}

function rising(values: readonly number[]): number[] {
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
 * Makes the grid of a song of `durationSec`. Without usable beats it is a fixed one from `bpm` that starts at zero;
 * without downbeats every `meter`-th beat is one, from the first on.
 */
export function songGrid(source: GridSource, durationSec: number): SongGrid {
  const meter = source.meter ?? 4;
  const given = rising(source.beats_sec ?? []);
  const step = 60 / source.bpm;
  const beats =
    given.length >= MIN_BEATS
      ? smoothBeats(given)
      : Array.from({ length: Math.max(2, Math.ceil(durationSec / step)) }, (_, i) => i * step);

  const firstBeat = beats[0]!;
  const headStep = medianGap(beats.slice(0, MIN_BEATS));
  const before = Array.from(
    { length: Math.floor((firstBeat + 1e-6) / headStep) },
    (_, i) => firstBeat - (i + 1) * headStep,
  );
  const tailStep = medianGap(beats.slice(-MIN_BEATS));
  const lastBeat = beats.at(-1)!;
  const after: number[] = [];
  for (let at = lastBeat + tailStep; at < durationSec; at += tailStep) after.push(at);
  const all = [...before.reverse(), ...beats, ...after];

  return { bpm: 60 / medianGap(beats), meter, beats: all, downbeats: findDownbeats(all, source, before.length, meter) };
}

/** Indices of the downbeats in `beats`, given ones first, continued at both ends in steps of a bar. */
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

/** Index of the value in the rising list `values` that is nearest to `at`. */
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

/** Time of a beat by index; fractions and indices beyond the ends go on at the tempo that is there. */
export function beatTime(grid: SongGrid, index: number): number {
  const { beats } = grid;
  const base = Math.min(Math.max(Math.floor(index), 0), beats.length - 2);
  return beats[base]! + (index - base) * (beats[base + 1]! - beats[base]!);
}

/** Index of a beat by time, with fractions between beats; the inverse of `beatTime`. */
export function beatIndex(grid: SongGrid, at: number): number {
  const { beats } = grid;
  const nearest = nearestIndex(beats, at);
  const base = Math.min(Math.max(beats[nearest]! > at ? nearest - 1 : nearest, 0), beats.length - 2);
  return base + (at - beats[base]!) / (beats[base + 1]! - beats[base]!);
}
