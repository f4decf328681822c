/**
 * Submits songs and follows the job until it ends, with @mashup-engine/client.
 *
 *   SUPABASE_URL=… SUPABASE_ANON_KEY=… npx node examples/submit-and-follow.ts SONG SONG [SONG]
 */
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { followJob, signResultUrl, submitMashup, uploadSong } from '@mashup-engine/client';

const { SUPABASE_URL = 'http://127.0.0.1:54321', SUPABASE_ANON_KEY = '' } = process.env;
const supabase = createClient(SUPABASE_URL, SUPABASE_ANON_KEY);
const { error } = await supabase.auth.signInAnonymously();
if (error) throw error;

const songs = await Promise.all(
  process.argv
    .slice(2)
    .map(async (path) => uploadSong(supabase, { fileName: basename(path), body: await openAsBlob(path) })),
);
const { jobId } = await submitMashup(supabase, songs, { format: 'mp3' });
console.log(`job ${jobId}`);

for await (const job of followJob(supabase, jobId)) {
  console.log(`${job.stage} ${Math.round(job.progress)} % ${job.currentStep}`);
  if (job.stage === 'complete') console.log(await signResultUrl(supabase, job));
  if (job.stage === 'failed') console.log(job.errorMessage, job.errorHint);
}
// supabase-js keeps timers of ten seconds after the last channel is closed.
process.exit();
