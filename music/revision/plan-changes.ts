/** Describes the differences between two plans. */
import { displayKey, isSameKey } from '../theory/keys.ts';
import type { Masterplan, Plan, PlanSection } from '../../schema.ts';

/** Returns the length in whole seconds. */
const lengthOf = (timeline: readonly PlanSection[]): number =>
  Math.round(timeline.reduce((sum, section) => sum + section.duration_sec, 0));

/** Returns the playing time of a stem, summed over the songs, as a share of the length. */
function playingShare(timeline: readonly PlanSection[], stem: string): number {
  let seconds = 0;
  for (const { duration_sec, layers } of timeline)
    seconds += duration_sec * layers.filter((layer) => layer.stem === stem).length;
  return seconds / Math.max(1, lengthOf(timeline));
}

/** Returns the mean level of a stem over all its layers, weighted by time; undefined if it does not play. */
function meanLevel(timeline: readonly PlanSection[], stem: string): number | undefined {
  let sum = 0;
  let seconds = 0;
  for (const { duration_sec, layers } of timeline)
    for (const layer of layers) {
      if (layer.stem !== stem) continue;
      sum += duration_sec * layer.volume_db;
      seconds += duration_sec;
    }
  return seconds > 0 ? sum / seconds : undefined;
}

const effectCount = (timeline: readonly PlanSection[]): number =>
  timeline.reduce((sum, { layers }) => sum + layers.reduce((all, { effects }) => all + effects.length, 0), 0);

/** Smaller differences in level are not described. */
const NOTABLE_DB = 0.5;
/** Smaller differences in a stem's share of the playing time are not described. */
const NOTABLE_SHARE = 0.1;

/**
 * Describes the changes between two plans in sentences for the user: tempo, key, length, sections, stems, levels, effects.
 * For planners that do not report their changes.
 */
export function describeChanges(before: Plan, after: Plan): string {
  const [old, now] = [before.masterplan, after.masterplan];
  const changes = [
    ...globalChanges(old, now),
    ...['vocals', 'drums', 'bass', 'other'].flatMap((stem) => stemChanges(old.timeline, now.timeline, stem)),
    ...effectChanges(old.timeline, now.timeline),
  ];
  if (changes.length > 0) return changes.join(' ');
  return JSON.stringify(old.timeline) === JSON.stringify(now.timeline)
    ? 'The arrangement stayed as it was.'
    : 'The arrangement changed in details.';
}

function globalChanges(old: Masterplan, now: Masterplan): string[] {
  const changes: string[] = [];
  if (old.global.targetBPM !== now.global.targetBPM)
    changes.push(`The tempo went from ${old.global.targetBPM} to ${now.global.targetBPM} bpm.`);
  if (!isSameKey(old.global.targetKey, now.global.targetKey))
    changes.push(`The key went from ${displayKey(old.global.targetKey)} to ${displayKey(now.global.targetKey)}.`);
  const [oldLength, newLength] = [lengthOf(old.timeline), lengthOf(now.timeline)];
  if (Math.abs(oldLength - newLength) > 1) changes.push(`The length went from ${oldLength} to ${newLength} s.`);
  if (old.timeline.length !== now.timeline.length)
    changes.push(`There are ${now.timeline.length} sections instead of ${old.timeline.length}.`);
  return changes;
}

function stemChanges(old: readonly PlanSection[], now: readonly PlanSection[], stem: string): string[] {
  const changes: string[] = [];
  const name = stem === 'other' ? 'harmony' : stem;
  const more = playingShare(now, stem) - playingShare(old, stem);
  if (Math.abs(more) >= NOTABLE_SHARE) changes.push(`There is ${more > 0 ? 'more' : 'less'} ${name}.`);
  const [oldLevel, newLevel] = [meanLevel(old, stem), meanLevel(now, stem)];
  if (oldLevel !== undefined && newLevel !== undefined && Math.abs(newLevel - oldLevel) >= NOTABLE_DB)
    changes.push(
      `The level of the ${name} went ${newLevel > oldLevel ? 'up' : 'down'} by ${Math.abs(newLevel - oldLevel).toFixed(1)} dB.`,
    );
  return changes;
}

function effectChanges(old: readonly PlanSection[], now: readonly PlanSection[]): string[] {
  const more = effectCount(now) - effectCount(old);
  const count = Math.abs(more);
  if (more === 0) return [];
  return [
    `There ${count === 1 ? 'is' : 'are'} ${count} effect${count === 1 ? '' : 's'} ${more > 0 ? 'more' : 'fewer'}.`,
  ];
}
