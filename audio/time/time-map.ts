/**
 * Which moment of a source sounds at which moment of the output: a line through anchors, so that tempo may change from
 * beat to beat.
 */

/** Anchors in seconds; both lists are equally long (at least 2) and `output` rises strictly. */
export type TimeMap = { output: readonly number[]; source: readonly number[] };

/** A constant speed: `rate` source seconds for each output second. */
export function steadyMap(sourceStart: number, rate: number): TimeMap {
  return { output: [0, 1], source: [sourceStart, sourceStart + rate] };
}

/**
 * Reads a map at rising times. Before the first and after the last anchor the nearest slope goes on.
 * The returned function remembers where it was, so that a pass over the whole output costs one step per anchor.
 */
export function sourceReader(map: TimeMap): (outputSec: number) => number {
  const { output, source } = map;
  let i = 0;
  return (at) => {
    while (i > 0 && at < output[i]!) i--;
    while (i < output.length - 2 && at >= output[i + 1]!) i++;
    const slope = (source[i + 1]! - source[i]!) / (output[i + 1]! - output[i]!);
    return source[i]! + (at - output[i]!) * slope;
  };
}
