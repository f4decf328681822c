/** A limit for mixes that are louder than the mashup: the mashup itself passes unchanged, and what would exceed full scale is rounded. */

/** Levels up to this one pass unchanged. Mashups peak at -1 dBTP, 0.891. */
const LINEAR = 0.9;
/** Levels above this one are full scale. */
export const SOFT_CLIP_RANGE = 4;
/** Values for each unit of level. */
const RESOLUTION = 1024;

/** The curve of a WaveShaperNode whose input is divided by {@link SOFT_CLIP_RANGE}. */
export function softClipCurve(): Float32Array<ArrayBuffer> {
  const half = SOFT_CLIP_RANGE * RESOLUTION;
  return Float32Array.from({ length: 2 * half + 1 }, (_, i) => softClip((i - half) / RESOLUTION));
}

/** Returns a level; above {@link LINEAR} it approaches 1 with a continuous slope. */
function softClip(level: number): number {
  const size = Math.abs(level);
  if (size <= LINEAR) return level;
  const room = 1 - LINEAR;
  return Math.sign(level) * (LINEAR + room * Math.tanh((size - LINEAR) / room));
}
