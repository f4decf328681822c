/** The length of a mashup in seconds: what is aimed at, and what is said where the plan differs from what was asked for. */
import type { AnalyzedSong, MashupLength, Plan, PlanLimits, Wish } from '../../schema.ts';
import { barsOf, sectionBarSec } from '../plan/bars.ts';
import { clock } from '../plan/clock.ts';
import { wishHolds } from '../revision/wish-holds.ts';
import { songBars } from '../theory/bars.ts';
import { chooseParts } from '../theory/parts.ts';

/**
 * The range of each length in seconds: what a listener expects of it. `aim` is used if the songs have enough music; whole phrases lead up
 * to two bars away from it.
 */
const LENGTHS = {
  short: { least: 75, aim: 90, most: 105 },
  full: { least: 120, aim: 202, most: 210 },
} as const;
/** Passages with the same label are alike. A song plays its chorus three times, and so may a mashup: more are nothing new. */
const NEW_PASSAGES = 3;
/** Length of a mashup as a multiple of the mean length of its songs' different passages: two songs share its sections. */
const MASHUP_PER_SONG = 1.2;
/** No songs are so short that their mashup must be shorter. */
const LEAST_BEARABLE_SEC = 60;

/** Seconds of a song, or of the part of it that is used. */
export function usableSeconds(song: AnalyzedSong): number {
  const { startSec, durationSec } = songBars(song.analysis);
  return durationSec - startSec;
}

/** Seconds of the passages of a song that differ, as far as its sections show them. */
function differentSeconds(song: AnalyzedSong): number {
  const { startSec, durationSec } = songBars(song.analysis);
  const heard = new Map<string, number>();
  let repeated = 0;
  for (const { label, start_sec, end_sec } of song.analysis.sections ?? []) {
    const seconds = Math.min(end_sec, durationSec) - Math.max(start_sec, startSec);
    if (seconds <= 0) continue;
    const times = (heard.get(label) ?? 0) + 1;
    heard.set(label, times);
    if (times > NEW_PASSAGES) repeated += seconds;
  }
  return Math.max(0, durationSec - startSec - repeated);
}

/** Returns the length up to which a mashup of these songs need not play a passage more than three times, in seconds. */
export function bearableSeconds(wholeSongs: readonly AnalyzedSong[]): number {
  const songs = chooseParts(wholeSongs);
  const mean = songs.reduce((sum, song) => sum + differentSeconds(song), 0) / songs.length;
  return Math.max(LEAST_BEARABLE_SEC, MASHUP_PER_SONG * mean);
}

/** Returns the length in seconds that a short or a full mashup of these songs aims at. */
export function aimOf(length: MashupLength, songs: readonly AnalyzedSong[]): number {
  return Math.min(LENGTHS[length].aim, bearableSeconds(songs));
}

/** What was asked for: an exact length in seconds, or short or full. */
type AskedLength = { sec: number } | { length: MashupLength };

/** Wishes that change the length as well, though they ask for something else. */
const CHANGE_LENGTH: ReadonlySet<Wish['kind']> = new Set([
  'length',
  'length_limit',
  'drop',
  'sections',
  'sections_exact',
]);

/**
 * Returns what is said about the length of a plan. A length among the wishes replaces that of the options, and a new version is asked for
 * a length only by its feedback.
 */
export function noteOnLength(
  plan: Plan,
  options: { length?: MashupLength | undefined; length_sec?: number | undefined },
  {
    wishes,
    isRevision,
    ...context
  }: Omit<NoteContext, 'isChangedOtherwise'> & {
    wishes: readonly Wish[];
    isRevision: boolean;
  },
): string | undefined {
  const wish = wishes.findLast(({ kind }) => kind === 'length_exact');
  // What became of it is said with the other wishes.
  if (wish && !wishHolds(wish, plan)) return undefined;
  const exact = wish?.kind === 'length_exact' ? wish.sec : isRevision ? undefined : options.length_sec;
  const isChangedOtherwise = wishes.some(({ kind }) => CHANGE_LENGTH.has(kind));
  if (exact !== undefined) return lengthNote(plan, { sec: exact }, { ...context, isChangedOtherwise });
  if (isRevision || !options.length) return undefined;
  return lengthNote(plan, { length: options.length }, { ...context, isChangedOtherwise });
}

type NoteContext = {
  songs: readonly AnalyzedSong[];
  limits: PlanLimits;
  source: 'claude' | 'rules';
  /** Whether the user asks for other changes that decide the length as well, such as fewer sections. */
  isChangedOtherwise: boolean;
};

/**
 * Returns a sentence about a plan whose length is not the one that was asked for: `0:48: the nearest that fits whole phrases to 0:45.`
 * Undefined if the lengths are the same in minutes and seconds.
 */
function lengthNote(plan: Plan, asked: AskedLength, context: NoteContext): string | undefined {
  const { timeline } = plan.masterplan;
  const got = timeline.reduce((sum, section) => sum + section.duration_sec, 0);
  return 'sec' in asked ? exactNote(plan, got, asked.sec, context) : rangeNote(got, asked.length, context);
}

function exactNote(plan: Plan, got: number, sec: number, context: NoteContext): string | undefined {
  const [is, wanted] = [clock(got), clock(sec)];
  if (is === wanted) return undefined;
  const { limits, source, isChangedOtherwise } = context;
  if (isChangedOtherwise) return `${is} instead of ${wanted}: the other wishes change the length too.`;
  const { global, timeline } = plan.masterplan;
  const barSec = Math.max(...timeline.map((section) => sectionBarSec(global, section)));
  const common = barsOf(timeline, global).reduce(greatestCommonDivisor);
  if (sec > limits.max_length_sec && got > limits.max_length_sec - NEAR_BARS * barSec)
    return `${is} instead of ${wanted}: mashups here last at most ${clock(limits.max_length_sec)}.`;
  if (source === 'claude') return `${is} instead of ${wanted}: this is how Claude planned it.`;
  if (Math.abs(got - sec) <= NEAR_BARS * barSec)
    return `${is}: the nearest that fits whole ${common > 1 ? 'phrases' : 'bars'} to ${wanted}.`;
  return got < sec
    ? `${is} instead of ${wanted}: the songs have no more that fits.`
    : `${is} instead of ${wanted}: the sections cannot be shorter.`;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** Phrases have four bars, or as many as differing meters need: the nearest whole number of them is not farther away. */
const NEAR_BARS = 4;

function rangeNote(got: number, length: MashupLength, context: NoteContext): string | undefined {
  const { limits, songs, source, isChangedOtherwise } = context;
  const { least } = LENGTHS[length];
  if (isChangedOtherwise || Math.round(got) >= least) return undefined;
  if (limits.max_length_sec < least) return `${clock(got)}: mashups here last at most ${clock(limits.max_length_sec)}.`;
  if (bearableSeconds(songs) < least)
    return `${clock(got)}: more would repeat passages of these songs. An exact length can be longer.`;
  if (source === 'claude') return `${clock(got)}: this is how Claude planned it.`;
  return `${clock(got)}: the songs have no more that fits.`;
}
