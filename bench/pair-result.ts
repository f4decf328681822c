import type { Plan, RenderResult } from '../schema.ts';

/** A rendered mashup of two or three songs. */
export type PairResult = {
  /** Names of the songs. */
  songs: string[];
  /** Tempi of the songs. */
  bpm: number[];
  plan: Plan;
  result: RenderResult;
  /** Processor time of all threads, seconds. */
  renderCpuSec: number;
};
