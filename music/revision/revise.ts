/** Revision by rules: reads the feedback on a plan and applies the wishes in it. */
import type { AnalyzedSong, Plan, PlanLimits, Reading } from '../../schema.ts';
import { chooseParts } from '../theory/parts.ts';
import { wishSongs } from '../wishes/wish-songs.ts';
import { readWishes } from '../wishes/read-wishes.ts';
import { applyWishes, type Applied } from './apply-wishes.ts';

/** A plan to revise by the user's feedback. `remake` makes another plan for the same songs. */
export type RevisionRequest = {
  plan: Plan;
  feedback: string;
  songs: readonly AnalyzedSong[];
  limits: PlanLimits;
  remake?: () => Plan;
};
export type Revision = Applied & Reading;

/** Revises a plan by the wishes in the feedback. The result passes `checkPlan` if the given plan did. */
export function revisePlan({ plan, feedback, songs: wholeSongs, limits, remake }: RevisionRequest): Revision {
  const reading = readWishes(feedback, wishSongs(wholeSongs));
  const songs = chooseParts(wholeSongs);
  return { ...reading, ...applyWishes(plan, reading.understood, { songs, limits, ...(remake ? { remake } : {}) }) };
}
