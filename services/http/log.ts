/** Log lines of the services. */
import type { ServiceName } from '../../schema.ts';
import { scrubText } from './scrub.ts';

/** Writes an error to stderr as one line of JSON, without secrets and paths of this machine. */
export function logError(service: ServiceName, error: unknown): void {
  const text = scrubText(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  process.stderr.write(`${JSON.stringify({ level: 'error', service, error: text })}\n`);
}
