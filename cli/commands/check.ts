/** `mashup check`: measures a file, and compares it with the plan of its job. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { OutputFormat, Plan, QualityCheck, QualityReport } from '../../schema.ts';
import { analyzeSong } from '../../services/analysis/analyze.ts';
import { decodeAudio, type DecodedAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { check, passesHardChecks } from '../../services/processing/quality/checks.ts';
import { heardKeyDistance } from '../../services/processing/measure/heard-key.ts';
import { measureFile } from '../../services/processing/measure/file.ts';
import { checkFile } from '../../services/processing/quality/check-file.ts';
import { sectionBpm } from '../../music/plan/bars.ts';
import { tempoChange } from '../../music/theory/tempo.ts';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_FAILURE, EXIT_USAGE } from '../errors.ts';
import { findJobId, withDatabase } from '../operator.ts';
import { print, printJson, printTable } from '../output.ts';

/** Largest file that is checked: more than ten minutes of 24-bit stereo. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

interface CheckOptions extends StackOptions {
  job?: string;
  json?: boolean;
}

/** Plan and result of a job. */
interface JobResult {
  plan: Plan;
  format: OutputFormat | undefined;
  /** The key that the job states. */
  key: string;
  /** Checks of the layers, measured during rendering. They cannot be measured on the file. */
  stored: QualityReport | undefined;
}

/** Adds the command to the program. */
export function addCheck(program: Command): void {
  program
    .command('check')
    .description('measure a mashup: loudness, peaks, gaps, clicks, length, format, tempo')
    .argument('<file>', 'the file')
    .option('--job <id>', 'compare with the plan of this job, and show the checks of its layers')
    .option('--json', 'as JSON')
    .action(async (file: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CheckOptions>();
      const expected = options.job === undefined ? undefined : await readJob(options, options.job);
      const audio = await decode(file);
      const checks = await checksOf(audio, expected);
      const passed = passesHardChecks(checks);
      if (options.json === true) printJson({ file: basename(file), passed, checks });
      else printChecks(checks, passed);
      if (!passed) process.exitCode = EXIT_FAILURE;
    });
}

async function decode(file: string): Promise<DecodedAudio> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new CliError('file_unreadable', `${file} cannot be read.`, 'Check the path.', EXIT_USAGE, { cause });
  }
  return decodeAudio(bytes, { limits: { minSec: 0, maxBytes: MAX_FILE_BYTES } });
}

function readJob(options: CheckOptions, text: string): Promise<JobResult> {
  return withDatabase(options, async (sql) => {
    const id = await findJobId(sql, text);
    const [row] = await sql<
      { plan: Plan; quality: { format?: OutputFormat; key?: string; quality?: QualityReport } | null }[]
    >`
      select p.plan, r.quality from public.mashup_jobs j
      join public.mashup_plans p on p.job_id = j.id and p.version = j.plan_version
      left join public.mashup_results r on r.job_id = j.id and r.path = j.result_path
      where j.id = ${id}`;
    if (row === undefined) {
      throw new CliError('no_plan', `Job ${text} has no plan yet.`, 'Wait until it is rendered: `mashup show`.');
    }
    return {
      plan: row.plan,
      format: row.quality?.format,
      key: row.quality?.key ?? 'N/A',
      stored: row.quality?.quality,
    };
  });
}

/** Returns the checks of the file. With a job also checks against its plan, and the checks of its layers. */
async function checksOf({ channels, format }: DecodedAudio, expected: JobResult | undefined): Promise<QualityCheck[]> {
  const timeline = expected?.plan.masterplan.timeline ?? [];
  const starts = timeline.slice(1).map((section) => section.time_start_sec);
  const sound = measureFile(channels, SAMPLE_RATE, starts);
  const length = timeline.reduce((end, part) => Math.max(end, part.time_start_sec + part.duration_sec), 0);
  const own = checkFile(sound, format, {
    ...(expected ? { durationSec: length } : {}),
    ...(expected?.format ? { format: expected.format } : {}),
  });
  const music = expected ? await checkMusic(channels, expected) : [];
  const measured = new Set([...own, ...music].map(({ name }) => name));
  return [...(expected?.stored?.checks ?? []).filter(({ name }) => !measured.has(name)), ...own, ...music];
}

/** Returns the checks of key and tempo against those that the analysis hears. */
async function checkMusic(channels: DecodedAudio['channels'], { plan, key }: JobResult): Promise<QualityCheck[]> {
  const { harmonic, rhythmic } = await analyzeSong(channels);
  const { global, timeline } = plan.masterplan;
  // In a mashup with two tempi the analysis detects one of them.
  const changes = timeline.map((section) => tempoChange(rhythmic.bpm, sectionBpm(global, section)));
  return [check('heard_key', heardKeyDistance([key], harmonic)), check('tempo', 100 * Math.min(...changes))];
}

function printChecks(checks: readonly QualityCheck[], passed: boolean): void {
  printTable(
    ['', 'check', 'value', 'threshold', 'unit'],
    checks.map(({ name, value, threshold, bound, unit, passed: isGood, kind }) => [
      isGood ? pc.green('✓') : kind === 'hard' ? pc.red('✗') : pc.yellow('!'),
      name.replaceAll('_', ' '),
      value === null ? pc.dim('-') : String(value),
      `${bound === 'at_most' ? '≤' : '≥'} ${threshold}`,
      pc.dim(unit),
    ]),
  );
  print(passed ? pc.green('The mashup passes.') : pc.red('The mashup does not pass.'));
}
