/** Plans that differ from a plan by one edit by hand. */
import { applyEdits } from '../music/edits/apply-edits.ts';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import type { AnalyzedSong, Plan, PlanEdit } from '../schema.ts';

/** Change of the level of a layer, in dB. */
const CHANGE_DB = 2;

/**
 * Edits the middle of a plan.
 * @returns the edited plans by the names of the edits; edges are moved by a bar
 * @throws Error if an edit is not possible
 */
export function editedPlans({ plan, songs }: { plan: Plan; songs: AnalyzedSong[] }): Record<string, Plan> {
  const { timeline } = plan.masterplan;
  const section = timeline.length >> 1;
  const { songId: song_id, stem, volume_db } = timeline[section]!.layers[0]!;
  const edits: Record<string, PlanEdit[]> = {
    'one level': [{ kind: 'layer_level', section, song_id, stem, db: volume_db + CHANGE_DB }],
    'moved edge': [{ kind: 'move_edge', section, bars: 1 }],
    'removed section': [{ kind: 'remove_section', section }],
    'repeated section': [{ kind: 'repeat_section', section }],
  };
  return Object.fromEntries(
    Object.entries(edits).map(([name, list]) => {
      const result = applyEdits(plan, list, { songs, limits: DEFAULT_PLAN_LIMITS });
      if ('refused' in result) throw new Error(`${name}: ${result.refused.reason}`);
      return [name, result.plan];
    }),
  );
}
