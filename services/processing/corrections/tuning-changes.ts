/** First correction: songs that are heard out of tune are brought to the tuning of the song that plays bass or harmony longest. */
import { wrapCents } from '../../../audio/tuning.ts';
import { longestHeard, type Tuning } from '../plan/tuning.ts';
import type { RenderPlan } from '../plan/plan.ts';
import { check } from '../quality/checks.ts';
import type { HeardTuning } from '../quality/layer-tuning.ts';
import type { RenderSong } from '../song/song.ts';
import type { Correction } from './correction.ts';

/** Smaller deviations are not corrected, in cents. */
const MIN_CHANGE_CENTS = 2;

/** Returns the tuning with the heard deviations removed; undefined if the songs are in tune or too few could be measured. */
export function changeTuning(
  { plan, tuning }: { plan: RenderPlan; tuning: Tuning },
  { bySong, apartCents }: HeardTuning,
  songs: ReadonlyMap<string, RenderSong>,
): Correction | undefined {
  const reference = longestHeard(plan, bySong);
  if (check('tuning', apartCents).passed || reference === undefined) return undefined;
  const tunedTo = bySong.get(reference)!;
  const cents = new Map(tuning.cents);
  const messages: string[] = [];
  for (const [id, heard] of bySong) {
    const by = wrapCents(tunedTo - heard);
    if (Math.abs(by) < MIN_CHANGE_CENTS) continue;
    cents.set(id, (cents.get(id) ?? 0) + by);
    messages.push(`"${songs.get(id)!.name}" was tuned by ${by.toFixed(0)} cents to the other songs.`);
  }
  return messages.length > 0 ? { tuning: { ...tuning, cents, tunedTo }, messages } : undefined;
}
