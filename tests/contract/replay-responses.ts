/**
 * Default responses of the replayed services. As the existing services do, they read songs by URL and write stems and mashups to
 * Storage with a key of their own.
 */
import type { ServerResponse } from 'node:http';
import { createClient } from '@supabase/supabase-js';
import { STEMS } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { wavFile } from '../worker/wav-file.ts';
import { readFixture, recordedStream } from './recordings.ts';

/** Columns of the MFCC matrix of a replayed analysis: about 12 s of a song, a quarter of a megabyte of JSON. */
const MFCC_COLUMNS = 1_000;
/** Size of the pieces of an event stream: it divides lines and events anywhere. Bytes. */
const STREAM_CHUNK = 61;

/** `result`: measurements that the renderer adds to its last event. */
type Responder = (
  body: Record<string, unknown>,
  response: ServerResponse,
  result?: Record<string, unknown>,
) => Promise<void>;
export type Responders = Record<ServiceName, Responder>;

/** Loads the recordings and returns the default responder of each service. */
export async function defaultResponders(storage: { url: string; serviceRoleKey: string }): Promise<Responders> {
  const bucket = createClient(storage.url, storage.serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  }).storage.from('mashups');
  const { analysis } = (await readFixture('analysis.response.ok.json')) as { analysis: Record<string, unknown> };
  const score = await readFixture('scoring.response.ok.json');
  const plan = await readFixture('orchestrator.response.aliases.json');
  const renderStream = await recordedStream('success');

  async function put(path: string, bytes: Uint8Array): Promise<void> {
    const { error } = await bucket.upload(path, bytes, { contentType: 'audio/wav', upsert: true });
    if (error) throw error;
  }

  return {
    async analysis(body, response) {
      const audio = await fetch(String(body['file_url']));
      if (!audio.ok)
        return sendJson(response, 400, { detail: `Failed to download audio from URL: ${String(body['file_url'])}` });
      await audio.arrayBuffer();
      sendJson(response, 200, { success: true, songId: body['song_id'], analysis: widenMfccs(analysis) });
    },
    async scoring(_, response) {
      sendJson(response, 200, score);
    },
    async orchestrator(_, response) {
      sendJson(response, 200, plan);
    },
    async separation(body, response) {
      const stems = Object.fromEntries(STEMS.map((stem) => [stem, `stems/${String(body['job_id'])}/${stem}.wav`]));
      for (const path of Object.values(stems)) await put(path, wavFile(1));
      sendJson(response, 200, { success: true, job_id: body['job_id'], stems });
    },
    async processing(body, response, result) {
      const path = `generated/${String(body['job_id'])}.wav`;
      await put(path, wavFile(2));
      const measured = result === undefined ? '' : `, "result": ${JSON.stringify(result)}`;
      await sendStream(response, renderStream.replace(/generated\/[^"\\]+\.wav"/, `${path}"${measured}`));
      response.end();
    },
  };
}

/** Sends a JSON response. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Sends an event stream in small pieces, and leaves it open. */
export async function sendStream(response: ServerResponse, text: string): Promise<void> {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += STREAM_CHUNK) {
    response.write(bytes.subarray(start, start + STREAM_CHUNK));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Returns the analysis with an MFCC matrix as wide as that of a song. */
function widenMfccs(analysis: Record<string, unknown>): Record<string, unknown> {
  const spectral = analysis['spectral'] as { mfccs: number[][] };
  const mfccs = spectral.mfccs.map((row) => Array.from({ length: MFCC_COLUMNS }, (_, i) => row[i % row.length] ?? 0));
  return { ...analysis, spectral: { ...spectral, mfccs } };
}
