/** A storage server and calls of `POST /separate`, for a service in this process or in its own. */
import type { Server } from 'node:http';
import { SeparateResponse, ServiceErrorBody, STEMS } from '../../schema.ts';
import type { SeparationChoice, Stem, TimeRange } from '../../schema.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { fileServer, listen } from '../../bench/store.ts';

export interface Store {
  url: string;
  /** Files by their paths. */
  files: Map<string, Uint8Array>;
  close: () => void;
}

/** Starts a storage server with a song as `/song`. */
export async function openStore(song: Uint8Array): Promise<Store> {
  const files = new Map([['/song', song]]);
  const server = fileServer(files);
  return { url: await listen(server), files, close: () => closeServer(server) };
}

/** Ends a server with its connections. */
export function closeServer(server: Server): void {
  server.closeAllConnections();
  server.close();
}

/** Progress, the result or the error of a separation. */
type SeparationEvent =
  { progress: number; message: string } | SeparateResponse | { error: string; code?: string; hint?: string };

export interface Separation {
  service: string;
  store: Store;
  method?: SeparationChoice;
  ranges?: TimeRange[];
  durationSec?: number;
  signal?: AbortSignal;
}

/** Sends a request. `events` asks for progress. */
export function request(
  { service, store, method = 'auto', ranges, durationSec, signal }: Separation,
  { events = false } = {},
): Promise<Response> {
  const target = (path: string): { path: string; url: string } => ({ path, url: `${store.url}/${path}` });
  const uploads = Object.fromEntries(
    STEMS.map((stem) => [
      stem,
      {
        ...target(`stems/song/${stem}.wav`),
        ...(ranges && { parts: ranges.map((_, i) => target(`stems/song/${stem}.${i}.flac`)) }),
      },
    ]),
  );
  return fetch(`${service}/separate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(events && { Accept: 'text/event-stream' }) },
    body: JSON.stringify({
      audio_url: `${store.url}/song`,
      job_id: 'song',
      method,
      uploads,
      ...(ranges && { ranges }),
      ...(durationSec !== undefined && { duration_sec: durationSec }),
    }),
    signal,
  });
}

/** Separates the song. @throws Error for an error of the service */
export async function separateSong(separation: Separation): Promise<SeparateResponse> {
  const response = await request(separation);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(body));
  return SeparateResponse.parse(body);
}

/** Sends a request that the service refuses. Returns the status and the error. */
export async function refusalOf(
  separation: Separation,
): Promise<{ status: number; code: string | undefined; text: string }> {
  const response = await request(separation);
  const { detail, code, hint } = ServiceErrorBody.parse(await response.json());
  return { status: response.status, code, text: `${JSON.stringify(detail)} ${hint ?? ''}` };
}

/** Yields the events of a separation. */
export async function* eventsOf(separation: Separation): AsyncGenerator<SeparationEvent> {
  const response = await request(separation, { events: true });
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const lines = text.split('\n\n');
    text = lines.pop()!;
    for (const line of lines) yield JSON.parse(line.replace(/^data: /, '')) as SeparationEvent;
  }
}

/** Reads the stems that were uploaded, or those of one piece of them. */
export async function stemsIn({ files }: Store, piece?: number): Promise<Record<Stem, StereoChunk>> {
  const read = async (stem: Stem): Promise<[Stem, StereoChunk]> => {
    const path = piece === undefined ? `/stems/song/${stem}.wav` : `/stems/song/${stem}.${piece}.flac`;
    const { channels } = await decodeAudio(files.get(path)!, { limits: { minSec: 0 } });
    return [stem, channels];
  };
  return Object.fromEntries(await Promise.all(STEMS.map(read))) as Record<Stem, StereoChunk>;
}
