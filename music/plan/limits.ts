/** What a plan must keep to. Choices that were made by ear or by habit of the trade say so. */
import { STEMS, type AnalyzedSong, type PlanLimits, type Stem } from '../../schema.ts';
import { songGrid } from '../theory/bars.ts';

export const DEFAULT_LIMITS: PlanLimits = { min_length_sec: 60, max_length_sec: 240, stems: [...STEMS] };
/** Songs shorter than this lower the least length of their mashup, to the next constant. */
const SHORT_SONG_SEC = 60;
const MIN_LENGTH_OF_SHORT_SONGS_SEC = 30;

export const MAX_SECTIONS = 48;
export const MAX_LAYERS = 8;
export const MAX_EFFECTS = 4;
export const MAX_TITLE_LENGTH = 120;
export const MAX_TEXT_LENGTH = 1_500;
export const MAX_PROBLEMS = 16;

/** Levels of a layer that make sense in a mix; beyond them the renderer's limiter or the noise floor decides. */
export const MIN_LEVEL_DB = -40;
export const MAX_LEVEL_DB = 6;
/** A layer quieter than this does not count as heard. */
export const AUDIBLE_LEVEL_DB = -30;
/** A second voice this far below the first, and with a reason, is a backing voice. */
export const BACKING_VOICE_DB = 6;
/** Least difference between the quietest and the loudest section of an arc. A choice. */
export const MIN_ENERGY_RANGE = 0.15;

/** Boundaries are moved to bars without complaint by up to this share of a bar. */
export const MAX_SNAP_BARS = 0.3;
/** Gaps and overlaps up to this many bars are closed. */
export const MAX_MENDED_GAP_BARS = 1;

/** What a song's change of speed may be over the limit of the ear for no other reason than that tempi were rounded. */
export const TEMPO_TOLERANCE = 0.003;
/** Shift in semitones that is always allowed; more only where the songs leave no better key. A choice. */
export const MAX_PITCH_SHIFT = 4;

/** The limits for these songs: short songs lower the least length. */
export function limitsFor(songs: readonly AnalyzedSong[], limits: PlanLimits): PlanLimits {
  const shortest = Math.min(
    ...songs.map((song) => songGrid(song.analysis)).map((g) => (g.durationKnown ? g.durationSec : Infinity)),
  );
  if (shortest >= SHORT_SONG_SEC) return limits;
  return { ...limits, min_length_sec: Math.min(limits.min_length_sec, MIN_LENGTH_OF_SHORT_SONGS_SEC) };
}

/** Stems that a plan may use, in the order of the schema. */
export function allowedStems(limits: PlanLimits): Stem[] {
  return limits.stems.length > 0 ? limits.stems : [...STEMS];
}
