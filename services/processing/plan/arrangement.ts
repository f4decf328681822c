/** An arrangement: the runs of a mashup and what each section plays of them. */
import type { Stem } from '../../../schema.ts';
import type { RenderSong } from '../song/song.ts';
import type { RenderPlan } from './plan.ts';
import type { Run } from './run.ts';
import type { Tuning } from './tuning.ts';

/** What a section plays of the runs of one layer. */
export type LayerSlice = {
  songId: string;
  stem: Stem;
  volumeDb: number;
  effects: string[];
  /** Seconds of the mashup, in order and without gaps. The first part starts and the last one ends with the section. */
  parts: { runId: number; start: number; end: number }[];
  /** Whether the section before plays the same run up to the boundary. */
  joinsPrevious: boolean;
  /** Whether the section after continues the same run from the boundary on. */
  joinsNext: boolean;
};

export type Arrangement = {
  runs: Run[];
  /** The slices of each section of the plan. */
  sections: LayerSlice[][];
  /** Tuning of the mashup in cents above A = 440 Hz. */
  tunedTo: number;
  warnings: string[];
};

/** Shift of one stem of a song in semitones, with the fraction that tunes it. Drums are not shifted. */
export const stemShift = (stem: Stem, song: RenderSong, tuning: Tuning): number =>
  stem === 'drums' ? 0 : (tuning.semitones.get(song.id) ?? 0) + (tuning.cents.get(song.id) ?? 0) / 100;

/** Seconds of the mashup at which sections, or loops within them, are joined; ascending. */
export function spliceTimes({ sections }: RenderPlan, arrangement: Arrangement): number[] {
  const times = new Set(sections.slice(1).map(({ start }) => start));
  for (const slice of arrangement.sections.flat()) for (const { start } of slice.parts.slice(1)) times.add(start);
  return [...times].sort((a, b) => a - b);
}
