/** Changes of a plan for common wishes. */
import type { AnalyzedSong, Plan, PlanLayer, PlanLimits, PlanSection, Stem } from '../../schema.ts';
import { displayKey, formatKey, parseKey } from '../theory/keys.ts';
import { barsOf, layOutBars, sectionBarSec, sectionBpm } from '../plan/bars.ts';
import { songBars } from '../theory/bars.ts';
import { canMatchTempo } from '../theory/tempo.ts';
import { MAX_LEVEL_DB, MIN_LEVEL_DB, allowedStems, limitsFor } from '../plan/limits.ts';

/** What rules need to know beside the plan. */
export type RevisionContext = { songs: readonly AnalyzedSong[]; limits: PlanLimits };
/** The changed plan with a sentence about the change, or a sentence about why it cannot be changed. */
export type RuleResult = { plan: Plan; change: string } | { cannot: string };

/** Steps of "slower" and "faster": the largest that all songs reach is used. Smaller steps than the last are inaudible. */
const TEMPO_STEPS = [0.06, 0.05, 0.04, 0.03, 0.02] as const;
/** Step of "longer" and "shorter", as a share of the length. */
const LENGTH_STEP = 0.25;
/** Number of sections that one "longer" adds at most. */
const MAX_REPEATED_SECTIONS = 40;
/** Step of "more" and "less" of a stem. */
const LEVEL_STEP_DB = 2.5;

const STEM_NAMES: Record<Stem, string> = { vocals: 'vocals', drums: 'drums', bass: 'bass', other: 'harmony' };
/** Returns the beginning of a sentence about a stem. */
const stemIs = (stem: Stem): string =>
  `The ${STEM_NAMES[stem]} ${stem === 'vocals' || stem === 'drums' ? 'are' : 'is'}`;

const clampLevel = (db: number): number => Math.min(MAX_LEVEL_DB, Math.max(MIN_LEVEL_DB, Math.round(db * 10) / 10));
const isEdge = (index: number, timeline: readonly PlanSection[]): boolean =>
  index === 0 || index === timeline.length - 1;

function withSections(
  plan: Plan,
  change: (section: PlanSection, index: number, all: PlanSection[]) => PlanSection,
): Plan {
  return { ...plan, masterplan: { ...plan.masterplan, timeline: plan.masterplan.timeline.map(change) } };
}

function withLayers(plan: Plan, change: (layer: PlanLayer) => PlanLayer): Plan {
  return withSections(plan, (section) => ({ ...section, layers: section.layers.map(change) }));
}

/** Returns the id of the song whose stem the plan uses longest, otherwise of the first song of `fallback`. */
function usualSong(plan: Plan, stem: Stem, fallback: readonly AnalyzedSong[]): string | undefined {
  const counts = new Map<string, number>();
  for (const section of plan.masterplan.timeline)
    for (const layer of section.layers)
      if (layer.stem === stem) counts.set(layer.songId, (counts.get(layer.songId) ?? 0) + section.duration_sec);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? fallback[0]?.song_id;
}

/** Makes a stem louder or softer. If louder, it is also added to inner sections without it. */
export function changeStem(plan: Plan, stem: Stem, direction: 1 | -1, { songs, limits }: RevisionContext): RuleResult {
  if (!allowedStems(limits).includes(stem)) return { cannot: `The ${STEM_NAMES[stem]} may not be used here.` };
  const bySinging = songs.toSorted((a, b) => b.analysis.vocal.vocal_presence - a.analysis.vocal.vocal_presence);
  const songId = usualSong(plan, stem, stem === 'vocals' ? bySinging : songs);
  const louder = withLayers(plan, (layer) =>
    layer.stem === stem ? { ...layer, volume_db: clampLevel(layer.volume_db + direction * LEVEL_STEP_DB) } : layer,
  );
  let added = 0;
  const filled = withSections(louder, (section, index, all) => {
    if (direction < 0 || isEdge(index, all) || !songId || section.layers.some((layer) => layer.stem === stem))
      return section;
    const song = songs.find((each) => each.song_id === songId);
    const hasFree = section.layers.some((layer) => layer.timing === 'free');
    const isOutOfReach =
      !song || !canMatchTempo(songBars(song.analysis).bpm, sectionBpm(plan.masterplan.global, section));
    // Sections with a free song have no beat that the stem could follow.
    if (hasFree || isOutOfReach) return section;
    added += 1;
    const source = section.layers.find((layer) => layer.songId === songId)?.source_start_sec;
    const layer: PlanLayer = { songId, stem, volume_db: -4, effects: [], why: `Asked for: more ${STEM_NAMES[stem]}` };
    return {
      ...section,
      layers: [...section.layers, source === undefined ? layer : { ...layer, source_start_sec: source }],
    };
  });
  const sections = added > 0 ? `, also in ${added} section${added === 1 ? '' : 's'} that had none` : '';
  return {
    plan: filled,
    change: `${stemIs(stem)} ${LEVEL_STEP_DB} dB ${direction > 0 ? 'louder' : 'softer'}${sections}.`,
  };
}

/** Removes a stem from every section that has other stems. */
export function removeStem(plan: Plan, stem: Stem): RuleResult {
  const without = withSections(plan, (section) => {
    const layers = section.layers.filter((layer) => layer.stem !== stem);
    return layers.length > 0 ? { ...section, layers } : section;
  });
  return { plan: without, change: `${stemIs(stem)} removed where other stems play.` };
}

/** Takes a stem from one song only, in all sections that have it. */
export function onlySongsStem(plan: Plan, stem: Stem, song: AnalyzedSong): RuleResult {
  const changed = withSections(plan, (section) => {
    const others = section.layers.filter((layer) => layer.stem !== stem);
    const level = section.layers.find((layer) => layer.stem === stem);
    if (!level) return section;
    const own = section.layers.find((layer) => layer.stem === stem && layer.songId === song.song_id);
    const { source_start_sec: _, ...replaced } = {
      ...level,
      songId: song.song_id,
      why: `Asked for: ${STEM_NAMES[stem]} of this song only`,
    };
    const source = others.find((layer) => layer.songId === song.song_id)?.source_start_sec;
    const layer = own ?? (source === undefined ? replaced : { ...replaced, source_start_sec: source });
    return { ...section, layers: [layer, ...others] };
  });
  return { plan: changed, change: `${stemIs(stem)} from "${song.name.slice(0, 60)}" alone.` };
}

/** Changes the energy: the level of the drums, drums in sections without, and the energy of the inner sections. */
export function changeEnergy(plan: Plan, direction: 1 | -1, context: RevisionContext): RuleResult {
  const drums = changeStem(plan, 'drums', direction, context);
  if ('cannot' in drums) return drums;
  const raised = withSections(drums.plan, (section, index, all) => ({
    ...section,
    energy_level: isEdge(index, all)
      ? section.energy_level
      : Math.min(1, Math.max(0.1, Math.round((section.energy_level + direction * 0.12) * 100) / 100)),
  }));
  return {
    plan: raised,
    change:
      direction > 0
        ? 'The middle is fuller and its drums are louder.'
        : 'The middle is calmer and its drums are softer.',
  };
}

/** Returns the tempo after the largest step at which every song on the beat reaches the tempo of its sections. */
function stepTempo({ masterplan }: Plan, direction: 1 | -1, songs: readonly AnalyzedSong[]): number {
  const isInReach = (step: number): boolean =>
    masterplan.timeline.every((section) =>
      section.layers.every((layer) => {
        const song = songs.find((each) => each.song_id === layer.songId);
        const bpm = sectionBpm(masterplan.global, section) * (1 + direction * step);
        return layer.timing === 'free' || !song || canMatchTempo(songBars(song.analysis).bpm, bpm);
      }),
    );
  const step = TEMPO_STEPS.find(isInReach) ?? TEMPO_STEPS[0];
  return masterplan.global.targetBPM * (1 + direction * step);
}

/** Changes the tempo. The number of bars stays. */
export function changeTempo(plan: Plan, wanted: number | 'slower' | 'faster', { songs }: RevisionContext): RuleResult {
  const { global, timeline } = plan.masterplan;
  const bars = barsOf(timeline, global);
  const target = typeof wanted === 'number' ? wanted : stepTempo(plan, wanted === 'faster' ? 1 : -1, songs);
  const targetBPM = Math.round(target * 10) / 10;
  if (targetBPM < 40 || targetBPM > 240) return { cannot: `${targetBPM} bpm is no tempo for a mashup (40 to 240).` };
  const changed = { ...global, targetBPM };
  // Sections with their own tempo keep its ratio to the main tempo.
  const moved = timeline.map((section) =>
    section.tempo_bpm === undefined
      ? section
      : { ...section, tempo_bpm: Math.round(((section.tempo_bpm * targetBPM) / global.targetBPM) * 10) / 10 },
  );
  return {
    plan: {
      ...plan,
      masterplan: { ...plan.masterplan, global: changed, timeline: layOutBars(moved, bars, changed) },
    },
    change: `The tempo went from ${global.targetBPM} to ${targetBPM} bpm.`,
  };
}

/** Changes the key. */
export function changeKey(plan: Plan, wanted: string): RuleResult {
  const key = parseKey(wanted);
  if (!key) return { cannot: `"${wanted}" is no key.` };
  const targetKey = formatKey(key);
  return {
    plan: { ...plan, masterplan: { ...plan.masterplan, global: { ...plan.masterplan.global, targetKey } } },
    change: `The mashup is in ${displayKey(key)} now.`,
  };
}

const lengthOf = (sections: readonly PlanSection[]): number =>
  sections.reduce((sum, section) => sum + section.duration_sec, 0);

/** Repeats or removes inner sections until the length is within a bar of the wanted one. */
export function changeLength(
  plan: Plan,
  wanted: number | 'longer' | 'shorter',
  { songs, limits }: RevisionContext,
): RuleResult {
  const { global, timeline } = plan.masterplan;
  const barSec = Math.max(...timeline.map((section) => sectionBarSec(global, section)));
  const { min_length_sec, max_length_sec } = limitsFor(songs, limits);
  const before = lengthOf(timeline);
  const goal = typeof wanted === 'number' ? wanted : before * (wanted === 'longer' ? 1 + LENGTH_STEP : 1 - LENGTH_STEP);
  const target = Math.min(max_length_sec, Math.max(min_length_sec, goal));
  const sections =
    target > before
      ? repeatSections(timeline, target - barSec, max_length_sec)
      : removeSections(timeline, target + barSec, min_length_sec - barSec, songs);
  if (sections.length === timeline.length)
    return {
      cannot: `The length stays at ${Math.round(before)} s: the limits are ${min_length_sec} to ${max_length_sec} s.`,
    };
  const laidOut = layOutBars(sections, barsOf(sections, global), global);
  return {
    plan: { ...plan, masterplan: { ...plan.masterplan, timeline: laidOut } },
    change: `The length went from ${Math.round(before)} to ${Math.round(lengthOf(laidOut))} s.`,
  };
}

/** Repeats the inner sections in turn, before the last one, until the length is at least `targetSec`. */
function repeatSections(timeline: readonly PlanSection[], targetSec: number, maxSec: number): PlanSection[] {
  let sections = [...timeline];
  const inner = timeline.length > 2 ? timeline.slice(1, -1) : timeline;
  for (let turn = 0; lengthOf(sections) < targetSec && turn < MAX_REPEATED_SECTIONS; turn++) {
    const next = inner[turn % inner.length];
    if (!next || lengthOf(sections) + next.duration_sec > maxSec) break;
    sections = [...sections.slice(0, -1), { ...next }, ...sections.slice(-1)];
  }
  return sections;
}

/** Removes the inner sections of least energy until the length is at most `targetSec`. Every song stays in the mashup. */
function removeSections(
  timeline: readonly PlanSection[],
  targetSec: number,
  minSec: number,
  songs: readonly AnalyzedSong[],
): PlanSection[] {
  const sections = [...timeline];
  while (sections.length > 3 && lengthOf(sections) > targetSec) {
    const removable = sections
      .map((section, index) => ({ section, index }))
      .filter(({ section, index }) => !isEdge(index, sections) && lengthOf(sections) - section.duration_sec >= minSec)
      .filter(({ index }) =>
        songs.every((song) =>
          sections.some((other, at) => at !== index && other.layers.some((layer) => layer.songId === song.song_id)),
        ),
      )
      .toSorted((a, b) => a.section.energy_level - b.section.energy_level)[0];
    if (!removable) break;
    sections.splice(removable.index, 1);
  }
  return sections;
}

/** Effects that `smoother` removes. */
const ROUGH = /^(stutter|gate|reverse|riser|bandpass)/;

/** Makes the mashup smoother: no rough effects, softer drums, reverb on voices, smaller changes of energy. */
export function makeSmoother(plan: Plan): RuleResult {
  const smooth = withLayers(plan, (layer) => {
    const effects = layer.effects.filter((effect) => !ROUGH.test(effect));
    if (layer.stem === 'vocals' && !effects.some((effect) => effect.startsWith('reverb')) && effects.length < 4)
      effects.push('reverb(mix=0.2)');
    return {
      ...layer,
      effects,
      volume_db: layer.stem === 'drums' ? clampLevel(layer.volume_db - 1.5) : layer.volume_db,
    };
  });
  const eased = withSections(smooth, (section, index, all) => {
    const before = all[index - 1]?.energy_level ?? section.energy_level;
    return { ...section, energy_level: Math.round((0.75 * section.energy_level + 0.25 * before) * 100) / 100 };
  });
  return {
    plan: eased,
    change: 'Rough effects are removed, drums are softer, voices have reverb, and the energy changes more gently.',
  };
}

/** Removes all effects, or those of one name. */
export function removeEffects(plan: Plan, name?: string): RuleResult {
  const without = withLayers(plan, (layer) => ({
    ...layer,
    effects: name === undefined ? [] : layer.effects.filter((effect) => effect.split('(')[0] !== name),
  }));
  return { plan: without, change: name === undefined ? 'All effects are removed.' : `The effect ${name} is removed.` };
}
