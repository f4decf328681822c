/** `mashup replay`, `retry`, `cancel`, `start-draft`: the operator's verbs on one job. */
import type { Command } from 'commander';
import type postgres from 'postgres';
import { REPLAY_STAGES } from '../../schema.ts';
import type { JobStatus, Stage } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { findJobId, withDatabase } from '../operator.ts';
import { paintStatus, print } from '../output.ts';

interface JobAfter {
  id: string;
  stage: Stage;
  status: JobStatus;
  epoch: number;
}

/** Adds the commands to the program. */
export function addVerbs(program: Command): void {
  program
    .command('replay')
    .description('run a job again from a stage')
    .argument('<id>', "the job's id, or its first eight letters")
    .requiredOption('--from <stage>', `one of ${REPLAY_STAGES.join(', ')}`)
    .option('--fresh', 'work analyses and stems out anew')
    .action((id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { from: string; fresh?: boolean }>();
      return act(
        options,
        id,
        (sql, job) =>
          sql<JobAfter[]>`
            select id, stage, status, epoch from mashup.replay(${job}, ${options.from}, fresh => ${options.fresh ?? false})`,
      );
    });
  program
    .command('retry')
    .description('resume a failed or cancelled job where it stopped')
    .argument('<id>', "the job's id, or its first eight letters")
    .action((id: string, _options: unknown, command: Command) =>
      act(
        command.optsWithGlobals<StackOptions>(),
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.retry(${job})`,
      ),
    );
  program
    .command('cancel')
    .description('stop a job; workers abort within a second')
    .argument('<id>', "the job's id, or its first eight letters")
    .action((id: string, _options: unknown, command: Command) =>
      act(
        command.optsWithGlobals<StackOptions>(),
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.cancel(${job})`,
      ),
    );
  program
    .command('start-draft')
    .description('let a draft, which waits for its user after analysis and scoring, go on to planning')
    .argument('<id>', "the job's id, or its first eight letters")
    .action((id: string, _options: unknown, command: Command) =>
      act(
        command.optsWithGlobals<StackOptions>(),
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.start(${job})`,
      ),
    );
}

async function act(
  options: StackOptions,
  id: string,
  verb: (sql: postgres.Sql, jobId: string) => Promise<JobAfter[]>,
): Promise<void> {
  await withDatabase(options, async (sql) => {
    const [job] = await verb(sql, await findJobId(sql, id));
    if (job !== undefined) print(`${job.id}  ${paintStatus(job.status, job.stage)}  epoch ${job.epoch}`);
  });
}
