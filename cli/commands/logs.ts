/** `mashup logs`: log lines of a job's tasks, or of the local stack's processes. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { dataPaths, PARTS } from '../../local/index.ts';
import { untilInterrupted } from '../../local/interrupt.ts';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { ID_HELP, parseJobId } from '../job-id.ts';
import { printLog } from '../logs/lines.ts';
import { StackLogs } from '../logs/stack-lines.ts';
import { taskLines } from '../logs/task-lines.ts';
import { findJobId, withDatabase } from '../operator.ts';
import { choice, numeric } from '../options.ts';

const DEFAULT_LINES = 50;
const MAX_LINES = 10_000;

interface LogsOptions extends StackOptions {
  follow?: boolean;
  of?: string;
  lines: number;
  json?: boolean;
}

/** Adds the command to the program. */
export function addLogs(program: Command): void {
  program
    .command('logs')
    .description("print the log lines of a job's tasks; without an id those of the local stack")
    .argument('[id]', ID_HELP)
    .option('-f, --follow', 'print new lines as they come, until Ctrl-C')
    .addOption(choice('--of <process>', 'without an id: only the log of this process of the stack', PARTS))
    .addOption(
      numeric('--lines <n>', 'without an id: how many of the last lines', {
        min: 0,
        max: MAX_LINES,
        isWhole: true,
      }).default(DEFAULT_LINES),
    )
    .option('--json', 'one JSON line for each log line')
    .action((id: string | undefined, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<LogsOptions>();
      return untilInterrupted((signal) =>
        id === undefined ? printStackLogs(options, signal) : printTaskLogs(id, options, signal),
      );
    });
}

async function printTaskLogs(id: string, options: LogsOptions, signal: AbortSignal): Promise<void> {
  parseJobId(id);
  if (options.of !== undefined)
    throw new CliError('bad_option', '--of is for the logs of the stack.', 'Leave out the id, or --of.', EXIT_USAGE);
  await withDatabase(options, async (sql) => {
    const jobId = await findJobId(sql, id);
    for await (const line of taskLines(sql, jobId, { follow: options.follow === true, signal }))
      printLog(line, options.json === true);
  });
}

async function printStackLogs(options: LogsOptions, signal: AbortSignal): Promise<void> {
  const { home, logs: folder } = dataPaths(options.dataDir);
  if (!existsSync(folder)) {
    throw new CliError(
      'no_logs',
      `There are no logs of a local stack in ${home}.`,
      'Give the id of a job for the lines of its tasks, or name the data directory with --data-dir.',
    );
  }
  const logs = new StackLogs(folder, options.of);
  const lines = await logs.read();
  for (const line of options.lines === 0 ? [] : lines.slice(-options.lines)) printLog(line, options.json === true);
  if (options.follow === true) for await (const line of logs.follow(signal)) printLog(line, options.json === true);
}
