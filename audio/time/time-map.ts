/**
 * Maps output time to source time: piecewise linear through anchors, so that the tempo may change from beat to beat.
 */

/** Anchors in seconds. Both lists are equally long (at least 2) and `output` is strictly increasing. */
export type TimeMap = { output: readonly number[]; source: readonly number[] };

/** A map with a constant speed of `rate` source seconds per output second. */
export function steadyMap(sourceStart: number, rate: number): TimeMap {
  return { output: [0, 1], source: [sourceStart, sourceStart + rate] };
}

/**
 * Returns a function from output seconds to source seconds. Before the first and after the last anchor the nearest slope is
 * extended. The function keeps its position, so that increasing times cost one step per anchor in total.
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
