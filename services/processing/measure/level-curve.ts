/** The level of a stem over time. */
import type { Curve } from '../../../schema.ts';

const HOP_SEC = 0.5;
/** Level of 0, relative to the loud parts (95th percentile), which have 1. */
const RANGE_DB = 40;

/** Level of one channel, 0..1 on a scale of decibels, as the energy curve of the analysis. */
export function levelCurve(mono: Float32Array, sampleRate: number): Curve {
  const hop = Math.round(HOP_SEC * sampleRate);
  const levels = Array.from({ length: Math.ceil(mono.length / hop) }, (_, step) => {
    const end = Math.min(mono.length, (step + 1) * hop);
    let sum = 0;
    for (let i = step * hop; i < end; i++) sum += mono[i]! * mono[i]!;
    return 10 * Math.log10(sum / (end - step * hop) + 1e-12);
  });
  const loud = levels.toSorted((a, b) => a - b)[Math.floor(levels.length * 0.95)] ?? 0;
  return { hop_sec: HOP_SEC, values: levels.map((level) => Math.max(0, Math.min(1, 1 + (level - loud) / RANGE_DB))) };
}
