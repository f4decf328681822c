/** Key and tempo in which a take sounds. Corrections may leave what its plan names. */
import {
  displayKey,
  fifthDistance,
  formatKey,
  isSameKey,
  type Key,
  parseKey,
  transposeKey,
} from '../../../music/theory/keys.ts';
import type { RenderSong } from '../song/song.ts';
import type { RenderPlan } from './plan.ts';
import { playingTime, type Tuning } from './tuning.ts';

/** The stems that carry the harmony. */
const HARMONY_STEMS = ['bass', 'other'];

/** A key that is heard for less than this share of the time of the first one is not named. A choice. */
const NAMED_SHARE = 1 / 3;

/**
 * Returns the keys that are heard, the longest first: the keys of the songs that play bass or harmony, each shifted as delivered. The
 * cents of a tuning do not count: they bring the songs to the tuning to which their keys refer. Keys with the same notes count together.
 * They have the name of the plan's key if it has these notes, so that texts and wishes agree with the plan, otherwise that of the longer
 * one. Without bass and harmony the voices count. Empty if no song with notes has a known key.
 */
export function soundingKeys(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>, tuning: Tuning): string[] {
  const harmony = playingTime(plan, HARMONY_STEMS);
  const seconds = harmony.size > 0 ? harmony : playingTime(plan, ['vocals']);
  const heard: { key: Key; seconds: number }[] = [];
  for (const [id, time] of seconds) {
    const key = parseKey(songs.get(id)?.key ?? '');
    if (key) heard.push({ key: transposeKey(key, Math.round(tuning.semitones.get(id) ?? 0)), seconds: time });
  }
  const secondsOf = (matches: (key: Key) => boolean): number =>
    heard.reduce((sum, each) => sum + (matches(each.key) ? each.seconds : 0), 0);
  const ranked = heard
    .map(({ key }) => ({
      key,
      withSameNotes: secondsOf((other) => fifthDistance(other, key) === 0),
      own: secondsOf((other) => other.tonic === key.tonic && other.mode === key.mode),
    }))
    .sort((a, b) => b.withSameNotes - a.withSameNotes || b.own - a.own);
  const [best] = ranked;
  if (!best) return [];
  const named = ranked.filter(
    ({ key, withSameNotes }, i) =>
      withSameNotes >= NAMED_SHARE * best.withSameNotes &&
      ranked.findIndex((other) => fifthDistance(other.key, key) === 0) === i,
  );
  const planned = parseKey(plan.key);
  const nameOf = (key: Key): string => formatKey(planned && fifthDistance(planned, key) === 0 ? planned : key);
  return [nameOf(best.key), ...named.slice(1).map(({ key }) => nameOf(key))];
}

/**
 * Returns the planned key if the songs are shifted as the plan says, and a part is in that key: it was heard when the shifts were found. Of
 * songs a fifth apart either key may be heard, so that the key of a version would change by itself.
 */
export function keptKey(plan: RenderPlan, keys: readonly string[], { semitones }: Tuning): string | undefined {
  const shifts = Object.entries(plan.shifts);
  const isKept = shifts.length > 0 && shifts.every(([id, shift]) => (semitones.get(id) ?? shift) === shift);
  return isKept && keys.some((key) => isSameKey(key, plan.key)) ? plan.key : undefined;
}

/** Names the keys of parts that are more than a fifth apart, in a sentence; undefined if there are none. */
export function keyChangeText([first, ...others]: readonly string[]): string | undefined {
  const main = parseKey(first ?? '');
  const far = others.filter((text) => {
    const key = parseKey(text);
    return main && key && fifthDistance(main, key) > 1;
  });
  return far.length > 0
    ? `The mashup changes its key: parts are in ${[first ?? '', ...far].map(displayKey).join(' and in ')}.`
    : undefined;
}

/** Returns the tempo of most of the time: that of the plan, unless sections with another tempo last longer. */
export function soundingBpm(plan: RenderPlan): number {
  const seconds = new Map<number, number>([[plan.bpm, 0]]);
  for (const { bpm, start, end } of plan.sections) seconds.set(bpm, (seconds.get(bpm) ?? 0) + end - start);
  return [...seconds].reduce((most, each) => (each[1] > most[1] + 1e-6 ? each : most))[0];
}
