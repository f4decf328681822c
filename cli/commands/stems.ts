/** `mashup stems`: downloads the stems of a finished mashup, aligned with it, for a DAW. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Command } from 'commander';
import {
  downloadPart,
  fromDatabaseError,
  readStems,
  requestStems,
  stemFileName,
  toMashupJob,
} from '@mashup-engine/client';
import type { MashupJob, ReadyStems } from '@mashup-engine/client';
import { joinFlac } from '../../audio/encode/flac-join.ts';
import { connect, signIn } from '../connect.ts';
import type { StackOptions } from '../connect.ts';
import { makeFolder } from '../download.ts';
import { CliError, EXIT_USAGE, interrupted } from '../errors.ts';
import { checkJobId } from '../job-id.ts';
import { print, printJson } from '../output.ts';

/** How often the row of the job is read while the stems are made. */
const POLL_MS = 1_000;
/** Jobs among which the beginning of an id is looked up. */
const NEWEST_JOBS = 200;
const FORMATS = ['flac', 'wav'] as const;

interface StemsOptions extends StackOptions {
  out?: string;
  format: string;
  json?: boolean;
}

/** A file that was written. */
type Written = { song_id: string; stem: string; path: string };

/** Adds the command to the program. */
export function addStems(program: Command): void {
  program
    .command('stems')
    .description('download the stems of a finished mashup, each as long as the mashup')
    .argument('<id>', "the job's id, or its first eight characters")
    .option('-o, --out <folder>', 'folder for the files (default: stems of the mashup, named after its title)')
    .option('--format <format>', FORMATS.join(' or '), 'flac')
    .option('--json', 'one JSON document at the end')
    .action((id: string, _options: unknown, command: Command) => run(id, command.optsWithGlobals<StemsOptions>()));
}

async function run(id: string, options: StemsOptions): Promise<void> {
  const format = FORMATS.find((known) => known === options.format);
  if (!format) throw new CliError('bad_option', '--format must be flac or wav.', 'Correct it, or omit it.', EXIT_USAGE);
  checkJobId(id);
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(interrupted());
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const say = (text: string): void => {
    if (options.json !== true) print(text);
  };
  const { signal } = abort;
  try {
    const connection = await connect(options, { log: say, signal });
    try {
      await signIn(connection.supabase);
      const job = await findJob(connection.supabase, id);
      const folder = await makeFolder(options.out ?? folderName(job));
      const stems = await waitForStems(connection.supabase, job, { say, signal });
      const files = await downloadAll(connection.supabase, { job, stems, folder, format }, { say, signal });
      if (options.json === true) printJson({ folder, ...facts(stems), files });
      else for (const line of summary(stems)) print(line);
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

const folderName = ({ title }: MashupJob): string =>
  `${(title ?? 'Mashup').replace(/[\\/:*?"<>|\p{Cc}]+/gu, ' ').trim()} stems`;

/** Finds a job of the user. @throws CliError `job_not_found` */
async function findJob(supabase: SupabaseClient, id: string): Promise<MashupJob> {
  const { data, error, status } = await supabase
    .from('mashup_jobs')
    .select('*')
    .order('created_at', { ascending: false })
    .limit(NEWEST_JOBS);
  if (error) throw fromDatabaseError(error, status);
  const found = (data as { id: string }[]).filter((row) => row.id.startsWith(id.toLowerCase()));
  const [job] = found;
  if (job && found.length === 1) return toMashupJob(job);
  throw new CliError(
    'job_not_found',
    found.length === 0 ? `You have no mashup ${id}.` : `Several of your mashups begin with ${id}.`,
    found.length === 0
      ? 'The command takes the mashups of the account that is signed in (MASHUP_EMAIL); `mashup jobs` lists all.'
      : 'Give more characters of the id.',
    EXIT_USAGE,
  );
}

/** Asks for the stems and waits until they are there. @throws CliError with the fault of the task */
async function waitForStems(
  supabase: SupabaseClient,
  job: MashupJob,
  { say, signal }: { say: (text: string) => void; signal: AbortSignal },
): Promise<ReadyStems> {
  let stems = await requestStems(supabase, job.id);
  if (stems.state === 'pending') say('Rendering the stems');
  for (let shown = 0; stems.state === 'pending';) {
    await sleep(POLL_MS, undefined, { signal });
    const progress = await readProgress(supabase, job.id);
    if (progress >= shown + 10) say(`${(shown = progress)} %`);
    stems = (await readStems(supabase, job)) ?? gone();
  }
  if (stems.state === 'ready') return stems;
  throw new CliError(stems.code, stems.message, stems.hint ?? 'Ask for them again.');
}

async function readProgress(supabase: SupabaseClient, id: string): Promise<number> {
  const { data } = await supabase.from('mashup_jobs').select('*').eq('id', id).maybeSingle<object>();
  return data ? (toMashupJob(data).result?.stems?.progress ?? 0) : 0;
}

function gone(): never {
  throw new CliError('no_result', 'The mashup was changed or deleted in the meantime.', 'Run the command again.');
}

async function downloadAll(
  supabase: SupabaseClient,
  what: { job: MashupJob; stems: ReadyStems; folder: string; format: (typeof FORMATS)[number] },
  { say, signal }: { say: (text: string) => void; signal: AbortSignal },
): Promise<Written[]> {
  const { job, stems, folder, format } = what;
  const files: Written[] = [];
  for (const file of stems.files) {
    const parts: Uint8Array[] = [];
    for (const part of stems.ends.keys())
      parts.push(new Uint8Array(await downloadPart(supabase, file, part, { signal })));
    const path = resolve(folder, stemFileName(job, file, format));
    const flac = joinFlac(parts);
    await writeFile(path, format === 'flac' ? flac : await toWav(flac), { signal });
    say(path);
    files.push({ song_id: file.songId, stem: file.stem, path });
  }
  return files;
}

async function toWav(flac: Uint8Array): Promise<Uint8Array> {
  const [{ decodeAudio }, { encodeAudio }] = await Promise.all([
    import('../../audio/decode/decode.ts'),
    import('../../audio/encode/encode.ts'),
  ]);
  const { channels, sampleRate } = await decodeAudio(flac, { limits: { minSec: 0, maxBytes: flac.length } });
  return encodeAudio(channels, sampleRate, 'wav');
}

const facts = ({ levelDb, residualDb, totalFrames, sampleRate }: ReadyStems): object => ({
  level_db: levelDb,
  residual_db: residualDb,
  duration_sec: totalFrames / sampleRate,
});

/** What a user has to know of the files. */
function summary({ levelDb, residualDb }: ReadyStems): string[] {
  const level =
    levelDb < 0 ? [`They are ${(-levelDb).toFixed(1)} dB lower than in the mashup, so that none clips.`] : [];
  const sum = residualDb === null ? [] : [`They sum to the mashup; what is left is at ${residualDb.toFixed(0)} dB.`];
  return [...level, ...sum];
}
