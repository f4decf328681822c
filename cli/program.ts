/** The program of the command line: its global options, and how it ends. */
import { existsSync, readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { setting } from './environment.ts';
import { CliError, errorLine, EXIT_USAGE, toCliError } from './errors.ts';
import { printJson } from './output.ts';

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_000) return port;
  throw new CliError('bad_option', `--port-base ${text} is not a port.`, 'Give a number like 55320.', EXIT_USAGE);
}

/** Heading of what is no work: help. */
const OTHER = 'Other:';
const EXAMPLES = `
Examples:
  mashup start                                   the studio in the browser
  mashup make one.mp3 two.mp3                    a mashup in the terminal
  mashup feedback last "more bass, and shorter"  another version of the newest one
  mashup <command> --help                        all options of a command`;

/** Version of the package: its manifest is in the folder above that of this file, or above the compiled files. */
function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const file = new URL(path, import.meta.url);
    if (!existsSync(file)) continue;
    // The compiled files have a manifest of their own, which says that they are modules.
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
    if (version !== undefined) return version;
  }
  return 'unknown';
}

/** Creates the program without commands. */
export function createProgram(): Command {
  return new Command('mashup')
    .description('Makes a mashup of two or three songs.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print the help of the program, or of a command')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .helpOption(false)
        .description('print the help of a command')
        .helpGroup(OTHER),
    )
    .addHelpText('after', EXAMPLES)
    .option('--data-dir <dir>', 'data directory of the local stack (default: .mashup, or MASHUP_DATA_DIR)')
    .option('--port-base <port>', 'first port of the local stack (default: 54320)', parsePort)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showHelpAfterError(false);
}

/** Converts an error of Commander. */
function fromCommander(error: CommanderError, program: Command): CliError {
  const message = error.message.replace(/^error: /, '').replace(/^./, (letter) => letter.toUpperCase());
  const command = program.commands.find((one) => one.name() === program.args[0]);
  const help = command === undefined ? 'mashup --help' : `mashup ${command.name()} --help`;
  return new CliError('usage', message, `See \`${help}\`.`, EXIT_USAGE);
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
    process.exit(report(thrown, program));
  }
}

/** Prints an error. Returns the exit code. */
function report(thrown: unknown, program: Command): number {
  const error = thrown instanceof CommanderError ? fromCommander(thrown, program) : toCliError(thrown);
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
