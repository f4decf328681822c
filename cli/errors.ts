/** Errors of the CLI. Each is shown as one line with a message and a hint. */
import { MashupClientError } from '@mashup-engine/client';
import { EXIT_INTERRUPTED } from '../local/interrupt.ts';
import { toMashupError } from '../schema.ts';

/** Exit code for what the user has to change: arguments, files, wishes. */
export const EXIT_USAGE = 2;
/** Exit code for all other errors. */
export const EXIT_FAILURE = 1;
/** Exit code of `make --strict` for a mashup that was delivered and fails a quality check. */
export const EXIT_FAULTS = 3;

/** An error that is shown to the user. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly hint: string;
  readonly exitCode: number;

  constructor(code: string, message: string, hint: string, exitCode = EXIT_FAILURE, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** Returns the error of a command that was interrupted by Ctrl-C or a signal. */
export function interrupted(): CliError {
  return new CliError('interrupted', 'Stopped.', '', EXIT_INTERRUPTED);
}

/** Codes of errors that a request has because of its songs or its words, whoever finds them: the command, a function, a task. */
const USER_FAULTS: readonly string[] = [
  'too_few_songs',
  'too_many_songs',
  'same_song_twice',
  'own_stems_mismatch',
  'unsupported_file_type',
  'upload_too_large',
  'wish_not_understood',
  'wish_not_possible',
  'wish_changes_nothing',
];
/** The machine of the services lacks a program: no other file helps. */
const SERVICE_FAULTS: readonly string[] = ['audio_needs_ffmpeg'];

/** Errors of calls that name a job that is not there, or give a value that is not allowed. */
const REFUSED_ARGUMENTS: readonly string[] = ['job_not_found', 'invalid_request'];

/** Returns the exit code for an error of the engine: the same for a fault whether it is found early or late. */
export function exitCodeFor(code: string): number {
  const isUserFault = USER_FAULTS.includes(code) || (code.startsWith('audio_') && !SERVICE_FAULTS.includes(code));
  return isUserFault ? EXIT_USAGE : EXIT_FAILURE;
}

/** Codes of PostgREST for a function, a table or a column that the database does not have. */
const MISSING_IN_API: readonly string[] = ['PGRST202', 'PGRST205', '42703'];

/** Converts any error. Errors of the engine's libraries have a code and a hint already. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof MashupClientError && MISSING_IN_API.includes(error.code)) {
    const message = 'The database is that of an older version of the engine.';
    return new CliError('not_migrated', message, 'Run `mashup migrate`.', EXIT_FAILURE, { cause: error });
  }
  if (error instanceof MashupClientError) {
    return new CliError(error.code, withDetails(error), error.hint, exitCodeFor(error.code), { cause: error });
  }
  const known = toMashupError(error);
  if (known !== undefined) {
    const code = known.detail || known.code;
    const exitCode = REFUSED_ARGUMENTS.includes(known.code) ? EXIT_USAGE : exitCodeFor(code);
    return new CliError(code, known.message, known.hint, exitCode, { cause: error });
  }
  if (error instanceof Error && error.name === 'AbortError') return interrupted();
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  if (error instanceof Error && typeof code === 'string' && typeof hint === 'string') {
    return new CliError(code, error.message, hint, exitCodeFor(code), { cause: error });
  }
  const network = networkFault(error);
  if (network !== undefined) return network;
  const message = error instanceof Error ? error.message : String(error);
  return new CliError('unexpected', message, 'Set MASHUP_DEBUG=1 to see the stack trace.', EXIT_FAILURE, {
    cause: error,
  });
}

/** The message with the details: as a sentence of its own if they are one, otherwise in parentheses. */
function withDetails({ message, details }: MashupClientError): string {
  if (details === null || details === message) return message;
  const text = oneLine(details);
  return /^[A-Z].*[.!?]$/.test(text) ? `${message.replace(/[.!?]$/, '')}. ${text}` : `${message} (${text})`;
}

const NETWORK_CODES = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN', 'CONNECT_TIMEOUT'];

/** Finds a network error in the chain of causes. */
function networkFault(error: unknown): CliError | undefined {
  const all: unknown[] = error instanceof AggregateError ? [error, ...error.errors] : [error];
  for (let one of all) {
    for (let depth = 0; one instanceof Error && depth < 5; depth++, one = one.cause) {
      const { code, address, port } = one as NodeJS.ErrnoException & { address?: string; port?: number };
      if (code !== undefined && NETWORK_CODES.includes(code)) {
        const where = address === undefined ? 'The server' : `${address}:${port}`;
        return new CliError(
          'unreachable',
          `${where} cannot be reached (${code}).`,
          'Check that it runs: `mashup doctor`.',
          EXIT_FAILURE,
          { cause: error },
        );
      }
    }
  }
  return undefined;
}

/** Returns message and hint as one line. */
export function errorLine(error: CliError): string {
  const message = oneLine(error.message).replace(/([^.!?])$/, '$1.');
  return error.hint === '' ? message : `${message} ${oneLine(error.hint)}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
