/** What one plan does differently from another, in sentences for the listener. */
import type { Plan, PlanSection } from '../../schema.ts';

const lengthOf = (timeline: readonly PlanSection[]): number =>
  Math.round(timeline.reduce((sum, section) => sum + section.duration_sec, 0));

/** Seconds in which each stem of each song is heard, by `song stem`. */
function heardSeconds(timeline: readonly PlanSection[]): Map<string, number> {
  const heard = new Map<string, number>();
  for (const { duration_sec, layers } of timeline)
    for (const { songId, stem } of layers)
      heard.set(`${songId} ${stem}`, (heard.get(`${songId} ${stem}`) ?? 0) + duration_sec);
  return heard;
}

/** Mean level of a stem over all its layers, weighted by time; undefined where it is not heard. */
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

/** Differences in level smaller than this are not worth a sentence. */
const NOTABLE_DB = 0.5;
/** Differences in the time that a stem is heard smaller than this share are not worth a sentence. */
const NOTABLE_SHARE = 0.1;

/**
 * Says what changed between two plans: tempo, key, length, sections, levels, what is heard more or less, effects. Made from
 * the plans alone, for planners that do not say it themselves.
 */
export function describeChanges(before: Plan, after: Plan): string {
  const [old, now] = [before.masterplan, after.masterplan];
  const said: string[] = [];
  if (old.global.targetBPM !== now.global.targetBPM)
    said.push(`The tempo went from ${old.global.targetBPM} to ${now.global.targetBPM} bpm.`);
  if (old.global.targetKey.toLowerCase() !== now.global.targetKey.toLowerCase())
    said.push(`The key went from ${old.global.targetKey} to ${now.global.targetKey}.`);
  const [oldLength, newLength] = [lengthOf(old.timeline), lengthOf(now.timeline)];
  if (Math.abs(oldLength - newLength) > 1) said.push(`The length went from ${oldLength} to ${newLength} s.`);
  if (old.timeline.length !== now.timeline.length)
    said.push(`There are ${now.timeline.length} sections instead of ${old.timeline.length}.`);

  const [oldHeard, newHeard] = [heardSeconds(old.timeline), heardSeconds(now.timeline)];
  for (const stem of ['vocals', 'drums', 'bass', 'other']) {
    const [oldLevel, newLevel] = [meanLevel(old.timeline, stem), meanLevel(now.timeline, stem)];
    const share = (heard: Map<string, number>, length: number): number =>
      [...heard].reduce((sum, [name, seconds]) => (name.endsWith(` ${stem}`) ? sum + seconds : sum), 0) /
      Math.max(1, length);
    const more = share(newHeard, newLength) - share(oldHeard, oldLength);
    const name = stem === 'other' ? 'harmony' : stem;
    if (Math.abs(more) >= NOTABLE_SHARE) said.push(`There is ${more > 0 ? 'more' : 'less'} ${name}.`);
    if (oldLevel !== undefined && newLevel !== undefined && Math.abs(newLevel - oldLevel) >= NOTABLE_DB)
      said.push(
        `The level of the ${name} went ${newLevel > oldLevel ? 'up' : 'down'} by ${Math.abs(newLevel - oldLevel).toFixed(1)} dB.`,
      );
  }
  const effects = effectCount(now.timeline) - effectCount(old.timeline);
  if (effects !== 0)
    said.push(
      `There ${Math.abs(effects) === 1 ? 'is' : 'are'} ${Math.abs(effects)} effect${Math.abs(effects) === 1 ? '' : 's'} ${effects > 0 ? 'more' : 'fewer'}.`,
    );
  if (said.length === 0)
    said.push(
      JSON.stringify(old.timeline) === JSON.stringify(now.timeline)
        ? 'The arrangement stayed as it was.'
        : 'The arrangement changed in details.',
    );
  return said.join(' ');
}
