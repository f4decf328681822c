/** The worker's log: one line per message, as JSON or as text. */
import { redact } from './redact.ts';

export type LogLevel = 'info' | 'warn' | 'error';
export type LogFields = Record<string, string | number | boolean | null | undefined>;
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

/** Creates a log that passes its lines to `write`. Messages and fields are redacted. */
export function createLog(format: 'json' | 'text', write: (line: string) => void): Log {
  return (level, message, fields = {}) => {
    const clean: LogFields = {};
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) clean[name] = typeof value === 'string' ? redact(value) : value;
    }
    const time = new Date().toISOString();
    if (format === 'json') {
      write(JSON.stringify({ time, level, service: 'worker', message: redact(message), ...clean }));
      return;
    }
    const details = Object.entries(clean).map(([name, value]) => `${name}=${String(value)}`);
    write([time, level.padEnd(5), redact(message), ...details].join(' '));
  };
}
