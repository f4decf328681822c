/** Tables and percentiles of results. */

/** Rows of equal keys as an aligned table; numbers to three significant places. */
export function printTable(title: string, rows: Record<string, string | number>[]): void {
  const [first] = rows;
  console.log(`\n${title}`);
  if (!first) return console.log('  (nothing measured)');
  const keys = Object.keys(first);
  const cells = rows.map((row) => keys.map((key) => format(row[key])));
  const widths = keys.map((key, i) => Math.max(key.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (values: string[]): string =>
    `  ${values.map((value, i) => (i === 0 ? value.padEnd(widths[i] ?? 0) : value.padStart(widths[i] ?? 0))).join('  ')}`;
  console.log(line(keys));
  for (const row of cells) console.log(line(row));
}

function format(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  return Number.isInteger(value) ? String(value) : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The p-th percentile (0..1) of a sample, nearest rank. NaN of an empty one. */
export function percentile(sample: readonly number[], p: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN;
}
