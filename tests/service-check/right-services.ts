/** Small services that keep the contract, without real work. A test changes one thing of them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SERVICE_DEFAULTS, STEMS } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';

type Json = Record<string, unknown>;

export interface ServiceRequest {
  method: string;
  path: string;
  text: string;
  /** The body as an object; undefined if it is none. */
  body: Json | undefined;
}

export interface ServiceResponse {
  status: number;
  type: string;
  text: string;
}

/** Answers a request; `right` gives the answer by the contract. */
export type Handler = (request: ServiceRequest, right: () => Promise<ServiceResponse>) => Promise<ServiceResponse>;

/** A response with a JSON body. */
export const json = (status: number, body: unknown): ServiceResponse => ({
  status,
  type: 'application/json',
  text: JSON.stringify(body),
});

/** A response with a stream of events. */
export const events = (...sent: unknown[]): ServiceResponse => ({
  status: 200,
  type: 'text/event-stream; charset=utf-8',
  text: sent.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join(''),
});

const SOUND = Buffer.alloc(20_000, 1);
const REQUIRED: Record<ServiceName, string> = {
  analysis: 'song_id',
  processing: 'masterplan',
  scoring: 'song1_analysis',
  orchestrator: 'song1_analysis',
  separation: 'audio_url',
};

async function download(url: unknown): Promise<boolean> {
  const response = await fetch(String(url));
  await response.arrayBuffer();
  return response.ok;
}

const put = (url: string): Promise<Response> => fetch(url, { method: 'PUT', body: SOUND });

/** The work of each service by the contract. */
const WORK: Record<ServiceName, (body: Json) => Promise<ServiceResponse>> = {
  async analysis({ song_id, file_url, audio_data }) {
    if (file_url === undefined && audio_data === undefined) return json(400, { detail: 'Send a file.' });
    if (file_url !== undefined && !(await download(file_url))) return json(400, { detail: 'The file is not there.' });
    return json(200, { success: true, songId: song_id, analysis: ANALYSIS });
  },
  scoring({ user_weights: weights }) {
    const scores: Record<string, number> = { harmonic: 80, rhythmic: 70, spectral: 60, vocal: 50 };
    const used = (weights ?? { harmonic: 0.35, rhythmic: 0.35, spectral: 0.15, vocal: 0.15 }) as Record<string, number>;
    const overall = Object.entries(used).reduce((sum, [name, weight]) => sum + weight * (scores[name] ?? 0), 0);
    return Promise.resolve(
      json(200, {
        overall_score: overall,
        dimension_scores: scores,
        compatibility_breakdown: { harmonic: { score: 80 } },
        recommendations: [],
        warnings: [],
      }),
    );
  },
  orchestrator: () => Promise.resolve(json(200, PLAN)),
  async separation({ audio_url, job_id, uploads }) {
    if (!(await download(audio_url))) return json(500, { detail: 'Failed to separate stems' });
    const targets = uploads as Record<string, { path: string; url: string }>;
    await Promise.all(Object.values(targets).map(({ url }) => put(url)));
    const stems = Object.fromEntries(STEMS.map((stem) => [stem, targets[stem]?.path]));
    return json(200, { success: true, job_id, stems });
  },
  async processing({ masterplan, songs, upload }) {
    const { timeline } = masterplan as { timeline: { layers: { songId: string }[] }[] };
    const known = (songs as { song_id: string }[]).map(({ song_id }) => song_id);
    if (timeline.some(({ layers }) => layers.some(({ songId }) => !known.includes(songId))))
      return events({ progress: 0, message: 'Starting' }, { error: 'There is no such song.' });
    const { path, url } = upload as { path: string; url: string };
    await put(url);
    return events(
      { progress: 0, message: 'Starting' },
      { progress: 50, message: 'Rendering' },
      { progress: 100, message: 'Complete!', storage_path: path },
    );
  },
};

export const ANALYSIS = {
  version: '1.0',
  harmonic: { key: 'A minor', key_confidence: 0.7, chord_progression: ['Am'], chord_complexity: 0.2 },
  rhythmic: { bpm: 120.2, beat_confidence: 0.9, groove_stability: 1.3, swing_factor: 0 },
  spectral: { mfccs: Array.from({ length: 13 }, () => [1, 2]), dynamic_range: 14, brightness: 2400 },
  vocal: { vocal_presence: 0.4 },
};

const layer = { songId: 'song1', stem: 'drums', volume_db: -3, effects: [] };
export const PLAN = {
  creative_vision: 'Two songs become one.',
  masterplan: {
    title: 'Both',
    timeline: [
      { time_start_sec: 0, duration_sec: 16, layers: [layer] },
      { time_start_sec: 16, duration_sec: 16, layers: [{ ...layer, songId: 'check-song-2', stem: 'vocals' }] },
    ],
  },
};

/** The answer by the contract. */
async function answer(service: ServiceName, { method, path, body }: ServiceRequest): Promise<ServiceResponse> {
  const workPath = SERVICE_DEFAULTS[service].path;
  if (path === '/health' && method === 'GET') return json(200, { status: 'ok' });
  if (path !== workPath) return json(404, { detail: 'Not Found' });
  if (method !== 'POST') return json(405, { detail: 'Method Not Allowed' });
  if (body === undefined)
    return json(422, { detail: [{ type: 'json_invalid', loc: ['body', 1], msg: 'JSON decode error' }] });
  const required = REQUIRED[service];
  if (body[required] === undefined)
    return json(422, { detail: [{ type: 'missing', loc: ['body', required], msg: 'Field required' }] });
  return WORK[service](body);
}

/** Starts a service that keeps the contract, except for what `change` does. */
export async function startService(
  service: ServiceName,
  change: Handler = (_request, right) => right(),
): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const read = { method: request.method ?? '', path: request.url ?? '', text, body: parse(text) };
      void change(read, () => answer(service, read)).then(({ status, type, text: sent }) => {
        response.writeHead(status, { 'content-type': type });
        response.end(sent);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
