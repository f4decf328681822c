/** Renders a plan of played songs through the rendering service, without analysing the songs. */
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { RenderEvent, RenderResult, STEMS, type Stem } from '../../schema.ts';
import { createProcessingServer } from '../../services/processing/server/server.ts';
import { fileServer, listen, post } from '../store.ts';
import type { PlayedSong } from './band.ts';

/** A song with the key that its analysis gives, and stems of one or two channels. */
export type PlannedSong = Omit<PlayedSong, 'stems' | 'mix'> & {
  id: string;
  bpm: number;
  key: string;
  stems: Record<Stem, Float32Array | [Float32Array, Float32Array]>;
};

export type RenderedPlan = { result: RenderResult; channels: [Float32Array, Float32Array] };

const OUT = '/out.wav';

/** Renders one section in which all layers, given as `song stem`, play from the first beat of their songs on. */
export async function renderPlan(
  songs: readonly PlannedSong[],
  plan: { bpm: number; key: string; bars: number; layers: readonly string[] },
): Promise<RenderedPlan> {
  const files = new Map<string, Uint8Array>();
  for (const { id, stems } of songs)
    for (const stem of STEMS) {
      const sound = stems[stem];
      files.set(`/${id}/${stem}`, encodeWav16(Array.isArray(sound) ? sound : [sound, sound], SAMPLE_RATE));
    }
  const servers = [fileServer(files), createProcessingServer()];
  const [store = '', processing = ''] = await Promise.all(servers.map(listen));
  try {
    const events = await post(`${processing}/execute-masterplan`, requestOf(songs, plan, store));
    const last = RenderEvent.parse(
      JSON.parse(
        events
          .trim()
          .split('\n\n')
          .at(-1)!
          .replace(/^data: /, ''),
      ),
    );
    if (!('result' in last)) throw new Error(JSON.stringify(last).slice(0, 300));
    const { channels } = await decodeAudio(files.get(OUT)!, { limits: { minSec: 0, maxBytes: Infinity } });
    return { result: RenderResult.parse(last.result), channels };
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

function requestOf(
  songs: readonly PlannedSong[],
  { bpm, key, bars, layers }: { bpm: number; key: string; bars: number; layers: readonly string[] },
  store: string,
): object {
  const duration = (bars * 4 * 60) / bpm;
  return {
    masterplan: {
      title: 'Test',
      artistCredits: 'A vs. B',
      timeline: [
        {
          time_start_sec: 0,
          duration_sec: duration,
          description: 'all',
          energy_level: 0.7,
          layers: layers.map((layer) => {
            const [songId, stem] = layer.split(' ');
            return { songId, stem, volume_db: 0, effects: [], source_start_sec: 0 };
          }),
        },
      ],
      global_settings: { targetBPM: bpm, targetKey: key, timeSignature: [4, 4] },
    },
    songs: songs.map((song) => ({
      song_id: song.id,
      storage_path: song.id,
      name: song.id,
      analysis: {
        duration_sec: duration,
        harmonic: { key: song.key },
        rhythmic: { bpm: song.bpm, beats_sec: song.beats, downbeats_sec: song.downbeats, meter: 4 },
      },
      stems: Object.fromEntries(STEMS.map((stem) => [stem, `${store}/${song.id}/${stem}`])),
    })),
    job_id: 'case',
    upload: { path: 'out.wav', url: `${store}${OUT}` },
  };
}
