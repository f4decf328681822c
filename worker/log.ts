/** The worker's log: one line per message, as JSON or as text, without secrets. */
import { createLogger } from '../telemetry/log.ts';
import type { Log } from '../telemetry/log.ts';
import { redact } from './redact.ts';

export type { Log, LogFields } from '../telemetry/log.ts';

/** Creates a log that passes its lines to `write`. Messages and fields are redacted. */
export function createLog(format: 'json' | 'text', write: (line: string) => void): Log {
  return createLogger({ service: 'worker', format, clean: (text) => redact(text), write });
}
