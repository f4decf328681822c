/** The parts of songs that a plan plays, for the separation of songs into stems. */
import type { AnalyzedSong, Plan, PlanOpening, PlanSection, SongRanges } from '../../schema.ts';
import { songBars } from '../theory/bars.ts';
import { sectionBpm } from './bars.ts';
import { sourceSeconds } from './fit-sources.ts';

/**
 * Beats of a song that are needed before and after what is played: a transition begins a beat early, and a correction may move a song by
 * two beats.
 */
const MARGIN_BEATS = 2;
/** Seconds that are needed in addition: stretching reads further, and beats are aligned to the drums. */
const MARGIN_SEC = 0.5;
/** An opening lasts at least so long, in seconds: about as long as two cores need for the rest until they have more sound. */
const OPENING_SEC = 14;
/** A longer opening would not be there much earlier than all of the mashup. */
const MAX_OPENING_SEC = 40;
/** Sections that follow an opening at least. */
const MIN_REST = 2;
/** A song of which less than this share would be left out is needed whole. */
const MIN_LEFT_OUT = 0.1;

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

/**
 * Returns which parts of its songs a plan plays, with margins, by song id. A song is left out if all of it is needed: if the plan plays
 * nearly all of it or does not say where a layer starts, or if its beats are not known.
 */
export function playedRanges(plan: Plan, songs: readonly AnalyzedSong[]): Record<string, SongRanges> {
  const ranges: Record<string, SongRanges> = {};
  for (const song of songs) {
    const played = rangesOf(plan, song);
    if (played) ranges[song.song_id] = played;
  }
  return ranges;
}

/**
 * Returns the first sections of a plan that last long enough for a listener, until the rest is separated and rendered, and what they play of
 * their songs. Undefined if that is not less than the whole plan plays, or not known.
 * @param ranges what the whole plan plays
 */
export function openingOf(
  plan: Plan,
  songs: readonly AnalyzedSong[],
  ranges: Readonly<Record<string, SongRanges>>,
): PlanOpening | undefined {
  const { timeline } = plan.masterplan;
  let seconds = 0;
  let sections = 0;
  while (seconds < OPENING_SEC && sections < timeline.length) seconds += timeline[sections++]!.duration_sec;
  if (seconds > MAX_OPENING_SEC || sections > timeline.length - MIN_REST) return undefined;
  const opening = timeline.slice(0, sections);
  const played = new Set(opening.flatMap(({ layers }) => layers.map(({ songId }) => songId)));
  const parts = playedRanges({ ...plan, masterplan: { ...plan.masterplan, timeline: opening } }, songs);
  if ([...played].some((id) => !parts[id] || !ranges[id])) return undefined;
  return { sections, ranges: parts };
}

function rangesOf({ masterplan: { global, timeline } }: Plan, song: AnalyzedSong): SongRanges | undefined {
  const { duration_sec: durationSec, rhythmic } = song.analysis;
  // The renderer finds the beats of such a song in all of its stems, or chooses one of its tempi.
  if (durationSec === null || !rhythmic.beats_sec?.length || rhythmic.tempo_parts?.length) return undefined;
  const margin = (MARGIN_BEATS * 60) / songBars(song.analysis).bpm + MARGIN_SEC;
  const played: SongRanges = [];
  for (const section of timeline) {
    for (const layer of section.layers) {
      if (layer.songId !== song.song_id) continue;
      const start = layer.source_start_sec ?? startOfSibling(section, song.song_id);
      if (start === undefined) return undefined;
      const length = sourceSeconds(song, section.duration_sec, sectionBpm(global, section), layer.timing === 'free');
      played.push([Math.max(0, start - margin), Math.min(durationSec, start + length + margin)]);
    }
  }
  const joined = join(played.filter(([from, to]) => to > from));
  const needed = joined.reduce((sum, [from, to]) => sum + to - from, 0);
  return joined.length > 0 && needed < (1 - MIN_LEFT_OUT) * durationSec ? joined : undefined;
}

/** Where another layer of the song starts in a section: its layers play together. */
function startOfSibling({ layers }: PlanSection, songId: string): number | undefined {
  return layers.find((layer) => layer.songId === songId && layer.source_start_sec !== undefined)?.source_start_sec;
}

function join(ranges: SongRanges): SongRanges {
  const joined: SongRanges = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], round3(to));
    else joined.push([round3(from), round3(to)]);
  }
  return joined;
}
