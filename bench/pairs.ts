/**
 * node bench/pairs.ts FOLDER [--separate] [--pairs a+b,c+d] [--keep DIR] [--write]: makes a mashup of every pair of songs of a
 * folder, planned by rules, and prints what the automated ear says of each. A song is a folder with four stems (vocals, drums, bass,
 * other) or one file; one file is separated, and so is the sum of the stems with --separate. --write puts the table and two
 * pictures into docs/.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_LIMITS } from '../music/plan-limits.ts';
import { producePlan } from '../music/producer.ts';
import { scorePair } from '../music/scoring.ts';
import { AnalyzeAnswer, type Plan, RenderEvent, RenderResult, STEMS } from '../schema.ts';
import type { AnalyzedSong, Stem } from '../schema.ts';
import { createAnalysisServer } from '../services/analysis/server.ts';
import { decodeAudio } from '../services/audio/decode.ts';
import { encodeWav16 } from '../services/audio/wav.ts';
import { createProcessingServer } from '../services/processing/server.ts';
import { createSeparationServer } from '../services/separation/server.ts';
import { drawSpectrogram, drawTimeline } from './pictures.ts';
import { writeQualityDoc } from './quality-doc.ts';
import { fileServer, listen, post } from './store.ts';
import { printTable } from './table.ts';

const AUDIO = ['.wav', '.flac', '.mp3', '.ogg', '.opus'];
const DOCS = join(import.meta.dirname, '..', 'docs');

export type PairResult = {
  songs: [string, string];
  bpm: [number, number];
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
  return { song_id: name, name, artist: 'example', analysis: AnalyzeAnswer.parse(JSON.parse(answer)).analysis };
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

async function renderPair(a: AnalyzedSong, b: AnalyzedSong, services: Services): Promise<PairResult> {
  const scores = [scorePair(a, b)];
  const plan = producePlan({ songs: [a, b], scores, limits: DEFAULT_LIMITS, seed: 1 });
  const before = process.cpuUsage();
  const events = await post(`${services.processing}/execute-masterplan`, {
    masterplan: { ...plan.masterplan, global_settings: plan.masterplan.global },
    songs: [a, b].map((song) => ({
      song_id: song.song_id,
      storage_path: song.name,
      name: song.name,
      analysis: song.analysis,
      stems: Object.fromEntries(STEMS.map((stem: Stem) => [stem, `${services.store}/${song.song_id}/${stem}.wav`])),
    })),
    job_id: 'bench',
    scores,
    upload: { path: 'out.wav', url: `${services.store}/${a.name}+${b.name}.wav` },
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
  if (!('result' in last)) throw new Error(`${a.name} + ${b.name}: ${JSON.stringify(last).slice(0, 300)}`);
  return {
    songs: [a.name, b.name],
    bpm: [a.analysis.rhythmic.bpm, b.analysis.rhythmic.bpm],
    plan,
    result: RenderResult.parse(last.result),
    renderCpuSec: cpu.user / 1e6 + cpu.system / 1e6,
  };
}

/** The figures of one pair that a reader looks at first. */
function rowOf({ songs, bpm, plan, result, renderCpuSec }: PairResult): Record<string, string | number> {
  const value = (name: string): string => {
    const found = result.quality?.checks.find((check) => check.name === name);
    if (!found || found.value === null) return '-';
    return `${found.value}${found.passed ? '' : found.kind === 'hard' ? ' ✗' : ' !'}`;
  };
  return {
    songs: songs.join(' + '),
    bpm: `${bpm.map((each) => each.toFixed(0)).join('/')}→${plan.masterplan.global.targetBPM.toFixed(0)}`,
    'tempo %': value('tempo_change_limit'),
    'lag ms': value('beat_lag_median'),
    'p95 ms': value('beat_lag_p95'),
    metre: value('metre_advantage'),
    bars: value('downbeats_on_bars'),
    harmony: value('harmony'),
    rank: value('harmony_rank'),
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

const { values, positionals } = parseArgs({
  options: {
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
  for (const [i, a] of songs.entries()) {
    for (const b of songs.slice(i + 1)) {
      if (wanted && !wanted.some((pair) => pair.includes(a.name) && pair.includes(b.name))) continue;
      const result = await renderPair(a, b, services);
      results.push(result);
      console.error(JSON.stringify(rowOf(result)));
      for (const words of result.result.quality?.corrections ?? []) console.error(`  ${words}`);
      const path = `/${a.name}+${b.name}.wav`;
      if (values.keep !== undefined) {
        await mkdir(values.keep, { recursive: true });
        await writeFile(join(values.keep, path), files.get(path)!);
      }
      if (values.write && results.length === 1) {
        const { channels } = await decodeAudio(files.get(path)!);
        const pictures = join(DOCS, 'pictures');
        await mkdir(pictures, { recursive: true });
        await writeFile(join(pictures, 'mashup-spectrogram.png'), await drawSpectrogram(channels));
        await writeFile(join(pictures, 'mashup-timeline.png'), drawTimeline(result));
      }
      files.delete(path);
    }
  }
  printTable(`Pairs of ${basename(folder)} (${values.separate ? 'separated' : 'as they come'})`, results.map(rowOf));
  if (values.write) await writeQualityDoc(DOCS, results, rowOf, values.separate);
} finally {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}
