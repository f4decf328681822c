/** Base of all errors of the local stack: `code` for programs, `hint` for people. */
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

/** The process that listens on a port. */
export interface PortHolder {
  pid: number;
  command: string;
}

/** Another process uses a port that a part of the stack needs. */
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

/** The embedded Postgres is missing, cannot run here, or did not start. */
export class PostgresStartError extends LocalStackError {}

/** Another stack runs on the same data directory. */
export class AlreadyRunningError extends LocalStackError {
  readonly pid: number;
  readonly apiUrl: string;
  readonly dbUrl: string;

  /** @param isReady whether the other stack has started: until then it cannot be used */
  constructor(running: { pid: number; apiUrl: string; dbUrl: string }, isReady: boolean) {
    const where = `(process ${running.pid}): API ${running.apiUrl}, database ${redactUrl(running.dbUrl)}`;
    const others = 'stop it with Ctrl-C or `kill`, or start a second copy with --data-dir and --port-base.';
    super(
      'already_running',
      isReady ? `the stack is running already ${where}` : `a stack is starting or stopping here ${where}`,
      isReady ? `Use the running stack, ${others}` : `Try again when it is ready or has ended, ${others}`,
    );
    this.pid = running.pid;
    this.apiUrl = running.apiUrl;
    this.dbUrl = running.dbUrl;
  }
}

/** A part of the stack was not ready in time, or crashed repeatedly while starting. */
export class PartFailedError extends LocalStackError {
  readonly part: string;

  constructor(part: string, message: string, hint: string, cause?: unknown) {
    super('part_failed', `${part}: ${message}`, hint, cause);
    this.part = part;
  }
}

/** Returns a database URL without password and query string, for messages. */
export function redactUrl(url: string): string {
  try {
    const parsed = new URL(url);
    return `${parsed.protocol}//${parsed.username}@${parsed.host}${parsed.pathname}`;
  } catch {
    return '(not a URL)';
  }
}
