/** Limits that a plan must keep. Limits that are a matter of taste or of listening are marked. */
import type { AnalyzedSong, PlanLimits, Stem } from '../../schema.ts';
import { STEMS } from '../../schema/constants.ts';
import { songBars } from '../theory/bars.ts';

/** Limits of a plan for callers that set none. */
export const DEFAULT_PLAN_LIMITS: PlanLimits = { min_length_sec: 60, max_length_sec: 240, stems: [...STEMS] };
/** Songs shorter than this lower the minimum length of their mashup to MIN_LENGTH_OF_SHORT_SONGS_SEC. */
const SHORT_SONG_SEC = 60;
const MIN_LENGTH_OF_SHORT_SONGS_SEC = 30;

export const MAX_SECTIONS = 48;
export const MAX_LAYERS = 8;
export const MAX_EFFECTS = 4;
export const MAX_TITLE_LENGTH = 120;
export const MAX_TEXT_LENGTH = 1_500;
export const MAX_PROBLEMS = 16;

/** Range of a layer's level. Beyond it, the renderer's limiter or the noise floor decides. */
export const MIN_LEVEL_DB = -40;
export const MAX_LEVEL_DB = 6;
/** Layers at this level or below count as inaudible. */
export const AUDIBLE_LEVEL_DB = -30;
/** A second voice this far below the first, and with a reason, is a backing voice. */
export const BACKING_VOICE_DB = 6;
/** Minimum difference between the quietest and the loudest section. A matter of taste. */
export const MIN_ENERGY_RANGE = 0.15;

/** Section boundaries this share of a bar away from a bar line are moved to it without a fault. */
export const MAX_SNAP_BARS = 0.3;
/** Gaps and overlaps of up to this many bars are closed. */
export const MAX_CLOSED_GAP_BARS = 1;

/** Tolerance for the limit of a song's tempo change: tempi are rounded. */
export const TEMPO_TOLERANCE = 0.003;
/** Shift in semitones that is always allowed. A larger one is allowed if the songs have no better key. A matter of taste. */
export const MAX_PITCH_SHIFT = 4;

/** Returns the limits for these songs: short songs lower the minimum length. */
export function limitsFor(songs: readonly AnalyzedSong[], limits: PlanLimits): PlanLimits {
  const shortest = Math.min(
    ...songs
      .map((song) => songBars(song.analysis))
      .map((bars) => (bars.durationKnown ? bars.durationSec - bars.startSec : Infinity)),
  );
  if (shortest >= SHORT_SONG_SEC) return limits;
  return { ...limits, min_length_sec: Math.min(limits.min_length_sec, MIN_LENGTH_OF_SHORT_SONGS_SEC) };
}

/** Shortest mashup that can be asked for: `options.length_sec`. */
const LEAST_ASKED_SEC = 20;

/** Returns the limits for a mashup that is asked for with these lengths in seconds: it may be shorter than others. */
export function limitsForLengths(limits: PlanLimits, seconds: readonly (number | undefined)[]): PlanLimits {
  const asked = seconds.filter((each) => each !== undefined).map((each) => Math.max(LEAST_ASKED_SEC, each));
  return { ...limits, min_length_sec: Math.min(limits.min_length_sec, ...asked) };
}

/** Returns the stems that a plan may use, in the order of the schema. */
export function allowedStems(limits: PlanLimits): Stem[] {
  return limits.stems.length > 0 ? limits.stems : [...STEMS];
}
