/** `mashup make`: makes a mashup of song files. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Command } from 'commander';
import { cancelMashup, followJob, signResultUrl, submitMashup } from '@mashup-engine/client';
import type { MashupJob, MashupOptions } from '@mashup-engine/client';
import { readStack } from '../../local/index.ts';
import { SubmittedOptions } from '../../schema.ts';
import { connect, signIn } from '../connect.ts';
import type { StackOptions } from '../connect.ts';
import { setting } from '../environment.ts';
import { checkTarget, download, fitExtension, freePath } from '../download.ts';
import type { Target } from '../download.ts';
import { CliError, EXIT_FAULTS, EXIT_USAGE, interrupted } from '../errors.ts';
import { chooseDisplay } from '../progress/choose-display.ts';
import type { Display } from '../progress/display.ts';
import { Listener } from '../play/listen.ts';
import { findPlayer } from '../play/players.ts';
import { exitCodeOf, printResult, printResultLine } from '../result.ts';
import { fetchModels, separatorText } from '../separation-service.ts';
import type { StemOptions } from '../own-stems.ts';
import { readSongs, uploadSongs } from '../upload-songs.ts';
import type { SongToUpload } from '../upload-songs.ts';

/** Limit of the cancellation when the command is interrupted. */
const CANCEL_TIMEOUT_MS = 3_000;

interface MakeOptions extends StackOptions, StemOptions {
  out?: string;
  length?: number;
  wishes?: string;
  separation?: string;
  json?: boolean;
  strict?: boolean;
  play?: boolean;
}

/** Adds the command to the program. */
export function addMake(program: Command): void {
  program
    .command('make')
    .description('make a mashup of two or three songs')
    .argument('<songs...>', 'two or three audio files, or folders with the stems of a song')
    .option(
      '-o, --out <file>',
      'output file, .wav, .flac or .mp3 (default: mashup.wav, or mashup-2.wav and so on if it exists)',
    )
    .option('--length <seconds>', 'length of the mashup, 20 to 600', Number)
    .option('--wishes <text>', 'wishes for the mashup, in words')
    .option(
      '--separation <method>',
      'auto, classical or neural (default: auto, the model that `mashup models use` chose, otherwise classical)',
    )
    .option('--stems <song=folder>', 'stems of your own for a song (its number or file name); may be repeated', collect)
    .option('--vocals <song=file>', 'an acapella of your own for a song; may be repeated', collect)
    .option('--instrumental <song=file>', 'an instrumental of your own for a song; may be repeated', collect)
    .option('--strict', `exit with ${EXIT_FAULTS} if the mashup fails a quality check; it is delivered all the same`)
    .option('--play', 'play the mashup while it is made; Ctrl-C stops the sound, a second one the command')
    .option('--json', 'one JSON line for each change, the result last')
    .action(async (songs: string[], _options: unknown, command: Command) => {
      await make(songs, command.optsWithGlobals<MakeOptions>());
    });
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

async function make(paths: string[], options: MakeOptions): Promise<void> {
  const abort = new AbortController();
  const sound: { listener?: Listener } = {};
  const onSignal = (): void => {
    if (sound.listener?.stop() === true) return;
    if (abort.signal.aborted) process.exit(interrupted().exitCode);
    abort.abort(interrupted());
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const display = chooseDisplay(options.json === true);
  try {
    const wanted = checkOptions(options);
    const player = options.play === true ? await findPlayer() : undefined;
    const target = await checkTarget(options.out ?? (await freePath(process.cwd())));
    display.step('Checking the songs');
    const songs = await readSongs(paths, options, { tell: (line) => display.step(line), signal: abort.signal });
    abort.signal.throwIfAborted();
    const listen = (supabase: SupabaseClient): Listener | undefined =>
      player && (sound.listener = new Listener(supabase, player, () => display.step(`Playing with ${player.name}`)));
    const { job, path } = await makeFrom(songs, target, { ...wanted, listen }, options, display, abort.signal);
    display.end();
    if (options.json === true) printResultLine(job, path);
    else printResult(job, path);
    process.exitCode = exitCodeOf(job, options.strict === true);
  } finally {
    display.end();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** What an option must be, by the member of the request. */
const OPTION_FAULTS: Record<string, string> = {
  length_sec: '--length must be a number of seconds from 20 to 600.',
  wishes: '--wishes must have at most 500 characters.',
  separation: '--separation must be auto, classical or neural.',
};

function checkOptions(options: MakeOptions): MashupOptions {
  const { length: length_sec, wishes, separation } = options;
  const parsed = SubmittedOptions.safeParse({ length_sec, wishes, separation });
  if (parsed.success)
    return { lengthSec: parsed.data.length_sec, wishes: parsed.data.wishes, separation: parsed.data.separation };
  const name = String(parsed.error.issues[0]?.path[0]);
  throw new CliError(
    'bad_option',
    OPTION_FAULTS[name] ?? `${name} is not valid.`,
    'Correct it, or omit it.',
    EXIT_USAGE,
  );
}

async function makeFrom(
  songs: SongToUpload[],
  target: Target,
  { listen, ...wanted }: MashupOptions & { listen: (supabase: SupabaseClient) => Listener | undefined },
  options: MakeOptions,
  display: Display,
  signal: AbortSignal,
): Promise<{ job: MashupJob; path: string }> {
  display.step('Connecting');
  const connection = await connect(options, { log: (line) => display.step(line), signal });
  let jobId: string | undefined;
  let listener: Listener | undefined;
  try {
    const { supabase } = connection;
    await tellSeparator(options, wanted.separation, display);
    await signIn(supabase);
    const uploaded = await uploadSongs(supabase, songs, (line) => display.step(line), signal);
    const answer = await submitMashup(supabase, uploaded, { ...wanted, format: target.format, signal });
    jobId = answer.jobId;
    listener = listen(supabase);
    const job = await followToEnd(supabase, jobId, (change) => (display.job(change), listener?.update(change)), signal);
    jobId = undefined;
    const path = fitExtension(target, job.result?.format);
    await download(await signResultUrl(supabase, job), path, signal);
    await listener?.finish(path);
    return { job, path };
  } catch (error) {
    if (signal.aborted && jobId !== undefined) await cancelQuietly(connection.supabase, jobId);
    throw signal.aborted ? interrupted() : error;
  } finally {
    listener?.stop();
    if (connection.isOwn) display.step('Stopping the local stack');
    await connection.close();
  }
}

/**
 * Says which separator the local stack uses.
 * @throws CliError `model_missing` if a model was asked for and there is none
 */
async function tellSeparator(
  options: MakeOptions,
  wanted: MashupOptions['separation'],
  display: Display,
): Promise<void> {
  const stack = setting('SUPABASE_URL') === undefined ? readStack(options.dataDir) : undefined;
  const models = stack && (await fetchModels(stack.services.separation));
  if (models === undefined) return;
  if (wanted !== 'neural')
    return display.step(`Separator: ${wanted === 'classical' ? models.classical : separatorText(models)}`);
  if (models.neural !== null) return display.step(`Separator: ${models.neural}`);
  throw new CliError(
    models.fault?.code ?? 'model_missing',
    models.fault?.message ?? 'There is no separation model, and --separation neural asks for one.',
    models.fault?.hint ?? 'Install one: `mashup models install htdemucs`.',
  );
}

async function followToEnd(
  supabase: SupabaseClient,
  jobId: string,
  onChange: (job: MashupJob) => void,
  signal: AbortSignal,
): Promise<MashupJob> {
  const job = await followJob(supabase, jobId, { signal, onChange }).finished;
  signal.throwIfAborted();
  if (job?.status === 'complete') return job;
  if (job?.status === 'failed') {
    throw new CliError(
      job.errorCode ?? 'failed',
      job.errorMessage ?? 'The mashup failed.',
      job.errorHint ?? `Run \`mashup show ${jobId}\` for details.`,
    );
  }
  throw new CliError('cancelled', 'The mashup was cancelled elsewhere.', 'Make it again.');
}

async function cancelQuietly(supabase: SupabaseClient, jobId: string): Promise<void> {
  const timeout = new Promise((resolve) => setTimeout(resolve, CANCEL_TIMEOUT_MS).unref());
  // A job that cannot be cancelled now ends without the command.
  await Promise.race([cancelMashup(supabase, jobId).catch(() => {}), timeout]);
}
