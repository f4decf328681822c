/** Songs without a beat in a plan. */
import type { RenderSong } from '../song/song.ts';
import type { RenderPlan } from './plan.ts';

/** Returns the plan with all layers of songs without a beat at their own speed, whatever the planner said. */
export function freeSongsWithoutBeat(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): RenderPlan {
  const sections = plan.sections.map((section) => ({
    ...section,
    layers: section.layers.map((layer) =>
      songs.get(layer.songId)?.hasBeat === false ? { ...layer, free: true } : layer,
    ),
  }));
  return { ...plan, sections };
}
