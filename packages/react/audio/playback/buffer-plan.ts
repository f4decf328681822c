/** What a source buffer should do next. Browsers hold about 12 MiB of a sound, so only its surroundings are kept. */

/** Ranges in seconds: from, to. */
export type Ranges = readonly (readonly [number, number])[];

export interface BufferStep {
  /** A range that is dropped first. */
  remove?: [from: number, to: number];
  /** Where sound is missing, in seconds; undefined while enough is there. */
  appendAt?: number;
}

/** Sound that is kept before the position, in seconds, and the excess at which it is dropped. */
const BEHIND_SEC = 20;
const BEHIND_SLACK_SEC = 10;
/** Sound that is appended ahead of the position. */
export const AHEAD_SEC = 60;
/** Smaller gaps between two ranges are rounding. */
const GAP_SEC = 0.001;

/** Returns the end of what is buffered without a gap from `position` on; `position` if nothing is. */
export function bufferedEnd(ranges: Ranges, position: number): number {
  let end = position;
  for (const [from, to] of ranges) if (from <= end + GAP_SEC && to > end) end = to;
  return end;
}

/**
 * Plans the next step.
 * @param aheadSec how far ahead sound is appended
 */
export function planBuffer(ranges: Ranges, position: number, aheadSec: number): BufferStep {
  const end = bufferedEnd(ranges, position);
  const appendAt = end - position < aheadSec ? end : undefined;
  const first = ranges[0]?.[0] ?? Infinity;
  if (first < position - BEHIND_SEC - BEHIND_SLACK_SEC) return { remove: [first, position - BEHIND_SEC], appendAt };
  // What was buffered before a jump back is far ahead.
  const far = ranges.find(([from]) => from > Math.max(end, position + AHEAD_SEC));
  if (far !== undefined) return { remove: [far[0], far[1]], appendAt };
  return { appendAt };
}
