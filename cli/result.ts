/** Prints the result of `make`. */
import pc from 'picocolors';
import type { JobResult, MashupJob } from '@mashup-engine/client';
import { displayKeyWithCamelot } from '../music/theory/keys.ts';
import { describeWish } from '../music/wishes/wish-texts.ts';
import { EXIT_FAULTS } from './errors.ts';
import { clock, print, printJson, table, truncate } from './output.ts';
import type { PlanOutcome } from './plan-outcome.ts';

/** Code of a warning about a failed hard quality check. */
const CHECK_FAILED = 'quality_check_failed';

/** Whether a mashup was delivered although a hard quality check failed. */
function hasFaults({ result, warnings }: MashupJob): boolean {
  return result?.quality?.passed === false || warnings.some(({ code }) => code === CHECK_FAILED);
}

/** Returns the exit code of `make` for a mashup that was delivered. */
export function exitCodeOf(job: MashupJob, isStrict: boolean): number {
  return isStrict && hasFaults(job) ? EXIT_FAULTS : 0;
}

/** A result with the names that rows and JSON output have. */
function resultLine({ durationSec, loudnessLufs, truePeakDbtp, ...others }: JobResult): object {
  return { duration_sec: durationSec, loudness_lufs: loudnessLufs, true_peak_dbtp: truePeakDbtp, ...others };
}

/** Prints the result as a line of JSON. `path`: its file; null if it was not downloaded. */
export function printResultLine(job: MashupJob, path: string | null, { changes, wishes }: PlanOutcome): void {
  printJson({
    type: 'result',
    job_id: job.id,
    out: path,
    title: job.title,
    concept: job.concept,
    score: job.score,
    ...(job.result && resultLine(job.result)),
    changes,
    wishes,
    warnings: job.warnings,
    songs: job.songs.map(({ songId, name, warnings = [] }) => ({ song_id: songId, name, warnings })),
  });
}

/** Prints the result as text: the mashup, what was done of the words of its user, what failed, what else its user has to know. */
export function printResult(job: MashupJob, path: string | null, outcome: PlanOutcome): void {
  for (const line of resultLines(job, path, outcome)) print(line === '' ? '' : `  ${line}`);
}

/** Returns the lines of `printResult`. */
export function resultLines(job: MashupJob, path: string | null, outcome: PlanOutcome): string[] {
  const result = job.result ?? undefined;
  const facts: [string, string | null | undefined][] = [
    ['Tempo', result && `${result.bpm.toFixed(1)} bpm`],
    ['Key', result && displayKeyWithCamelot(result.key)],
    ['Length', result && clock(result.durationSec)],
    ['Loudness', result && `${result.loudnessLufs.toFixed(1)} LUFS, true peak ${result.truePeakDbtp.toFixed(1)} dBTP`],
    ['Separation', separationText(job)],
    ['File', path],
  ];
  const rows = facts.flatMap(([name, value]) => (value ? [[pc.dim(name), value]] : []));
  return [
    '',
    pc.bold(job.title ?? 'Your mashup'),
    ...(job.concept === null ? [] : [truncate(job.concept, 300)]),
    '',
    ...table(rows),
    ...outcomeLines(job, outcome),
    ...warningLines(job),
    ...(hasFaults(job)
      ? ['', pc.red('The mashup is delivered with warnings: it fails quality checks of its sound.')]
      : []),
  ];
}

/** Returns a line for each wish that is done (`✓`), and what differs from the version before. What is not done is in the warnings. */
function outcomeLines({ parentId, songs }: MashupJob, { changes, wishes }: PlanOutcome): string[] {
  const names = songs.map(({ songId, name }) => ({ song_id: songId, name }));
  const failed = new Set(wishes?.not_done?.map(({ index }) => index));
  // Without `not_done` it is not known which wishes the sentences of `cannot` are about.
  const isKnown = wishes !== null && (wishes.not_done !== undefined || wishes.cannot.length === 0);
  const done = isKnown ? wishes.understood.filter((_, index) => !failed.has(index)) : [];
  return [
    ...done.map((wish) => pc.green(`✓ Done: ${describeWish(wish, names)}`)),
    ...(parentId === null || changes === null ? [] : [`Changed in this version: ${changes}`]),
  ];
}

/** Returns what separated the songs: once if it is the same for all; undefined if it is not known. */
function separationText({ result, songs }: MashupJob): string | undefined {
  const separated = songs.flatMap(({ songId, name }) => {
    const { model, method } = result?.separation?.[songId] ?? {};
    return model === undefined ? [] : [{ name, text: method === 'own' ? 'stems of your own' : `${model} (${method})` }];
  });
  if (new Set(separated.map(({ text }) => text)).size === 1) return separated[0]!.text;
  return separated.map(({ name, text }) => `${truncate(name, 30)}: ${text}`).join(', ') || undefined;
}

/** Returns a line for each failed check (`✗`), each other warning (`!`) and each peculiarity of a song (`!`). */
export function warningLines({ warnings, songs }: Pick<MashupJob, 'warnings' | 'songs'>): string[] {
  return [
    ...warnings.map(({ code, message }) =>
      code === CHECK_FAILED ? pc.red(`✗ ${message}`) : pc.yellow(`! ${message}`),
    ),
    ...songs.flatMap(({ name, warnings: ofSong = [] }) =>
      ofSong.map((warning) => pc.yellow(`! ${truncate(name, 40)}: ${warning}`)),
    ),
  ];
}
