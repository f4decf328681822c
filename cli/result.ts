/** Prints the result of `make`. */
import pc from 'picocolors';
import type { JobResult, MashupJob } from '@mashup-engine/client';
import { keyWithCamelot } from '../music/theory/key-text.ts';
import { clock, print, printJson, table, truncate } from './output.ts';

/** Code of a warning about a failed hard quality check. */
const CHECK_FAILED = 'quality_check_failed';

/** Whether a mashup was delivered although a hard quality check failed. */
export function hasFaults({ result, warnings }: MashupJob): boolean {
  return result?.quality?.passed === false || warnings.some(({ code }) => code === CHECK_FAILED);
}

/** A result with the names that rows and JSON output have. */
function resultLine({ durationSec, loudnessLufs, truePeakDbtp, ...others }: JobResult): object {
  return { duration_sec: durationSec, loudness_lufs: loudnessLufs, true_peak_dbtp: truePeakDbtp, ...others };
}

/** Prints the result as a line of JSON. */
export function printResultLine(job: MashupJob, path: string): void {
  printJson({
    type: 'result',
    job_id: job.id,
    out: path,
    title: job.title,
    concept: job.concept,
    score: job.score,
    ...(job.result && resultLine(job.result)),
    warnings: job.warnings,
    songs: job.songs.map(({ songId, name, warnings = [] }) => ({ song_id: songId, name, warnings })),
  });
}

/** Prints the result as text: the mashup, then what failed, then what else its user has to know. */
export function printResult(job: MashupJob, path: string): void {
  const result = job.result ?? undefined;
  print();
  print(`  ${pc.bold(job.title ?? 'Your mashup')}`);
  if (job.concept !== null) print(`  ${truncate(job.concept, 300)}`);
  print();
  const facts: [string, string | undefined][] = [
    ['Tempo', result && `${result.bpm.toFixed(1)} bpm`],
    ['Key', result && keyWithCamelot(result.key)],
    ['Length', result && clock(result.durationSec)],
    ['Loudness', result && `${result.loudnessLufs.toFixed(1)} LUFS, true peak ${result.truePeakDbtp.toFixed(1)} dBTP`],
    ['File', path],
  ];
  const rows = facts.flatMap(([name, value]) => (value ? [[pc.dim(`  ${name}`), value]] : []));
  for (const line of table(rows)) print(line);
  for (const line of warningLines(job)) print(`  ${line}`);
  if (!hasFaults(job)) return;
  print();
  print(pc.red('  The mashup is delivered with warnings: it fails quality checks of its sound.'));
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
