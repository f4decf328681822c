/** `mashup bulk`: an operation on all jobs that a filter selects, after a preview that is confirmed. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type postgres from 'postgres';
import { CIRCUITS, REPLAY_STAGES, STAGES } from '../../schema.ts';
import { confirm, confirmNumber } from '../confirm.ts';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { choice, choiceArgument, instant, numeric } from '../options.ts';
import { duration, print, printTable } from '../output.ts';

const BATCH = 100;
const PREVIEW = 20;
const OPERATIONS = ['replay', 'retry', 'cancel'];
/** From this number of jobs, or of users, the number has to be typed, as on the operator's page. */
const TYPED_FROM_JOBS = 20;
const TYPED_FROM_USERS = 2;

/** The members of `mashup.check_job_filter` that options give. */
const FILTERS = ['stage', 'error', 'stopped', 'user', 'service', 'text', 'hours', 'since', 'until'] as const;
type Filter = Partial<Record<(typeof FILTERS)[number], string | number>>;

interface BulkOptions extends StackOptions, Filter {
  from?: string;
  yes?: boolean;
}

interface Preview {
  jobs: number;
  users: number;
  by_stage: { stage: string; jobs: number }[];
  by_user: { user_id: string; email: string | null; jobs: number }[];
  first: { id: string; stage: string; error_code: string | null; email: string | null; age_sec: number }[];
  /** ISO 8601. */
  server_now: string;
}

/** Adds the command to the program. */
export function addBulk(program: Command): void {
  program
    .command('bulk')
    .description('replay, retry or cancel the jobs that filters select; asks first')
    .addArgument(choiceArgument('<operation>', 'what is done with each job', OPERATIONS))
    .addOption(
      choice('--stage <stage>', 'jobs in this stage; live and ended stand for several', [...STAGES, 'live', 'ended']),
    )
    .option('--error <code>', 'jobs that failed with this code')
    .addOption(choice('--stopped <stage>', 'jobs that failed or were cancelled in this stage', REPLAY_STAGES))
    .option('--user <id>', 'jobs of this user, by id or e-mail')
    .addOption(choice('--service <name>', 'jobs that wait for this service, run on it, or failed by it', CIRCUITS))
    .option('--text <words>', 'jobs with these words in the title, songs, artists or error')
    .addOption(numeric('--hours <n>', 'jobs that ended, or were created, in the last hours', { above: 0 }))
    .addOption(instant('--since <time>', 'jobs that ended, or were created, at or after this time'))
    .addOption(instant('--until <time>', 'jobs that ended, or were created, at or before this time'))
    .addOption(choice('--from <stage>', 'replay: the stage to replay from', REPLAY_STAGES))
    .option('--yes', 'run the operation without asking')
    .action(async (operation: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<BulkOptions>();
      const filter = readFilter(operation, options);
      await withDatabase(options, async (sql) => {
        const preview = await readPreview(sql, filter);
        printPreview(preview);
        if (preview.jobs === 0 || !(await isConfirmed(operation, options, preview))) return;
        // Jobs that match only later were not shown.
        await run(sql, operation, { ...filter, until: filter.until ?? preview.server_now }, options.from);
      });
    });
}

/** @throws CliError `bad_option` without a filter, and for a replay without a stage */
function readFilter(operation: string, options: BulkOptions): Filter {
  const refuse = (message: string, hint: string): CliError => new CliError('bad_option', message, hint, EXIT_USAGE);
  if (operation === 'replay' && options.from === undefined) {
    throw refuse('A bulk replay needs a stage.', 'Add --from <stage>.');
  }
  const filter: Filter = {};
  for (const name of FILTERS) {
    const value = options[name];
    if (value === undefined) continue;
    if (String(value).trim() === '') throw refuse(`--${name} is empty.`, 'Correct it, or leave it out.');
    filter[name] = value;
  }
  if (Object.keys(filter).every((name) => name === 'until')) {
    throw refuse(
      'A filter is needed.',
      'Add --stage, --error, --stopped, --user, --service, --text, --hours or --since.',
    );
  }
  return filter;
}

async function readPreview(sql: postgres.Sql, filter: Filter): Promise<Preview> {
  const [row] = await sql<{ preview: Preview }[]>`
    with p as (select mashup.preview_jobs(${sql.json(filter as postgres.JSONValue)}, ${PREVIEW}) as preview)
    select preview || jsonb_build_object('first', (
      select coalesce(jsonb_agg(f || jsonb_build_object('age_sec', extract(epoch from mashup.now() - (f ->> 'created_at')::timestamptz)) order by n), '[]')
      from jsonb_array_elements(preview -> 'first') with ordinality as j (f, n))) as preview
    from p`;
  if (!row) throw new Error('preview_jobs returned no row');
  return row.preview;
}

const countText = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;

function printPreview({ jobs, users, by_stage, by_user, first }: Preview): void {
  if (jobs === 0) return print('The filter selects no job.');
  printTable(
    ['id', 'stage', 'error', 'user', 'age'],
    first.map((job) => [job.id, job.stage, job.error_code ?? '', job.email ?? '', pc.dim(duration(job.age_sec))]),
  );
  if (jobs > first.length) print(pc.dim(`… and ${jobs - first.length} more`));
  print();
  print(
    `${countText(jobs, 'job')} of ${countText(users, 'user')}: ${by_stage.map((row) => `${row.stage} ${row.jobs}`).join(', ')}.`,
  );
  if (users < TYPED_FROM_USERS) return;
  const others = users - by_user.length;
  const named = by_user.map((row) => `${row.email ?? row.user_id} ${row.jobs}`).join(', ');
  print(`By user: ${named}${others > 0 ? `, and ${countText(others, 'more user')}` : ''}.`);
}

/** Returns whether the operation is to run: with `--yes`, or by the answer in a terminal. */
async function isConfirmed(operation: string, options: BulkOptions, { jobs, users }: Preview): Promise<boolean> {
  if (options.yes === true) return true;
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const question = `${operation} ${countText(jobs, 'job')}`;
    const { signal } = new AbortController();
    const isTyped = jobs >= TYPED_FROM_JOBS || users >= TYPED_FROM_USERS;
    const answer = isTyped ? await confirmNumber(question, jobs, signal) : await confirm(`${question}?`, signal);
    if (answer) return true;
    print('Nothing was changed.');
    return false;
  }
  print(`Nothing was changed. Add --yes to ${operation} ${jobs === 1 ? 'it' : 'them'}.`);
  return false;
}

async function run(sql: postgres.Sql, operation: string, filter: Filter, from: string | undefined): Promise<void> {
  let after: string | null = null;
  let done = 0;
  const refused: string[][] = [];
  for (;;) {
    const batch: { job_id: string; outcome: string; message: string | null }[] = await sql`
      select job_id, outcome, message
      from mashup.bulk(${operation}, p_to_stage => ${from ?? null}, p_limit => ${BATCH}, p_after => ${after}, p_filter => ${sql.json(filter as postgres.JSONValue)})`;
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
