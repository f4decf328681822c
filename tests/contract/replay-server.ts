/**
 * The five existing services as their contract has them, replayed over real sockets: 422 arrays, plain-text 500s, a
 * double 100 %, chunks that cut events in two, streams that fall silent. As the real ones do, it reads songs by their URL and
 * writes stems and mashups to Storage with a key of its own.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { SERVICE_DEFAULTS, SERVICES, STEMS } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { wavFile } from '../worker/sounds.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'contracts');
/** Columns of the MFCC matrix that a replayed analysis has: about 12 s of song, a quarter of a megabyte of JSON. */
const MFCC_COLUMNS = 1_000;

/** What a call is answered with instead of the usual. */
export type Behaviour =
  | { status: number; contentType: string; body: unknown; headers?: Record<string, string> }
  /** Takes the call and never answers. */
  | 'hang'
  /** Cuts the connection. */
  | 'reset'
  /** Event streams: the given text, then the end; `silent` keeps the connection open instead. */
  | { stream: string; silent?: boolean };

export interface ReplayedCall {
  service: ServiceName;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
  /** When the caller hung up before the answer was whole, by the monotonic clock. */
  abortedAt?: number;
}

export interface ReplayServer {
  urls: Record<ServiceName, string>;
  calls: ReplayedCall[];
  callsOf(service: ServiceName): ReplayedCall[];
  /** Sets what the next calls of a service are answered with, one each; afterwards as usual. */
  next(service: ServiceName, ...behaviours: Behaviour[]): void;
  /** Sets what all calls of a service are answered with; undefined: as usual. */
  always(service: ServiceName, behaviour: Behaviour | undefined): void;
  close(): Promise<void>;
}

/** A recorded answer or list of errors. */
export async function readFixture(file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(FIXTURES, file), 'utf8')) as unknown;
}

/** The recorded error whose `when` contains a text. */
export async function recordedError(service: ServiceName, when: string): Promise<Behaviour> {
  const errors = (await readFixture(`${service}.errors.json`)) as {
    when: string;
    status: number;
    content_type: string;
    body: unknown;
  }[];
  const found = errors.find((error) => error.when.includes(when));
  if (!found) throw new Error(`no recorded error of ${service} has "${when}"`);
  return { status: found.status, contentType: found.content_type, body: found.body };
}

/** The text of a recorded event stream. */
export async function recordedStream(name: 'success' | 'failure' | 'as-is'): Promise<string> {
  return ((await readFixture(`processing.stream.${name}.json`)) as { raw: string }).raw;
}

/** Starts the five services behind one port, each below a path of its own. */
export async function startReplayServer(storage: { url: string; serviceRoleKey: string }): Promise<ReplayServer> {
  const bucket = createClient(storage.url, storage.serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  }).storage.from('mashups');
  const calls: ReplayedCall[] = [];
  const planned = new Map<ServiceName, Behaviour[]>();
  const standing = new Map<ServiceName, Behaviour>();
  const analysis = (await readFixture('analysis.response.ok.json')) as { analysis: Record<string, unknown> };
  const score = await readFixture('scoring.response.ok.json');
  const plan = await readFixture('orchestrator.response.aliases.json');
  const renderStream = await recordedStream('success');

  async function put(path: string, bytes: Uint8Array): Promise<void> {
    const { error } = await bucket.upload(path, bytes, { contentType: 'audio/wav', upsert: true });
    if (error) throw error;
  }

  const usual: Record<ServiceName, (body: Record<string, unknown>, response: ServerResponse) => Promise<void>> = {
    async analysis(body, response) {
      const audio = await fetch(String(body['file_url']));
      if (!audio.ok)
        return json(response, 400, { detail: `Failed to download audio from URL: ${String(body['file_url'])}` });
      await audio.arrayBuffer();
      json(response, 200, { success: true, songId: body['song_id'], analysis: widen(analysis.analysis) });
    },
    async scoring(_, response) {
      json(response, 200, score);
    },
    async orchestrator(_, response) {
      json(response, 200, plan);
    },
    async separation(body, response) {
      const stems = Object.fromEntries(STEMS.map((stem) => [stem, `stems/${String(body['job_id'])}/${stem}.wav`]));
      for (const path of Object.values(stems)) await put(path, wavFile(1));
      json(response, 200, { success: true, job_id: body['job_id'], stems });
    },
    async processing(body, response) {
      const path = `generated/${String(body['job_id'])}.wav`;
      await put(path, wavFile(2));
      await stream(response, renderStream.replace(/generated\/[^"\\]+\.wav/, path));
      response.end();
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const service = SERVICES.find((name) => request.url === `/${name}${SERVICE_DEFAULTS[name].path}`);
    if (!service || request.method !== 'POST') return json(response, 404, { detail: 'Not Found' });
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const call: ReplayedCall = { service, body, headers: request.headers };
    calls.push(call);
    response.once('close', () => {
      if (!response.writableFinished) call.abortedAt = performance.now();
    });
    const behaviour = planned.get(service)?.shift() ?? standing.get(service);
    if (behaviour === undefined) return usual[service](body, response);
    if (behaviour === 'hang') return;
    if (behaviour === 'reset') return void response.destroy();
    if ('stream' in behaviour) {
      await stream(response, behaviour.stream);
      if (!behaviour.silent) response.end();
      return;
    }
    const text = typeof behaviour.body === 'string' ? behaviour.body : JSON.stringify(behaviour.body);
    response.writeHead(behaviour.status, { 'content-type': behaviour.contentType, ...behaviour.headers });
    response.end(text);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) json(response, 500, { detail: String(error) });
      else response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urls: Object.fromEntries(SERVICES.map((name) => [name, `http://127.0.0.1:${port}/${name}`])) as Record<
      ServiceName,
      string
    >,
    calls,
    callsOf: (service) => calls.filter((call) => call.service === service),
    next: (service, ...behaviours) => void planned.set(service, [...(planned.get(service) ?? []), ...behaviours]),
    always: (service, behaviour) => {
      if (behaviour === undefined) standing.delete(service);
      else standing.set(service, behaviour);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Writes an event stream in pieces that cut lines and events anywhere. */
async function stream(response: ServerResponse, text: string): Promise<void> {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 61) {
    response.write(bytes.subarray(start, start + 61));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The analysis with an MFCC matrix as wide as that of a real song. */
function widen(analysis: Record<string, unknown>): Record<string, unknown> {
  const spectral = analysis['spectral'] as { mfccs: number[][] };
  const mfccs = spectral.mfccs.map((row) => Array.from({ length: MFCC_COLUMNS }, (_, i) => row[i % row.length] ?? 0));
  return { ...analysis, spectral: { ...spectral, mfccs } };
}
