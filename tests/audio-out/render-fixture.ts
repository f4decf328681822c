/** Fixture: two synthetic songs, a storage server that serves their stems and accepts uploads, and a rendering service. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RenderEvent, type RenderRequest, STEMS, type Stem } from '../../schema.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { createProcessingServer } from '../../services/processing/server/server.ts';
import { clicks, noise } from './signals.ts';
import { startOwnTime } from '../support/own-time.ts';

const RATE = 44_100;
export const SONG_SEC = 30;

type SongSpec = { id: string; bpm: number; firstBeat: number; key: string; tonicHz: number };

export const SONG_A: SongSpec = { id: 'song-a', bpm: 100, firstBeat: 0.31, key: 'A minor', tonicHz: 110 };
export const SONG_B: SongSpec = { id: 'song-b', bpm: 112, firstBeat: 0.12, key: 'B minor', tonicHz: 123.47 };

export function beatsOf(song: SongSpec): number[] {
  const step = 60 / song.bpm;
  const count = Math.floor((SONG_SEC - song.firstBeat) / step);
  return Array.from({ length: count }, (_, i) => song.firstBeat + i * step);
}

/** A chord of sines. */
function tones(frequencies: number[], amplitude: number): Float32Array {
  return Float32Array.from({ length: SONG_SEC * RATE }, (_, i) => {
    let sum = 0;
    for (const hertz of frequencies) sum += Math.sin((2 * Math.PI * hertz * i) / RATE);
    return (amplitude * sum) / frequencies.length;
  });
}

function stemSamples(song: SongSpec, stem: Stem): Float32Array {
  const { tonicHz } = song;
  if (stem === 'drums') return clicks(beatsOf(song), SONG_SEC, RATE);
  if (stem === 'bass') return tones([tonicHz / 2], 0.4);
  if (stem === 'other') return tones([tonicHz * 2, tonicHz * 2.378, tonicHz * 2.997], 0.3);
  const voice = tones([tonicHz * 4, tonicHz * 8], 0.3);
  const breath = noise(SONG_SEC, RATE, 0.01, 5);
  return voice.map((x, i) => x + breath[i]!);
}

export type Storage = {
  server: Server;
  url: string;
  files: Map<string, Uint8Array>;
  puts: { path: string; type: string | undefined; bytes: Buffer }[];
  /** Responses of these paths never end. */
  stalled: Set<string>;
  requests: IncomingMessage[];
};

/** Serves the stems of both songs, with `from` and `to` in the query only those seconds of them, and accepts uploads. */
export async function startStorage(): Promise<Storage> {
  const files = new Map<string, Uint8Array>();
  const stems = new Map<string, Float32Array>();
  for (const song of [SONG_A, SONG_B]) {
    for (const stem of STEMS) {
      const samples = stemSamples(song, stem);
      files.set(`/${song.id}/${stem}.wav`, encodeWav16([samples, samples], RATE));
      stems.set(`/${song.id}/${stem}.wav`, samples);
    }
  }
  files.set('/silent.wav', encodeWav16([new Float32Array(SONG_SEC * RATE)], RATE));
  files.set('/broken.wav', new TextEncoder().encode('this is not audio at all, whatever it is called'));
  const storage: Storage = { server: createServer(), url: '', files, puts: [], stalled: new Set(), requests: [] };
  storage.server.on('request', (request: IncomingMessage, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://storage');
    storage.requests.push(request);
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        storage.puts.push({ path, type: request.headers['content-type'], bytes: Buffer.concat(chunks) });
        response.writeHead(path.includes('refused') ? 403 : 200).end();
      });
      return;
    }
    const cut =
      query.has('to') && stems.get(path)?.slice(Number(query.get('from')) * RATE, Number(query.get('to')) * RATE);
    const file = cut ? encodeWav16([cut, cut], RATE) : files.get(path);
    if (storage.stalled.has(path)) response.writeHead(200, { 'content-type': 'audio/wav' }).write('RIFF');
    else if (file) response.end(file);
    else response.writeHead(404).end();
  });
  storage.url = await listen(storage.server);
  return storage;
}

export async function startRenderer(
  options?: Parameters<typeof createProcessingServer>[0],
): Promise<{ server: Server; url: string }> {
  const server = createProcessingServer(options);
  return { server, url: await listen(server) };
}

async function listen(server: Server): Promise<string> {
  // An idle connection that the server ends while this process works would fail the next request.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type SongBody = RenderRequest['songs'][number];

export function songBody(storage: Storage, song: SongSpec): SongBody & { stems: Record<Stem, string> } {
  const beats = beatsOf(song);
  const stem = (name: Stem): string => `${storage.url}/${song.id}/${name}.wav?token=secret`;
  return {
    song_id: song.id,
    storage_path: `uploads/${song.id}.wav`,
    name: song.id,
    stems: { vocals: stem('vocals'), drums: stem('drums'), bass: stem('bass'), other: stem('other') },
    analysis: {
      duration_sec: SONG_SEC,
      harmonic: { key: song.key },
      rhythmic: {
        bpm: song.bpm,
        beats_sec: beats,
        downbeats_sec: beats.filter((_, i) => i % 4 === 0),
        meter: 4,
      },
    },
  };
}

export const layer = (
  song: SongSpec,
  stem: Stem,
  volume_db = 0,
  more: { effects?: string[]; source_start_sec?: number } = {},
): Record<string, unknown> => ({ songId: song.id, stem, volume_db, effects: [], ...more });

export type SectionBody = { bars: number; layers: Record<string, unknown>[]; energy?: number };

/** A request for a mashup at 106 BPM in A minor, with the lengths of sections in bars. */
export function renderBody(storage: Storage, sections: SectionBody[], changes: Record<string, unknown> = {}): unknown {
  let start = 0;
  const timeline = sections.map(({ bars, layers, energy }) => {
    const duration = (bars * 4 * 60) / TARGET_BPM;
    const section = {
      time_start_sec: start,
      duration_sec: duration,
      description: `${bars} bars`,
      energy_level: energy ?? 0.5,
      layers,
    };
    start += duration;
    return section;
  });
  return {
    masterplan: {
      timeline,
      global_settings: { targetBPM: TARGET_BPM, targetKey: 'A Minor', timeSignature: [4, 4] },
      title: 'Test',
      artistCredits: 'A vs. B',
    },
    songs: [songBody(storage, SONG_A), songBody(storage, SONG_B)],
    job_id: 'job',
    format: 'wav',
    upload: { path: 'generated/job/mashup.wav', url: `${storage.url}/upload/mashup.wav?token=secret` },
    ...changes,
  };
}

export const TARGET_BPM = 106;

/** Sends a plan and returns the events, with the time of each in milliseconds since the request. */
export async function render(
  url: string,
  body: unknown,
  path = '/execute-masterplan',
): Promise<{ events: RenderEvent[]; times: number[]; text: string }> {
  const ownTime = startOwnTime();
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  let text = '';
  const times: number[] = [];
  for await (const chunk of response.body!) {
    const part = Buffer.from(chunk).toString('utf8');
    for (let i = 0; i < part.split('\n\n').length - 1; i++) times.push(ownTime());
    text += part;
  }
  const blocks = text.split('\n\n').slice(0, -1);
  return { events: blocks.map((block) => RenderEvent.parse(JSON.parse(block.replace(/^data: /, '')))), times, text };
}
