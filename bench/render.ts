/**
 * Measures the rendering service in a process of its own: seconds, processor seconds and peak memory until the first section is
 * rendered, until all are, and until the file is delivered, of a render and of edits of its plan (`bench/render-edits.ts`).
 * The songs are the examples, repeated to three minutes. `--against FOLDER` measures another checkout in turn with this one.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeAudio, SAMPLE_RATE } from '../audio/decode/decode.ts';
import { encodeWav16 } from '../audio/encode/encode-wav.ts';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import { producePlan } from '../music/producer/producer.ts';
import { scorePair } from '../music/scoring/scoring.ts';
import { RenderEvent, STEMS } from '../schema.ts';
import type { AnalyzedSong, Plan } from '../schema.ts';
import { withAudioServices } from './audio-services.ts';
import type { AudioServices } from './audio-services.ts';
import { analyzeStoredSong } from './pair-songs.ts';
import { portOf, start, stop } from './process.ts';
import { editedPlans } from './render-edits.ts';
import { fileServer, listen, post } from './store.ts';
import { printTable } from './table.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');
const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'];
const SONG_SEC = 180;
const LENGTH_SEC = 102;
/** Renders of each checkout, one in turn with the other. The fastest of each is shown. */
const ROUNDS = 3;

/** The stems of the songs, and what the service is asked for; URLs are paths of the store. */
export type PreparedRender = { files: Map<string, Uint8Array>; songs: AnalyzedSong[]; plan: Plan };

/** Since the start of a request: seconds, processor seconds of the service, and the peak of its memory so far in MB. */
type Usage = { seconds: number; cpu: number; peakMb: number };

/** Usage until the first section, all sections and the file are done. */
export type RenderUsage = { first: Usage; sections: Usage; file: Usage };

/** Repeats an example to `SONG_SEC`. */
export async function longSong(name: string): Promise<Uint8Array> {
  const { channels } = await decodeAudio(await readFile(join(EXAMPLES, name)));
  const frames = SONG_SEC * SAMPLE_RATE;
  const repeat = (samples: Float32Array): Float32Array =>
    Float32Array.from({ length: frames }, (_, i) => samples[i % samples.length]!);
  return encodeWav16([repeat(channels[0]), repeat(channels[1])], SAMPLE_RATE);
}

async function prepareSong(
  name: string,
  files: Map<string, Uint8Array>,
  services: AudioServices,
): Promise<AnalyzedSong> {
  files.set(`/${name}/mix`, await longSong(name));
  const uploads = Object.fromEntries(
    STEMS.map((stem) => {
      const path = `/${name}/${stem}.flac`;
      const target = { path, url: `${services.store}${path}` };
      return [stem, { ...target, parts: [target] }];
    }),
  );
  await post(`${services.separation}/separate`, {
    audio_url: `${services.store}/${name}/mix`,
    job_id: 'bench',
    uploads,
  });
  return analyzeStoredSong(name, services);
}

/** Separates and analyses the songs, and plans the mashup. */
export async function prepareRender(): Promise<PreparedRender> {
  const files = new Map<string, Uint8Array>();
  const songs = await withAudioServices(files, async (services) => {
    const prepared: AnalyzedSong[] = [];
    for (const name of SONGS) prepared.push(await prepareSong(name, files, services));
    return prepared;
  });
  const scores = [scorePair(songs[0]!, songs[1]!)];
  const plan = producePlan({ songs, scores, limits: DEFAULT_PLAN_LIMITS, seed: 1, length_sec: LENGTH_SEC });
  return { files, songs, plan };
}

/** Processor seconds and peak memory of a process so far (Linux). */
function usageOf(pid: number): { cpu: number; peakMb: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, peakMb: Number(peak) / 1024 };
}

async function renderOnce(
  { songs, files }: PreparedRender,
  plan: Plan,
  service: { url: string; pid: number },
  store: string,
): Promise<RenderUsage & { bytes: Uint8Array }> {
  const before = usageOf(service.pid);
  const started = performance.now();
  const usage = (): Usage => {
    const { cpu, peakMb } = usageOf(service.pid);
    return { seconds: (performance.now() - started) / 1000, cpu: cpu - before.cpu, peakMb };
  };
  const response = await fetch(`${service.url}/execute-masterplan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      masterplan: { ...plan.masterplan, global_settings: plan.masterplan.global },
      songs: songs.map(({ song_id, name, analysis }) => {
        const stems = Object.fromEntries(STEMS.map((stem) => [stem, `${store}/${song_id}/${stem}.flac`]));
        return { song_id, storage_path: song_id, name, analysis, stems };
      }),
      job_id: 'bench',
      format: 'mp3',
      upload: { path: 'out.mp3', url: `${store}/out.mp3` },
    }),
  });
  const count = plan.masterplan.timeline.length;
  const seen = new Set<string>();
  let [first, sections] = [usage(), usage()];
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    for (const [message] of text.matchAll(/Rendered section \d+ of \d+/g)) {
      if (seen.has(message)) continue;
      seen.add(message);
      if (seen.size === 1) first = usage();
      if (seen.size === count) sections = usage();
    }
  }
  const last = RenderEvent.parse(
    JSON.parse(
      text
        .trim()
        .split('\n\n')
        .at(-1)!
        .replace(/^data: /, ''),
    ),
  );
  if (!('result' in last)) throw new Error(JSON.stringify(last).slice(0, 300));
  return { first, sections, file: usage(), bytes: files.get('/out.mp3')! };
}

/**
 * Renders a plan and edits of it in a new process of the rendering service of a checkout. Each edit finds in the cache what the first
 * render left there, and nothing of other edits.
 */
export async function measureRender(prepared: PreparedRender, checkout: string): Promise<Record<string, RenderUsage>> {
  const store = fileServer(prepared.files);
  const cache = await mkdtemp(join(tmpdir(), 'mashup-bench-cache-'));
  const environment = { PORT: '0', HOST: '127.0.0.1', RENDER_CACHE_DIR: cache };
  const child = start('services/processing/main.ts', environment, checkout);
  try {
    const [storeUrl, port] = [await listen(store), await portOf(child)];
    const service = { url: `http://127.0.0.1:${port}`, pid: child.pid! };
    const usages: Record<string, RenderUsage> = { full: await renderOnce(prepared, prepared.plan, service, storeUrl) };
    const kept = new Set(await readdir(cache));
    for (const [edit, plan] of Object.entries(editedPlans(prepared))) {
      usages[edit] = await renderOnce(prepared, plan, service, storeUrl);
      for (const name of await readdir(cache)) if (!kept.has(name)) await rm(join(cache, name), { recursive: true });
    }
    return usages;
  } finally {
    await stop(child);
    store.closeAllConnections();
    store.close();
    await rm(cache, { recursive: true, force: true });
  }
}

const fastest = (usages: readonly RenderUsage[]): RenderUsage => usages.toSorted((a, b) => a.file.cpu - b.file.cpu)[0]!;

/** Measures this checkout, and `against` if it is given, and prints a table. */
export async function benchRender(against?: string): Promise<Record<string, Record<string, RenderUsage>>> {
  const prepared = await prepareRender();
  const checkouts = { ...(against !== undefined && { other: against }), this: join(import.meta.dirname, '..') };
  const measured = new Map(Object.keys(checkouts).map((name) => [name, [] as Record<string, RenderUsage>[]]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, folder] of Object.entries(checkouts))
      measured.get(name)!.push(await measureRender(prepared, folder));
  const results = Object.fromEntries(
    [...measured].map(([name, rounds]) => {
      const kinds = Object.keys(rounds[0]!);
      return [name, Object.fromEntries(kinds.map((kind) => [kind, fastest(rounds.map((usages) => usages[kind]!))]))];
    }),
  );
  const rows = Object.entries(results).flatMap(([checkout, kinds]) =>
    Object.entries(kinds).flatMap(([kind, usage]) =>
      Object.entries(usage).map(([step, { seconds, cpu, peakMb }]) => {
        const share = cpu / kinds['full']![step as keyof RenderUsage].cpu;
        return { checkout, kind, until: step, seconds, 'cpu sec': cpu, 'of full': share, 'peak MB': peakMb };
      }),
    ),
  );
  printTable(`A render of ${LENGTH_SEC} s of two songs of ${SONG_SEC / 60} minutes`, rows);
  return results;
}
