/** `mashup analyze`: analyses song files, without a job, a database or a stack. */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { untilInterrupted } from '../../local/interrupt.ts';
import { contentOf } from '../../music/theory/content.ts';
import type { SongAnalysis } from '../../schema.ts';
import { runAnalysis } from '../../services/analysis/run-analysis.ts';
import { analysisLines } from '../analysis-text.ts';
import { type CliError, errorLine, EXIT_FAILURE, interrupted, toCliError } from '../errors.ts';
import { duration, print, printJson, sanitize } from '../output.ts';
import { readSong } from '../songs.ts';

const REDRAW_MS = 500;

/** The analysis of a file, or why there is none. */
type Outcome = { file: string } & ({ analysis: SongAnalysis } | { error: CliError });

/** Adds the command to the program. */
export function addAnalyze(program: Command): void {
  program
    .command('analyze')
    .description('analyse songs: tempo, key, tuning, meter, beats, sections, loudness; no stack is needed')
    .argument('<files...>', 'audio files')
    .option('--json', 'one JSON line for each file, with every beat')
    .action(async (files: string[], { json = false }: { json?: boolean }) => {
      const hasFailed = await untilInterrupted((signal) => analyzeAll(files, json, signal));
      if (hasFailed) process.exitCode = EXIT_FAILURE;
    });
}

/** Analyses and prints all files, in the order in which they were given. Returns whether one of them has no analysis. */
async function analyzeAll(files: readonly string[], asJson: boolean, signal: AbortSignal): Promise<boolean> {
  const progress = showProgress(files.length);
  let hasFailed = false;
  try {
    for await (const outcome of outcomesInOrder(files, signal, progress.advance)) {
      hasFailed ||= 'error' in outcome;
      progress.clear();
      if (asJson) printJson(jsonOf(outcome));
      else printOutcome(outcome);
    }
  } finally {
    progress.end();
  }
  return hasFailed;
}

/** Yields the outcome of each file, in order. Only as many files are in memory as are analysed at a time. */
async function* outcomesInOrder(
  files: readonly string[],
  signal: AbortSignal,
  onDone: () => void,
): AsyncGenerator<Outcome> {
  const pending: Promise<Outcome>[] = [];
  let next = 0;
  const startNext = (): void => {
    const file = files[next++];
    if (file === undefined) return;
    pending.push(
      analyzeOne(file, signal).finally(() => {
        onDone();
        startNext();
      }),
    );
  };
  for (let i = 0; i < availableParallelism(); i++) startNext();
  for (let i = 0; i < files.length; i++) {
    const outcome = await pending[i]!;
    if (signal.aborted) throw interrupted();
    yield outcome;
  }
}

async function analyzeOne(file: string, signal: AbortSignal): Promise<Outcome> {
  try {
    signal.throwIfAborted();
    const analysis = await runAnalysis({ files: [await readSong(file)] }, signal);
    // `make` takes the name as a hint as well.
    return { file, analysis: { ...analysis, content: contentOf({ name: basename(file), analysis }) } };
  } catch (error) {
    return { file, error: toCliError(error) };
  }
}

function jsonOf(outcome: Outcome): object {
  if ('analysis' in outcome) return outcome;
  const { code, message, hint } = outcome.error;
  return { file: outcome.file, error: { code, message, hint } };
}

function printOutcome(outcome: Outcome): void {
  if ('error' in outcome) {
    process.stderr.write(`${sanitize(`${outcome.file}: ${errorLine(outcome.error)}`)}\n`);
    return;
  }
  print(pc.bold(outcome.file));
  for (const line of analysisLines(outcome.analysis)) print(`  ${line}`);
  print();
}

/** Shows how many files are done, in a terminal. The results go to the standard output, so this goes to the other one. */
function showProgress(count: number): { advance: () => void; clear: () => void; end: () => void } {
  if (!process.stderr.isTTY) return { advance: () => {}, clear: () => {}, end: () => {} };
  const startedAt = Date.now();
  const write = createLogUpdate(process.stderr);
  let done = 0;
  const redraw = (): void => {
    const seconds = (Date.now() - startedAt) / 1000;
    write(pc.dim(`Analysing: ${done} of ${count} ${count === 1 ? 'file' : 'files'} done, ${duration(seconds)}`));
  };
  const timer = setInterval(redraw, REDRAW_MS);
  redraw();
  return {
    advance: () => void done++,
    clear: () => write.clear(),
    end: () => {
      clearInterval(timer);
      write.clear();
      write.done();
    },
  };
}
