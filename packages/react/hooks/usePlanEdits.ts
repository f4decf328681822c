/** The edits of a plan by hand, before they are rendered: applied at once, with undo and redo, and kept by the browser. */
import { useEffect, useMemo, useReducer, useState } from 'react';
import { applyEdits } from '../../../music/edits/apply-edits.ts';
import type { EditedSection } from '../../../music/edits/edit-state.ts';
import { addEdit } from '../../../music/edits/merge-edits.ts';
import { MAX_PLAN_EDITS } from '../../../schema/constants.ts';
import type { AnalyzedSong, Plan, PlanEdit, PlanLimits } from '../../../schema.ts';
import { keepUnsentEdits, unsentEditsOf } from '../state/unsent-edits.ts';
import type { EditHistory } from '../state/unsent-edits.ts';

/** Steps that can be undone. */
const MAX_STEPS = 50;
const NO_EDITS: EditHistory = { lists: [[]], at: 0 };
const LEFT_OUT = 'Your edits of before do not fit the plan that this mashup has now, so they were left out.';

/** `isSame`: the list replaces the shown one, as while a slider moves. */
type Move = { to: PlanEdit[]; isSame: boolean } | { by: -1 | 1 };

function move({ lists, at }: EditHistory, change: Move): EditHistory {
  if ('by' in change) return { lists, at: Math.min(lists.length - 1, Math.max(0, at + change.by)) };
  const kept = lists.slice(0, change.isSame ? at : at + 1).slice(-MAX_STEPS);
  return { lists: [...kept, change.to], at: kept.length };
}

export interface PlanEdits {
  edits: PlanEdit[];
  /** The plan with the edits. */
  plan: Plan;
  /** Its sections in order, with the numbers by which edits name them. */
  sections: EditedSection[];
  /** Why the last edit was refused, or the plan cannot be edited at all, in sentences; '' if neither. */
  refusal: string;
  canUndo: boolean;
  canRedo: boolean;
  undo(): void;
  redo(): void;
  /** Leaves out all edits, which can be undone. */
  reset(): void;
  /** Adds an edit if it is possible. Returns whether it was. */
  edit(edit: PlanEdit): boolean;
  /** Why an edit is not possible now; '' if it is. */
  reasonAgainst(edit: PlanEdit): string;
  /** Shows an edit without keeping it, as while an edge is dragged. Null shows the kept edits again. */
  preview(edit: PlanEdit | null): void;
}

/** The plan that is edited: of which mashup, with which version, and what its checks need. */
export interface EditedBase {
  jobId: string;
  planVersion: number;
  plan: Plan;
  songs: readonly AnalyzedSong[];
  limits: PlanLimits;
}

/** The edits that the browser kept for a plan, or none and the reason. */
function restored({ jobId, planVersion, plan, ...context }: EditedBase): { history: EditHistory; note: string } {
  const kept = unsentEditsOf(jobId, planVersion);
  if (kept === undefined) return { history: NO_EDITS, note: '' };
  try {
    // A mashup that is rendered again may have another plan by the same version.
    if (kept !== 'outdated' && !('refused' in applyEdits(plan, kept.lists[kept.at] ?? [], context)))
      return { history: kept, note: '' };
  } catch {
    // Kept by another version of the page.
  }
  return { history: NO_EDITS, note: LEFT_OUT };
}

/** Keeps the edits of a plan. Refused edits change nothing but `refusal`. */
export function usePlanEdits(edited: EditedBase): PlanEdits {
  const { jobId, planVersion, plan: base, songs, limits } = edited;
  const [start] = useState(() => restored(edited));
  const [{ lists, at }, dispatch] = useReducer(move, start.history);
  useEffect(() => keepUnsentEdits(jobId, planVersion, { lists, at }), [jobId, planVersion, lists, at]);
  const [previewed, setPreviewed] = useState<PlanEdit | null>(null);
  const [refusal, setRefusal] = useState(start.note);
  const kept = lists[at] ?? [];
  const context = { songs, limits };
  const tried = (edit: PlanEdit): { edits: PlanEdit[]; reason: string } => {
    const edits = addEdit(kept, edit);
    if (edits.length > MAX_PLAN_EDITS) return { edits: kept, reason: `One version takes ${MAX_PLAN_EDITS} edits.` };
    const result = applyEdits(base, edits, context);
    return { edits, reason: 'refused' in result ? result.refused.reason : '' };
  };
  const shown = useMemo(() => {
    const edits = previewed ? addEdit(kept, previewed) : kept;
    const result = applyEdits(base, edits, context);
    const usable = 'refused' in result ? applyEdits(base, [], context) : result;
    return 'refused' in usable
      ? { plan: base, sections: [], unusable: usable.refused.reason }
      : { ...usable, unusable: '' };
  }, [base, songs, limits, kept, previewed]);
  const withoutRefusal = (change: Move): void => {
    setRefusal('');
    dispatch(change);
  };
  const { plan, sections, unusable } = shown;
  return {
    plan,
    sections,
    edits: kept,
    refusal: unusable === '' ? refusal : `This plan cannot be edited. ${unusable}`,
    canUndo: at > 0,
    canRedo: at < lists.length - 1,
    undo: () => withoutRefusal({ by: -1 }),
    redo: () => withoutRefusal({ by: 1 }),
    reset: () => withoutRefusal({ to: [], isSame: false }),
    edit(edit) {
      setPreviewed(null);
      const { edits, reason } = tried(edit);
      setRefusal(reason);
      const isSame = edit.kind === 'layer_level' && kept.length > 0 && edits.length === kept.length;
      if (reason === '') dispatch({ to: edits, isSame });
      return reason === '';
    },
    reasonAgainst: (edit) => tried(edit).reason,
    preview: setPreviewed,
  };
}
