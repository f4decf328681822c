/** What goes to the terminal: aligned tables, quiet colours, durations in words. */
import pc from 'picocolors';
import type { JobStatus } from '../schema.ts';

/** Everything that moves a cursor, rings a bell or retitles a window; colours stay. */
const STEERING = /\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;

/** A text that shows and does nothing else: names of songs come from strangers. */
export function harmless(text: string): string {
  return text.replace(STEERING, '');
}

/** Prints one line of human output. */
export function print(line = ''): void {
  process.stdout.write(`${harmless(line)}\n`);
}

/** Prints one line of JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Rows of text as lines, each column as wide as its widest cell. Colours do not count. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell))));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - visibleLength(cell))))
      .join('  ')
      .trimEnd(),
  );
}

/** A table under a dim heading. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const line of table([heading.map((cell) => pc.dim(cell)), ...rows])) print(line);
}

function visibleLength(text: string): number {
  return [...text.replace(/\x1b\[[0-9;]*m/g, '')].length;
}

/** `4 s`, `3 min 4 s`, `2 h 3 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `0:45`, `3:04`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A status in its colour. */
export function paintStatus(status: JobStatus, text: string): string {
  const paint = { processing: pc.cyan, complete: pc.green, failed: pc.red, cancelled: pc.yellow }[status];
  return paint(text);
}

/** Text cut to a width, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join('')}…`;
}
