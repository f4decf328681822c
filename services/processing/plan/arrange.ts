/**
 * From plan to runs and clips.
 *
 * A run is one stem of one song played without a break, stretched once; it may last over several sections. A clip is what
 * a section takes of the runs of one layer. Where a section goes on in a song exactly where the section before stopped,
 * both use the same run, and nothing is heard of the boundary.
 */
import { matchTempo } from '../../../music/theory/tempo.ts';
import type { PairScore, Stem } from '../../../schema.ts';
import { beatIndex } from '../song/beat-grid.ts';
import type { RenderLayer, RenderPlan } from './plan.ts';
import { type Run, sourceAt } from './run.ts';
import type { RenderSong } from '../song/song.ts';
import { chooseSource, nearestDownbeat, type SongHistory } from './choose-source.ts';
import { beatsForward, startKey, type Tuning } from './tuning.ts';

export type Clip = {
  songId: string;
  stem: Stem;
  volumeDb: number;
  effects: string[];
  /** In order, without gaps; the first starts and the last ends with the section. */
  parts: { runId: number; start: number; end: number }[];
  /** Whether the section before (after) plays the same run up to (from) the boundary. */
  joinsPrevious: boolean;
  joinsNext: boolean;
};

export type Arrangement = {
  runs: Run[];
  /** One list for each section of the plan. */
  sections: Clip[][];
  warnings: string[];
};

/** Parts shorter than this are not worth a loop point. */
const MIN_LOOP_BARS = 2;
const EPSILON = 1e-6;
/** A run goes on where the next piece starts this near to where it stopped, in seconds of the song. */
const MAX_SEAM_SEC = 0.004;

type Piece = { start: number; end: number; sourceBeat: number };

/**
 * Cuts `start..end` of the mashup into pieces that play from `sourceBeat` on and, where the song runs out, go back to a
 * downbeat: to the same place if enough bars lie behind it, else to earlier ones.
 */
function pieces(
  song: RenderSong,
  start: number,
  end: number,
  sourceBeat: number,
  { beatSec, free }: { beatSec: number; free: boolean },
): Piece[] {
  const { grid } = song;
  const inSong = grid.beats.filter((beat) => beat < song.durationSec).length;
  const bars = Math.floor((inSong - sourceBeat) / grid.meter);
  const loopFrom = bars >= MIN_LOOP_BARS ? sourceBeat : Math.max(0, inSong - MIN_LOOP_BARS * 2 * grid.meter);
  const result: Piece[] = [];
  let at = start;
  let from = bars >= 1 ? sourceBeat : loopFrom;
  while (at < end - EPSILON) {
    // What keeps no beat may end anywhere.
    const unit = free ? 1 : grid.meter;
    const whole = Math.max(unit, Math.floor((inSong - from) / unit) * unit);
    const until = Math.min(end, at + whole * beatSec);
    result.push({ start: at, end: until, sourceBeat: from });
    at = until;
    from = loopFrom;
  }
  return result;
}

/**
 * Decides what plays where.
 * @param tuning pitch shifts of the songs, beats by which they are brought forward, other places to start from
 */
export function arrange(
  plan: RenderPlan,
  songs: ReadonlyMap<string, RenderSong>,
  scores: readonly PairScore[],
  tuning: Tuning,
): Arrangement {
  const runs: Run[] = [];
  const warnings: string[] = [];
  const histories = new Map<string, SongHistory>();
  let previous: Clip[] = [];

  const sections = plan.sections.map((section, index) => {
    const starts = new Map<string, number>();
    const startOf = (layer: RenderLayer, song: RenderSong, beats: number): number => {
      const retuned = tuning.starts.get(startKey(index, song.id));
      if (retuned !== undefined) return nearestDownbeat(song, retuned);
      // What keeps no beat starts where it is told to.
      if (layer.sourceStartSec !== undefined)
        return layer.free ? beatIndex(song.grid, layer.sourceStartSec) : nearestDownbeat(song, layer.sourceStartSec);
      const shared = starts.get(song.id);
      if (shared !== undefined) return shared;
      const sibling = section.layers.find((other) => other.songId === song.id && other.sourceStartSec !== undefined);
      const history = histories.get(song.id) ?? { played: [], nextBeat: undefined };
      const chosen =
        sibling?.sourceStartSec !== undefined
          ? nearestDownbeat(song, sibling.sourceStartSec)
          : chooseSource({ song, section, beats, history, scores });
      starts.set(song.id, chosen);
      return chosen;
    };

    const clips: Clip[] = [];
    for (const layer of section.layers) {
      const song = songs.get(layer.songId)!;
      if (clips.some((clip) => clip.songId === layer.songId && clip.stem === layer.stem)) {
        warnings.push(`"${song.name}" has its ${layer.stem} twice in one section; the second is left out.`);
        continue;
      }
      const { free } = layer;
      const { multiple } = matchTempo(song.grid.bpm, section.bpm);
      const beatSec = free ? 60 / song.grid.bpm : (60 / section.bpm) * multiple;
      const beats = (section.end - section.start) / beatSec;
      const moved = beatsForward(tuning, song, section, { beatSec, free });
      const sourceBeat = startOf(layer, song, beats) + moved;
      const semitones = shiftOf(layer.stem, song, tuning);
      const before = previous.find((clip) => clip.songId === song.id && clip.stem === layer.stem);
      const clip: Clip = {
        songId: song.id,
        stem: layer.stem,
        volumeDb: layer.volumeDb,
        effects: layer.effects,
        parts: [],
        joinsPrevious: false,
        joinsNext: false,
      };
      pieces(song, section.start, section.end, sourceBeat, { beatSec, free }).forEach((piece, i) => {
        const run: Run = { id: runs.length, songId: song.id, stem: layer.stem, ...piece, beatSec, free, semitones };
        const last = i === 0 ? runs[before?.parts.at(-1)?.runId ?? -1] : undefined;
        const goesOn =
          last !== undefined &&
          last.free === free &&
          Math.abs(last.end - piece.start) < EPSILON &&
          Math.abs(last.beatSec - beatSec) < EPSILON &&
          Math.abs(sourceAt(last, song, last.end) - sourceAt(run, song, run.start)) < MAX_SEAM_SEC;
        if (goesOn && before) {
          last.end = piece.end;
          before.joinsNext = true;
          clip.joinsPrevious = true;
          clip.parts.push({ runId: last.id, start: piece.start, end: piece.end });
          return;
        }
        runs.push(run);
        clip.parts.push({ runId: run.id, start: piece.start, end: piece.end });
      });
      clips.push(clip);
      remember(histories, song.id, sourceBeat - moved, beats);
    }
    previous = clips;
    return clips;
  });
  return { runs, sections, warnings };
}

/** Drums have no key. */
const shiftOf = (stem: Stem, song: RenderSong, tuning: Tuning): number =>
  stem === 'drums' ? 0 : (tuning.semitones.get(song.id) ?? 0);

function remember(histories: Map<string, SongHistory>, songId: string, start: number, beats: number): void {
  const history = histories.get(songId) ?? { played: [], nextBeat: undefined };
  const end = Math.round(start + beats);
  if (!history.played.some(([a, b]) => a === start && b === end)) history.played.push([start, end]);
  history.nextBeat = end;
  histories.set(songId, history);
}

/** Level of a bed that fills pauses which the plan did not think of. */
const BED_DB = -9;
/** Stems that make a bed, best first. */
const BED_STEMS: readonly Stem[] = ['other', 'bass', 'drums'];

/**
 * Puts a quiet bed under a section that would fall silent: another stem of a song that it plays, from the same place.
 * Returns its runs, which are added to the arrangement; none where the songs have no other stem to offer.
 */
export function addBed(
  arrangement: Arrangement,
  section: number,
  songs: ReadonlyMap<string, RenderSong>,
  tuning: Tuning,
): Run[] {
  const clips = arrangement.sections[section]!;
  for (const stem of BED_STEMS) {
    for (const clip of clips) {
      const song = songs.get(clip.songId)!;
      const taken = clips.some((other) => other.songId === clip.songId && other.stem === stem);
      if (taken || song.stems[stem] === undefined) continue;
      const runs = clip.parts.map((part, i): Run => {
        const model = arrangement.runs[part.runId]!;
        return {
          ...model,
          id: arrangement.runs.length + i,
          stem,
          start: part.start,
          end: part.end,
          sourceBeat: beatIndex(song.grid, sourceAt(model, song, part.start)),
          semitones: shiftOf(stem, song, tuning),
        };
      });
      arrangement.runs.push(...runs);
      clips.push({
        songId: song.id,
        stem,
        volumeDb: BED_DB,
        effects: [],
        parts: runs.map(({ id, start, end }) => ({ runId: id, start, end })),
        joinsPrevious: false,
        joinsNext: false,
      });
      return runs;
    }
  }
  return [];
}
