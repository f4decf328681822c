/**
 * Makes the mashup that the first page of the studio plays before anything is uploaded: `node scripts/make-example-mashup.ts`.
 *
 * A stack of its own makes it from two of the example songs. Two files are written to `studio/public/example/`: the sound as MP3,
 * and title, timeline and waveform as JSON.
 */
import { openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { createMp3Encoder } from 'wasm-media-encoders';
import { followJob, signResultUrl, submitMashup, uploadSong } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { decodeAudio } from '../audio/decode/decode.ts';
import { startStack } from '../local/index.ts';
import { toMashupSections } from '../music/plan/timeline.ts';
import type { Plan } from '../schema.ts';

const ROOT = join(import.meta.dirname, '..');
const TARGET = join(ROOT, 'studio', 'public', 'example');
const SONGS = [
  { file: 'neon-drive.mp3', name: 'Neon Drive' },
  { file: 'paper-kites.mp3', name: 'Paper Kites' },
];
const ARTIST = 'Mashup Engine';
/** Wanted length. 48 s of 128 kbit/s are 0.8 MB. */
const LENGTH_SEC = 48;
const MP3_KBPS = 128;

/** Makes the mashup. Returns its row when it is complete. @throws Error if it fails */
async function makeMashup(supabase: SupabaseClient): Promise<MashupJob> {
  const songs = await Promise.all(
    SONGS.map(async ({ file, name }) =>
      uploadSong(supabase, {
        fileName: file,
        body: await openAsBlob(join(ROOT, 'examples', file)),
        name,
        artist: ARTIST,
      }),
    ),
  );
  const { jobId } = await submitMashup(supabase, songs, { format: 'wav', lengthSec: LENGTH_SEC });
  let last: MashupJob | undefined;
  for await (const job of followJob(supabase, jobId)) last = job;
  if (last?.stage !== 'complete') throw new Error(`The mashup failed: ${last?.errorMessage ?? 'it was not read'}`);
  return last;
}

/** Encodes a mashup as a small MP3 file. */
async function encodeSmall(supabase: SupabaseClient, job: MashupJob): Promise<Uint8Array> {
  const response = await fetch(await signResultUrl(supabase, job));
  const { channels, sampleRate } = await decodeAudio(new Uint8Array(await response.arrayBuffer()));
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 2, sampleRate, bitrate: MP3_KBPS });
  return Buffer.concat([encoder.encode(channels).slice(), encoder.finalize().slice()]);
}

/** What the page shows of a mashup. */
async function describe(supabase: SupabaseClient, job: MashupJob): Promise<object> {
  const { data, error } = await supabase.rpc('get_mashup', { job_id: job.id });
  if (error) throw new Error(error.message);
  const { plan, quality } = data as { plan: Plan; quality: { waveform: { peaks: number[] } } };
  return {
    title: job.title,
    duration_sec: job.result?.durationSec,
    bpm: job.result?.bpm,
    key: job.result?.key,
    songs: job.songs.map(({ songId, name, artist }) => ({
      songId,
      name,
      artist,
      file: SONGS.find((song) => song.name === name)?.file,
    })),
    timeline: toMashupSections(plan.masterplan.timeline),
    peaks: quality.waveform.peaks.map((peak) => Math.round(peak * 1000) / 1000),
  };
}

const dataDir = await mkdtemp(join(tmpdir(), 'mashup-example-'));
const stack = await startStack({ dataDir, portBase: 0 });
try {
  const { apiUrl, anonKey } = stack.info;
  const supabase = createClient(apiUrl, anonKey, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInAnonymously();
  if (error) throw error;
  const job = await makeMashup(supabase);
  await mkdir(TARGET, { recursive: true });
  const sound = await encodeSmall(supabase, job);
  await writeFile(join(TARGET, 'mashup.mp3'), sound);
  await writeFile(join(TARGET, 'mashup.json'), `${JSON.stringify(await describe(supabase, job), null, 1)}\n`);
  console.log(`${job.title}: ${job.result?.durationSec} s, ${sound.length} bytes`);
} finally {
  await stack.stop();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}
// supabase-js keeps timers of ten seconds after the last channel is closed.
process.exit();
