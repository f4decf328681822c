/**
 * Measures the accuracy of analysis and separation against ground truth: on a folder of songs (MASHUP_BENCH_SONGS, see
 * `songs/annotated-songs.ts`) and on generated songs (MASHUP_BENCH_GENERATED, default 40: two of each style; needs fluidsynth). The
 * odd seeds are also in the training data of the grid score's weights (docs/explanation/audio-analysis.md). Some of them are also analysed
 * with degradations (`songs/conditions.ts`).
 */
import { STEMS } from '../schema.ts';
import type { SongAnalysis, Stem } from '../schema.ts';
import { analyzeSong } from '../services/analysis/analyze.ts';
import type { StereoChunk } from '../audio/decode/decode.ts';
import { mean } from '../services/analysis/statistics.ts';
import { separate } from '../services/separation/separator.ts';
import { benchCompatibility } from './compatibility.ts';
import { fMeasure, keyScore, siSdr } from './metrics.ts';
import { CONDITIONS } from './songs/conditions.ts';
import { generateSong, missingSynthesizer } from './songs/generate-song.ts';
import { mixOf, readAnnotatedSongs } from './songs/annotated-songs.ts';
import type { AnnotatedSong } from './songs/annotated-songs.ts';
import { printTable } from './table.ts';

const GENERATED = Number(process.env['MASHUP_BENCH_GENERATED'] ?? 40);
/** Number of odd seeds that are analysed with all degradations. */
const CONDITION_SONGS = 10;

/** Scores of an analysis. */
type AnalysisScores = {
  /** Error of the tempo, apart from the factor `tempo x`; NaN if the tempo of the song is not constant. */
  'bpm error': number;
  /** Factor of the estimated tempo to the true one; 0 if it is none of the usual ones. */
  'tempo x': number;
  'beat F': number;
  'downbeat F': number;
  meter: number;
  key: number;
};
/** Scores of a song: analysis, SI-SDR of the stems in dB, and speed in multiples of realtime. */
type SongScores = { song: string } & AnalysisScores &
  Record<Stem, number> & { 'analysis x': number; 'separation x': number };

async function separateMix(mix: StereoChunk): Promise<Record<Stem, StereoChunk>> {
  const length = mix[0].length;
  const stem = (): StereoChunk => [new Float32Array(length), new Float32Array(length)];
  const stems = { vocals: stem(), drums: stem(), bass: stem(), other: stem() };
  async function* whole(): AsyncGenerator<StereoChunk> {
    yield mix;
  }
  let at = 0;
  for await (const chunk of separate(whole())) {
    for (const name of STEMS) for (const c of [0, 1] as const) stems[name][c].set(chunk[name][c], at);
    at += chunk.vocals[0].length;
  }
  return stems;
}

/** Processor seconds of `work`: independent of other load on the machine. */
async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, seconds: (user + system) / 1e6 };
}

/** Scores an analysis of a mix in which time t of the song is at `t * stretch + shiftSec`. */
function scoreAnalysis(analysis: SongAnalysis, song: AnnotatedSong, stretch = 1, shiftSec = 0): AnalysisScores {
  const { rhythmic, harmonic } = analysis;
  const bpm = song.bpm / stretch;
  const ratio = rhythmic.bpm / bpm;
  const octave = [1, 2, 0.5, 3, 1 / 3, 1.5, 2 / 3, 4 / 3, 0.75].find((x) => Math.abs(ratio / x - 1) < 0.03) ?? 0;
  const moved = (times: readonly number[]): number[] => times.map((time) => time * stretch + shiftSec);
  return {
    'bpm error': song.steady ? Math.abs(rhythmic.bpm / (octave || 1) - bpm) : Number.NaN,
    'tempo x': octave,
    'beat F': fMeasure(moved(song.beats), rhythmic.beats_sec ?? []),
    'downbeat F': fMeasure(moved(song.downbeats), rhythmic.downbeats_sec ?? []),
    meter: rhythmic.meter ?? 0,
    key: keyScore(song.key, harmonic.key),
  };
}

async function scoreSong(song: AnnotatedSong): Promise<SongScores> {
  const mix = mixOf(song);
  const length = mix[0].length / 44_100;
  const analysis = await timed(() => analyzeSong(mix));
  const stems = await timed(() => separateMix(mix));
  const scores = scoreAnalysis(analysis.value, song);
  const sdr = (stem: Stem): number => siSdr(song.stems[stem], stems.value[stem]);
  return {
    song: song.name,
    ...scores,
    meter: Number(scores.meter === song.meter),
    vocals: sdr('vocals'),
    drums: sdr('drums'),
    bass: sdr('bass'),
    other: sdr('other'),
    'analysis x': length / analysis.seconds,
    'separation x': length / stems.seconds,
  };
}

/** Means of the scores of several analyses. */
function summarizeAnalyses(rows: readonly AnalysisScores[]): Record<string, number> {
  const of = (key: keyof AnalysisScores): number => mean(rows.map((row) => row[key]));
  return {
    'tempo exact': mean(rows.map((row) => Number(row['tempo x'] === 1))),
    'within octave': mean(rows.map((row) => Number([1, 2, 0.5].includes(row['tempo x'])))),
    'bpm error': mean(rows.map((row) => row['bpm error']).filter((error) => !Number.isNaN(error))),
    'beat F': of('beat F'),
    'downbeat F': of('downbeat F'),
    meter: of('meter'),
    'key exact': mean(rows.map((row) => Number(row.key === 1))),
    'key MIREX': of('key'),
  };
}

/** One row of the table of means. */
function summarize(group: string, rows: readonly SongScores[]): Record<string, string | number> {
  const separated = STEMS.flatMap((stem) => {
    const values = rows.map((row) => row[stem]);
    return [
      [stem, mean(values)],
      [`${stem} worst`, Math.min(...values)],
    ] as const;
  });
  return {
    group,
    songs: rows.length,
    ...summarizeAnalyses(rows),
    ...Object.fromEntries(separated),
    'analysis x': mean(rows.map((row) => row['analysis x'])),
    'separation x': mean(rows.map((row) => row['separation x'])),
  };
}

/** Analyses some songs with each degradation and measures the phrase matches of their pairs. */
async function benchConditions(): Promise<Record<string, Record<string, string | number>[]>> {
  const analyzed: Parameters<typeof benchCompatibility>[0][number][] = [];
  const scores = new Map(Object.keys(CONDITIONS).map((name) => [name, [] as AnalysisScores[]]));
  for (let i = 0; i < CONDITION_SONGS; i++) {
    const song = await generateSong(4 * i + 1);
    const mix = mixOf(song);
    for (const [name, condition] of Object.entries(CONDITIONS)) {
      const { mix: changed, stretch, shiftSec } = await condition(mix, song);
      const analysis = await analyzeSong(changed);
      const { name: songName, bpm, key, downbeats } = song;
      if (changed === mix) analyzed.push({ truth: { name: songName, bpm, key, downbeats }, analysis });
      const row = scoreAnalysis(analysis, song, stretch, shiftSec);
      scores.get(name)!.push({ ...row, meter: Number(row.meter === song.meter) });
    }
  }
  const conditions = [...scores].map(([condition, rows]) => ({
    condition,
    songs: rows.length,
    ...summarizeAnalyses(rows),
  }));
  printTable('Accuracy of the analysis with degradations (odd seeds)', conditions);
  return { conditions, compatibility: benchCompatibility(analyzed) };
}

/** Measures all available songs and prints a table of songs and one of means. */
export async function benchAccuracy(): Promise<Record<string, unknown>> {
  const groups: Record<string, SongScores[]> = {};
  const folder = process.env['MASHUP_BENCH_SONGS'];
  if (folder) {
    groups['folder'] = [];
    for await (const song of readAnnotatedSongs(folder)) groups['folder'].push(await scoreSong(song));
  } else console.log('\nMASHUP_BENCH_SONGS is not set. It is a folder of <song>/truth.json with four stems each.');
  const missing = GENERATED > 0 ? await missingSynthesizer() : null;
  if (missing) console.log(`\n${missing}`);
  else {
    const made: [SongScores[], SongScores[]] = [[], []];
    for (let seed = 0; seed < GENERATED; seed++)
      made[(seed % 2) as 0 | 1].push(await scoreSong(await generateSong(seed)));
    if (GENERATED > 0) [groups['generated, even seeds'], groups['generated, odd seeds']] = made;
  }
  for (const [group, rows] of Object.entries(groups)) printTable(`Accuracy: ${group} (SI-SDR in dB)`, rows);
  const means = Object.entries(groups).map(([group, rows]) => summarize(group, rows));
  if (means.length > 0) printTable('Accuracy: means (speed in multiples of realtime on one core)', means);
  const more = missing || GENERATED === 0 ? {} : await benchConditions();
  return { groups, means, ...more };
}
