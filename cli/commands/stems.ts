/** `mashup stems`: downloads the stems of a finished mashup, aligned with it, for a DAW. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Command } from 'commander';
import { downloadPart, fileNameOf, readStems, requestStems, stemFileName, toMashupJob } from '@mashup-engine/client';
import type { MashupJob, MashupStemFile, ReadyStems } from '@mashup-engine/client';
import { joinFlac } from '../../audio/encode/flac-join.ts';
import { STEMS } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { save } from '../download.ts';
import { CliError } from '../errors.ts';
import { assertOwn } from '../find-job.ts';
import { ID_HELP } from '../job-id.ts';
import { choice } from '../options.ts';
import { makeFolder, mayOverwrite } from '../output-file.ts';
import { print, printJson } from '../output.ts';
import { withMashup } from '../with-mashup.ts';

/** How often the row of the job is read while the stems are made. */
const POLL_MS = 1_000;

interface StemsOptions extends StackOptions {
  out?: string;
  force?: boolean;
  format: 'flac' | 'wav';
  json?: boolean;
}

/** A file that was written. */
type Written = { song_id: string; stem: string; path: string };

/** Adds the command to the program. */
export function addStems(program: Command): void {
  program
    .command('stems')
    .description('download the stems of a finished mashup, each as long as the mashup')
    .argument('<id>', ID_HELP)
    .option('-o, --out <folder>', 'folder for the files (default: stems of the mashup, named after its title)')
    .option('--force', 'overwrite files without asking')
    .addOption(choice('--format <format>', 'format of the files', ['flac', 'wav']).default('flac'))
    .option('--json', 'one JSON document at the end')
    .action((id: string, _options: unknown, command: Command) => run(id, command.optsWithGlobals<StemsOptions>()));
}

async function run(id: string, options: StemsOptions): Promise<void> {
  const say = (text: string): void => {
    if (options.json !== true) print(text);
  };
  await withMashup(options, id, say, async (found, signal) => {
    assertOwn(found);
    const { supabase, job } = found;
    const folder = await makeFolder(options.out ?? `${fileNameOf(job.title ?? 'Mashup')} stems`);
    const names = job.songs.flatMap(({ songId }) => STEMS.map((stem) => nameOf(job, { songId, stem }, options)));
    const paths = names.map((name) => resolve(folder, name));
    const place = { folder, mayOverwrite: await mayOverwrite(paths, { ...options, signal }) };
    const stems = await waitForStems(supabase, job, { say, signal });
    const files = await downloadAll(supabase, { job, stems, place, options }, { say, signal });
    if (options.json === true) printJson({ folder, ...facts(stems), files });
    else for (const line of summary(stems)) print(line);
  });
}

const nameOf = (job: MashupJob, file: Pick<MashupStemFile, 'songId' | 'stem'>, { format }: StemsOptions): string =>
  stemFileName(job, file, format);

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
  what: {
    job: MashupJob;
    stems: ReadyStems;
    place: { folder: string; mayOverwrite: boolean };
    options: StemsOptions;
  },
  { say, signal }: { say: (text: string) => void; signal: AbortSignal },
): Promise<Written[]> {
  const { job, stems, place, options } = what;
  const files: Written[] = [];
  for (const file of stems.files) {
    const parts: Uint8Array[] = [];
    for (const part of stems.ends.keys())
      parts.push(new Uint8Array(await downloadPart(supabase, file, part, { signal })));
    const flac = joinFlac(parts);
    const content = options.format === 'flac' ? flac : await toWav(flac);
    const path = await save(content, { ...place, path: resolve(place.folder, nameOf(job, file, options)) }, signal);
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
