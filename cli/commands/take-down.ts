/** `mashup take-down`: ends the public life of a mashup, or of its public link only. */
import type { Command } from 'commander';
import type postgres from 'postgres';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { ID_HELP } from '../job-id.ts';
import { findJobId } from '../operator.ts';
import { runAction } from './job-actions.ts';
import type { JobAfter } from './job-actions.ts';

interface TakeDownOptions extends StackOptions {
  reason?: string;
  lift?: boolean;
  link?: boolean;
}

/** Adds the command to the program. */
export function addTakeDown(program: Command): void {
  program
    .command('take-down')
    .description('delete the files of a mashup and keep it from running again; its user reads the reason')
    .argument('<id>', `${ID_HELP}; with --link also the public link`)
    .option('--reason <text>', 'why, as its user reads it')
    .option('--lift', 'let it run again; its file stays deleted. With --link: let it be shared again, by a new link')
    .option('--link', 'end only the public link; the mashup stays')
    .action((id: string, _options: unknown, command: Command) => {
      const { reason, lift, link, ...options } = command.optsWithGlobals<TakeDownOptions>();
      if (reason === undefined && lift !== true) {
        throw new CliError('no_reason', 'A take-down needs a reason.', 'Give it: --reason "…".', EXIT_USAGE);
      }
      const run = (sql: postgres.Sql, what: string): Promise<JobAfter[]> => {
        if (lift === true) return (link === true ? liftLink : liftMashup)(sql, what);
        return (link === true ? takeLinkDown : takeMashupDown)(sql, what, reason ?? '');
      };
      return runAction(options, id, run, link === true ? findShare : findJobId);
    });
}

/** A link, its token, or the id of its job. A token is longer than the beginning of an id, and has other characters. */
function findShare(sql: postgres.Sql, text: string): Promise<string> {
  return text.includes('/') || /^[\w-]{24}$/.test(text) ? Promise.resolve(text) : findJobId(sql, text);
}

const takeMashupDown = (sql: postgres.Sql, job: string, reason: string): Promise<JobAfter[]> =>
  sql<JobAfter[]>`select id, stage, status, epoch from mashup.take_down(${job}, ${reason})`;

const liftMashup = (sql: postgres.Sql, job: string): Promise<JobAfter[]> =>
  sql<JobAfter[]>`select id, stage, status, epoch from mashup.lift_take_down(${job})`;

const takeLinkDown = (sql: postgres.Sql, share: string, reason: string): Promise<JobAfter[]> =>
  sql<JobAfter[]>`select id, stage, status, epoch from mashup.take_down_share(${share}, ${reason})`;

const liftLink = (sql: postgres.Sql, share: string): Promise<JobAfter[]> =>
  sql<JobAfter[]>`select id, stage, status, epoch from mashup.lift_share_take_down(${share})`;
