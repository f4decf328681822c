/**
 * Accuracy of analysis and separation against truth: on a folder of songs (MASHUP_BENCH_SONGS, see `songs/truth.ts`) and on seeded
 * songs made with fluidsynth (MASHUP_BENCH_GENERATED of them, default 30). Choices may be tuned on the even seeds; the odd ones are for
 * reporting.
 */
import { STEMS } from '../schema.ts';
import type { Stem } from '../schema.ts';
import { analyzeSong } from '../services/analysis/analyze.ts';
import type { StereoChunk } from '../services/audio/decode.ts';
import { separate } from '../services/separation/separator.ts';
import { fMeasure, keyScore, mean, siSdr } from './metrics.ts';
import { makeSong, missingSynthesizer } from './songs/render.ts';
import { mixOf, readSongs } from './songs/truth.ts';
import type { TrueSong } from './songs/truth.ts';
import { printTable } from './table.ts';

const GENERATED = Number(process.env['MASHUP_BENCH_GENERATED'] ?? 30);

type Measured = {
  song: string;
  'bpm error': number;
  'tempo x': number;
  'beat F': number;
  'downbeat F': number;
  key: number;
  vocals: number;
  drums: number;
  bass: number;
  other: number;
  'analysis x': number;
  'separation x': number;
};

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

async function measure(song: TrueSong): Promise<Measured> {
  const mix = mixOf(song);
  const length = mix[0].length / 44_100;
  const analysis = await timed(() => analyzeSong(mix));
  const stems = await timed(() => separateSong(mix));
  const { rhythmic, harmonic } = analysis.value;
  const ratio = rhythmic.bpm / song.bpm;
  const octave = [1, 2, 0.5, 3, 1 / 3, 1.5, 2 / 3].find((factor) => Math.abs(ratio / factor - 1) < 0.03) ?? 0;
  const sdr = (stem: Stem): number => siSdr(song.stems[stem], stems.value[stem]);
  return {
    song: song.name,
    'bpm error': Math.abs(rhythmic.bpm - song.bpm * (octave || 1)),
    'tempo x': octave,
    'beat F': fMeasure(song.beats, rhythmic.beats_sec ?? []),
    'downbeat F': fMeasure(song.downbeats, rhythmic.downbeats_sec ?? []),
    key: keyScore(song.key, harmonic.key),
    vocals: sdr('vocals'),
    drums: sdr('drums'),
    bass: sdr('bass'),
    other: sdr('other'),
    'analysis x': length / analysis.seconds,
    'separation x': length / stems.seconds,
  };
}

function summarize(group: string, rows: readonly Measured[]): Record<string, string | number> {
  const of = (key: Exclude<keyof Measured, 'song'>): number => mean(rows.map((row) => row[key]));
  return {
    group,
    songs: rows.length,
    'tempo exact': mean(rows.map((row) => Number(row['tempo x'] === 1))),
    'within octave': mean(rows.map((row) => Number([1, 2, 0.5].includes(row['tempo x'])))),
    'beat F': of('beat F'),
    'downbeat F': of('downbeat F'),
    'key exact': mean(rows.map((row) => Number(row.key === 1))),
    'key MIREX': of('key'),
    vocals: of('vocals'),
    drums: of('drums'),
    bass: of('bass'),
    other: of('other'),
    'analysis x': of('analysis x'),
    'separation x': of('separation x'),
  };
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
  return { groups, means };
}
