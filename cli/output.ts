/** Terminal output: tables, colours, durations, JSON lines. */
import pc from 'picocolors';
import type { JobStatus } from '../schema.ts';

/** Control characters and escape sequences, except those of colours. */
const CONTROL = /\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;

/** Removes control sequences from a text, except colours: names of songs are untrusted. */
export function sanitize(text: string): string {
  return text.replace(CONTROL, '');
}

/** Prints a line of text. */
export function print(line = ''): void {
  process.stdout.write(`${sanitize(line)}\n`);
}

/** Prints a value as a line of JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Formats rows as lines with aligned columns. Colours do not count for the width. */
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

/** Prints a table with a dim heading. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const line of table([heading.map((cell) => pc.dim(cell)), ...rows])) print(line);
}

function visibleLength(text: string): number {
  return [...text.replace(/\x1b\[[0-9;]*m/g, '')].length;
}

/** Formats a duration: `4 s`, `3 min 4 s`, `2 h 3 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export { clock } from '../music/plan/clock.ts';

/** Colours a text by the status. */
export function paintStatus(status: JobStatus, text: string): string {
  const paint = { processing: pc.cyan, complete: pc.green, failed: pc.red, cancelled: pc.yellow }[status];
  return paint(text);
}

/** Truncates a text to a width, with an ellipsis. */
export function truncate(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join('')}…`;
}
