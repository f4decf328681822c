/** `mashup bulk`: a verb over the jobs that a filter selects; without --yes it only says which. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type postgres from 'postgres';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { duration, print, printTable } from '../output.ts';

const BATCH = 100;
const PREVIEW = 20;
const VERBS = ['replay', 'retry', 'cancel'];

interface BulkOptions extends StackOptions {
  stage?: string;
  error?: string;
  stopped?: string;
  user?: string;
  hours?: number;
  from?: string;
  yes?: boolean;
}

/** Adds the command to the program. */
export function addBulk(program: Command): void {
  program
    .command('bulk')
    .description('replay, retry or cancel the jobs that a filter selects; shows them first')
    .argument('<verb>', VERBS.join(', '))
    .option('--stage <stage>', 'jobs in this stage')
    .option('--error <code>', 'jobs that failed with this code')
    .option('--stopped <stage>', 'jobs that failed or were cancelled in this stage')
    .option('--user <id>', 'jobs of this user')
    .option('--hours <n>', 'jobs that ended, or began, in the last hours', Number)
    .option('--from <stage>', 'replay: the stage to replay from')
    .option('--yes', 'do it; without this the jobs are only listed')
    .action(async (verb: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<BulkOptions>();
      check(verb, options);
      await withDatabase(options, (sql) =>
        options.yes === true ? run(sql, verb, options) : preview(sql, verb, options),
      );
    });
}

function check(verb: string, options: BulkOptions): void {
  const refuse = (message: string, hint: string): CliError => new CliError('bad_option', message, hint, EXIT_USAGE);
  if (!VERBS.includes(verb)) throw refuse(`There is no bulk verb "${verb}".`, `Use ${VERBS.join(', ')}.`);
  if (verb === 'replay' && options.from === undefined) {
    throw refuse('A bulk replay needs a stage.', 'Add --from <stage>.');
  }
  const { stage, error, stopped, user, hours } = options;
  if ([stage, error, stopped, user, hours].every((filter) => filter === undefined)) {
    throw refuse('A filter is needed.', 'Add --stage, --error, --stopped, --user or --hours.');
  }
  if (hours !== undefined && !(hours > 0)) throw refuse('--hours is a positive number.', 'Correct it.');
}

function since(options: BulkOptions): Date | null {
  return options.hours === undefined ? null : new Date(Date.now() - options.hours * 3_600_000);
}

async function preview(sql: postgres.Sql, verb: string, options: BulkOptions): Promise<void> {
  const jobs = await sql<{ id: string; stage: string; error_code: string | null; age: number }[]>`
    select id, stage, error_code, extract(epoch from now() - created_at)::int as age
    from mashup.select_jobs(${options.stage ?? null}, ${options.error ?? null}, ${since(options)},
      ${options.stopped ?? null}, ${options.user ?? null}, ${PREVIEW + 1})`;
  if (jobs.length === 0) return print('The filter selects no job.');
  printTable(
    ['id', 'stage', 'error', 'age'],
    jobs.slice(0, PREVIEW).map((job) => [job.id, job.stage, job.error_code ?? '', pc.dim(duration(job.age))]),
  );
  if (jobs.length > PREVIEW) print(pc.dim('… and more'));
  print();
  print(`Nothing was changed. Add --yes to ${verb} them.`);
}

async function run(sql: postgres.Sql, verb: string, options: BulkOptions): Promise<void> {
  const from = since(options);
  let after: string | null = null;
  let done = 0;
  const refused: string[][] = [];
  for (;;) {
    const batch: { job_id: string; outcome: string; message: string | null }[] = await sql`
      select job_id, outcome, message
      from mashup.bulk(${verb}, ${options.stage ?? null}, ${options.error ?? null}, ${from}, ${options.stopped ?? null},
        ${options.user ?? null}, ${options.from ?? null}, ${BATCH}, ${after})`;
    for (const { job_id, outcome, message } of batch) {
      if (outcome === 'done') done += 1;
      else refused.push([job_id, message ?? '']);
    }
    after = batch.at(-1)?.job_id ?? null;
    if (batch.length < BATCH) break;
  }
  print(`${verb}: ${done} done, ${refused.length} refused.`);
  if (refused.length > 0) printTable(['refused', 'why'], refused);
}
