/** Levels of stems and songs, stems that are left out, energy. */
import type { AnalyzedSong, Plan, PlanLayer, PlanSection } from '../../schema.ts';
import { sectionBpm } from '../plan/bars.ts';
import { allowedStems } from '../plan/limits.ts';
import { songBars } from '../theory/bars.ts';
import { usableStems } from '../theory/content.ts';
import { canMatchTempo } from '../theory/tempo.ts';
import {
  clampLevel,
  isEdge,
  isOf,
  mainSong,
  nameOf,
  subjectOf,
  withLayers,
  withSections,
  type EditResult,
  type LayerFilter,
  type RevisionContext,
} from './plan-edits.ts';

/** Steps of `more` and `less` of a stem, in dB. */
const LEVEL_STEPS = { little: 1.5, usual: 2.5, much: 5 } as const;
const ENERGY_STEPS = { little: 0.07, usual: 0.12, much: 0.2 } as const;
/** Level of a stem that is added to a section. */
const ADDED_LEVEL_DB = -4;

type Degree = 'little' | 'much' | undefined;
type LevelChange = LayerFilter & { change: 'more' | 'less'; degree?: Degree; by_db?: number | undefined };

/** Makes a stem, a song or a stem of a song louder or softer. If louder, a stem is also added to inner sections without it. */
export function changeLevel(plan: Plan, wish: LevelChange, context: RevisionContext): EditResult {
  const { songs, limits } = context;
  const { stem, change } = wish;
  if (stem !== undefined && !allowedStems(limits).includes(stem))
    return { cannot: `The ${nameOf({ stem }, songs)} may not be used here.` };
  const step = wish.by_db ?? LEVEL_STEPS[wish.degree ?? 'usual'];
  const signed = change === 'more' ? step : -step;
  const changed = withLayers(plan, (layer) =>
    isOf(layer, wish) ? { ...layer, volume_db: clampLevel(layer.volume_db + signed) } : layer,
  );
  const filled =
    change === 'more' && stem !== undefined ? addStem(changed, wish, context) : { plan: changed, added: 0 };
  if (JSON.stringify(filled.plan) === JSON.stringify(plan))
    return {
      cannot: `${subjectOf(wish, songs)} as ${change === 'more' ? 'loud' : 'soft'} as can be, or not heard at all.`,
    };
  const sections =
    filled.added > 0 ? `, also in ${filled.added} section${filled.added === 1 ? '' : 's'} that had none` : '';
  return {
    plan: filled.plan,
    change: `${subjectOf(wish, songs)} ${step} dB ${change === 'more' ? 'louder' : 'softer'}${sections}.`,
  };
}

/** Adds a stem to the inner sections without it, from the song that plays it most. */
function addStem(plan: Plan, filter: LayerFilter, { songs }: RevisionContext): { plan: Plan; added: number } {
  const { stem } = filter;
  const bySinging = songs.toSorted((a, b) => b.analysis.vocal.vocal_presence - a.analysis.vocal.vocal_presence);
  const usual = stem && (filter.song_id ?? mainSong(plan, stem) ?? (stem === 'vocals' ? bySinging : songs)[0]?.song_id);
  const song = songs.find((each) => each.song_id === usual);
  if (!stem || !song || !usableStems(song).includes(stem)) return { plan, added: 0 };
  let added = 0;
  const filled = withSections(plan, (section, index, all) => {
    if (isEdge(index, all) || section.layers.some((layer) => layer.stem === stem)) return section;
    // Sections with a free song have no beat that the stem could follow.
    if (section.layers.some((layer) => layer.timing === 'free')) return section;
    if (!canMatchTempo(songBars(song.analysis).bpm, sectionBpm(plan.masterplan.global, section))) return section;
    added += 1;
    return { ...section, layers: [...section.layers, newLayer(section, song, { ...filter, stem })] };
  });
  return { plan: filled, added };
}

/** A layer for a stem that was asked for, at the place in the song where its other layers are. */
function newLayer(section: PlanSection, song: AnalyzedSong, { stem }: { stem: PlanLayer['stem'] }): PlanLayer {
  const source = section.layers.find((layer) => layer.songId === song.song_id)?.source_start_sec;
  return {
    songId: song.song_id,
    stem,
    volume_db: ADDED_LEVEL_DB,
    effects: [],
    why: `Asked for: more ${nameOf({ stem }, [])}`,
    ...(source === undefined ? {} : { source_start_sec: source }),
  };
}

/** Removes a stem, of one song or of all. A section that has nothing else gets the other layers of the nearest section. */
export function removeStem(plan: Plan, filter: LayerFilter, { songs }: RevisionContext): EditResult {
  const { timeline } = plan.masterplan;
  const rest = (section: PlanSection): PlanLayer[] => section.layers.filter((layer) => !isOf(layer, filter));
  const without = withSections(plan, (section, index) => {
    if (rest(section).length > 0) return { ...section, layers: rest(section) };
    const nearest = timeline
      .map((other, at) => ({ other, distance: Math.abs(at - index) }))
      .filter(({ other }) => rest(other).length > 0 && other.tempo_bpm === section.tempo_bpm)
      .toSorted((a, b) => a.distance - b.distance)[0];
    return nearest ? { ...section, layers: rest(nearest.other).map(withoutSource) } : section;
  });
  if (without.masterplan.timeline.some((section) => section.layers.some((layer) => isOf(layer, filter))))
    return { cannot: `Without the ${nameOf(filter, songs)} a section would be silent.` };
  return { plan: without, change: `${subjectOf(filter, songs)} left out.` };
}

/** The layer without its place in the song: another section needs another place. */
function withoutSource({ source_start_sec: _, ...layer }: PlanLayer): PlanLayer {
  return layer;
}

/** Changes the energy: the level of the drums, drums in sections without, and the energy of the inner sections. */
export function changeEnergy(
  plan: Plan,
  wish: { change: 'more' | 'less'; degree?: Degree },
  context: RevisionContext,
): EditResult {
  const drums = changeLevel(plan, { ...wish, stem: 'drums' }, context);
  const from = 'cannot' in drums ? plan : drums.plan;
  const step = ENERGY_STEPS[wish.degree ?? 'usual'] * (wish.change === 'more' ? 1 : -1);
  const raised = withSections(from, (section, index, all) => ({
    ...section,
    energy_level: isEdge(index, all)
      ? section.energy_level
      : Math.min(1, Math.max(0.1, Math.round((section.energy_level + step) * 100) / 100)),
  }));
  return {
    plan: raised,
    change:
      wish.change === 'more'
        ? 'The middle is fuller and its drums are louder.'
        : 'The middle is calmer and its drums are softer.',
  };
}
