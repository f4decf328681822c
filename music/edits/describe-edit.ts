/** Edits in words, for the list of what was edited. */
import type { Plan, PlanEdit } from '../../schema.ts';
import { quoteSong } from '../revision/plan-edits.ts';
import { barsText, layerName, sectionName, startEditing, type EditContext, type EditedSection } from './edit-state.ts';

/** Returns one sentence for each edit, in order. Sections that a plan does not have are named by their number. */
export function describeEdits(plan: Plan, edits: readonly PlanEdit[], context: EditContext): string[] {
  const known: EditedSection[] = [...startEditing(plan).sections];
  return edits.map((edit) => {
    const text = describe(edit, known, context);
    if (edit.kind === 'repeat_section') {
      const of = known[edit.section];
      if (of) known.push({ ...of, index: known.length, copyOf: of.copyOf ?? of.index });
    }
    return text;
  });
}

function describe(edit: PlanEdit, known: readonly EditedSection[], context: EditContext): string {
  const name = (index: number): string => (known[index] ? sectionName(known[index]) : `Section ${index + 1}`);
  switch (edit.kind) {
    case 'move_edge':
      return `${name(edit.section)} ends ${barsText(Math.abs(edit.bars))} ${edit.bars < 0 ? 'earlier' : 'later'}.`;
    case 'remove_section':
      return `${name(edit.section)} is removed.`;
    case 'repeat_section':
      return `${name(edit.section)} plays once more.`;
    case 'layer_level':
      return `${name(edit.section)}: ${layerName(edit, context)} at ${edit.db > 0 ? '+' : ''}${edit.db} dB.`;
    case 'mute_layer':
      return `${name(edit.section)}: ${layerName(edit, context)} muted.`;
    case 'unmute_layer':
      return `${name(edit.section)}: ${layerName(edit, context)} not muted any more.`;
    case 'swap_songs':
      return 'The songs change their roles.';
    case 'roles':
      return [
        edit.sings !== undefined && `${quoteSong(context.songs, edit.sings)} sings`,
        edit.plays !== undefined && `${quoteSong(context.songs, edit.plays)} plays`,
      ]
        .filter(Boolean)
        .join(', ')
        .concat('.');
  }
}
