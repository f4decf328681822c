/** `mashup bulk`: an operation on all jobs that a filter selects. Without --yes it only lists them. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type postgres from 'postgres';
import { REPLAY_STAGES, STAGES } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { choice, choiceArgument, numeric } from '../options.ts';
import { duration, print, printTable } from '../output.ts';

const BATCH = 100;
const PREVIEW = 20;
const OPERATIONS = ['replay', 'retry', 'cancel'];

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
    .description('replay, retry or cancel the jobs that a filter selects; lists them without --yes')
    .addArgument(choiceArgument('<operation>', 'what is done with each job', OPERATIONS))
    .addOption(choice('--stage <stage>', 'jobs in this stage', STAGES))
    .option('--error <code>', 'jobs that failed with this code')
    .addOption(choice('--stopped <stage>', 'jobs that failed or were cancelled in this stage', REPLAY_STAGES))
    .option('--user <id>', 'jobs of this user')
    .addOption(numeric('--hours <n>', 'jobs that ended, or were created, in the last hours', { above: 0 }))
    .addOption(choice('--from <stage>', 'replay: the stage to replay from', REPLAY_STAGES))
    .option('--yes', 'run the operation; without it the jobs are only listed')
    .action(async (operation: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<BulkOptions>();
      check(operation, options);
      await withDatabase(options, (sql) =>
        options.yes === true ? run(sql, operation, options) : preview(sql, operation, options),
      );
    });
}

function check(operation: string, options: BulkOptions): void {
  const refuse = (message: string, hint: string): CliError => new CliError('bad_option', message, hint, EXIT_USAGE);
  if (operation === 'replay' && options.from === undefined) {
    throw refuse('A bulk replay needs a stage.', 'Add --from <stage>.');
  }
  const { stage, error, stopped, user, hours } = options;
  if ([stage, error, stopped, user, hours].every((filter) => filter === undefined)) {
    throw refuse('A filter is needed.', 'Add --stage, --error, --stopped, --user or --hours.');
  }
}

/** Returns the filter `--hours` as an expression: the database computes the time, by its own clock. */
function since(sql: postgres.Sql, options: BulkOptions): postgres.PendingQuery<postgres.Row[]> {
  const seconds = options.hours === undefined ? null : options.hours * 3_600;
  return sql`mashup.now() - make_interval(secs => ${seconds}::float8)`;
}

async function preview(sql: postgres.Sql, operation: string, options: BulkOptions): Promise<void> {
  const jobs = await sql<{ id: string; stage: string; error_code: string | null; age: number }[]>`
    select id, stage, error_code, extract(epoch from mashup.now() - created_at)::int as age
    from mashup.select_jobs(${options.stage ?? null}, ${options.error ?? null}, ${since(sql, options)},
      ${options.stopped ?? null}, ${options.user ?? null}, ${PREVIEW + 1})`;
  if (jobs.length === 0) return print('The filter selects no job.');
  printTable(
    ['id', 'stage', 'error', 'age'],
    jobs.slice(0, PREVIEW).map((job) => [job.id, job.stage, job.error_code ?? '', pc.dim(duration(job.age))]),
  );
  if (jobs.length > PREVIEW) print(pc.dim('… and more'));
  print();
  print(`Nothing was changed. Add --yes to ${operation} them.`);
}

async function run(sql: postgres.Sql, operation: string, options: BulkOptions): Promise<void> {
  const from = since(sql, options);
  let after: string | null = null;
  let done = 0;
  const refused: string[][] = [];
  for (;;) {
    const batch: { job_id: string; outcome: string; message: string | null }[] = await sql`
      select job_id, outcome, message
      from mashup.bulk(${operation}, ${options.stage ?? null}, ${options.error ?? null}, ${from}, ${options.stopped ?? null},
        ${options.user ?? null}, ${options.from ?? null}, ${BATCH}, ${after})`;
    for (const { job_id, outcome, message } of batch) {
      if (outcome === 'done') done += 1;
      else refused.push([job_id, message ?? '']);
    }
    after = batch.at(-1)?.job_id ?? null;
    if (batch.length < BATCH) break;
  }
  print(`${operation}: ${done} done, ${refused.length} refused.`);
  if (refused.length > 0) printTable(['refused', 'reason'], refused);
}
