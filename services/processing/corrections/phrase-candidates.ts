/**
 * Where a voice meets the notes of another song, and in which ways it could: the song that sings plays other bars of its own, and the
 * song under it others of its. What then sounds together is heard in their stems, for each downbeat of both.
 */
import type { Stem } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { Arrangement } from '../plan/arrange.ts';
import { hearVoice, LEVEL_HOP, type LayerSound, type VoiceSound } from '../measure/layer.ts';
import { toMono } from '../measure/onsets.ts';
import { CHROMA_HOP, PITCHES } from '../measure/chroma.ts';
import { beatTime } from '../song/beat-grid.ts';
import type { RenderPlan } from '../plan/plan.ts';
import { type Run, sourceAt } from '../plan/run.ts';
import type { RenderSong } from '../song/song.ts';
import { readStem, type StemPlace } from '../sound/stem.ts';
import { beatsForward, type Tuning } from '../plan/tuning.ts';

/** A voice this far under its loudest moment is a breath or a rest, dB. */
const SUNG_RANGE_DB = 24;
/** Least part of a section that must be sung, against what was sung in the first take. A choice. */
const LEAST_SUNG = 0.7;

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
export type Option = {
  startSec: number;
  /** Whether those are other bars than the planned ones. */
  moved: boolean;
  /** Undefined where the song under the voice plays what was planned. */
  bedStartSec: number | undefined;
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
  /** Songs whose voices do not fit the notes under them. */
  outOfTune: readonly string[];
  /** Shifts of the songs, as `shiftsOf` writes them, in which other bars were heard already and did not help. */
  heardIn: ReadonlySet<string>;
};

/** A section in which a song sings over another's music, and the ways in which it could, the planned one first. */
export type Meeting = {
  section: number;
  singer: string;
  /** The song under the voice; undefined where there are several. */
  bed: string | undefined;
  options: Option[];
};

type Hear = (song: RenderSong, stem: Stem) => Promise<VoiceSound>;

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
  tuning: Tuning,
): [number, Int32Array][] {
  const needed = sourceAt(run, song, section.end) - sourceAt(run, song, section.start);
  const brought = beatsForward(tuning, song, section, run);
  return song.grid.downbeats
    .map((index) => [beatTime(song.grid, index), beatTime(song.grid, index + brought)] as const)
    .filter(([at, played]) => at >= 0 && played + needed <= song.durationSec)
    .map(([at, played]) => [at, rowsAlong(run, song, section.start, played, count)]);
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

/** The beds that a section could have instead: its own first, then those of one foreign song from each of its downbeats. */
async function bedsOf(
  { plan, arrangement, layers, tuning, songs }: RephraseTask,
  i: number,
  singer: string,
  hear: Hear,
): Promise<{ bed: string | undefined; beds: { startSec: number | undefined; rows: Rows }[] }> {
  const foreign = layers[i]!.filter(({ stem, songId, pitches }) => stem !== 'vocals' && songId !== singer && pitches);
  if (foreign.length === 0) return { bed: undefined, beds: [] };
  const own = sumOf(foreign.map(({ pitches }) => pitches!));
  const beds: { startSec: number | undefined; rows: Rows }[] = [{ startSec: undefined, rows: own }];
  const [id, ...rest] = new Set(foreign.map(({ songId }) => songId));
  if (id === undefined || rest.length > 0) return { bed: undefined, beds };
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
  for (const [startSec, rows] of startsOf(parts[0]!.run, song, section, count, tuning))
    beds.push({
      startSec,
      rows: sumOf(parts.map(({ sound, gain }) => pick(sound, rows, raise).map((value) => gain * value))),
    });
  return { bed: id, beds };
}

/** The ways in which a song can sing a section over another's music; undefined where it does not. */
async function meetingOf(task: RephraseTask, i: number, singer: string, hear: Hear): Promise<Meeting | undefined> {
  const { plan, arrangement, songs, tuning } = task;
  const clip = arrangement.sections[i]!.find(({ songId, stem }) => songId === singer && stem === 'vocals');
  const { bed, beds } = clip ? await bedsOf(task, i, singer, hear) : { bed: undefined, beds: [] };
  if (!clip || beds.length === 0) return undefined;
  const section = plan.sections[i]!;
  const song = songs.get(singer)!;
  const voice = await hear(song, 'vocals');
  const run = arrangement.runs[clip.parts[0]!.runId]!;
  const count = beds[0]!.rows.length / PITCHES;
  const plannedSec = sourceAt(run, song, section.start);
  const planned = rowsAlong(run, song, section.start, plannedSec, count);
  const voices: [number, Int32Array, boolean][] = [
    [plannedSec, planned, false],
    ...startsOf(run, song, section, count, tuning).map(([at, rows]): [number, Int32Array, boolean] => [at, rows, true]),
  ];
  const list = voices.flatMap(([startSec, rows, moved]) =>
    beds.map((each): Option => ({ startSec, moved, bedStartSec: each.startSec, ...together(voice, rows, each.rows) })),
  );
  const least = LEAST_SUNG * list[0]!.sung;
  return { section: i, singer, bed, options: list.filter(({ sung }) => sung >= least) };
}

/**
 * All meetings of a take, section by section.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function meetingsOf(task: RephraseTask): Promise<Meeting[]> {
  const heard = new Map<string, Promise<VoiceSound>>();
  const hear: Hear = (song, stem) => {
    const key = `${song.id} ${stem}`;
    const sound = heard.get(key) ?? hearWhole({ url: song.stems[stem]!, song: song.name, stem });
    heard.set(key, sound);
    return sound;
  };
  const found: Meeting[] = [];
  for (const i of task.plan.sections.keys())
    for (const singer of task.songs.keys()) {
      const meeting = await meetingOf(task, i, singer, hear);
      if (meeting) found.push(meeting);
    }
  return found;
}
