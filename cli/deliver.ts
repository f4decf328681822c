/** Makes a mashup or another version of one: progress, sound, file and result, for `make` and `feedback`. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Command } from 'commander';
import { signResultUrl } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { untilInterrupted } from '../local/interrupt.ts';
import { download } from './download.ts';
import { EXIT_FAULTS, interrupted } from './errors.ts';
import { cancelQuietly, followToEnd } from './job-outcome.ts';
import { checkTarget, fitExtension, freePath, OUTPUT_EXTENSIONS } from './output-file.ts';
import type { Target } from './output-file.ts';
import { Listener } from './play/listen.ts';
import { findPlayer } from './play/players.ts';
import { chooseDisplay } from './progress/choose-display.ts';
import type { Display } from './progress/display.ts';
import { readPlanOutcome } from './plan-outcome.ts';
import type { PlanOutcome } from './plan-outcome.ts';
import { exitCodeOf, printResult, printResultLine } from './result.ts';

/** Options of the commands that make a mashup. */
export interface DeliveryOptions {
  out?: string;
  force?: boolean;
  json?: boolean;
  strict?: boolean;
  play?: boolean;
}

/** What a command that makes a mashup has to work with. */
export interface Delivery {
  target: Target;
  display: Display;
  signal: AbortSignal;
  /** Creates what plays the mashup while it is made. */
  listen: (supabase: SupabaseClient) => Listener | undefined;
}

/** A mashup, its file, and what it did of the words of its user. */
export interface Delivered {
  job: MashupJob;
  path: string;
  outcome: PlanOutcome;
}

/** Adds the options of `DeliveryOptions` to a command. */
export function addDeliveryOptions(command: Command): Command {
  return command
    .option(
      '-o, --out <file>',
      `output file, ${OUTPUT_EXTENSIONS} (default: mashup.wav, or mashup-2.wav and so on if it exists)`,
    )
    .option('--force', 'overwrite the output file without asking')
    .option('--strict', `exit with ${EXIT_FAULTS} if the mashup fails a quality check; it is delivered all the same`)
    .option('--play', 'play the mashup while it is made; Ctrl-C stops the sound, a second one the command')
    .option('--json', 'one JSON line for each change, the result last');
}

/**
 * Checks the output before any work, calls `work` with what it needs, prints its result and sets the exit code. The first Ctrl-C while the mashup
 * sounds stops the sound, any other one the work.
 * @throws CliError; the errors of `work`
 */
export async function withDelivery(
  options: DeliveryOptions,
  work: (delivery: Delivery) => Promise<Delivered>,
): Promise<void> {
  const sound: { listener?: Listener } = {};
  const run = async (signal: AbortSignal): Promise<void> => {
    const player = options.play === true ? await findPlayer() : undefined;
    const target = await checkTarget(options.out ?? (await freePath(process.cwd())), { ...options, signal });
    const display = chooseDisplay(options.json === true);
    const listen = (supabase: SupabaseClient): Listener | undefined =>
      player && (sound.listener = new Listener(supabase, player, () => display.step(`Playing with ${player.name}`)));
    try {
      const { job, path, outcome } = await work({ target, display, signal, listen });
      display.end();
      if (options.json === true) printResultLine(job, path, outcome);
      else printResult(job, path, outcome);
      process.exitCode = exitCodeOf(job, options.strict === true);
    } catch (error) {
      throw signal.aborted ? interrupted() : error;
    } finally {
      display.end();
    }
  };
  await untilInterrupted(run, () => sound.listener?.stop() === true);
}

/**
 * Follows a job that `submit` submits, and downloads its result. An interrupted command cancels the job.
 * @throws CliError with the error of the job; MashupClientError
 */
export async function deliver(
  supabase: SupabaseClient,
  submit: () => Promise<{ jobId: string }>,
  { target, display, signal, listen }: Delivery,
): Promise<Delivered> {
  let jobId: string | undefined;
  let listener: Listener | undefined;
  try {
    jobId = (await submit()).jobId;
    listener = listen(supabase);
    const job = await followToEnd(
      supabase,
      jobId,
      {
        onChange: (change) => (display.job(change), listener?.update(change)),
        onConnection: (isLost) => display.connection(isLost),
      },
      signal,
    );
    jobId = undefined;
    const path = await download(await signResultUrl(supabase, job), fitExtension(target, job.result?.format), signal);
    const outcome = await readPlanOutcome(supabase, job.id);
    await listener?.finish(path);
    return { job, path, outcome };
  } catch (error) {
    if (signal.aborted && jobId !== undefined) await cancelQuietly(supabase, jobId);
    throw signal.aborted ? interrupted() : error;
  } finally {
    listener?.stop();
  }
}
