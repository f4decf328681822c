/** Base of every error of the local stack: `code` for programs, `hint` for the person who reads it. */
export class LocalStackError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
  }
}

/** What listens on a port, as far as this user may see it. */
export interface PortHolder {
  pid: number;
  command: string;
}

/** A port that a part of the stack needs is in use by something else. */
export class PortTakenError extends LocalStackError {
  readonly port: number;
  readonly holder: PortHolder | undefined;

  constructor(port: number, purpose: string, holder: PortHolder | undefined, hint: string) {
    const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`;
    super('port_taken', `port ${port}, needed for ${purpose}, is in use by ${who}`, hint);
    this.port = port;
    this.holder = holder;
  }
}

/** The embedded Postgres is missing, cannot run here, or did not come up. */
export class PostgresStartError extends LocalStackError {}

/** A stack on the same data directory is running already. */
export class AlreadyRunningError extends LocalStackError {
  readonly pid: number;
  readonly apiUrl: string;
  readonly dbUrl: string;

  constructor(running: { pid: number; apiUrl: string; dbUrl: string }) {
    super(
      'already_running',
      `the stack is running already (process ${running.pid}): API ${running.apiUrl}, database ${redactUrl(running.dbUrl)}`,
      'Use the running one, stop it with Ctrl-C or `kill`, or start a second copy with --data-dir and --port-base.',
    );
    this.pid = running.pid;
    this.apiUrl = running.apiUrl;
    this.dbUrl = running.dbUrl;
  }
}

/** A part of the stack did not come up in its time, or kept dying while it started. */
export class PartFailedError extends LocalStackError {
  readonly part: string;

  constructor(part: string, message: string, hint: string, cause?: unknown) {
    super('part_failed', `${part}: ${message}`, hint, cause);
    this.part = part;
  }
}

/** A database URL without its password and query string, fit for a message. */
export function redactUrl(url: string): string {
  try {
    const parsed = new URL(url);
    return `${parsed.protocol}//${parsed.username}@${parsed.host}${parsed.pathname}`;
  } catch {
    return '(not a URL)';
  }
}
