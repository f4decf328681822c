/** The edits of a plan by hand, before they are rendered: applied at once, with undo and redo. */
import { useMemo, useReducer, useState } from 'react';
import { applyEdits } from '../../../music/edits/apply-edits.ts';
import type { EditedSection } from '../../../music/edits/edit-state.ts';
import { addEdit } from '../../../music/edits/merge-edits.ts';
import { MAX_PLAN_EDITS } from '../../../schema/constants.ts';
import type { AnalyzedSong, Plan, PlanEdit, PlanLimits } from '../../../schema.ts';

/** Lists of edits, the shown one at `at`. */
interface History {
  lists: PlanEdit[][];
  at: number;
}
/** `isSame`: the list replaces the shown one, as while a slider moves. */
type Move = { to: PlanEdit[]; isSame: boolean } | { by: -1 | 1 } | 'reset';

function move({ lists, at }: History, change: Move): History {
  if (change === 'reset') return { lists: [[]], at: 0 };
  if ('by' in change) return { lists, at: Math.min(lists.length - 1, Math.max(0, at + change.by)) };
  const kept = lists.slice(0, change.isSame ? at : at + 1);
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
  reset(): void;
  /** Adds an edit if it is possible. Returns whether it was. */
  edit(edit: PlanEdit): boolean;
  /** Why an edit is not possible now; '' if it is. */
  reasonAgainst(edit: PlanEdit): string;
  /** Shows an edit without keeping it, as while an edge is dragged. Null shows the kept edits again. */
  preview(edit: PlanEdit | null): void;
}

/** Keeps the edits of a plan. Refused edits change nothing but `refusal`. */
export function usePlanEdits(base: Plan, songs: readonly AnalyzedSong[], limits: PlanLimits): PlanEdits {
  const [{ lists, at }, dispatch] = useReducer(move, { lists: [[]], at: 0 });
  const [previewed, setPreviewed] = useState<PlanEdit | null>(null);
  const [refusal, setRefusal] = useState('');
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
    reset: () => withoutRefusal('reset'),
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
