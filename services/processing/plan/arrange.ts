/**
 * Turns a plan into runs and slices.
 *
 * A run is one stem of one song, played without a break and stretched once; it may last over several sections. A slice is what a
 * section plays of the runs of one layer. Where a section continues a song exactly where the section before stopped, both use the
 * same run, and the boundary is inaudible.
 */
import { matchTempo } from '../../../music/theory/tempo.ts';
import { STEM_NAMES } from '../../../music/theory/stem-texts.ts';
import { spanAt } from '../../../music/theory/sound-spans.ts';
import type { PairScore } from '../../../schema.ts';
import { beatIndex, beatTime } from '../song/beat-grid.ts';
import type { RenderSong } from '../song/song.ts';
import { type Arrangement, type LayerSlice, stemShift } from './arrangement.ts';
import { chooseSourceBeat, nearestUsableDownbeat, soundingDrumsBeat, type SongHistory } from './choose-source.ts';
import type { RenderLayer, RenderPlan, RenderSection } from './plan.ts';
import { type Run, sourceAt } from './run.ts';
import { sourceBeatOffset, startKey, type Tuning } from './tuning.ts';

/** A song that runs out is looped over at least this many bars. */
const MIN_LOOP_BARS = 2;
/** Tolerance for comparing times, in seconds. */
const EPSILON = 1e-6;
/** A run is continued if the next segment starts this near to where it stopped, in seconds of the song. */
const MAX_SEAM_SEC = 0.004;

/** What arranging one section after the other reads and collects. */
type Arranging = {
  songs: ReadonlyMap<string, RenderSong>;
  scores: readonly PairScore[];
  tuning: Tuning;
  runs: Run[];
  warnings: string[];
  histories: Map<string, SongHistory>;
};

/** `beatSec` is the duration of a beat of the song in the mashup; `beats` is the length of the section in beats of the song. */
type LayerTempo = { beatSec: number; beats: number; free: boolean };

/**
 * Decides which part of which song plays when.
 * @param tuning shifts and beat offsets of the songs, and corrected places to start from
 * @param opening first sections that are arranged already. What follows them starts with new runs
 */
export function arrange(
  plan: Pick<RenderPlan, 'sections'>,
  songs: ReadonlyMap<string, RenderSong>,
  scores: readonly PairScore[],
  tuning: Tuning,
  opening: Pick<Arrangement, 'runs' | 'sections'> = { runs: [], sections: [] },
): Arrangement {
  const arranging: Arranging = { songs, scores, tuning, runs: [...opening.runs], warnings: [], histories: new Map() };
  const sections = [...opening.sections];
  const first = sections.length;
  for (const [index, section] of plan.sections.entries()) {
    if (index < first) continue;
    sections.push(arrangeSection(arranging, section, index, index === first ? [] : sections.at(-1)!));
  }
  return { runs: arranging.runs, sections, tunedTo: tuning.tunedTo, warnings: arranging.warnings };
}

function arrangeSection(
  arranging: Arranging,
  section: RenderSection,
  index: number,
  previous: readonly LayerSlice[],
): LayerSlice[] {
  const { songs, tuning, warnings, histories } = arranging;
  const slices: LayerSlice[] = [];
  const chosen = new Map<string, number>();
  for (const layer of section.layers) {
    const song = songs.get(layer.songId)!;
    if (slices.some((slice) => slice.songId === layer.songId && slice.stem === layer.stem)) {
      warnings.push(`"${song.name}" has its ${STEM_NAMES[layer.stem]} twice in one section; the second is left out.`);
      continue;
    }
    const tempo = layerTempo(layer, song, section);
    const songBeat = chooseStartBeat(arranging, { layer, song, section, index, beats: tempo.beats }, chosen);
    const startBeat = layer.stem === 'drums' && !layer.free ? soundingDrumsBeat(song, songBeat, tempo.beats) : songBeat;
    const sourceBeat = startBeat + sourceBeatOffset(tuning, song, section, tempo);
    const before = previous.find((slice) => slice.songId === song.id && slice.stem === layer.stem);
    slices.push(cutSlice(arranging, { layer, song, section, tempo, sourceBeat }, before));
    recordPlayed(histories, song.id, songBeat, tempo.beats);
  }
  return slices;
}

function layerTempo({ free }: RenderLayer, song: RenderSong, section: RenderSection): LayerTempo {
  const { multiple } = matchTempo(song.grid.bpm, section.bpm);
  const beatSec = free ? 60 / song.grid.bpm : (60 / section.bpm) * multiple;
  return { beatSec, beats: (section.end - section.start) / beatSec, free };
}

/**
 * The beat of the song from which a layer plays: the place set by a correction, by the plan for this layer, by the plan for another
 * layer of the song in this section, or the best one.
 * @param chosen start beats of the songs in this section whose layers name none; the layers of a song share it
 */
function chooseStartBeat(
  { scores, tuning, histories }: Arranging,
  request: { layer: RenderLayer; song: RenderSong; section: RenderSection; index: number; beats: number },
  chosen: Map<string, number>,
): number {
  const { layer, song, section, index, beats } = request;
  const corrected = tuning.starts.get(startKey(index, song.id));
  if (corrected !== undefined) return nearestUsableDownbeat(song, corrected);
  // A layer that is independent of the beat starts exactly where the plan says.
  if (layer.sourceStartSec !== undefined)
    return layer.free ? beatIndex(song.grid, layer.sourceStartSec) : nearestUsableDownbeat(song, layer.sourceStartSec);
  const shared = chosen.get(song.id);
  if (shared !== undefined) return shared;
  const sibling = section.layers.find((other) => other.songId === song.id && other.sourceStartSec !== undefined);
  const history = histories.get(song.id) ?? { played: [], nextBeat: undefined };
  const start =
    sibling?.sourceStartSec !== undefined
      ? nearestUsableDownbeat(song, sibling.sourceStartSec)
      : chooseSourceBeat({ song, section, beats, history, scores });
  chosen.set(song.id, start);
  return start;
}

/**
 * The slice of a layer. Adds its runs to the arrangement, or extends the last run of the section before if the song continues.
 * @param before the slice of the same layer in the section before
 */
function cutSlice(
  { runs, tuning }: Arranging,
  request: { layer: RenderLayer; song: RenderSong; section: RenderSection; tempo: LayerTempo; sourceBeat: number },
  before: LayerSlice | undefined,
): LayerSlice {
  const { layer, song, section, tempo, sourceBeat } = request;
  const { beatSec, free } = tempo;
  const semitones = stemShift(layer.stem, song, tuning);
  const slice: LayerSlice = {
    songId: song.id,
    stem: layer.stem,
    volumeDb: layer.volumeDb,
    effects: layer.effects,
    parts: [],
    joinsPrevious: false,
    joinsNext: false,
  };
  segments(song, section, sourceBeat, tempo).forEach((segment, i) => {
    const run: Run = { id: runs.length, songId: song.id, stem: layer.stem, ...segment, beatSec, free, semitones };
    const last = i === 0 ? runs[before?.parts.at(-1)?.runId ?? -1] : undefined;
    if (before && last && continues(last, run, song)) {
      last.end = segment.end;
      before.joinsNext = true;
      slice.joinsPrevious = true;
      slice.parts.push({ runId: last.id, start: segment.start, end: segment.end });
      return;
    }
    runs.push(run);
    slice.parts.push({ runId: run.id, start: segment.start, end: segment.end });
  });
  return slice;
}

/** Whether a run continues another one without a break in time, tempo and song. */
function continues(last: Run, run: Run, song: RenderSong): boolean {
  return (
    last.free === run.free &&
    Math.abs(last.end - run.start) < EPSILON &&
    Math.abs(last.beatSec - run.beatSec) < EPSILON &&
    Math.abs(sourceAt(last, song, last.end) - sourceAt(run, song, run.start)) < MAX_SEAM_SEC
  );
}

type Segment = { start: number; end: number; sourceBeat: number };

/**
 * Cuts a section into segments that play from `sourceBeat` on. Where the song runs out or becomes silent, the next segment starts from a downbeat
 * again: from `sourceBeat` if enough bars follow it, otherwise from an earlier bar.
 */
function segments(song: RenderSong, section: RenderSection, sourceBeat: number, tempo: LayerTempo): Segment[] {
  const { grid } = song;
  const { beatSec, free } = tempo;
  // At its own speed a song may pause. Otherwise it runs out where it becomes silent.
  const [soundFrom, soundTo] = free ? [0, song.sound.at(-1)![1]] : spanAt(song.sound, beatTime(grid, sourceBeat));
  const inSong = grid.beats.filter((beat) => beat < soundTo).length;
  const firstBeat = Math.max(
    0,
    grid.beats.findIndex((beat) => beat > soundFrom - 60 / grid.bpm / 2),
  );
  const bars = Math.floor((inSong - sourceBeat) / grid.meter);
  const loopFrom = bars >= MIN_LOOP_BARS ? sourceBeat : Math.max(firstBeat, inSong - MIN_LOOP_BARS * 2 * grid.meter);
  const result: Segment[] = [];
  let at = section.start;
  let from = bars >= 1 ? sourceBeat : loopFrom;
  while (at < section.end - EPSILON) {
    // A free layer may be cut at any beat, others at bars.
    const unit = free ? 1 : grid.meter;
    const whole = Math.max(unit, Math.floor((inSong - from) / unit) * unit);
    const until = Math.min(section.end, at + whole * beatSec);
    result.push({ start: at, end: until, sourceBeat: from });
    at = until;
    from = loopFrom;
  }
  return result;
}

function recordPlayed(histories: Map<string, SongHistory>, songId: string, start: number, beats: number): void {
  const history = histories.get(songId) ?? { played: [], nextBeat: undefined };
  const end = Math.round(start + beats);
  if (!history.played.some(([a, b]) => a === start && b === end)) history.played.push([start, end]);
  history.nextBeat = end;
  histories.set(songId, history);
}
