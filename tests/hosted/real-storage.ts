/**
 * npm run test:storage -- --checkout DIR: takes a job through the documented steps against the Storage server of supabase/storage,
 * from a built checkout, and prints what was seen. Exits with 1 if a step fails.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { deleteMashup, followJob, signResultUrl, submitMashup, uploadSong } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { until } from '../support/until.ts';
import { startRealProject } from './real-project.ts';
import type { RealProject } from './real-project.ts';

const ROOT = join(import.meta.dirname, '../..');
const LAUNCHER = join(ROOT, 'cli/mashup.js');
const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'].map((name) => join(ROOT, 'examples', name));
const WORKER_PASSWORD = 'worker-of-the-test';
const JOB_LIMIT_MS = 300_000;
const DELETION_LIMIT_MS = 60_000;

const { values } = parseArgs({ options: { checkout: { type: 'string' } } });
if (values.checkout === undefined) {
  console.error(
    'Usage: npm run test:storage -- --checkout DIR   (a checkout of supabase/storage after npm ci and npm run build)',
  );
  process.exit(2);
}
const checkout = resolve(values.checkout);

/** Runs one command of the command line. @returns its output @throws Error with its output if it fails */
async function mashup(project: RealProject, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], { env: environment(project, project.databaseUrl) });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const status = await new Promise<number | null>((end) => child.once('close', end));
  if (status !== 0) throw new Error(`mashup ${args.join(' ')} ended with ${status}: ${output}`);
  return output.trim();
}

function environment({ url, keys }: RealProject, databaseUrl: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: databaseUrl,
    SUPABASE_URL: url,
    SUPABASE_ANON_KEY: keys.anonKey,
    SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
  };
}

function workerUrl({ databaseUrl }: RealProject): string {
  const url = new URL(databaseUrl);
  url.username = 'mashup_worker';
  url.password = WORKER_PASSWORD;
  return url.href;
}

/** Makes one mashup as a user of the page does. Returns its size in bytes. */
async function makeMashup(client: SupabaseClient): Promise<{ jobId: string; bytes: number; path: string }> {
  await client.auth.signInAnonymously();
  const songs = [];
  for (const path of SONGS) {
    const body = new Blob([await readFile(path)], { type: 'audio/mpeg' });
    songs.push(await uploadSong(client, { fileName: basename(path), body }));
  }
  const { jobId } = await submitMashup(client, songs);
  let last: MashupJob | undefined;
  for await (const job of followJob(client, jobId, { signal: AbortSignal.timeout(JOB_LIMIT_MS) })) {
    if (job.stage !== last?.stage) console.log(`  ${job.stage}`);
    last = job;
  }
  if (last?.stage !== 'complete')
    throw new Error(`the job is ${last?.stage}: ${last?.errorCode} ${last?.errorMessage}`);
  const url = await signResultUrl(client, last);
  const response = await fetch(url);
  const bytes = (await response.arrayBuffer()).byteLength;
  if (!response.ok || bytes < 100_000) throw new Error(`the result has status ${response.status} and ${bytes} bytes`);
  return { jobId, bytes, path: new URL(url).pathname.split('/').at(-1) ?? '' };
}

async function run(project: RealProject): Promise<void> {
  const sql = postgres(project.superuserUrl, { max: 1, onnotice: () => {} });
  let worker: ChildProcess | undefined;
  try {
    console.log(await mashup(project, 'migrate'));
    await sql.unsafe(`alter role mashup_worker login password '${WORKER_PASSWORD}'`);
    worker = spawn(process.execPath, [LAUNCHER, 'worker', '--with-services'], {
      env: environment(project, workerUrl(project)),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await until('the worker registers', async () => (await sql`select from mashup.workers`).length === 1, 60_000);
    const client = createClient(project.url, project.keys.publishableKey, { auth: { persistSession: false } });
    const { jobId, bytes, path } = await makeMashup(client);
    console.log(`result: ${path}, ${bytes} bytes`);
    const stored = await sql<{ folder: string; files: number; largest: number }[]>`
      select split_part(name, '/', 1) as folder, count(*)::int as files, max((metadata ->> 'size')::bigint)::int as largest
      from storage.objects group by 1 order by 1`;
    console.table(stored.map((row) => ({ ...row })));
    await deleteMashup(client, jobId);
    await until(
      'the files of the deleted mashup are gone',
      async () => (await sql`select from storage.objects where name like 'generated/%'`).length === 0,
      DELETION_LIMIT_MS,
    );
    console.log('the files of the deleted mashup are gone');
    console.log(await mashup(project, 'doctor'));
    await client.removeAllChannels();
  } finally {
    if (worker) {
      const exited = new Promise((end) => worker?.once('exit', end));
      worker.kill('SIGTERM');
      await exited;
    }
    await sql.end();
  }
}

const project = await startRealProject(checkout);
try {
  const { version } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as { version?: string };
  console.log(`Storage server ${version ?? 'of the checkout'}, ${project.storageMigrations} migrations`);
  await run(project);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await project.close();
}
process.exit();
