/** The program of the command line: its global options, and how it ends. */
import { Command, CommanderError } from 'commander';
import { setting } from './environment.ts';
import { CliError, errorLine, EXIT_USAGE, toCliError } from './errors.ts';
import { printJson } from './output.ts';

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_000) return port;
  throw new CliError('bad_option', `--port-base ${text} is not a port.`, 'Give a number like 55320.', EXIT_USAGE);
}

/** Creates the program without commands. */
export function createProgram(): Command {
  return new Command('mashup')
    .description('Makes a mashup of two or three songs.')
    .option('--data-dir <dir>', 'data directory of the local stack (default: .mashup, or MASHUP_DATA_DIR)')
    .option('--port-base <port>', 'first port of the local stack (default: 54320)', parsePort)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showHelpAfterError(false);
}

/** Converts an error of Commander. */
function fromCommander(error: CommanderError): CliError {
  const message = error.message.replace(/^error: /, '').replace(/^./, (letter) => letter.toUpperCase());
  return new CliError('usage', message, 'See `mashup --help`, or `mashup <command> --help`.', EXIT_USAGE);
}

/** Runs the command that the arguments name, and ends the process. Each error is shown as one line with a hint. */
export async function runProgram(program: Command): Promise<void> {
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  let isPipeClosed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isPipeClosed) return;
    // A closed pipe (`| head`) is not an error. A command that stops something at a signal stops it now as well: a Postgres that it
    // has started would survive the process.
    isPipeClosed = error.code === 'EPIPE';
    if (!isPipeClosed) process.exit(1);
    if (process.listenerCount('SIGTERM') === 0) process.exit(0);
    process.emit('SIGTERM');
  });
  try {
    await program.parseAsync();
    // The command has stopped what it started; timers of libraries must not keep the process running.
    if (!process.argv.includes('worker')) process.exit();
  } catch (thrown) {
    if (isPipeClosed) process.exit(0);
    if (thrown instanceof CommanderError && thrown.exitCode === 0) process.exit(0);
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') {
      program.outputHelp();
      process.exit(0);
    }
    process.exit(report(thrown));
  }
}

/** Prints an error. Returns the exit code. */
function report(thrown: unknown): number {
  const error = thrown instanceof CommanderError ? fromCommander(thrown) : toCliError(thrown);
  if (process.argv.includes('--json')) {
    printJson({ type: 'error', error: error.message, code: error.code, hint: error.hint });
  }
  process.stderr.write(`${errorLine(error)}\n`);
  if (setting('MASHUP_DEBUG') === '1' && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack}\n`);
    if (thrown.cause !== undefined) process.stderr.write(`caused by ${String(thrown.cause)}\n`);
  }
  return error.exitCode;
}
