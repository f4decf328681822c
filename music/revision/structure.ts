/** The drop, the length and the number of sections. */
import type { AnalyzedSong, Plan, PlanSection, Wish } from '../../schema.ts';
import { barsOf, sectionBarSec } from '../plan/bars.ts';
import { clock } from '../plan/clock.ts';
import { limitsFor } from '../plan/limits.ts';
import { isEdge, lengthOf, withTimeline, type EditResult, type RevisionContext } from './plan-edits.ts';

type LengthWish = Extract<Wish, { kind: 'length' | 'length_exact' | 'length_limit' }>;
type SectionsWish = Extract<Wish, { kind: 'sections' | 'sections_exact' }>;

/** Steps of `longer` and `shorter`, as shares of the length. */
const LENGTH_STEPS = { little: 0.12, usual: 0.25, much: 0.5 } as const;
/** Bars of a phrase: exact lengths are met by whole phrases. */
const PHRASE_BARS = 4;
/** Number of sections that one `longer` adds at most. */
const MAX_REPEATED_SECTIONS = 40;
/** A section of this share of the highest energy is the drop. */
const DROP_SHARE = 0.8;
const MIN_SECTIONS = 2;
const MAX_WANTED_SECTIONS = 24;

/**
 * Repeats or removes inner sections until the length is near the wanted one. A length in seconds is met within half a phrase: sections
 * become shorter by phrases.
 */
export function changeLength(plan: Plan, wish: LengthWish, { songs, limits }: RevisionContext): EditResult {
  const { global, timeline } = plan.masterplan;
  const barSec = Math.max(...timeline.map((section) => sectionBarSec(global, section)));
  const { min_length_sec, max_length_sec } = limitsFor(songs, limits);
  const before = lengthOf(timeline);
  const isTotal = wish.kind !== 'length';
  const goal = goalOf(wish, before);
  const range = `mashups here last ${clock(min_length_sec)} to ${clock(max_length_sec)}`;
  if (isTotal && (goal > max_length_sec || goal < min_length_sec))
    return { cannot: `The length stays at ${clock(before)}: ${range}.` };
  const isExact = isTotal || wish.by_sec !== undefined || wish.by_percent !== undefined;
  const nearly = (isExact ? PHRASE_BARS / 2 : 1) * barSec;
  // Whole phrases lead up to `nearly` away from the target, and never beyond a limit.
  const wanted = wish.kind === 'length_limit' ? goal - nearly : goal;
  const target = Math.min(max_length_sec, Math.max(min_length_sec, wanted));
  const sections =
    target > before
      ? repeatSections(timeline, target - nearly, isExact ? Infinity : max_length_sec)
      : removeSections(timeline, target + nearly, isExact ? target - nearly : min_length_sec - barSec, songs);
  const repeated = withTimeline(plan, sections);
  const changed = isExact ? shortenSections(repeated, target + nearly) : repeated;
  const after = lengthOf(changed.masterplan.timeline);
  if (Math.abs(after - before) < barSec / 2)
    return {
      cannot: `The length stays at ${clock(before)}: ${range}, and only whole phrases are added or left out.`,
    };
  if (isTotal && after - wanted > nearly + 1e-6)
    return { cannot: `Its sections cannot be shorter than ${clock(after)} together.` };
  return { plan: changed, change: `The length went from ${clock(before)} to ${clock(after)}.` };
}

/** Makes the longest inner sections shorter by a phrase each, until the length is at most `targetSec`. */
function shortenSections(plan: Plan, targetSec: number): Plan {
  let changed = plan;
  for (;;) {
    const { timeline, global } = changed.masterplan;
    if (lengthOf(timeline) <= targetSec) return changed;
    const bars = barsOf(timeline, global);
    const longest = Math.max(...bars.filter((_, index) => !isEdge(index, timeline)));
    if (longest <= PHRASE_BARS) return changed;
    const at = bars.findLastIndex((count, index) => count === longest && !isEdge(index, timeline));
    changed = withTimeline(changed, timeline, bars.with(at, longest - PHRASE_BARS));
  }
}

function goalOf(wish: LengthWish, before: number): number {
  if (wish.kind !== 'length') return wish.sec;
  const part = wish.by_percent === undefined ? LENGTH_STEPS[wish.degree ?? 'usual'] : wish.by_percent / 100;
  const change = wish.by_sec ?? before * part;
  return before + (wish.change === 'longer' ? change : -change);
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
    const index = leastNeeded(sections, minSec, songs);
    if (index === undefined) break;
    sections.splice(index, 1);
  }
  return sections;
}

/** Position of the inner section of least energy that can be left out; undefined if there is none. */
function leastNeeded(
  sections: readonly PlanSection[],
  minSec: number,
  songs: readonly AnalyzedSong[],
): number | undefined {
  return sections
    .map((section, index) => ({ section, index }))
    .filter(({ section, index }) => !isEdge(index, sections) && lengthOf(sections) - section.duration_sec >= minSec)
    .filter(({ index }) =>
      songs.every((song) =>
        sections.some((other, at) => at !== index && other.layers.some((layer) => layer.songId === song.song_id)),
      ),
    )
    .toSorted((a, b) => a.section.energy_level - b.section.energy_level)[0]?.index;
}

/** Returns the position of the drop: the first section near the highest energy. */
function dropIndex(timeline: readonly PlanSection[]): number {
  const highest = Math.max(...timeline.map((section) => section.energy_level));
  return timeline.findIndex((section) => section.energy_level >= DROP_SHARE * highest);
}

/** Returns when the drop comes, in seconds. */
export const dropSec = ({ masterplan }: Plan): number =>
  masterplan.timeline[dropIndex(masterplan.timeline)]?.time_start_sec ?? 0;

/** Brings the drop earlier: the section before it is left out or halved. Later: that section is repeated. */
export function moveDrop(plan: Plan, change: 'earlier' | 'later'): EditResult {
  const { timeline, global } = plan.masterplan;
  const at = dropIndex(timeline);
  const before = timeline[at - 1];
  if (!before) return { cannot: 'The drop is at the very beginning.' };
  const bars = barsOf(timeline, global);
  const ownBars = bars[at - 1] ?? 1;
  const moved = (sections: PlanSection[], counts: number[]): EditResult => {
    const next = withTimeline(plan, sections, counts);
    return {
      plan: next,
      change: `The drop comes at ${clock(dropSec(next))} instead of ${clock(before.time_start_sec + before.duration_sec)}.`,
    };
  };
  if (change === 'later')
    return moved(timeline.toSpliced(at - 1, 0, { ...before }), bars.toSpliced(at - 1, 0, ownBars));
  if (at > 1) return moved(timeline.toSpliced(at - 1, 1), bars.toSpliced(at - 1, 1));
  const half = Math.floor(ownBars / 2);
  if (half < 2) return { cannot: 'The drop comes after a few bars already.' };
  return moved([...timeline], bars.with(at - 1, half));
}

/** Splits the longest section, or leaves out the one of least energy, until the number of sections is as wanted. */
export function changeSections(plan: Plan, wish: SectionsWish, { songs }: RevisionContext): EditResult {
  const count = plan.masterplan.timeline.length;
  const wanted = wish.kind === 'sections_exact' ? wish.count : count + (wish.change === 'more' ? 2 : -1);
  if (wanted < MIN_SECTIONS || wanted > MAX_WANTED_SECTIONS)
    return { cannot: `A mashup has ${MIN_SECTIONS} to ${MAX_WANTED_SECTIONS} sections here.` };
  let changed = plan;
  while (changed.masterplan.timeline.length < wanted) {
    const next = splitLongest(changed);
    if (!next) break;
    changed = next;
  }
  while (changed.masterplan.timeline.length > wanted) {
    const sections = changed.masterplan.timeline;
    const index = leastNeeded(sections, 0, songs);
    if (index === undefined) break;
    changed = withTimeline(changed, sections.toSpliced(index, 1));
  }
  const now = changed.masterplan.timeline.length;
  if (now === count && wanted !== count) return { cannot: `The number of sections stays at ${count}.` };
  if (wish.kind === 'sections_exact' && now !== wanted)
    return { cannot: `${wanted} sections cannot be made of these songs.` };
  return { plan: changed, change: `There are ${now} sections instead of ${count}.` };
}

/** Splits the longest section of eight bars and more. Its second half lacks one layer, so that it is heard as a section. */
function splitLongest(plan: Plan): Plan | null {
  const { timeline, global } = plan.masterplan;
  const bars = barsOf(timeline, global);
  const longest = bars.indexOf(Math.max(...bars));
  const [section, count] = [timeline[longest], bars[longest] ?? 0];
  if (!section || count < 8) return null;
  const half = Math.ceil(count / 2);
  const dropped = section.layers.findLastIndex(({ stem }) => stem === 'other' || stem === 'bass');
  const layers = section.layers.length > 2 && dropped >= 0 ? section.layers.toSpliced(dropped, 1) : section.layers;
  const offset = half * sectionBarSec(global, section);
  const second: PlanSection = {
    ...section,
    energy_level: Math.max(0.1, Math.round((section.energy_level - 0.1) * 100) / 100),
    layers: layers.map((layer) => ({ ...layer, ...continued(layer.source_start_sec, offset) })),
  };
  return withTimeline(
    plan,
    timeline.toSpliced(longest, 1, section, second),
    bars.toSpliced(longest, 1, half, count - half),
  );
}

/** Where the second half of a layer starts in its song, near enough: the checks move it to a downbeat. */
const continued = (start: number | undefined, offset: number): { source_start_sec?: number } =>
  start === undefined ? {} : { source_start_sec: start + offset };
