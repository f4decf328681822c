/** Renders mashups of played songs, as the render stage of a job does. */
import { decodeAudio } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { RenderEvent, RenderResult, STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { analyzeFile } from '../../services/analysis/analyze-file.ts';
import { createProcessingServer } from '../../services/processing/server/server.ts';
import { fileServer, listen, post } from '../store.ts';

/** Stems of a song, one channel each at 44.1 kHz and equally long. The song is their sum. */
export type MashupSong = { name: string; stems: Record<Stem, Float32Array> };

/** A section of a plan: its length, and its layers with the place in the song that they play from. */
export type MashupSection = { sec: number; layers: { song: string; stem: Stem; startSec?: number }[] };

export type Mashup = { result: RenderResult; left: Float32Array };

/** The file of a song: the sum of its stems as 16-bit WAV. */
export function songFile({ stems }: MashupSong): Uint8Array {
  const mix = stems.vocals.map((_, i) => STEMS.reduce((sum, stem) => sum + stems[stem][i]!, 0));
  return encodeWav16([mix, mix], SAMPLE_RATE);
}

/** Analyses songs and renders a plan at `bpm` through the processing service, with the stems as they are. */
export async function renderMashup(
  songs: readonly MashupSong[],
  bpm: number,
  sections: readonly MashupSection[],
): Promise<Mashup> {
  const files = new Map<string, Uint8Array>();
  for (const { name, stems } of songs)
    for (const stem of STEMS) files.set(`/${name}/${stem}.wav`, encodeWav16([stems[stem], stems[stem]], SAMPLE_RATE));
  const servers = [fileServer(files), createProcessingServer()];
  const [store = '', processing = ''] = await Promise.all(servers.map(listen));
  try {
    const events = await post(`${processing}/execute-masterplan`, {
      masterplan: {
        timeline: sections.map(({ sec, layers }) => ({
          duration_sec: sec,
          layers: layers.map(({ song, stem, startSec }) => ({
            songId: song,
            stem,
            volume_db: 0,
            effects: [],
            source_start_sec: startSec,
          })),
        })),
        global_settings: { targetBPM: bpm },
      },
      songs: await Promise.all(
        songs.map(async (song) => ({
          song_id: song.name,
          storage_path: song.name,
          name: song.name,
          analysis: await analyzeFile(songFile(song)),
          stems: Object.fromEntries(STEMS.map((stem) => [stem, `${store}/${song.name}/${stem}.wav`])),
        })),
      ),
      job_id: 'case',
      upload: { path: 'mashup.wav', url: `${store}/mashup.wav` },
    });
    const last = RenderEvent.parse(JSON.parse(events.trim().split('data: ').at(-1)!));
    if (!('result' in last)) throw new Error(JSON.stringify(last).slice(0, 300));
    const file = files.get('/mashup.wav')!;
    const { channels } = await decodeAudio(file, { limits: { minSec: 0, maxBytes: file.length } });
    return { result: RenderResult.parse(last.result), left: channels[0] };
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}
