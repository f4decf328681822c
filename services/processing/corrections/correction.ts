/** A correction: a change to a candidate after a failed quality check. */
import type { RenderPlan } from '../plan/plan.ts';
import type { Tuning } from '../plan/tuning.ts';

/** Other shifts, beat offsets and start positions, or another plan. `messages` describe the change to users. */
export type Correction = { tuning: Tuning; plan?: RenderPlan; messages: string[] };

/** The message about a changed shift. */
export const shiftMessage = (song: string, now: number, before: number): string =>
  `"${song}" was shifted by ${now} instead of ${before} semitones.`;
