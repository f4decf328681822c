/**
 * Seconds of work for each minute of audio: analysis, separation and rendering of the example songs, over HTTP; then how right
 * analysis and separation are.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import { producePlan } from '../music/producer/producer.ts';
import { AnalyzeResponse, STEMS } from '../schema.ts';
import type { AnalyzedSong, Stem } from '../schema.ts';
import { createAnalysisServer } from '../services/analysis/server.ts';
import { createProcessingServer } from '../services/processing/server/server.ts';
import { createSeparationServer } from '../services/separation/server.ts';
import { fileServer, listen, post } from './store.ts';
import { benchAccuracy } from './accuracy.ts';
import { benchPeers } from './peers.ts';
import { printTable } from './table.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');

export interface AudioResult {
  analysis_sec_per_min: number;
  separation_sec_per_min: number;
  rendering_sec_per_min: number;
  songs: number;
  audio_sec: number;
  mashup_sec: number;
  accuracy: Record<string, unknown>;
}

async function benchSpeed(): Promise<Omit<AudioResult, 'accuracy'>> {
  const files = new Map<string, Uint8Array>();
  const servers = [fileServer(files), createAnalysisServer(), createSeparationServer(), createProcessingServer()];
  const [store = '', analysis = '', separation = '', processing = ''] = await Promise.all(servers.map(listen));
  try {
    const names = (await readdir(EXAMPLES))
      .filter((name) => ['.mp3', '.ogg', '.flac', '.wav'].includes(extname(name)))
      .sort();
    for (const name of names) files.set(`/${name}`, await readFile(join(EXAMPLES, name)));

    const songs: AnalyzedSong[] = [];
    // Once unmeasured: modules and WASM are loaded on the first call.
    await post(`${analysis}/analyze`, { song_id: 'warm', file_url: `${store}/${names[0]}` });
    let start = performance.now();
    for (const name of names) {
      const answer = AnalyzeResponse.parse(
        JSON.parse(await post(`${analysis}/analyze`, { song_id: name, file_url: `${store}/${name}` })),
      );
      songs.push({ song_id: name, name, artist: 'example', analysis: answer.analysis });
    }
    const analysisSec = (performance.now() - start) / 1000;
    const audioSec = songs.reduce((sum, song) => sum + (song.analysis.duration_sec ?? 0), 0);

    start = performance.now();
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
    const separationSec = (performance.now() - start) / 1000;

    const pair = songs.slice(0, 2);
    const plan = producePlan({ songs: pair, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 1 });
    const mashupSec = plan.masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);
    start = performance.now();
    const events = await post(`${processing}/execute-masterplan`, {
      masterplan: { ...plan.masterplan, global_settings: plan.masterplan.global },
      songs: pair.map((song) => ({
        song_id: song.song_id,
        storage_path: song.name,
        analysis: song.analysis,
        stems: Object.fromEntries(STEMS.map((stem: Stem) => [stem, `${store}/${song.song_id}/${stem}.wav`])),
      })),
      job_id: 'bench',
      upload: { path: 'out.wav', url: `${store}/out.wav` },
    });
    if (!events.includes('"storage_path"')) throw new Error(`Rendering did not end well: ${events.slice(-300)}`);
    const renderingSec = (performance.now() - start) / 1000;

    const result = {
      analysis_sec_per_min: (analysisSec / audioSec) * 60,
      separation_sec_per_min: (separationSec / audioSec) * 60,
      rendering_sec_per_min: (renderingSec / mashupSec) * 60,
      songs: names.length,
      audio_sec: audioSec,
      mashup_sec: mashupSec,
    };
    printTable('Work for each minute of audio (examples, one at a time, over HTTP)', [
      { stage: 'analysis', 'sec/min': result.analysis_sec_per_min, 'x realtime': 60 / result.analysis_sec_per_min },
      {
        stage: 'separation',
        'sec/min': result.separation_sec_per_min,
        'x realtime': 60 / result.separation_sec_per_min,
      },
      { stage: 'rendering', 'sec/min': result.rendering_sec_per_min, 'x realtime': 60 / result.rendering_sec_per_min },
    ]);
    return result;
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

export async function benchAudio(): Promise<AudioResult> {
  const result = { ...(await benchSpeed()), accuracy: await benchAccuracy() };
  await benchPeers();
  return result;
}
