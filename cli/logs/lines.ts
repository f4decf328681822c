/** Log lines as text and JSON. */
import pc from 'picocolors';
import { print, printJson } from '../output.ts';

/** A line of a log. */
export interface LogLine {
  /** ISO 8601. */
  at: string;
  /** The service or the kind of task that wrote it. */
  source: string;
  level: string;
  text: string;
  /** Further members of the line. */
  fields: Record<string, unknown>;
}

/** Widths of the longest usual source and level. */
const SOURCE_WIDTH = 12;
const LEVEL_WIDTH = 5;
/** Members that say nothing to a reader of one log, or are shown elsewhere. */
const HIDDEN_FIELDS = new Set(['trace_id', 'span_id', 'claim', 'service', 'worker', 'kind']);
const PAINTS: Record<string, (text: string) => string> = {
  debug: pc.dim,
  warn: pc.yellow,
  error: pc.red,
  fatal: pc.red,
};

/** Prints a line. */
export function printLog(line: LogLine, asJson: boolean): void {
  if (asJson) printJson({ type: 'log', ...line });
  else print(logText(line));
}

/** Returns a line as text: time of day, source, level, text, and members as `name=value`. */
export function logText({ at, source, level, text, fields }: LogLine): string {
  const paint = PAINTS[level] ?? ((plain: string) => plain);
  const members = Object.entries(fields).flatMap(([name, value]) =>
    HIDDEN_FIELDS.has(name) || value === null || value === '' ? [] : `${name}=${memberText(value)}`,
  );
  return [
    pc.dim(new Date(at).toISOString().slice(11, 23)),
    source.padEnd(SOURCE_WIDTH),
    paint(level.padEnd(LEVEL_WIDTH)),
    paint(text.replace(/\s*\n\s*/g, ' ')),
    pc.dim(members.join(' ')),
  ]
    .join(' ')
    .trimEnd();
}

const memberText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
