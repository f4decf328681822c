/**
 * The five services as one server that responds at once, so that the time of a job is the engine's own. Run as a process by
 * bench-fixture.ts and by the tests of the examples.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { AnalyzeRequest, PlanRequest, RenderRequest, SeparateRequest, SERVICE_DEFAULTS, STEMS } from '../schema.ts';
import type { SongAnalysis } from '../schema.ts';
import { encodeWav16 } from '../audio/encode/encode-wav.ts';

const ANALYSIS: SongAnalysis = {
  version: 'bench-1',
  duration_sec: 40,
  harmonic: {
    key: 'A minor',
    key_confidence: 0.8,
    camelot: '8A',
    chord_progression: ['Am', 'F'],
    chord_complexity: 0.2,
  },
  rhythmic: { bpm: 120, beat_confidence: 0.9, groove_stability: 0.9, swing_factor: 0 },
  spectral: { mfccs: Array.from({ length: 13 }, (_, i) => [i]), dynamic_range: 12, brightness: 2000 },
  vocal: { vocal_presence: 0.5 },
  has_timbre: true,
};

/** A tenth of a second of 16-bit stereo at 44.1 kHz: large enough to pass as a file, small enough to cost little. */
const WAV = Buffer.from(encodeWav16([new Float32Array(4_410), new Float32Array(4_410)], 44_100));

async function put(url: string): Promise<void> {
  const response = await fetch(url, { method: 'PUT', body: WAV, headers: { 'content-type': 'audio/wav' } });
  if (!response.ok) throw new Error(`Storage refused an upload of the benchmark: ${response.status}`);
}

function score(): object {
  const part = { score: 80 };
  return {
    overall_score: 80,
    dimension_scores: { harmonic: 80, rhythmic: 80, spectral: 80, vocal: 80 },
    compatibility_breakdown: { harmonic: part, rhythmic: part, spectral: part, vocal: part },
    recommendations: [],
    warnings: [],
  };
}

function plan(body: unknown): object {
  const songs = PlanRequest.parse(body).mashup?.songs ?? [];
  const layers = songs.map((song, i) => ({
    songId: song.song_id,
    stem: i === 0 ? 'drums' : 'vocals',
    volume_db: -6,
    effects: [],
  }));
  const section = (start: number, energy: number): object => ({
    time_start_sec: start,
    duration_sec: 16,
    description: 'bench',
    energy_level: energy,
    layers,
  });
  return {
    creative_vision: 'Measured.',
    source: 'rules',
    masterplan: {
      title: 'Bench',
      artistCredits: 'A vs. B',
      global: { targetBPM: 120, targetKey: 'A minor', timeSignature: [4, 4] },
      timeline: [section(0, 0.3), section(16, 0.9), section(32, 0.5), section(48, 0.2)],
      problems_and_solutions: [],
    },
  };
}

async function separate(body: unknown): Promise<object> {
  const { job_id, uploads } = SeparateRequest.parse(body);
  if (!uploads) throw new Error('no uploads');
  await Promise.all(STEMS.map((stem) => put(uploads[stem].url)));
  return {
    success: true,
    job_id,
    model: 'bench',
    stems: Object.fromEntries(STEMS.map((stem) => [stem, uploads[stem].path])),
  };
}

/** The last event of a render. */
async function render(body: unknown): Promise<object> {
  const { upload } = RenderRequest.parse(body);
  if (!upload) throw new Error('no upload');
  await put(upload.url);
  const result = {
    duration_sec: 64,
    loudness_lufs: -14,
    true_peak_dbtp: -1.1,
    sample_rate: 44_100,
    channels: 2,
    format: 'wav',
    bytes: WAV.length,
    bpm: 120,
    key: 'A minor',
  };
  return { progress: 100, message: 'Complete!', storage_path: upload.path, result };
}

const { analysis, scoring, orchestrator, separation, processing } = SERVICE_DEFAULTS;

/** What each path returns as JSON. */
const ROUTES: Record<string, (body: unknown) => object | Promise<object>> = {
  [analysis.path]: (body) => ({
    success: true,
    songId: AnalyzeRequest.parse(body).song_id,
    analysis: ANALYSIS,
  }),
  [scoring.path]: score,
  [orchestrator.path]: plan,
  [separation.path]: separate,
};

async function respond(path: string, body: unknown, response: ServerResponse): Promise<void> {
  if (path === processing.path) {
    const event = await render(body);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${JSON.stringify(event)}\n\n`);
    return;
  }
  const route = ROUTES[path];
  if (!route) throw new Error(`no route ${path}`);
  const result = await route(body);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
  return JSON.parse(Buffer.concat(chunks).toString() || 'null');
}

if (import.meta.main) {
  const server = createServer((request, response) => {
    readJson(request)
      .then((body) => respond(request.url ?? '', body, response))
      .catch((error: unknown) => {
        response.statusCode = 500;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ detail: error instanceof Error ? error.message : 'fault' }));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
}
