/**
 * The five services on one socket, which answer, stall, lie, die and return garbage by the seed. What they write says for
 * which claim it was made, so that at the end each file can be held against the rows.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_DEFAULTS, SERVICES, STEMS } from '../../schema.ts';
import type { ServiceName, UploadTarget } from '../../schema.ts';
import { AnalyzeRequest, PlanRequest, RenderRequest, SeparateRequest } from '../../schema.ts';
import { faultOf } from './fault-plan.ts';
import type { Doom, Fault } from './fault-plan.ts';

/** How long a slow call takes, and for how long one that lingers goes on after its caller has left. */
const SLOW_MS = 1_000;
const LINGER_MS = 2_500;
const SONG_SEC = 40;

/** Where a call is: the kill matrix and the recovery bench hold it there. */
export type Moment = 'asked' | 'answered';

export interface FaultyServices {
  urls: Record<ServiceName, string>;
  /** Calls so far, and faults so far, by `service fault`. */
  calls: number;
  faults: Map<string, number>;
  /** While set, every call is refused with 503. */
  away: Set<ServiceName>;
  close(): Promise<void>;
}

export interface FaultyOptions {
  /** undefined: every call is answered as it should be. */
  seed?: number;
  doomOf?: (songId: string) => Doom;
  /** Told of a render that kills its worker; the call then hangs. */
  onKiller?: (claim: string) => void;
  /** Told of each call; the call goes on when it resolves. */
  onCall?: (service: ServiceName, moment: Moment, songId: string, gone: AbortSignal) => void | Promise<void>;
}

/** What a rendered file carries after its header. */
export interface Signature {
  job: string;
  epoch: number;
  claim: string;
  title: string;
}

/** A WAV whose samples are a text: `bytes` long, at least as long as the text. */
export function wavOf(text: string, bytes = 2_000): Buffer<ArrayBuffer> {
  const body = Buffer.alloc(Math.max(bytes, text.length), ' ');
  body.write(text);
  const wav = Buffer.alloc(44 + body.length);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + body.length, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  // A byte a sample at 50 Hz: 2,000 bytes are 40 s.
  wav.writeUInt32LE(50, 24);
  wav.writeUInt32LE(50, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(body.length, 40);
  body.copy(wav, 44);
  return wav;
}

/** The text that `wavOf` was given. */
export function textOfWav(wav: Buffer): string {
  return wav.subarray(44).toString('utf8').trim();
}

/** Starts the services. */
export async function startFaultyServices(options: FaultyOptions = {}): Promise<FaultyServices> {
  const { seed, doomOf = () => 'fine', onCall, onKiller } = options;
  const counts = new Map<string, number>();
  const faults = new Map<string, number>();
  const away = new Set<ServiceName>();
  let calls = 0;

  function nextFault(service: ServiceName, key: string): Fault | undefined {
    if (seed === undefined) return undefined;
    const call = counts.get(`${service} ${key}`) ?? 0;
    counts.set(`${service} ${key}`, call + 1);
    return faultOf(seed, service, key, call);
  }

  function count(service: ServiceName, fault: string): void {
    faults.set(`${service} ${fault}`, (faults.get(`${service} ${fault}`) ?? 0) + 1);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const service = SERVICES.find((name) => request.url === `/${name}${SERVICE_DEFAULTS[name].path}`);
    if (!service || request.method !== 'POST') return json(response, 404, { detail: 'Not Found' });
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const call = readCall(service, JSON.parse(Buffer.concat(chunks).toString('utf8')));
    calls += 1;
    const left = new AbortController();
    response.once('close', () => left.abort());
    await onCall?.(service, 'asked', call.songId, left.signal);
    if (away.has(service)) {
      count(service, 'away');
      return json(response, 503, { detail: 'away' });
    }
    const doom = doomOf(call.songId);
    if (await meetDoom(doom, call, response)) return;
    const fault = nextFault(service, call.songId);
    if (fault !== undefined) count(service, fault);
    if (fault !== undefined && (await goWrong(fault, call, response, left.signal))) return;
    const answer = await call.work(left.signal, fault);
    await onCall?.(service, 'answered', call.songId, left.signal);
    send(call, answer, response);
  }

  /** Whether the job's doom has answered this call. */
  async function meetDoom(doom: Doom, call: Call, response: ServerResponse): Promise<boolean> {
    if (
      (doom === 'bad_song' && call.service === 'analysis' && call.songId.endsWith('-1')) ||
      (doom === 'bad_third' && call.service === 'analysis' && call.songId.endsWith('-2'))
    ) {
      json(response, 422, { detail: 'The file breaks off.', code: 'audio_damaged', hint: 'Export it again.' });
    } else if (doom === 'separation_broken' && call.service === 'separation') {
      json(response, 500, { detail: 'out of luck' });
    } else if (doom === 'render_refused' && call.service === 'processing') {
      sendEvents(response, [{ error: 'The plan cannot be rendered.', code: 'plan_invalid', hint: 'Plan again.' }]);
    } else if (doom === 'wrong_path' && call.service === 'processing') {
      sendEvents(response, [{ progress: 100, message: 'Done', storage_path: 'generated/somewhere-else.wav' }]);
    } else if (doom === 'kills_worker' && call.service === 'processing') {
      onKiller?.(call.claim ?? '');
    } else {
      return false;
    }
    count(call.service, doom);
    return true;
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urls: Object.fromEntries(SERVICES.map((name) => [name, `http://127.0.0.1:${port}/${name}`])) as Record<
      ServiceName,
      string
    >,
    get calls() {
      return calls;
    },
    faults,
    away,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Call {
  service: ServiceName;
  /** The song of the task, or the first of its job: with the service it names the task, whatever the attempt. */
  songId: string;
  /** Of a render. */
  claim?: string;
  /** Writes what there is to write and answers; `lie` and `short` write nothing or too little. */
  work(gone: AbortSignal, fault: Fault | undefined): Promise<unknown>;
}

function readCall(service: ServiceName, body: unknown): Call {
  switch (service) {
    case 'analysis': {
      const { song_id: songId } = AnalyzeRequest.parse(body);
      return { service, songId, work: async () => ({ success: true, songId, analysis: analysisOf(songId) }) };
    }
    case 'scoring': {
      // Scoring is told of no ids: the analysis carries its song's as a chord.
      const chords = (body as { song1_analysis: { harmonic: { chord_progression: string[] } } }).song1_analysis
        .harmonic;
      const songId = chords.chord_progression[0] ?? '';
      return { service, songId, work: async () => SCORE };
    }
    case 'orchestrator': {
      const songs = PlanRequest.parse(body).mashup?.songs ?? [];
      const songId = songs[0]?.song_id ?? '';
      return { service, songId, work: async () => planOf(songs.map((song) => song.song_id)) };
    }
    case 'separation': {
      const { job_id, uploads } = SeparateRequest.parse(body);
      const [, , songId = ''] = job_id.split('/');
      return {
        service,
        songId,
        async work(gone, fault) {
          for (const stem of STEMS)
            if (fault !== 'lie' && uploads) await write(uploads[stem], wavOf(job_id), gone, fault);
          return {
            success: true,
            job_id,
            model: 'chaos',
            stems: Object.fromEntries(STEMS.map((stem) => [stem, `stems/${job_id}/${stem}.wav`])),
          };
        },
      };
    }
    case 'processing': {
      const { job_id, songs, masterplan, upload } = RenderRequest.parse(body);
      const [, job = '', epoch = '', claim = ''] = /^([^/]+)\/(\d+)-(.+)$/.exec(job_id) ?? [];
      const signature: Signature = { job, epoch: Number(epoch), claim, title: masterplan.title ?? '' };
      return {
        service,
        claim,
        songId: songs[0]?.song_id ?? '',
        async work(gone, fault) {
          if (fault !== 'lie' && upload) await write(upload, wavOf(JSON.stringify(signature)), gone, fault);
          return { storage_path: upload?.path };
        },
      };
    }
  }
}

async function write(
  target: UploadTarget,
  bytes: Buffer<ArrayBuffer>,
  gone: AbortSignal,
  fault: Fault | undefined,
): Promise<void> {
  // One that lingers writes although nobody waits for it any more.
  if (fault !== 'linger') gone.throwIfAborted();
  const body = fault === 'short' ? bytes.subarray(0, 40) : bytes;
  const answer = await fetch(target.url, { method: 'PUT', body, headers: { 'content-type': 'audio/wav' } });
  if (!answer.ok) throw new Error(`Storage refused an upload: ${answer.status}`);
}

/** Whether the fault has answered, or never will. */
async function goWrong(fault: Fault, call: Call, response: ServerResponse, gone: AbortSignal): Promise<boolean> {
  switch (fault) {
    case 'unavailable':
      json(response, 503, { detail: 'Service Unavailable' });
      return true;
    case 'overloaded':
      response.setHeader('retry-after', '1');
      json(response, 429, { detail: 'slow down' });
      return true;
    case 'crash':
      response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error');
      return true;
    case 'reset':
      response.destroy();
      return true;
    case 'half':
      // The work is done and the file is written: only the answer breaks off.
      await call.work(gone, undefined);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 }).write('{"success": tr');
      await sleep(50);
      response.destroy();
      return true;
    case 'stall':
      return true;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>It works!</body></html>');
      return true;
    case 'shape':
      json(response, 200, { success: 'maybe', masterplan: 7, analysis: [null], stems: {}, overall_score: 'NaN' });
      return true;
    case 'slow':
      await sleep(SLOW_MS);
      return false;
    case 'linger':
      // Once a call: all that it writes must be there before the outbox looks (discard_after_sec).
      await sleep(LINGER_MS);
      return false;
    case 'lie':
    case 'short':
      return false;
  }
}

function send(call: Call, answer: unknown, response: ServerResponse): void {
  if (call.service !== 'processing') return json(response, 200, answer);
  sendEvents(response, [
    { progress: 40, message: 'Mixing' },
    { progress: 100, message: 'Complete!', ...(answer as object) },
  ]);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendEvents(response: ServerResponse, events: object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
}

function analysisOf(songId: string): object {
  return {
    version: 'chaos-1',
    duration_sec: SONG_SEC,
    harmonic: {
      key: 'A minor',
      key_confidence: 0.8,
      camelot: '8A',
      chord_progression: [songId],
      chord_complexity: 0.2,
    },
    rhythmic: { bpm: 120, beat_confidence: 0.9, groove_stability: 0.9, swing_factor: 0 },
    spectral: { mfccs: Array.from({ length: 13 }, (_, i) => [i]), dynamic_range: 12, brightness: 2000 },
    vocal: { vocal_presence: 0.5 },
    has_timbre: true,
  };
}

const PART = { score: 80 };
const SCORE = {
  overall_score: 80,
  dimension_scores: { harmonic: 80, rhythmic: 80, spectral: 80, vocal: 80 },
  compatibility_breakdown: { harmonic: PART, rhythmic: PART, spectral: PART, vocal: PART },
  recommendations: [],
  warnings: [],
};

let plans = 0;

/** Each plan has another title, so that a file tells by which it was made. */
function planOf(songIds: string[]): object {
  const layers = songIds.map((songId, i) => ({
    songId,
    stem: i === 0 ? 'drums' : 'vocals',
    volume_db: -6,
    effects: [],
  }));
  const section = (start: number, energy: number): object => ({
    time_start_sec: start,
    duration_sec: 16,
    description: 'chaos',
    energy_level: energy,
    layers,
  });
  return {
    creative_vision: 'Order out of chaos.',
    source: 'rules',
    masterplan: {
      title: `Chaos ${++plans}`,
      artistCredits: 'A vs. B',
      global: { targetBPM: 120, targetKey: 'A minor', timeSignature: [4, 4] },
      timeline: [section(0, 0.3), section(16, 0.9), section(32, 0.5), section(48, 0.2)],
      problems_and_solutions: [],
    },
  };
}
