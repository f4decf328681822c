/** `mashup take-down`: ends the public life of a mashup. */
import type { Command } from 'commander';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { ID_HELP } from '../job-id.ts';
import { runAction } from './job-actions.ts';
import type { JobAfter } from './job-actions.ts';

/** Adds the command to the program. */
export function addTakeDown(program: Command): void {
  program
    .command('take-down')
    .description('delete the files of a mashup and keep it from running again; its user reads the reason')
    .argument('<id>', ID_HELP)
    .option('--reason <text>', 'why, as its user reads it')
    .option('--lift', 'let it run again; its file stays deleted')
    .action((id: string, _options: unknown, command: Command) => {
      const { reason, lift, ...options } = command.optsWithGlobals<
        StackOptions & { reason?: string; lift?: boolean }
      >();
      if (lift === true) {
        return runAction(
          options,
          id,
          (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.lift_take_down(${job})`,
        );
      }
      if (reason === undefined) {
        throw new CliError('no_reason', 'A take-down needs a reason.', 'Give it: --reason "…".', EXIT_USAGE);
      }
      return runAction(
        options,
        id,
        (sql, job) => sql<JobAfter[]>`select id, stage, status, epoch from mashup.take_down(${job}, ${reason})`,
      );
    });
}
