/**
 * Another phrase: where a voice does not fit the notes under it, the song that sings plays other bars of its own, and the song under
 * it others of its. Which, is heard in their stems, for each downbeat of both and each shift in reach.
 */
import type { Stem } from '../../schema.ts';
import { SAMPLE_RATE } from '../audio/decode.ts';
import type { Arrangement } from './arrange.ts';
import { type Correction, isInTune } from './correct.ts';
import { hearVoice, LEVEL_HOP, type LayerSound, type VoiceSound } from './ear/layer.ts';
import { toMono } from './ear/percussion.ts';
import { CHROMA_HOP, PITCHES, profileLikeness } from './ear/pitch.ts';
import { beatTime } from './grid.ts';
import type { RenderPlan } from './plan.ts';
import { type Run, sourceAt } from './run.ts';
import type { RenderSong } from './song.ts';
import { readStem, type StemPlace } from './stem.ts';
import { MAX_VOICE_SHIFT, startKey, type Tuning } from './tuning.ts';

/** A voice this far under its loudest moment is a breath or a rest, dB. */
const SUNG_RANGE_DB = 24;
/** Least part of a section that must be sung, against what was sung in the first take. A choice. */
const LEAST_SUNG = 0.7;
/** Other bars of either song must fit this much better than the planned ones to be taken. A choice. */
const WORTH_MOVING = 0.03;
/** What a semitone of shift, and bars that another section plays already, cost in likeness. Choices. */
const COST_OF_SHIFT = 0.01;
const COST_OF_REPEATING = 0.05;

/** Hears a stem from end to end. */
async function hearWhole(place: StemPlace): Promise<VoiceSound> {
  const pieces: Float32Array[] = [];
  await readStem(place, (chunk) => pieces.push(toMono(chunk)));
  const mono = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    mono.set(piece, at);
    at += piece.length;
  }
  return hearVoice(mono, SAMPLE_RATE);
}

/** A way of singing a section: from which seconds of both songs, and what then sounds together. */
type Option = {
  startSec: number;
  bedStartSec: number | undefined;
  /** How many of the two songs play other bars than planned. */
  moved: number;
  sung: number;
  voice: number[];
  bed: number[];
};

/** What is needed of a take to find other bars; all of it can be sent to a thread. */
export type RephraseTask = {
  plan: RenderPlan;
  arrangement: Arrangement;
  /** Layers of each section as they were heard. */
  layers: LayerSound[][];
  tuning: Tuning;
  songs: Map<string, RenderSong>;
  singer: string;
};

/** Twelve pitch classes, row by row. */
type Rows = Float32Array;

/** Sum of several lists of rows, as long as the first. */
const sumOf = (lists: readonly Rows[]): Rows =>
  lists[0]!.map((_, i) => lists.reduce((sum, rows) => sum + (rows[i] ?? 0), 0));

/** Row of a stem that sounds at each row of a section, when its run starts at another second of its song. */
function rowsAlong(run: Run, song: RenderSong, from: number, startSec: number, count: number): Int32Array {
  const moved = startSec - sourceAt(run, song, from);
  return Int32Array.from({ length: count }, (_, row) => {
    const at = sourceAt(run, song, from + ((row + 0.5) * CHROMA_HOP) / SAMPLE_RATE) + moved;
    return Math.floor((at * SAMPLE_RATE) / CHROMA_HOP);
  });
}

/** The rows of a stem in that order, raised by some semitones. */
function pick({ pitches }: VoiceSound, rows: Int32Array, raise: number): Rows {
  const picked = new Float32Array(rows.length * PITCHES);
  rows.forEach((source, row) => {
    for (let pitch = 0; pitch < PITCHES; pitch++) {
      const raised = (((pitch + raise) % PITCHES) + PITCHES) % PITCHES;
      picked[row * PITCHES + raised] = pitches[source * PITCHES + pitch] ?? 0;
    }
  });
  return picked;
}

const total = (rows: Rows): number => rows.reduce((sum, value) => sum + value, 0);

/** Downbeats of a song from which a section can be played; the rows of its stems that then sound. */
function startsOf(
  run: Run,
  song: RenderSong,
  section: RenderPlan['sections'][number],
  count: number,
): [number, Int32Array][] {
  const needed = sourceAt(run, song, section.end) - sourceAt(run, song, section.start);
  return song.grid.downbeats
    .map((index) => beatTime(song.grid, index))
    .filter((at) => at >= 0 && at + needed <= song.durationSec)
    .map((at) => [at, rowsAlong(run, song, section.start, at, count)]);
}

/** What a voice and a bed have together, while the voice sounds. */
function together(voice: VoiceSound, rows: Int32Array, bed: Rows): Pick<Option, 'sung' | 'voice' | 'bed'> {
  const result = { sung: 0, voice: new Array<number>(PITCHES).fill(0), bed: new Array<number>(PITCHES).fill(0) };
  const floor = voice.levels.reduce((a, b) => Math.max(a, b), -Infinity) - SUNG_RANGE_DB;
  rows.forEach((source, row) => {
    const level = voice.levels[Math.floor(((source + 0.5) * CHROMA_HOP) / LEVEL_HOP)];
    if (level === undefined || level < floor) return;
    result.sung++;
    for (let pitch = 0; pitch < PITCHES; pitch++) {
      result.voice[pitch]! += voice.pitches[source * PITCHES + pitch] ?? 0;
      result.bed[pitch]! += bed[row * PITCHES + pitch] ?? 0;
    }
  });
  return result;
}

const likenessOf = ({ voice, bed }: Pick<Option, 'voice' | 'bed'>, raise: number): number =>
  profileLikeness(voice, bed, raise);

function pooled(options: readonly Option[]): Pick<Option, 'voice' | 'bed'> {
  const sum = (member: 'voice' | 'bed'): number[] =>
    Array.from({ length: PITCHES }, (_, pitch) => options.reduce((all, option) => all + option[member][pitch]!, 0));
  return { voice: sum('voice'), bed: sum('bed') };
}

/** The beds that a section could have instead: its own first, then those of one foreign song from each of its downbeats. */
async function bedsOf(
  { plan, arrangement, layers, tuning, songs, singer }: RephraseTask,
  i: number,
  hear: (song: RenderSong, stem: Stem) => Promise<VoiceSound>,
): Promise<{ startSec: number | undefined; rows: Rows }[]> {
  const foreign = layers[i]!.filter(({ stem, songId, pitches }) => stem !== 'vocals' && songId !== singer && pitches);
  if (foreign.length === 0) return [];
  const own = sumOf(foreign.map(({ pitches }) => pitches!));
  const beds: { startSec: number | undefined; rows: Rows }[] = [{ startSec: undefined, rows: own }];
  const [id, ...rest] = new Set(foreign.map(({ songId }) => songId));
  if (id === undefined || rest.length > 0) return beds;
  const section = plan.sections[i]!;
  const song = songs.get(id)!;
  const count = own.length / PITCHES;
  const parts = await Promise.all(
    foreign.map(async ({ stem, pitches }) => {
      const clip = arrangement.sections[i]!.find((each) => each.songId === id && each.stem === stem)!;
      const run = arrangement.runs[clip.parts[0]!.runId]!;
      const sound = await hear(song, stem);
      const planned = rowsAlong(run, song, section.start, sourceAt(run, song, section.start), count);
      // Levels and effects of the layer, as one factor.
      const gain = total(pitches!) / Math.max(1e-9, total(pick(sound, planned, 0)));
      return { run, sound, gain };
    }),
  );
  const raise = tuning.semitones.get(id) ?? 0;
  for (const [startSec, rows] of startsOf(parts[0]!.run, song, section, count))
    beds.push({
      startSec,
      rows: sumOf(parts.map(({ sound, gain }) => pick(sound, rows, raise).map((value) => gain * value))),
    });
  return beds;
}

/** The ways of singing each section in which the singer sings over another's music, the planned one first. */
async function optionsOf(task: RephraseTask, voice: VoiceSound): Promise<Map<number, Option[]>> {
  const { plan, arrangement, songs, singer } = task;
  const song = songs.get(singer)!;
  const heard = new Map<string, Promise<VoiceSound>>();
  const hear = (other: RenderSong, stem: Stem): Promise<VoiceSound> => {
    const key = `${other.id} ${stem}`;
    const sound = heard.get(key) ?? hearWhole({ url: other.stems[stem]!, song: other.name, stem });
    heard.set(key, sound);
    return sound;
  };
  const options = new Map<number, Option[]>();
  for (const [i, section] of plan.sections.entries()) {
    const clip = arrangement.sections[i]!.find(({ songId, stem }) => songId === singer && stem === 'vocals');
    const beds = clip ? await bedsOf(task, i, hear) : [];
    if (!clip || beds.length === 0) continue;
    const run = arrangement.runs[clip.parts[0]!.runId]!;
    const count = beds[0]!.rows.length / PITCHES;
    const plannedSec = sourceAt(run, song, section.start);
    const planned = rowsAlong(run, song, section.start, plannedSec, count);
    const voices: [number, Int32Array, number][] = [
      [plannedSec, planned, 0],
      ...startsOf(run, song, section, count).map(([at, rows]): [number, Int32Array, number] => [at, rows, 1]),
    ];
    const list = voices.flatMap(([startSec, rows, moved]) =>
      beds.map((bed): Option => {
        const bedMoved = bed.startSec === undefined ? 0 : 1;
        return { startSec, bedStartSec: bed.startSec, moved: moved + bedMoved, ...together(voice, rows, bed.rows) };
      }),
    );
    const least = LEAST_SUNG * list[0]!.sung;
    options.set(
      i,
      list.filter(({ sung }) => sung >= least),
    );
  }
  return options;
}

/** For a shift, the best option of each section, those that are worth it. */
function choose(options: ReadonlyMap<number, readonly Option[]>, raise: number): Map<number, Option> {
  const chosen = new Map<number, Option>();
  for (const [section, list] of options) {
    const taken = [...chosen.values()].map(({ startSec }) => startSec);
    const worth = (option: Option): number =>
      likenessOf(option, raise) -
      WORTH_MOVING * option.moved -
      (taken.some((at) => Math.abs(at - option.startSec) < 0.1) ? COST_OF_REPEATING : 0);
    chosen.set(
      section,
      list.reduce((best, each) => (worth(each) > worth(best) + 1e-9 ? each : best)),
    );
  }
  return chosen;
}

/**
 * Other bars, and if need be another shift, with which a singer should pass; undefined where none would.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function rephrase(task: RephraseTask): Promise<Correction | undefined> {
  const { tuning, songs, singer } = task;
  const song = songs.get(singer)!;
  const voice = await hearWhole({ url: song.stems.vocals!, song: song.name, stem: 'vocals' });
  const options = await optionsOf(task, voice);
  const now = tuning.semitones.get(singer) ?? 0;
  const reach = Math.max(MAX_VOICE_SHIFT, Math.abs(now));
  let best: { chosen: Map<number, Option>; semitones: number; fit: number } | undefined;
  for (let semitones = -reach; semitones <= reach; semitones++) {
    const chosen = choose(options, semitones);
    const pool = pooled([...chosen.values()]);
    const likeness = Array.from({ length: PITCHES }, (_, raise) => likenessOf(pool, semitones + raise));
    if (!isInTune(likeness)) continue;
    const fit = likeness[0]! - COST_OF_SHIFT * Math.abs(semitones - now);
    if (!best || fit > best.fit) best = { chosen, semitones, fit };
  }
  return best && inWords(task, song, best.chosen, best.semitones);
}

/** A choice as a tuning, with what it changes in words; undefined where it changes nothing. */
function inWords(
  { plan, tuning, layers }: RephraseTask,
  song: RenderSong,
  chosen: ReadonlyMap<number, Option>,
  semitones: number,
): Correction | undefined {
  const starts = new Map(tuning.starts);
  const words: string[] = [];
  for (const [section, { moved, startSec, bedStartSec }] of chosen) {
    if (moved === 0) continue;
    starts.set(startKey(section, song.id), startSec);
    const under = layers[section]!.find(
      ({ stem, songId }) => stem !== 'vocals' && stem !== 'drums' && songId !== song.id,
    );
    if (under && bedStartSec !== undefined) starts.set(startKey(section, under.songId), bedStartSec);
    const where = `Section ${section + 1} (${plan.sections[section]!.start.toFixed(0)} s)`;
    words.push(`${where}: "${song.name}" sings other bars, from ${startSec.toFixed(1)} s, or others play under it.`);
  }
  const now = tuning.semitones.get(song.id) ?? 0;
  if (semitones !== now) words.push(`"${song.name}" was shifted by ${semitones} instead of ${now} semitones.`);
  const shifts = new Map(tuning.semitones).set(song.id, semitones);
  return words.length > 0 ? { tuning: { ...tuning, semitones: shifts, starts }, words } : undefined;
}
