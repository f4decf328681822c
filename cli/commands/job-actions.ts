/** `mashup replay`, `retry`, `cancel`, `start-draft`: operations on one job. */
import type { Command } from 'commander';
import type postgres from 'postgres';
import { REPLAY_STAGES } from '../../schema.ts';
import type { JobStatus, Stage } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { ID_HELP } from '../job-id.ts';
import { findJobId, withDatabase } from '../operator.ts';
import { choice } from '../options.ts';
import { paintStatus, print } from '../output.ts';

/** A job after an operation. */
export interface JobAfter {
  id: string;
  stage: Stage;
  status: JobStatus;
  epoch: number;
}

/** Adds the commands to the program. */
export function addJobActions(program: Command): void {
  program
    .command('replay')
    .description('run a job again from a stage')
    .argument('<id>', ID_HELP)
    .addOption(choice('--from <stage>', 'the stage to start from', REPLAY_STAGES).makeOptionMandatory())
    .option('--fresh', 'ignore cached analyses and stems')
    .action((id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { from: string; fresh?: boolean }>();
      return runAction(
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
    .argument('<id>', ID_HELP)
    .action((id: string, _options: unknown, command: Command) =>
      runAction(
        command.optsWithGlobals<StackOptions>(),
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.retry(${job})`,
      ),
    );
  program
    .command('cancel')
    .description('cancel a job; workers abort within a second')
    .argument('<id>', ID_HELP)
    .action((id: string, _options: unknown, command: Command) =>
      runAction(
        command.optsWithGlobals<StackOptions>(),
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.cancel(${job})`,
      ),
    );
  program
    .command('start-draft')
    .description('start a draft, which waits for its user after analysis and scoring')
    .argument('<id>', ID_HELP)
    .action((id: string, _options: unknown, command: Command) =>
      runAction(
        command.optsWithGlobals<StackOptions>(),
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.start(${job})`,
      ),
    );
}

/**
 * Runs an operation on the job of an id or its beginning, and prints the job.
 * @param find finds what the operation is given; by default the id of the job
 */
export async function runAction(
  options: StackOptions,
  id: string,
  action: (sql: postgres.Sql, jobId: string) => Promise<JobAfter[]>,
  find: (sql: postgres.Sql, id: string) => Promise<string> = findJobId,
): Promise<void> {
  await withDatabase(options, async (sql) => {
    const [job] = await action(sql, await find(sql, id));
    if (job !== undefined) print(`${job.id}  ${paintStatus(job.status, job.stage)}  epoch ${job.epoch}`);
  });
}
