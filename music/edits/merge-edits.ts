/** A list of edits with one more: edits of the same thing in a row become one. */
import type { PlanEdit } from '../../schema.ts';

type LayerEdit = Extract<PlanEdit, { stem: string }>;

const isLayerEdit = (edit: PlanEdit): edit is LayerEdit => 'stem' in edit;
const isSameLayer = (a: PlanEdit, b: PlanEdit): boolean =>
  isLayerEdit(a) && isLayerEdit(b) && a.section === b.section && a.song_id === b.song_id && a.stem === b.stem;

/** What two edits in a row are together: one edit, none, or undefined if they stay two. */
function joined(last: PlanEdit, next: PlanEdit): PlanEdit[] | undefined {
  if (last.kind === 'move_edge' && next.kind === 'move_edge' && last.section === next.section) {
    const bars = last.bars + next.bars;
    return bars === 0 ? [] : [{ ...next, bars }];
  }
  if (last.kind === 'layer_level' && next.kind === 'layer_level' && isSameLayer(last, next)) return [next];
  const isMuting = (edit: PlanEdit): boolean => edit.kind === 'mute_layer' || edit.kind === 'unmute_layer';
  if (isMuting(last) && isMuting(next) && last.kind !== next.kind && isSameLayer(last, next)) return [];
  if (last.kind === 'swap_songs' && next.kind === 'swap_songs') return [];
  if (last.kind === 'roles' && next.kind === 'roles') return [{ ...last, ...next }];
  return undefined;
}

/** Returns the list with an edit at its end. Moves of one edge in a row are added up, a level replaces the one before. */
export function addEdit(edits: readonly PlanEdit[], edit: PlanEdit): PlanEdit[] {
  const last = edits.at(-1);
  const together = last && joined(last, edit);
  return together ? [...edits.slice(0, -1), ...together] : [...edits, edit];
}
