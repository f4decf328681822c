/**
 * Measures the time to first sound on the local stack, as a frontend sees it: from the start of a draft whose songs are analysed, and
 * from the upload of both files. Also whether each later part is there before the one before it has been played.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { downloadPart, followJob, startMashup, submitMashup, uploadSong } from '@mashup-engine/client';
import type { MashupJob, PlayableAudio, SubmittedSong } from '@mashup-engine/client';
import postgres from 'postgres';
import { decodeAudio, SAMPLE_RATE } from '../audio/decode/decode.ts';
import { encodeMp3 } from '../audio/encode/encode-mp3.ts';
import { startStack } from '../local/index.ts';
import type { Stack } from '../local/index.ts';
import { mixOf } from './songs/annotated-songs.ts';
import { generateSong, missingSynthesizer } from './songs/generate-song.ts';
import { startedCpuSeconds } from './process-tree.ts';
import { printTable } from './table.ts';

/** Songs that no other benchmark makes. */
const SEEDS = [4_021, 4_027];
const SONG_SEC = 180;
const LENGTH_SEC = 102;
/** Runs of each kind, in turn. */
const ROUNDS = 2;

/** Seconds since the start: when each step had ended. */
interface Times {
  analyzed?: number;
  planned?: number;
  renderStarted?: number;
  firstRow?: number;
  firstSound?: number;
  allParts?: number;
  complete?: number;
  /** The longest time for which a listener waits after the first sound. */
  stall: number;
  parts: number;
  /** Processor seconds of the stack until the first sound and until the end, where the system tells them. */
  cpuFirst?: number | null;
  cpu?: number | null;
  load: number;
}

/** Makes a song, repeats it to `SONG_SEC` and encodes it as MP3. */
async function makeSong(seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const channels = mixOf(await generateSong(seed));
  const repeated = channels.map((samples) =>
    Float32Array.from({ length: SONG_SEC * SAMPLE_RATE }, (_, i) => samples[i % samples.length]!),
  );
  return encodeMp3(repeated, SAMPLE_RATE, {});
}

async function newUser({ info }: Stack): Promise<SupabaseClient> {
  const supabase = createClient(info.apiUrl, info.anonKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInAnonymously();
  if (error) throw error;
  return supabase;
}

function upload(supabase: SupabaseClient, songs: readonly Uint8Array<ArrayBuffer>[]): Promise<SubmittedSong[]> {
  return Promise.all(
    songs.map((bytes, i) => {
      const body = new Blob([bytes], { type: 'audio/mpeg' });
      return uploadSong(supabase, { fileName: `song-${i}.mp3`, body, name: `Song ${i + 1}` });
    }),
  );
}

/** Follows a job to its end as a player does: each part is downloaded and decoded as soon as the row names it. */
async function listen(supabase: SupabaseClient, jobId: string, since: () => number): Promise<Partial<Times>> {
  const times: Partial<Times> = {};
  const cpuBefore = startedCpuSeconds();
  const cpu = (): number | null => (cpuBefore === null ? null : startedCpuSeconds()! - cpuBefore);
  const arrivals: { end: number; at: number }[] = [];
  let loading = Promise.resolve();
  const load = async (playable: PlayableAudio): Promise<void> => {
    for (const end of playable.ends.slice(arrivals.length)) {
      const bytes = new Uint8Array(await downloadPart(supabase, playable, arrivals.length));
      await decodeAudio(bytes, { limits: { minSec: 0 } });
      times.cpuFirst ??= cpu();
      arrivals.push({ end: end / playable.sampleRate, at: since() });
    }
  };
  const onChange = ({ stage, playable }: MashupJob): void => {
    if (stage === 'separating' || stage === 'rendering') times.planned ??= since();
    if (playable === null) return;
    times.firstRow ??= since();
    loading = loading.then(() => load(playable));
  };
  const job = await followJob(supabase, jobId, { onChange }).finished;
  times.complete = since();
  times.cpu = cpu();
  await loading;
  if (job?.stage !== 'complete') throw new Error(`The mashup ended in ${job?.stage}: ${job?.errorMessage}`);
  times.firstSound = arrivals[0]?.at;
  times.allParts = arrivals.at(-1)?.at;
  return { ...times, parts: arrivals.length, stall: longestStall(arrivals) };
}

/** The longest wait for a part, when the first one is played as soon as it is there. */
function longestStall(arrivals: readonly { end: number; at: number }[]): number {
  let [longest, clock, before] = [0, arrivals[0]?.at ?? 0, 0];
  for (const { end, at } of arrivals) {
    longest = Math.max(longest, at - clock);
    clock = Math.max(clock, at) + end - before;
    before = end;
  }
  return longest;
}

async function measure(
  stack: Stack,
  sql: postgres.Sql,
  songs: readonly Uint8Array<ArrayBuffer>[],
  kind: 'analysed' | 'upload',
): Promise<Times> {
  const supabase = await newUser(stack);
  let startedAt = performance.now();
  const since = (): number => (performance.now() - startedAt) / 1000;
  const options = { lengthSec: LENGTH_SEC } as const;
  const load = loadavg()[0]!;
  let jobId: string;
  if (kind === 'upload') {
    jobId = (await submitMashup(supabase, await upload(supabase, songs), options)).jobId;
  } else {
    jobId = (await submitMashup(supabase, await upload(supabase, songs), { ...options, hold: 'planning' })).jobId;
    const follower = followJob(supabase, jobId);
    for await (const { waitingOn } of follower) if (waitingOn === 'user') break;
    startedAt = performance.now();
    await startMashup(supabase, jobId);
  }
  const wallClock = Date.now() - 1000 * since();
  const heard = await listen(supabase, jobId, since);
  const [tasks] = await sql<{ analyzed: Date; render: Date }[]>`
    select max(finished_at) filter (where kind = 'analyze') as analyzed, max(started_at) filter (where kind = 'render') as render
    from mashup.tasks where job_id = ${jobId}`;
  const seconds = (time: Date): number => (time.getTime() - wallClock) / 1000;
  return {
    stall: 0,
    parts: 0,
    load,
    ...(kind === 'upload' && { analyzed: seconds(tasks!.analyzed) }),
    renderStarted: seconds(tasks!.render),
    ...heard,
  };
}

/** Runs the benchmark and prints its table. */
export async function benchFirstSound(): Promise<Record<string, Times[]>> {
  const missing = await missingSynthesizer();
  if (missing !== null) throw new Error(missing);
  const songs = await Promise.all(SEEDS.map(makeSong));
  const folder = await mkdtemp(join(tmpdir(), 'mashup-first-sound-'));
  const stack = await startStack({ dataDir: folder, portBase: 0 });
  const sql = postgres(stack.info.dbUrl, { max: 1, onnotice: () => {} });
  const results: Record<string, Times[]> = { analysed: [], upload: [] };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of ['analysed', 'upload'] as const) results[kind]!.push(await measure(stack, sql, songs, kind));
    }
  } finally {
    await sql.end();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
  printTable(
    'First sound: seconds from the start of a draft with analysed songs, or from the upload of two songs of three minutes',
    Object.entries(results).flatMap(([kind, runs]) =>
      runs.map((run) => ({
        from: kind,
        analysed: run.analyzed ?? '-',
        planned: run.planned ?? '-',
        'render starts': run.renderStarted ?? '-',
        'first row': run.firstRow ?? '-',
        'first sound': run.firstSound ?? '-',
        'all parts': run.allParts ?? '-',
        complete: run.complete ?? '-',
        stall: run.stall,
        parts: run.parts,
        'cpu to first': run.cpuFirst ?? '-',
        cpu: run.cpu ?? '-',
        load: run.load,
      })),
    ),
  );
  return results;
}
