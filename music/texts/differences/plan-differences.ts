/** The differences between two plans in sentences for users. */
import type { Plan, PlanSection } from '../../../schema.ts';
import { barsOf, sectionBpm } from '../../plan/bars.ts';
import { soundOf } from '../../plan/sound-of.ts';
import { displayKey, isSameKey } from '../../theory/keys.ts';
import { clock } from '../../plan/clock.ts';
import { AUDIBLE_LEVEL_DB } from '../../plan/limits.ts';
import { STEM_NAMES } from '../../theory/stem-texts.ts';
import { bpmText, joinWords, quoteName, type NamedSong } from '../words.ts';
import { alignSections, type AlignedPair } from './align.ts';
import { Findings, nameOfSection } from './findings.ts';
import { compareSections } from './section-changes.ts';

/** The sentence about plans without a difference. */
export const NOTHING_CHANGED = 'Nothing changed.';
/** The sentence about plans whose differences have no words. */
const DETAILS_CHANGED = 'Only details changed that are too small to be named.';
/** Longer lists are cut, and the last sentence counts the rest. */
const MAX_SENTENCES = 16;
const LEAST_LENGTH_SEC = 1;
/** Tempi of sections are rounded: smaller ratios are the same. */
const SAME_TEMPO = 0.01;

/**
 * Returns what differs between two plans: tempo, key, length, sections, who sings and plays, levels, effects. Texts of the plans are
 * not compared. Without a difference the only sentence is NOTHING_CHANGED.
 * @param before the plan of the earlier version, as it was rendered
 * @param songs names of the songs of both plans
 */
export function planDifferences(before: Plan, after: Plan, songs: readonly NamedSong[]): string[] {
  const pairs = alignSections(before.masterplan.timeline, after.masterplan.timeline);
  const sentences = [
    ...globalDifferences(before, after),
    ...sectionDifferences(before, after, pairs, songs),
    ...layerDifferences(before, after, pairs, songs),
  ];
  if (sentences.length === 0) return [soundOf(before) === soundOf(after) ? NOTHING_CHANGED : DETAILS_CHANGED];
  if (sentences.length <= MAX_SENTENCES) return sentences;
  const rest = sentences.length - MAX_SENTENCES + 1;
  return [...sentences.slice(0, MAX_SENTENCES - 1), `There are ${rest} more differences.`];
}

const lengthOf = ({ masterplan: { timeline } }: Plan): number =>
  timeline.reduce((sum, section) => sum + section.duration_sec, 0);

function globalDifferences(before: Plan, after: Plan): string[] {
  const [old, now] = [before.masterplan.global, after.masterplan.global];
  const sentences: string[] = [];
  const [oldLength, newLength] = [lengthOf(before), lengthOf(after)];
  if (Math.abs(newLength - oldLength) >= LEAST_LENGTH_SEC)
    sentences.push(`The length went from ${clock(oldLength)} to ${clock(newLength)}.`);
  if (bpmText(old.targetBPM) !== bpmText(now.targetBPM))
    sentences.push(`The tempo went from ${bpmText(old.targetBPM)} to ${bpmText(now.targetBPM)}.`);
  if (!isSameKey(old.targetKey, now.targetKey))
    sentences.push(`The key went from ${displayKey(old.targetKey)} to ${displayKey(now.targetKey)}.`);
  const [oldMeter, newMeter] = [old.timeSignature.join('/'), now.timeSignature.join('/')];
  if (oldMeter !== newMeter) sentences.push(`The meter went from ${oldMeter} to ${newMeter}.`);
  return sentences;
}

/** Sections that are new, left out, longer, shorter, or in another tempo. */
function sectionDifferences(
  before: Plan,
  after: Plan,
  pairs: readonly AlignedPair[],
  songs: readonly NamedSong[],
): string[] {
  const [old, now] = [before.masterplan, after.masterplan];
  const [oldBars, newBars] = [barsOf(old.timeline, old.global), barsOf(now.timeline, now.global)];
  return pairs.flatMap(({ before: i, after: j }): string[] => {
    if (j === undefined)
      return [`The section at ${clock(old.timeline[i!]!.time_start_sec)} of the earlier version is left out.`];
    const name = `Section ${nameOfSection(j, now.timeline)}`;
    if (i === undefined) return [`${name} is new: ${contentOf(now.timeline[j]!, songs)}.`];
    const sentences: string[] = [];
    // In another meter the same beats are another number of bars.
    const [oldBeats, newBeats] = [oldBars[i]! * old.global.timeSignature[0], newBars[j]! * now.global.timeSignature[0]];
    if (oldBars[i] !== newBars[j] && oldBeats !== newBeats)
      sentences.push(`${name} has ${newBars[j]} bar${newBars[j] === 1 ? '' : 's'} instead of ${oldBars[i]}.`);
    const [from, to] = [sectionBpm(old.global, old.timeline[i]!), sectionBpm(now.global, now.timeline[j]!)];
    const ratio = to / now.global.targetBPM / (from / old.global.targetBPM);
    if (Math.abs(ratio - 1) > SAME_TEMPO) sentences.push(`${name} has ${bpmText(to)} instead of ${bpmText(from)}.`);
    return sentences;
  });
}

/** What is heard in a section, as `vocals of "A" and drums and bass of "B"`. */
function contentOf({ layers }: PlanSection, songs: readonly NamedSong[]): string {
  const heard = layers.filter(({ volume_db }) => volume_db > AUDIBLE_LEVEL_DB);
  const parts = [...new Set(heard.map(({ songId }) => songId))].map((id) => {
    const stems = new Set(heard.filter(({ songId }) => songId === id).map(({ stem }) => STEM_NAMES[stem]));
    return `${joinWords([...stems])} of ${quoteName(songs, id)}`;
  });
  return joinWords(parts) || 'silence';
}

/** What differs within corresponding sections. */
function layerDifferences(
  before: Plan,
  after: Plan,
  pairs: readonly AlignedPair[],
  songs: readonly NamedSong[],
): string[] {
  const [old, now] = [before.masterplan, after.masterplan];
  const [oldBars, newBars] = [barsOf(old.timeline, old.global), barsOf(now.timeline, now.global)];
  const findings = new Findings();
  for (const { before: i, after: j } of pairs) {
    if (i === undefined || j === undefined) continue;
    const bars = { before: oldBars[i]!, after: newBars[j]! };
    compareSections({ before: old.timeline[i]!, after: now.timeline[j]!, index: j, bars }, songs, findings);
  }
  return findings.sentences(now.timeline);
}
