/** Keeps the first `kept` of `count` samples of each channel; all of them if `kept` is larger. */
export function trimEnd(channels: Float32Array[], count: number, kept: number): Float32Array[] {
  if (kept >= count) return channels;
  return channels.map((samples) => samples.subarray(0, Math.max(0, kept)));
}
