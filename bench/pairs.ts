/**
 * node bench/pairs.ts FOLDER [--triples] [--separate] [--pairs a+b,c+d] [--keep DIR] [--write]: makes a mashup of every pair (or three) of songs of
 * a folder, planned by rules, and prints what the automated ear says of each. A song is a folder with four stems (vocals, drums, bass,
 * other) or one file; one file is separated, and so is the sum of the stems with --separate. --write puts the table and two
 * pictures into docs/.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { sectionBpm } from '../music/plan/bars.ts';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import { producePlan } from '../music/producer/producer.ts';
import { scorePair } from '../music/scoring/scoring.ts';
import { AnalyzeResponse, type Plan, RenderEvent, RenderResult, STEMS } from '../schema.ts';
import type { AnalyzedSong, Stem } from '../schema.ts';
import { createAnalysisServer } from '../services/analysis/server.ts';
import { decodeAudio } from '../audio/decode/decode.ts';
import { encodeWav16 } from '../audio/decode/wav.ts';
import { createProcessingServer } from '../services/processing/server/server.ts';
import { createSeparationServer } from '../services/separation/server.ts';
import { drawSpectrogram, drawTimeline } from './pictures.ts';
import { writeQualityDoc } from './quality-doc.ts';
import { fileServer, listen, post } from './store.ts';
import { printTable } from './table.ts';

const AUDIO = ['.wav', '.flac', '.mp3', '.ogg', '.opus'];
const DOCS = join(import.meta.dirname, '..', 'docs');

/** Mashups of the table that pictures are drawn of, by their place in it: songs that share a beat, and songs in two tempi. */
const PICTURED = new Map([
  [0, 'mashup'],
  [1, 'two-tempi'],
]);

export type PairResult = {
  songs: string[];
  bpm: number[];
  plan: Plan;
  result: RenderResult;
  /** Seconds of processor time of all threads. */
  renderCpuSec: number;
};

type Services = { store: string; analysis: string; separation: string; processing: string };

/** Puts a song's mix (and its stems where there are any) into the store and says whether it has stems. */
async function loadSong(path: string, files: Map<string, Uint8Array>, separate: boolean): Promise<boolean> {
  const name = basename(path);
  if (AUDIO.includes(extname(path))) {
    files.set(`/${name}/mix`, await readFile(path));
    return false;
  }
  const entries = await readdir(path);
  const mix: Float32Array[] = [];
  for (const stem of STEMS) {
    const file = entries.find((entry) => AUDIO.some((extension) => entry === `${stem}${extension}`));
    if (file === undefined) throw new Error(`${name} has no ${stem} stem`);
    const { channels } = await decodeAudio(await readFile(join(path, file)));
    if (!separate) files.set(`/${name}/${stem}.wav`, encodeWav16(channels, 44_100));
    channels.forEach((samples, c) => {
      const sum = (mix[c] ??= new Float32Array(samples.length));
      for (let i = 0; i < Math.min(sum.length, samples.length); i++) sum[i]! += samples[i]!;
    });
  }
  const peak = mix.reduce((most, samples) => samples.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0);
  if (peak > 1) for (const samples of mix) for (let i = 0; i < samples.length; i++) samples[i]! /= peak;
  files.set(`/${name}/mix`, encodeWav16([mix[0]!, mix[1]!], 44_100));
  return !separate;
}

async function analyze(name: string, { store, analysis }: Services): Promise<AnalyzedSong> {
  const answer = await post(`${analysis}/analyze`, { song_id: name, file_url: `${store}/${name}/mix` });
  return { song_id: name, name, artist: 'example', analysis: AnalyzeResponse.parse(JSON.parse(answer)).analysis };
}

async function separateSong(name: string, { store, separation }: Services): Promise<void> {
  const uploads = Object.fromEntries(
    STEMS.map((stem) => [stem, { path: `${name}/${stem}.wav`, url: `${store}/${name}/${stem}.wav` }]),
  );
  await post(`${separation}/separate`, {
    audio_url: `${store}/${name}/mix`,
    job_id: name.replaceAll(/\W/g, '-'),
    uploads,
  });
}

/** All groups of so many songs, in order. */
function groupsOf(songs: readonly AnalyzedSong[], size: number): AnalyzedSong[][] {
  if (size === 0) return [[]];
  return songs.flatMap((song, i) => groupsOf(songs.slice(i + 1), size - 1).map((rest) => [song, ...rest]));
}

const nameOf = (songs: readonly AnalyzedSong[]): string => songs.map(({ name }) => name).join('+');

async function renderGroup(songs: AnalyzedSong[], services: Services): Promise<PairResult> {
  const scores = groupsOf(songs, 2).map(([a, b]) => scorePair(a!, b!));
  const plan = producePlan({ songs, scores, limits: DEFAULT_PLAN_LIMITS, seed: 1 });
  const before = process.cpuUsage();
  const events = await post(`${services.processing}/execute-masterplan`, {
    masterplan: { ...plan.masterplan, global_settings: plan.masterplan.global },
    songs: songs.map((song) => ({
      song_id: song.song_id,
      storage_path: song.name,
      name: song.name,
      analysis: song.analysis,
      stems: Object.fromEntries(STEMS.map((stem: Stem) => [stem, `${services.store}/${song.song_id}/${stem}.wav`])),
    })),
    job_id: 'bench',
    scores,
    upload: { path: 'out.wav', url: `${services.store}/${nameOf(songs)}.wav` },
  });
  const last = RenderEvent.parse(
    JSON.parse(
      events
        .trim()
        .split('\n\n')
        .at(-1)!
        .replace(/^data: /, ''),
    ),
  );
  const cpu = process.cpuUsage(before);
  if (!('result' in last)) throw new Error(`${nameOf(songs)}: ${JSON.stringify(last).slice(0, 300)}`);
  return {
    songs: songs.map(({ name }) => name),
    bpm: songs.map(({ analysis }) => analysis.rhythmic.bpm),
    plan,
    result: RenderResult.parse(last.result),
    renderCpuSec: cpu.user / 1e6 + cpu.system / 1e6,
  };
}

/** The tempi of a plan, in the order in which they come. */
function temposOf({ masterplan: { timeline, global } }: Plan): string[] {
  return [...new Set(timeline.map((section) => sectionBpm(global, section).toFixed(0)))];
}

/** The figures of one mashup that a reader looks at first. */
function rowOf({ songs, bpm, plan, result, renderCpuSec }: PairResult): Record<string, string | number> {
  const value = (name: string): string => {
    const found = result.quality?.checks.find((check) => check.name === name);
    if (!found || found.value === null) return '-';
    return `${found.value}${found.passed ? '' : found.kind === 'hard' ? ' ✗' : ' !'}`;
  };
  return {
    songs: songs.join(' + '),
    bpm: `${bpm.map((each) => each.toFixed(0)).join('/')}→${temposOf(plan).join(' ')}`,
    'tempo %': value('tempo_change_limit'),
    'lag ms': value('beat_lag_median'),
    'p95 ms': value('beat_lag_p95'),
    metre: value('metre_advantage'),
    bars: value('downbeats_on_bars'),
    harmony: value('harmony'),
    rank: value('harmony_rank'),
    'together %': value('together'),
    'voices %': value('two_voices'),
    bass: value('one_bass'),
    LUFS: result.loudness_lufs.toFixed(1),
    dBTP: result.true_peak_dbtp.toFixed(2),
    clicks: value('splice_clicks'),
    corrected: result.quality?.corrections.length ?? 0,
    passed: result.quality?.passed === true ? 'yes' : 'no',
    sec: Math.round(result.duration_sec),
    'cpu s': Number(renderCpuSec.toFixed(1)),
  };
}

/** Draws a spectrogram and a timeline of a mashup into docs/pictures. */
async function drawPictures(result: PairResult, file: Uint8Array, name: string): Promise<void> {
  const { channels } = await decodeAudio(file);
  const pictures = join(DOCS, 'pictures');
  await mkdir(pictures, { recursive: true });
  await writeFile(join(pictures, `${name}-spectrogram.png`), await drawSpectrogram(channels));
  await writeFile(join(pictures, `${name}-timeline.png`), drawTimeline(result));
}

const { values, positionals } = parseArgs({
  options: {
    triples: { type: 'boolean', default: false },
    separate: { type: 'boolean', default: false },
    pairs: { type: 'string' },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('Give a folder of songs: node bench/pairs.ts FOLDER');
  process.exit(1);
}
const files = new Map<string, Uint8Array>();
const servers = [fileServer(files), createAnalysisServer(), createSeparationServer(), createProcessingServer()];
const [store = '', analysis = '', separation = '', processing = ''] = await Promise.all(servers.map(listen));
const services = { store, analysis, separation, processing };
try {
  const entries = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() || AUDIO.includes(extname(entry.name)))
    .map(({ name }) => name)
    .sort();
  const wanted = values.pairs?.split(',').map((pair) => pair.split('+'));
  const used = entries.filter((name) => !wanted || wanted.flat().includes(name));
  const songs: AnalyzedSong[] = [];
  for (const name of used) {
    const hasStems = await loadSong(join(folder, name), files, values.separate);
    if (!hasStems) await separateSong(name, services);
    songs.push(await analyze(name, services));
  }
  const results: PairResult[] = [];
  for (const group of groupsOf(songs, values.triples ? 3 : 2)) {
    if (wanted && !wanted.some((names) => group.every(({ name }) => names.includes(name)))) continue;
    const result = await renderGroup(group, services);
    results.push(result);
    console.error(JSON.stringify(rowOf(result)));
    for (const words of result.result.quality?.corrections ?? []) console.error(`  ${words}`);
    const path = `/${nameOf(group)}.wav`;
    if (values.keep !== undefined) {
      await mkdir(values.keep, { recursive: true });
      await writeFile(join(values.keep, path), files.get(path)!);
    }
    const isPictured = PICTURED.has(results.length - 1) && !values.triples && !values.separate;
    if (values.write && isPictured) await drawPictures(result, files.get(path)!, PICTURED.get(results.length - 1)!);
    files.delete(path);
  }
  const mark = `${values.triples ? 'triples' : 'pairs'}:${values.separate ? 'separated' : 'stems'}`;
  printTable(`${mark} of ${basename(folder)}`, results.map(rowOf));
  if (values.write) await writeQualityDoc(DOCS, results.map(rowOf), mark);
} finally {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}
