/** The separation service with a model, as a process, and its calls. */
import { decodeAudio } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { SeparateResponse, STEMS } from '../../schema.ts';
import type { Stem, TimeRange } from '../../schema.ts';
import { KNOWN_MODELS } from '../../services/separation/models/known.ts';
import { portOf, start, stop } from '../process.ts';
import { fileServer, listen } from '../store.ts';
import { measure } from './usage.ts';
import type { Usage } from './usage.ts';

/** Files of one stem at most. */
const MAX_PARTS = 40;

export type Method = 'classical' | 'neural';

export interface SeparationService {
  /** Separates a song, or ranges of it. Its files replace those of the call before. */
  separate(song: Uint8Array, method: Method, ranges?: TimeRange[]): Promise<Usage>;
  /** Stems of the last whole song. */
  stems(): Promise<Record<Stem, StereoChunk>>;
}

/** Runs a service in a new process. @throws Error if a separation fails, or takes another method */
export async function withSeparationService<T>(
  { modelsDir, threads }: { modelsDir: string; threads: number },
  use: (service: SeparationService) => Promise<T>,
): Promise<T> {
  const files = new Map<string, Uint8Array>();
  const store = fileServer(files);
  const storeUrl = await listen(store);
  const child = start('services/separation/main.ts', {
    PORT: '0',
    HOST: '127.0.0.1',
    MODELS_DIR: modelsDir,
    SEPARATION_MODEL: KNOWN_MODELS[0]!.name,
    SEPARATION_THREADS: String(threads),
  });
  try {
    const url = `http://127.0.0.1:${await portOf(child)}/separate`;
    return await use({
      separate: async (song, method, ranges) => {
        files.clear();
        files.set('/song', song);
        const body = {
          audio_url: `${storeUrl}/song`,
          job_id: 'bench',
          method,
          uploads: uploadsTo(storeUrl, ranges),
          ranges,
        };
        const { value, usage } = await measure(child.pid!, () => lastEvent(url, body));
        const { model, warnings } = SeparateResponse.parse(JSON.parse(value));
        if (warnings?.length || model?.startsWith('dsp-') !== (method === 'classical')) throw new Error(value);
        return usage;
      },
      stems: async () => {
        const read = async (stem: Stem): Promise<[Stem, StereoChunk]> => {
          const bytes = files.get(`/stems/bench/${stem}.wav`)!;
          return [stem, (await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } })).channels];
        };
        return Object.fromEntries(await Promise.all(STEMS.map(read))) as Record<Stem, StereoChunk>;
      },
    });
  } finally {
    await stop(child);
    store.closeAllConnections();
    store.close();
  }
}

/** Posts JSON and returns the last event of the response. Without events a request would end after five minutes. */
async function lastEvent(url: string, body: unknown): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify(body),
  });
  const events = (await response.text()).trim().split('\n\n');
  return events.at(-1)!.replace(/^data: /, '');
}

/** Stems of a whole song are WAV files, those of ranges FLAC files. */
function uploadsTo(store: string, ranges?: TimeRange[]): Record<string, unknown> {
  const target = (path: string): { path: string; url: string } => ({ path, url: `${store}/${path}` });
  const parts = (stem: Stem): unknown =>
    Array.from({ length: MAX_PARTS }, (_, i) => target(`stems/bench/${stem}.${i}.flac`));
  return Object.fromEntries(
    STEMS.map((stem) => [stem, { ...target(`stems/bench/${stem}.wav`), ...(ranges && { parts: parts(stem) }) }]),
  );
}
