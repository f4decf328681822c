/** A plan while it is edited: its sections with the numbers by which edits name them. */
import type { AnalyzedSong, Plan, PlanEdit, PlanLayer, PlanLimits, PlanSection, Stem } from '../../schema.ts';
import { barsOf, layOutBars } from '../plan/bars.ts';
import { cleanText } from '../plan/text.ts';
import { nameOf, quoteSong } from '../revision/plan-edits.ts';

/** What edits need to know beside the plan. */
export type EditContext = { songs: readonly AnalyzedSong[]; limits: PlanLimits };

/** A section with its index in the plan that is edited; a repeated one has the next free index. */
export type EditedSection = { index: number; bars: number; section: PlanSection; copyOf?: number };

/** `nextIndex`: index of the next repeated section. */
export type EditState = { plan: Plan; sections: EditedSection[]; nextIndex: number };

/** The state after an edit, or why the edit is not possible, in a sentence. */
export type EditResult = { state: EditState } | { refused: string };

/** An edit of one kind. */
export type EditOf<Kind extends PlanEdit['kind']> = Extract<PlanEdit, { kind: Kind }>;

/** Returns the state before the first edit. */
export function startEditing(plan: Plan): EditState {
  const { global, timeline } = plan.masterplan;
  const bars = barsOf(timeline, global);
  const sections = timeline.map((section, index) => ({ index, section, bars: bars[index] ?? 1 }));
  return { plan, sections, nextIndex: timeline.length };
}

/** Returns the plan of a state: its sections one after the other. */
export function planOf({ plan, sections }: EditState): Plan {
  const { masterplan } = plan;
  const timeline = layOutBars(
    sections.map(({ section }) => section),
    sections.map(({ bars }) => bars),
    masterplan.global,
  );
  return { ...plan, masterplan: { ...masterplan, timeline } };
}

/** A copy of a list with other items in the place of `count` ones. Packages for browsers have no `toSpliced`. */
export const spliced = <Item>(list: readonly Item[], at: number, count: number, ...items: Item[]): Item[] => [
  ...list.slice(0, at),
  ...items,
  ...list.slice(at + count),
];

/** Returns the state with other sections. */
export const withEdited = (state: EditState, sections: EditedSection[]): EditResult => ({
  state: { ...state, sections },
});

/** Returns what a section is called, for sentences: `Section 3 ("Drop")`. */
export function sectionName({ index, copyOf, section }: EditedSection): string {
  const title = cleanText(section.description.split(/[:,]/)[0], 30);
  const named = title === '' ? '' : ` ("${title}")`;
  return copyOf === undefined ? `Section ${index + 1}${named}` : `The repeat of section ${copyOf + 1}${named}`;
}

/** Returns the position of a section. Refused if the plan has no such section, or not any more. */
export function findSection(
  state: EditState,
  index: number,
): { at: number; found: EditedSection } | { refused: string } {
  const at = state.sections.findIndex((each) => each.index === index);
  const found = state.sections[at];
  if (found) return { at, found };
  const isRemoved = index < state.nextIndex;
  return { refused: isRemoved ? `Section ${index + 1} is removed.` : `There is no section ${index + 1}.` };
}

/** Returns the name of a layer, for sentences: `the drums of "Halo"`. */
export const layerName = (layer: { stem: Stem; song_id: string }, { songs }: EditContext): string =>
  `the ${nameOf({ stem: layer.stem }, songs)} of ${quoteSong(songs, layer.song_id)}`;

/** Whether a layer is the one that an edit names. */
export const isLayer = (layer: PlanLayer, edit: { stem: Stem; song_id: string }): boolean =>
  layer.songId === edit.song_id && layer.stem === edit.stem;

/** Returns a number of bars, for sentences: `1 bar`, `4 bars`. */
export const barsText = (bars: number): string => `${bars} bar${bars === 1 ? '' : 's'}`;
