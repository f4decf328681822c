/** Applies edits by hand to a plan, by rules. The page, the functions and the worker use the same rules. */
import type { AnalyzedSong, Plan, PlanEdit } from '../../schema.ts';
import { checkPlan } from '../plan/checks.ts';
import { checkKey } from '../plan/musical-checks.ts';
import { chooseParts } from '../theory/parts.ts';
import { planOf, startEditing, type EditContext, type EditResult, type EditState } from './edit-state.ts';
import { muteLayer, setLevel, unmuteLayer } from './layer-edits.ts';
import { explainFault } from './refusals.ts';
import { setRoles, swapRoles } from './role-edits.ts';
import { moveEdge, removeSection, repeatSection } from './section-edits.ts';

/** `at`: position of the edit in the list. `reason`: a sentence for the user. */
export type RefusedEdit = { at: number; reason: string };

/** The edited plan, which passes the checks, with its sections as edits name them; or the first edit that is not possible. */
export type EditedPlan = { plan: Plan; sections: EditState['sections'] } | { refused: RefusedEdit };

/**
 * Applies edits in their order and checks the plan that results. Pure: the same input gives the same plan.
 * @param context.songs the songs of the mashup; songs whose tempo changes are reduced to one part
 */
export function applyEdits(plan: Plan, edits: readonly PlanEdit[], { songs, limits }: EditContext): EditedPlan {
  const parts = chooseParts(songs);
  const context: CheckContext = { songs: parts, limits, isKeyGiven: hasOtherKey(plan, parts) };
  const states = [startEditing(plan)];
  for (const [at, edit] of edits.entries()) {
    const result = applyEdit(states[at]!, edit, context);
    if ('refused' in result) return { refused: { at, reason: result.refused } };
    states.push(result.state);
  }
  const last = states.at(-1)!;
  const checked = checkState(last, context);
  if ('plan' in checked) return { plan: checked.plan, sections: last.sections };
  return { refused: { at: blame(states, context), reason: checked.fault } };
}

/** `isKeyGiven`: the key of the plan is not judged. */
type CheckContext = EditContext & { isKeyGiven: boolean };

/** Whether the renderer brought the mashup into a key that no planner may choose: it does where the songs fit otherwise than their keys say. */
function hasOtherKey(plan: Plan, songs: readonly AnalyzedSong[]): boolean {
  const faults: string[] = [];
  checkKey(plan, songs, faults);
  return faults.length > 0;
}

/** Applies one edit. */
function applyEdit(state: EditState, edit: PlanEdit, context: EditContext): EditResult {
  switch (edit.kind) {
    case 'move_edge':
      return moveEdge(state, edit, context);
    case 'remove_section':
      return removeSection(state, edit);
    case 'repeat_section':
      return repeatSection(state, edit);
    case 'layer_level':
      return setLevel(state, edit, context);
    case 'mute_layer':
      return muteLayer(state, edit, context);
    case 'unmute_layer':
      return unmuteLayer(state, edit, context);
    case 'swap_songs':
      return swapRoles(state, context);
    case 'roles':
      return setRoles(state, edit, context);
  }
}

/** Checks the plan of a state. What the checks would take out of it again counts as a fault. */
function checkState(state: EditState, context: CheckContext): { plan: Plan } | { fault: string } {
  const edited = planOf(state);
  const { plan, faults, repairs } = checkPlan(edited, context.songs, context.limits, context.isKeyGiven);
  const explain = (fault: string): string => explainFault(fault, state, context);
  if (!plan) return { fault: explain(faults[0] ?? 'The plan is not usable.') };
  const { timeline } = plan.masterplan;
  const isWhole = edited.masterplan.timeline.every(({ layers }, i) => timeline[i]?.layers.length === layers.length);
  return isWhole
    ? { plan }
    : { fault: explain(repairs.find((text) => text.includes('removed')) ?? 'A layer cannot be played.') };
}

/** Returns the edit after which the plan passed the checks no more. */
function blame(states: readonly EditState[], context: CheckContext): number {
  for (let at = states.length - 2; at > 0; at--) if ('plan' in checkState(states[at]!, context)) return at;
  return 0;
}
