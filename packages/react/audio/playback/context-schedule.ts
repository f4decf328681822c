/** Schedules decoded parts in an audio context by whole samples, so that they join exactly. */

/** Ties a sample of the mashup to a sample of the context. */
export interface Anchor {
  /** The sample of the mashup that the context plays at `contextFrame`. */
  sample: number;
  contextFrame: number;
}

/** When and from where a decoded part starts, in seconds as `AudioBufferSourceNode.start` takes them. */
export interface Start {
  when: number;
  offset: number;
}

/** Part of a sample that is added to times, so that no rounding starts a part one sample early. */
const ROUNDING = 1e-3;

/**
 * Returns the start of a part whose first sample is `from`: at once from its middle if the anchor lies inside of it.
 * @param sampleRate of the mashup and of the context
 */
export function startOf(from: number, anchor: Anchor, sampleRate: number): Start {
  const skipped = Math.max(0, anchor.sample - from);
  const contextFrame = anchor.contextFrame + Math.max(0, from - anchor.sample);
  return { when: contextFrame / sampleRate, offset: skipped / sampleRate };
}

/** The first whole sample of a context that is at least `leadSec` after its current time. */
export function nextFrame(currentTime: number, leadSec: number, sampleRate: number): number {
  return Math.ceil((currentTime + leadSec) * sampleRate - ROUNDING);
}
