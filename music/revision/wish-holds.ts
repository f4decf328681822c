/** Whether a plan does what a wish asks for. Used for plans of any planner: what was claimed must be in the plan. */
import type { Plan, PlanSection, Stem, Wish } from '../../schema.ts';
import { sectionBarSec } from '../plan/bars.ts';
import { soundOf } from '../plan/sound-of.ts';
import { isSameKey, parseKey, transposeKey } from '../theory/keys.ts';
import { edgeIndex } from './edges.ts';
import { amountOfEffects, roughness } from './layer-effects.ts';
import { isAudible, isOf, lengthOf, mainSong, type LayerFilter } from './plan-edits.ts';
import { dropSec } from './structure.ts';
import { tempoChange } from './tempo-and-key.ts';

/** A quiet edge has at most this energy, a loud one at least the other. */
const [QUIET_UP_TO, LOUD_FROM] = [0.45, 0.7];
const MIN_LENGTH_CHANGE_SEC = 1;
/** Lengths are shown in whole seconds. */
const ROUNDING_SEC = 0.5;
const BPM_TOLERANCE = 0.6;
/** Share of a change of tempo that may be missing or too much. */
const TEMPO_TOLERANCE = 0.2;
/** Share of an exact length that may be missing or too much, where bars are short. */
const LENGTH_TOLERANCE = 0.06;

type Kind = Wish['kind'];
type Of<K extends Kind> = Extract<Wish, { kind: K }>;
/** `before`: the plan without the wish. Absent, a wish for a change cannot be checked, and counts as fulfilled. */
type Checks = { [K in Kind]: (wish: Of<K>, after: Plan, before: Plan | undefined) => boolean };

const edgeOf = ({ masterplan: { timeline } }: Plan, edge: 'start' | 'end'): PlanSection | undefined =>
  timeline[edgeIndex(edge, timeline)];

const totalOf = (plan: Plan): number => lengthOf(plan.masterplan.timeline);

/** Sum over the layers of a stem or song of seconds times amplitude: more if louder, longer or in more sections. */
function presence(plan: Plan, filter: LayerFilter): number {
  let sum = 0;
  for (const { duration_sec, layers } of plan.masterplan.timeline)
    for (const layer of layers) if (isOf(layer, filter)) sum += duration_sec * 10 ** (layer.volume_db / 20);
  return sum / totalOf(plan);
}

/** Mean energy of the sections, weighted by time. */
const meanEnergy = ({ masterplan: { timeline } }: Plan): number =>
  timeline.reduce((sum, section) => sum + section.duration_sec * section.energy_level, 0) / lengthOf(timeline);

/** Sign of a change in the direction that was asked for. */
const isMore = (wanted: boolean, before: number, after: number, least = 1e-6): boolean =>
  wanted ? after - before >= least : before - after >= least;

/** The songs whose stem is the loudest one of its section, backing voices left out. */
function leadersOf({ masterplan: { timeline } }: Plan, stem: Stem): Set<string> {
  const songs = new Set<string>();
  for (const { layers } of timeline) {
    const [lead] = layers
      .filter((layer) => layer.stem === stem && isAudible(layer))
      .toSorted((a, b) => b.volume_db - a.volume_db);
    if (lead) songs.add(lead.songId);
  }
  return songs;
}

const CHECKS: Checks = {
  source: ({ stem, song_id }, after) => {
    const songs = leadersOf(after, stem);
    return songs.size === 1 && songs.has(song_id);
  },
  edge: ({ edge, sound }, after) => {
    const section = edgeOf(after, edge);
    if (!section) return false;
    if (sound === 'quiet') return section.energy_level <= QUIET_UP_TO;
    if (sound === 'loud') return section.energy_level >= LOUD_FROM;
    return section.layers.some(({ effects }) =>
      effects.some((effect) => effect.startsWith(edge === 'start' ? 'fade_in' : 'fade_out')),
    );
  },
  edge_part: (wish, after) => {
    const layers = edgeOf(after, wish.edge)?.layers.filter(isAudible) ?? [];
    if (wish.how === 'without') return !layers.some((layer) => isOf(layer, wish));
    return wish.how === 'only'
      ? layers.length > 0 && layers.every((layer) => isOf(layer, wish))
      : layers.some((layer) => isOf(layer, wish));
  },
  drop: ({ change }, after, before) => !before || isMore(change === 'later', dropSec(before), dropSec(after)),
  length: ({ change }, after, before) =>
    !before || isMore(change === 'longer', totalOf(before), totalOf(after), MIN_LENGTH_CHANGE_SEC),
  length_exact: ({ sec }, after) => {
    const { global, timeline } = after.masterplan;
    const barSec = Math.max(...timeline.map((section) => sectionBarSec(global, section)));
    return Math.abs(totalOf(after) - sec) <= Math.max(4 * barSec, LENGTH_TOLERANCE * sec);
  },
  length_limit: ({ sec }, after) => totalOf(after) < sec + ROUNDING_SEC,
  tempo: (wish, after, before) => {
    if (!before) return true;
    const [from, to] = [before.masterplan.global.targetBPM, after.masterplan.global.targetBPM];
    const by = tempoChange(wish, from);
    return (
      isMore(wish.change === 'faster', from, to) &&
      (by === undefined || Math.abs(to - from - by) <= BPM_TOLERANCE + TEMPO_TOLERANCE * Math.abs(by))
    );
  },
  tempo_exact: ({ bpm }, after) => Math.abs(after.masterplan.global.targetBPM - bpm) <= BPM_TOLERANCE,
  key: ({ semitones }, after, before) => {
    const [from, to] = [
      before && parseKey(before.masterplan.global.targetKey),
      parseKey(after.masterplan.global.targetKey),
    ];
    return !from || to?.tonic === transposeKey(from, semitones).tonic;
  },
  key_exact: ({ key }, after) => isSameKey(after.masterplan.global.targetKey, key),
  swap: (_, after, before) => !before || mainSong(after, 'vocals') !== mainSong(before, 'vocals'),
  level: (wish, after, before) =>
    !before || isMore(wish.change === 'more', presence(before, wish), presence(after, wish)),
  without: (wish, after) =>
    !after.masterplan.timeline.some(({ layers }) => layers.some((layer) => isOf(layer, wish) && isAudible(layer))),
  effect: (wish, after, before) => {
    const amount = amountOfEffects(after, wish);
    if (wish.change === 'off') return amount === 0;
    return before
      ? isMore(wish.change === 'more', amountOfEffects(before, wish), amount)
      : wish.change === 'less' || amount > 0;
  },
  transitions: ({ change }, after, before) =>
    !before || isMore(change === 'harder', roughness(before), roughness(after)),
  sections: ({ change }, after, before) =>
    !before || isMore(change === 'more', before.masterplan.timeline.length, after.masterplan.timeline.length),
  sections_exact: ({ count }, after) => after.masterplan.timeline.length === count,
  energy: ({ change }, after, before) => !before || isMore(change === 'more', meanEnergy(before), meanEnergy(after)),
  keep: ({ what }, after, before) => {
    if (!before) return true;
    if (what === 'length') return Math.abs(totalOf(after) - totalOf(before)) < 2;
    const [old, now] = [before.masterplan.global, after.masterplan.global];
    return what === 'tempo' ? old.targetBPM === now.targetBPM : isSameKey(old.targetKey, now.targetKey);
  },
  again: (_, after, before) => !before || soundOf(before) !== soundOf(after),
};

/** Returns whether the plan does what the wish asks for, compared with the plan without the wish where that is needed. */
export function wishHolds(wish: Wish, after: Plan, before?: Plan): boolean {
  const check = CHECKS[wish.kind] as (wish: Wish, after: Plan, before: Plan | undefined) => boolean;
  return check(wish, after, before);
}
