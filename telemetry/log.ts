/** Structured log of the worker and the services: one line of JSON a message (pino), or a line of text for terminals. */
import { pino } from 'pino';
import { traceFields } from './trace.ts';

export type LogLevel = 'info' | 'warn' | 'error';
export type LogFields = Record<string, string | number | boolean | null | undefined>;
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

export interface LogOptions {
  /** Member `service` of each line. */
  service: string;
  format: 'json' | 'text';
  /** Removes secrets from messages and from fields that are texts. */
  clean: (text: string) => string;
  write: (line: string) => void;
}

/** Creates a log. Lines that are written within a trace name it: `trace_id` and `span_id`. */
export function createLogger({ service, format, clean, write }: LogOptions): Log {
  const logger = pino(
    {
      base: { service },
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      mixin: traceFields,
    },
    { write: (line: string) => write(format === 'json' ? line.trimEnd() : toText(line)) },
  );
  return (level, message, fields = {}) => {
    const cleaned: LogFields = {};
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) cleaned[name] = typeof value === 'string' ? clean(value) : value;
    }
    logger[level](cleaned, clean(message));
  };
}

function toText(line: string): string {
  const { time, level, message, service: _service, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const details = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return [time, String(level).padEnd(5), message, ...details].join(' ');
}

/**
 * Lets this process go on when nobody reads its output any more. Otherwise each line would be an error of its own: it ends the process,
 * or is logged as the next line, without end.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
