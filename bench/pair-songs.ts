/** Loads, analyses and separates songs of a folder, and renders mashups of them through the audio services. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { decodeAudio } from '../audio/decode/decode.ts';
import { encodeWav16 } from '../audio/encode/encode-wav.ts';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import { producePlan } from '../music/producer/producer.ts';
import { scorePair } from '../music/scoring/scoring.ts';
import { AnalyzeResponse, RenderEvent, RenderResult, STEMS } from '../schema.ts';
import type { AnalyzedSong, Stem } from '../schema.ts';
import type { AudioServices } from './audio-services.ts';
import type { PairResult } from './pair-result.ts';
import { post } from './store.ts';

/** Extensions of audio files. */
export const AUDIO_EXTENSIONS = ['.wav', '.flac', '.mp3', '.ogg', '.opus'];

/**
 * Loads a song to the store: its mix, and its stems if there are any and `separate` is false. A mix of stems is their sum.
 * @param path a file, or a folder of four stems
 * @returns true if the store has the stems
 */
export async function loadSong(path: string, files: Map<string, Uint8Array>, separate: boolean): Promise<boolean> {
  const name = basename(path);
  if (AUDIO_EXTENSIONS.includes(extname(path))) {
    files.set(`/${name}/mix`, await readFile(path));
    return false;
  }
  const entries = await readdir(path);
  const mix: Float32Array[] = [];
  for (const stem of STEMS) {
    const file = entries.find((entry) => AUDIO_EXTENSIONS.some((extension) => entry === `${stem}${extension}`));
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

/** Analyses a song of the store. */
export async function analyzeStoredSong(name: string, { store, analysis }: AudioServices): Promise<AnalyzedSong> {
  const answer = await post(`${analysis}/analyze`, { song_id: name, file_url: `${store}/${name}/mix` });
  return { song_id: name, name, artist: 'example', analysis: AnalyzeResponse.parse(JSON.parse(answer)).analysis };
}

/** Separates a song of the store into stems in the store. */
export async function separateStoredSong(name: string, { store, separation }: AudioServices): Promise<void> {
  const uploads = Object.fromEntries(
    STEMS.map((stem) => [stem, { path: `${name}/${stem}.wav`, url: `${store}/${name}/${stem}.wav` }]),
  );
  await post(`${separation}/separate`, {
    audio_url: `${store}/${name}/mix`,
    job_id: name.replaceAll(/\W/g, '-'),
    uploads,
  });
}

/** All groups of `size` songs, in order. */
export function groupsOf(songs: readonly AnalyzedSong[], size: number): AnalyzedSong[][] {
  if (size === 0) return [[]];
  return songs.flatMap((song, i) => groupsOf(songs.slice(i + 1), size - 1).map((rest) => [song, ...rest]));
}

/** Name of a mashup: the names of its songs. */
export const nameOf = (songs: readonly AnalyzedSong[]): string => songs.map(({ name }) => name).join('+');

/** Plans and renders a mashup. Its file is `/NAME.wav` in the store. */
export async function renderGroup(songs: AnalyzedSong[], services: AudioServices): Promise<PairResult> {
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
