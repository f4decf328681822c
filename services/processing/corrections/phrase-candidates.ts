/**
 * Finds phrase candidates. Where a voice sings over another song, its own song can play other bars, and so can the song under it. What
 * would then sound together is measured in their stems, for each downbeat of both songs.
 */
import type { Stem } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { readMonoStem, type StemSource } from '../files/read-stem.ts';
import { CHROMA_HOP, PITCH_CLASSES } from '../measure/chroma.ts';
import { LEVEL_HOP, type LayerMeasurement, measureStem, type StemMeasurement } from '../measure/layer.ts';
import type { Arrangement } from '../plan/arrangement.ts';
import type { RenderPlan } from '../plan/plan.ts';
import { type Run, sourceAt } from '../plan/run.ts';
import { sourceBeatOffset, type Tuning } from '../plan/tuning.ts';
import { beatTime } from '../song/beat-grid.ts';
import type { RenderSong } from '../song/song.ts';
import { holdsSpan } from '../song/song-pieces.ts';

/** A voice this far below its loudest moment is a breath or a rest, in dB. */
const SUNG_RANGE_DB = 24;
/** Least share of the time sung in the planned phrase that another phrase must have. A choice. */
const MIN_SUNG_SHARE = 0.7;

/** Where the stems of each song are read from. */
export type StemSources = Map<string, Partial<Record<Stem, StemSource>>>;

/** The rendered candidate whose phrases are changed; can be sent to a thread. */
export type PhraseTask = {
  plan: RenderPlan;
  arrangement: Arrangement;
  /** Measured layers of each section. */
  layers: LayerMeasurement[][];
  tuning: Tuning;
  songs: Map<string, RenderSong>;
  sources: StemSources;
  /** Songs whose voices do not fit the notes under them. */
  outOfTune: readonly string[];
  /** Shifts of the songs, as `shiftsKey` writes them, with which other phrases were rendered without success. */
  triedShifts: ReadonlySet<string>;
};

/** One way to play a section: where both songs start, and the pitch classes that then sound together. */
export type PhraseCandidate = {
  /** Second of the singer's song at which the section starts. */
  startSec: number;
  /** Whether that differs from the plan. */
  moved: boolean;
  /** Second of the song under the voice at which the section starts; undefined if it plays what was planned. */
  bedStartSec: number | undefined;
  /** Rows of chroma in which the voice sings. */
  sung: number;
  /** Pitch classes of the voice and of the music under it, summed while the voice sings. */
  voice: number[];
  bed: number[];
};

/** The phrase candidates of a song that sings over another in a section. The first one is the planned phrase. */
export type SectionCandidates = {
  section: number;
  singer: string;
  /** The song under the voice; undefined if there are several. */
  bed: string | undefined;
  candidates: PhraseCandidate[];
};

type MeasureStem = (song: RenderSong, stem: Stem) => Promise<StemMeasurement>;

/** Rows of twelve pitch classes, one row after the other. */
type Rows = Float32Array;

/** Music under a voice, from a second of its song; undefined for the planned one. */
type Bed = { startSec: number | undefined; rows: Rows };

/**
 * Finds the phrase candidates of all singers in all sections.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function findPhraseCandidates(task: PhraseTask): Promise<SectionCandidates[]> {
  const measured = new Map<string, Promise<StemMeasurement>>();
  const measureOnce: MeasureStem = (song, stem) => {
    const key = `${song.id} ${stem}`;
    const measurement = measured.get(key) ?? measureWholeStem(task.sources.get(song.id)![stem]!, song);
    measured.set(key, measurement);
    return measurement;
  };
  const found: SectionCandidates[] = [];
  for (const i of task.plan.sections.keys())
    for (const singer of task.songs.keys()) {
      const candidates = await sectionCandidates(task, i, singer, measureOnce);
      if (candidates) found.push(candidates);
    }
  return found;
}

const measureWholeStem = async (source: StemSource, song: RenderSong): Promise<StemMeasurement> =>
  measureStem(await readMonoStem(source), SAMPLE_RATE, song.tuningCents ?? 0);

/** The phrase candidates of one singer in one section; undefined if it does not sing over another song there. */
async function sectionCandidates(
  task: PhraseTask,
  i: number,
  singer: string,
  measure: MeasureStem,
): Promise<SectionCandidates | undefined> {
  const { plan, arrangement, songs, tuning } = task;
  const slice = arrangement.sections[i]!.find(({ songId, stem }) => songId === singer && stem === 'vocals');
  const { bed, beds } = slice ? await findBeds(task, i, singer, measure) : { bed: undefined, beds: [] };
  if (!slice || beds.length === 0) return undefined;
  const section = plan.sections[i]!;
  const song = songs.get(singer)!;
  const voice = await measure(song, 'vocals');
  const run = arrangement.runs[slice.parts[0]!.runId]!;
  const count = beds[0]!.rows.length / PITCH_CLASSES;
  const plannedSec = sourceAt(run, song, section.start);
  const planned = rowIndices(run, song, section.start, plannedSec, count);
  const starts: [number, Int32Array, boolean][] = [
    [plannedSec, planned, false],
    ...possibleStarts(run, song, section, count, tuning).map(([at, rows]): [number, Int32Array, boolean] => [
      at,
      rows,
      true,
    ]),
  ];
  const all = starts.flatMap(([startSec, rows, moved]) =>
    beds.map((each): PhraseCandidate => {
      return { startSec, moved, bedStartSec: each.startSec, ...profilesTogether(voice, rows, each.rows) };
    }),
  );
  const least = MIN_SUNG_SHARE * all[0]!.sung;
  return { section: i, singer, bed, candidates: all.filter(({ sung }) => sung >= least) };
}

/** The music that can play under a voice in a section: first the planned, then that of one other song from each of its downbeats. */
async function findBeds(
  { plan, arrangement, layers, tuning, songs }: PhraseTask,
  i: number,
  singer: string,
  measure: MeasureStem,
): Promise<{ bed: string | undefined; beds: Bed[] }> {
  const foreign = layers[i]!.filter(({ stem, songId, chroma }) => stem !== 'vocals' && songId !== singer && chroma);
  if (foreign.length === 0) return { bed: undefined, beds: [] };
  const planned = sumOf(foreign.map(({ chroma }) => chroma!));
  const beds: Bed[] = [{ startSec: undefined, rows: planned }];
  const [id, ...rest] = new Set(foreign.map(({ songId }) => songId));
  if (id === undefined || rest.length > 0) return { bed: undefined, beds };
  const section = plan.sections[i]!;
  const song = songs.get(id)!;
  const count = planned.length / PITCH_CLASSES;
  const parts = await Promise.all(
    foreign.map(async ({ stem, chroma }) => {
      const slice = arrangement.sections[i]!.find((each) => each.songId === id && each.stem === stem)!;
      const run = arrangement.runs[slice.parts[0]!.runId]!;
      const whole = await measure(song, stem);
      const rows = rowIndices(run, song, section.start, sourceAt(run, song, section.start), count);
      // The level and the effects of the layer, as one factor.
      const gain = total(chroma!) / Math.max(1e-9, total(pickRows(whole, rows, 0)));
      return { run, whole, gain };
    }),
  );
  const raise = tuning.semitones.get(id) ?? 0;
  for (const [startSec, rows] of possibleStarts(parts[0]!.run, song, section, count, tuning))
    beds.push({
      startSec,
      rows: sumOf(parts.map(({ whole, gain }) => pickRows(whole, rows, raise).map((value) => gain * value))),
    });
  return { bed: id, beds };
}

/**
 * Seconds of the downbeats from which a song can play a whole section, each with the rows of its stems that then sound. Of a song in pieces
 * only what they hold.
 */
function possibleStarts(
  run: Run,
  song: RenderSong,
  section: RenderPlan['sections'][number],
  count: number,
  tuning: Tuning,
): [number, Int32Array][] {
  const needed = sourceAt(run, song, section.end) - sourceAt(run, song, section.start);
  const offset = sourceBeatOffset(tuning, song, section, run);
  return song.grid.downbeats
    .map((index) => [beatTime(song.grid, index), beatTime(song.grid, index + offset)] as const)
    .filter(([at, played]) => at >= 0 && played + needed <= song.durationSec)
    .filter(([, played]) => holdsSpan(song.pieces, played, played + needed))
    .map(([at, played]) => [at, rowIndices(run, song, section.start, played, count)]);
}

/**
 * Index of the row of a stem that sounds at each of the `count` rows of a section.
 * @param from second of the mashup at which the section starts
 * @param startSec second of the song that sounds there
 */
function rowIndices(run: Run, song: RenderSong, from: number, startSec: number, count: number): Int32Array {
  const moved = startSec - sourceAt(run, song, from);
  return Int32Array.from({ length: count }, (_, row) => {
    const at = sourceAt(run, song, from + ((row + 0.5) * CHROMA_HOP) / SAMPLE_RATE) + moved;
    return Math.floor((at * SAMPLE_RATE) / CHROMA_HOP);
  });
}

/** The rows of a stem at these indices, transposed up by some semitones. */
function pickRows({ chroma }: StemMeasurement, indices: Int32Array, raise: number): Rows {
  const picked = new Float32Array(indices.length * PITCH_CLASSES);
  indices.forEach((source, row) => {
    for (let pitch = 0; pitch < PITCH_CLASSES; pitch++) {
      const raised = (((pitch + raise) % PITCH_CLASSES) + PITCH_CLASSES) % PITCH_CLASSES;
      picked[row * PITCH_CLASSES + raised] = chroma[source * PITCH_CLASSES + pitch] ?? 0;
    }
  });
  return picked;
}

const total = (rows: Rows): number => rows.reduce((sum, value) => sum + value, 0);

/** Sum of several lists of rows, as long as the first. */
const sumOf = (lists: readonly Rows[]): Rows =>
  lists[0]!.map((_, i) => lists.reduce((sum, rows) => sum + (rows[i] ?? 0), 0));

/** The pitch classes of a voice and a bed, summed while the voice sings. `indices` are the rows of the voice. */
function profilesTogether(
  voice: StemMeasurement,
  indices: Int32Array,
  bed: Rows,
): Pick<PhraseCandidate, 'sung' | 'voice' | 'bed'> {
  const result = {
    sung: 0,
    voice: new Array<number>(PITCH_CLASSES).fill(0),
    bed: new Array<number>(PITCH_CLASSES).fill(0),
  };
  const floor = voice.levels.reduce((a, b) => Math.max(a, b), -Infinity) - SUNG_RANGE_DB;
  indices.forEach((source, row) => {
    const level = voice.levels[Math.floor(((source + 0.5) * CHROMA_HOP) / LEVEL_HOP)];
    if (level === undefined || level < floor) return;
    result.sung++;
    for (let pitch = 0; pitch < PITCH_CLASSES; pitch++) {
      result.voice[pitch]! += voice.chroma[source * PITCH_CLASSES + pitch] ?? 0;
      result.bed[pitch]! += bed[row * PITCH_CLASSES + pitch] ?? 0;
    }
  });
  return result;
}
