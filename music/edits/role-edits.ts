/** Edits of the roles of the songs: which one sings, which one plays. */
import type { Plan, Stem } from '../../schema.ts';
import { mainSong } from '../revision/plan-edits.ts';
import { swapSongs, takeFrom } from '../revision/sources.ts';
import { planOf, type EditContext, type EditOf, type EditResult, type EditState } from './edit-state.ts';

/** Exchanges the song that sings and the song that plays. */
export function swapRoles(state: EditState, context: EditContext): EditResult {
  const result = swapSongs(planOf(state), context);
  return 'cannot' in result ? { refused: result.cannot } : withPlan(state, result.plan);
}

/** Takes the vocals from one song, and drums and bass from another. */
export function setRoles(state: EditState, { sings, plays }: EditOf<'roles'>, context: EditContext): EditResult {
  let plan = planOf(state);
  const isExchange =
    sings !== undefined &&
    plays !== undefined &&
    sings !== plays &&
    mainSong(plan, 'vocals') === plays &&
    mainSong(plan, 'drums') === sings;
  if (isExchange) return swapRoles(state, context);
  const wanted: { stem: Stem; song_id: string | undefined }[] = [
    { stem: 'vocals', song_id: sings },
    { stem: 'drums', song_id: plays },
    { stem: 'bass', song_id: plays },
  ];
  for (const { stem, song_id } of wanted) {
    if (song_id === undefined || (stem === 'bass' && mainSong(plan, stem) === undefined)) continue;
    if (isOnlySource(plan, stem, song_id)) continue;
    const result = takeFrom(plan, { stem, song_id }, context);
    if ('cannot' in result) return { refused: result.cannot };
    plan = result.plan;
  }
  return withPlan(state, plan);
}

/** Whether a stem plays, and from this song only. */
function isOnlySource({ masterplan }: Plan, stem: Stem, songId: string): boolean {
  const layers = masterplan.timeline.flatMap((section) => section.layers.filter((layer) => layer.stem === stem));
  return layers.length > 0 && layers.every((layer) => layer.songId === songId);
}

/** The state with the sections of a plan that has as many. */
function withPlan(state: EditState, { masterplan: { timeline } }: Plan): EditResult {
  const sections = state.sections.map((each, i) => ({ ...each, section: timeline[i] ?? each.section }));
  return { state: { ...state, sections } };
}
