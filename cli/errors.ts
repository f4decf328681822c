/** Errors of the CLI. Each is shown as one line with a message and a hint. */
import { MashupClientError } from '@mashup-engine/client';
import { EXIT_INTERRUPTED } from '../local/interrupt.ts';
import { toMashupError } from '../schema.ts';

/** Exit code for invalid arguments or files. Nothing was started. */
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

/** Converts any error. Errors of the engine's libraries have a code and a hint already. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof MashupClientError) {
    const details = error.details !== null && error.details !== error.message ? ` (${oneLine(error.details)})` : '';
    return new CliError(error.code, `${error.message}${details}`, error.hint, EXIT_FAILURE, { cause: error });
  }
  const known = toMashupError(error);
  if (known !== undefined) {
    return new CliError(known.detail || known.code, known.message, known.hint, EXIT_FAILURE, { cause: error });
  }
  if (error instanceof Error && error.name === 'AbortError') return interrupted();
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  if (error instanceof Error && typeof code === 'string' && typeof hint === 'string') {
    return new CliError(code, error.message, hint, EXIT_FAILURE, { cause: error });
  }
  const network = networkFault(error);
  if (network !== undefined) return network;
  const message = error instanceof Error ? error.message : String(error);
  return new CliError('unexpected', message, 'Set MASHUP_DEBUG=1 to see the stack trace.', EXIT_FAILURE, {
    cause: error,
  });
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
