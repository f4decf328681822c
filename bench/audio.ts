/**
 * Measures the audio services: seconds of work per minute of audio for analysis, separation and rendering of the example songs over
 * HTTP, then the accuracy of analysis and separation.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import { producePlan } from '../music/producer/producer.ts';
import { AnalyzeResponse, STEMS } from '../schema.ts';
import type { AnalyzedSong, Plan, Stem } from '../schema.ts';
import { benchAccuracy } from './accuracy.ts';
import type { AudioServices } from './audio-services.ts';
import { withAudioServices } from './audio-services.ts';
import { benchPeers } from './peers.ts';
import { post } from './store.ts';
import { printTable } from './table.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');

const AUDIO_EXTENSIONS = ['.mp3', '.ogg', '.flac', '.wav'];

/** Seconds of work per minute of audio, and the amount of audio. */
type SpeedResult = {
  analysis_sec_per_min: number;
  separation_sec_per_min: number;
  rendering_sec_per_min: number;
  songs: number;
  audio_sec: number;
  mashup_sec: number;
};

/** Results of the audio bench. */
export type AudioResult = SpeedResult & { accuracy: Record<string, unknown> };

/** Seconds of `work`, wall-clock time. */
async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function analyzeSongs(names: readonly string[], { store, analysis }: AudioServices): Promise<AnalyzedSong[]> {
  const songs: AnalyzedSong[] = [];
  for (const name of names) {
    const answer = AnalyzeResponse.parse(
      JSON.parse(await post(`${analysis}/analyze`, { song_id: name, file_url: `${store}/${name}` })),
    );
    songs.push({ song_id: name, name, artist: 'example', analysis: answer.analysis });
  }
  return songs;
}

async function separateSongs(names: readonly string[], { store, separation }: AudioServices): Promise<void> {
  for (const name of names) {
    const uploads = Object.fromEntries(
      STEMS.map((stem) => [stem, { path: `${name}/${stem}.wav`, url: `${store}/${name}/${stem}.wav` }]),
    );
    await post(`${separation}/separate`, {
      audio_url: `${store}/${name}`,
      job_id: name.replaceAll('.', '-'),
      uploads,
    });
  }
}

async function render(songs: readonly AnalyzedSong[], plan: Plan, { store, processing }: AudioServices): Promise<void> {
  const events = await post(`${processing}/execute-masterplan`, {
    masterplan: { ...plan.masterplan, global_settings: plan.masterplan.global },
    songs: songs.map((song) => ({
      song_id: song.song_id,
      storage_path: song.name,
      analysis: song.analysis,
      stems: Object.fromEntries(STEMS.map((stem: Stem) => [stem, `${store}/${song.song_id}/${stem}.wav`])),
    })),
    job_id: 'bench',
    upload: { path: 'out.wav', url: `${store}/out.wav` },
  });
  if (!events.includes('"storage_path"')) throw new Error(`The rendering failed: ${events.slice(-300)}`);
}

function printSpeed(result: SpeedResult): void {
  const row = (stage: string, secPerMin: number): Record<string, string | number> => ({
    stage,
    'sec/min': secPerMin,
    'x realtime': 60 / secPerMin,
  });
  printTable('Work per minute of audio (examples, one at a time, over HTTP)', [
    row('analysis', result.analysis_sec_per_min),
    row('separation', result.separation_sec_per_min),
    row('rendering', result.rendering_sec_per_min),
  ]);
}

/** Measures the services with the example songs. */
async function measureSpeed(files: Map<string, Uint8Array>, services: AudioServices): Promise<SpeedResult> {
  const names = (await readdir(EXAMPLES)).filter((name) => AUDIO_EXTENSIONS.includes(extname(name))).sort();
  for (const name of names) files.set(`/${name}`, await readFile(join(EXAMPLES, name)));
  // One call without measurement: modules and WASM are loaded on the first call.
  await analyzeSongs(names.slice(0, 1), services);

  let songs: AnalyzedSong[] = [];
  const analysisSec = await secondsOf(async () => {
    songs = await analyzeSongs(names, services);
  });
  const separationSec = await secondsOf(() => separateSongs(names, services));
  const pair = songs.slice(0, 2);
  const plan = producePlan({ songs: pair, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 1 });
  const renderingSec = await secondsOf(() => render(pair, plan, services));

  const audioSec = songs.reduce((sum, song) => sum + (song.analysis.duration_sec ?? 0), 0);
  const mashupSec = plan.masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);
  return {
    analysis_sec_per_min: (analysisSec / audioSec) * 60,
    separation_sec_per_min: (separationSec / audioSec) * 60,
    rendering_sec_per_min: (renderingSec / mashupSec) * 60,
    songs: names.length,
    audio_sec: audioSec,
    mashup_sec: mashupSec,
  };
}

async function benchSpeed(): Promise<SpeedResult> {
  const files = new Map<string, Uint8Array>();
  const result = await withAudioServices(files, (services) => measureSpeed(files, services));
  printSpeed(result);
  return result;
}

/** Measures speed and accuracy and prints tables of both. */
export async function benchAudio(): Promise<AudioResult> {
  const result = { ...(await benchSpeed()), accuracy: await benchAccuracy() };
  await benchPeers();
  return result;
}
