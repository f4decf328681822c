/** Helpers for changes of a plan. */
import type { AnalyzedSong, Plan, PlanLayer, PlanLimits, PlanSection, Stem } from '../../schema.ts';
import { barsOf, layOutBars } from '../plan/bars.ts';
import { cleanText } from '../plan/text.ts';
import { AUDIBLE_LEVEL_DB, MAX_LEVEL_DB, MIN_LEVEL_DB } from '../plan/limits.ts';
import { STEM_NAMES } from '../theory/stem-texts.ts';

/** What changes need to know beside the plan. `remake` makes another plan for the same songs and wishes. */
export type RevisionContext = { songs: readonly AnalyzedSong[]; limits: PlanLimits; remake?: () => Plan };
/** The changed plan with a sentence about the change, or a sentence about why it cannot be changed. */
export type EditResult = { plan: Plan; change: string } | { cannot: string };

/** Which layers a wish is about. Absent members: all. */
export type LayerFilter = { stem?: Stem | undefined; song_id?: string | undefined };

/** Returns whether a layer is one that the filter is about. */
export const isOf = (layer: PlanLayer, { stem, song_id }: LayerFilter): boolean =>
  (stem === undefined || layer.stem === stem) && (song_id === undefined || layer.songId === song_id);

/** Returns whether a layer can be heard. */
export const isAudible = (layer: PlanLayer): boolean => layer.volume_db > AUDIBLE_LEVEL_DB;

/** Returns a song's name in quotes, for sentences. */
export function quoteSong(songs: readonly AnalyzedSong[], songId: string): string {
  return `"${cleanText(songs.find((song) => song.song_id === songId)?.name ?? songId, 60)}"`;
}

/** Returns the name of what a filter is about, for sentences: `drums`, `drums of "Halo"`. */
export function nameOf({ stem, song_id }: LayerFilter, songs: readonly AnalyzedSong[]): string {
  if (stem === undefined) return song_id === undefined ? 'everything' : quoteSong(songs, song_id);
  return `${STEM_NAMES[stem]}${song_id === undefined ? '' : ` of ${quoteSong(songs, song_id)}`}`;
}

/** Returns the beginning of a sentence: `The drums are`, `The bass is`, `"Halo" is`. */
export function subjectOf(filter: LayerFilter, songs: readonly AnalyzedSong[]): string {
  const name = nameOf(filter, songs);
  if (filter.stem === undefined) return `${name} is`;
  return `The ${name} ${filter.stem === 'bass' ? 'is' : 'are'}`;
}

/** Returns a level within the range of levels, in tenths of a decibel. */
export const clampLevel = (db: number): number =>
  Math.min(MAX_LEVEL_DB, Math.max(MIN_LEVEL_DB, Math.round(db * 10) / 10));

/** Returns whether a section is the first or the last. */
export const isEdge = (index: number, timeline: readonly PlanSection[]): boolean =>
  index === 0 || index === timeline.length - 1;

/** Returns the plan with each section changed. */
export function withSections(
  plan: Plan,
  change: (section: PlanSection, index: number, all: PlanSection[]) => PlanSection,
): Plan {
  return { ...plan, masterplan: { ...plan.masterplan, timeline: plan.masterplan.timeline.map(change) } };
}

/** Returns the plan with each layer changed. */
export function withLayers(plan: Plan, change: (layer: PlanLayer) => PlanLayer): Plan {
  return withSections(plan, (section) => ({ ...section, layers: section.layers.map(change) }));
}

/** Returns the plan with other sections, placed one after the other with their numbers of bars. */
export function withTimeline(plan: Plan, sections: readonly PlanSection[], bars?: readonly number[]): Plan {
  const { global } = plan.masterplan;
  const timeline = layOutBars(sections, bars ?? barsOf(sections, global), global);
  return { ...plan, masterplan: { ...plan.masterplan, timeline } };
}

/** Returns the length of sections in seconds. */
export const lengthOf = (sections: readonly PlanSection[]): number =>
  sections.reduce((sum, section) => sum + section.duration_sec, 0);

/** Returns the id of the song whose stem plays longest in the plan; undefined if the stem does not play. */
export function mainSong(plan: Plan, stem: Stem): string | undefined {
  const seconds = new Map<string, number>();
  for (const section of plan.masterplan.timeline)
    for (const layer of section.layers)
      if (layer.stem === stem) seconds.set(layer.songId, (seconds.get(layer.songId) ?? 0) + section.duration_sec);
  return [...seconds].sort((a, b) => b[1] - a[1])[0]?.[0];
}
