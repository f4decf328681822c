/**
 * Accuracy of analysis and separation against truth: on a folder of songs (MASHUP_BENCH_SONGS, see `songs/truth.ts`) and on seeded
 * songs made with fluidsynth (MASHUP_BENCH_GENERATED of them, default 40: two of each style). The odd seeds also
 * count in the weights of the beat (docs/audio-analysis.md); some of them are also heard as they come out of the world
 * (`songs/conditions.ts`).
 */
import { STEMS } from '../schema.ts';
import type { SongAnalysis, Stem } from '../schema.ts';
import { analyzeSong } from '../services/analysis/analyze.ts';
import type { StereoChunk } from '../audio/decode/decode.ts';
import { separate } from '../services/separation/separator.ts';
import { benchCompatibility } from './compatibility.ts';
import { fMeasure, keyScore, mean, siSdr } from './metrics.ts';
import { CONDITIONS } from './songs/conditions.ts';
import { makeSong, missingSynthesizer } from './songs/render.ts';
import { mixOf, readSongs } from './songs/truth.ts';
import type { TrueSong } from './songs/truth.ts';
import { printTable } from './table.ts';

const GENERATED = Number(process.env['MASHUP_BENCH_GENERATED'] ?? 40);
/** Odd seeds that are heard under all conditions. */
const CONDITION_SONGS = 10;

type Heard = {
  /** Distance of the tempo from the true one at the octave that was heard; NaN where the song is not steady. */
  'bpm error': number;
  'tempo x': number;
  'beat F': number;
  'downbeat F': number;
  meter: number;
  key: number;
};
type Measured = { song: string } & Heard & Record<Stem, number> & { 'analysis x': number; 'separation x': number };

async function separateSong(mix: StereoChunk): Promise<Record<Stem, StereoChunk>> {
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

/** Processor seconds that `work` takes: on a shared machine the honest measure of one core. */
async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, seconds: (user + system) / 1e6 };
}

/** How right an analysis of a song is whose times are stretched and shifted. */
function judge(analysis: SongAnalysis, song: TrueSong, stretch = 1, shiftSec = 0): Heard {
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

async function measure(song: TrueSong): Promise<Measured> {
  const mix = mixOf(song);
  const length = mix[0].length / 44_100;
  const analysis = await timed(() => analyzeSong(mix));
  const stems = await timed(() => separateSong(mix));
  const heard = judge(analysis.value, song);
  const sdr = (stem: Stem): number => siSdr(song.stems[stem], stems.value[stem]);
  return {
    song: song.name,
    ...heard,
    meter: Number(heard.meter === song.meter),
    vocals: sdr('vocals'),
    drums: sdr('drums'),
    bass: sdr('bass'),
    other: sdr('other'),
    'analysis x': length / analysis.seconds,
    'separation x': length / stems.seconds,
  };
}

function summarizeHearing(rows: readonly Heard[]): Record<string, number> {
  const of = (key: keyof Heard): number => mean(rows.map((row) => row[key]));
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

function summarize(group: string, rows: readonly Measured[]): Record<string, string | number> {
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
    ...summarizeHearing(rows),
    ...Object.fromEntries(separated),
    'analysis x': mean(rows.map((row) => row['analysis x'])),
    'separation x': mean(rows.map((row) => row['separation x'])),
  };
}

/** The analysis of a few songs under each condition, and the phrases of their pairs. */
async function benchConditions(): Promise<Record<string, Record<string, string | number>[]>> {
  const known: Parameters<typeof benchCompatibility>[0][number][] = [];
  const heard = new Map(Object.keys(CONDITIONS).map((name) => [name, [] as Heard[]]));
  for (let i = 0; i < CONDITION_SONGS; i++) {
    const song = await makeSong(4 * i + 1);
    const mix = mixOf(song);
    for (const [name, condition] of Object.entries(CONDITIONS)) {
      const { mix: changed, stretch, shiftSec } = await condition(mix, song);
      const analysis = await analyzeSong(changed);
      const { name: songName, bpm, key, downbeats } = song;
      if (changed === mix) known.push({ truth: { name: songName, bpm, key, downbeats }, analysis });
      const row = judge(analysis, song, stretch, shiftSec);
      heard.get(name)!.push({ ...row, meter: Number(row.meter === song.meter) });
    }
  }
  const conditions = [...heard].map(([condition, rows]) => ({
    condition,
    songs: rows.length,
    ...summarizeHearing(rows),
  }));
  printTable('Accuracy of the analysis under conditions (odd seeds)', conditions);
  return { conditions, compatibility: benchCompatibility(known) };
}

/** Measures all songs that there are and prints a table of songs and one of means. */
export async function benchAccuracy(): Promise<Record<string, unknown>> {
  const groups: Record<string, Measured[]> = {};
  const folder = process.env['MASHUP_BENCH_SONGS'];
  if (folder) {
    groups['folder'] = [];
    for await (const song of readSongs(folder)) groups['folder'].push(await measure(song));
  } else
    console.log(
      '\nNo songs of your own: set MASHUP_BENCH_SONGS to a folder of <song>/truth.json with four stems each.',
    );
  const missing = GENERATED > 0 ? await missingSynthesizer() : null;
  if (missing) console.log(`\n${missing}`);
  else {
    const made: [Measured[], Measured[]] = [[], []];
    for (let seed = 0; seed < GENERATED; seed++) made[(seed % 2) as 0 | 1].push(await measure(await makeSong(seed)));
    if (GENERATED > 0) [groups['made, even seeds'], groups['made, odd seeds']] = made;
  }
  for (const [group, rows] of Object.entries(groups)) printTable(`Accuracy: ${group} (SI-SDR in dB)`, rows);
  const means = Object.entries(groups).map(([group, rows]) => summarize(group, rows));
  if (means.length > 0) printTable('Accuracy: means (speed in multiples of realtime on one core)', means);
  const more = missing || GENERATED === 0 ? {} : await benchConditions();
  return { groups, means, ...more };
}
