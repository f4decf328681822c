/** Writes the tables of mashups in docs/reference/quality-tables.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A Markdown table. All rows have the same keys. */
function markdown(rows: Record<string, string | number>[]): string {
  const keys = Object.keys(rows[0] ?? {});
  const line = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(keys), line(keys.map(() => '---')), ...rows.map((row) => line(keys.map((key) => row[key]!)))].join('\n');
}

/**
 * Replaces the table between the comments `<!-- mark -->` and `<!-- /mark -->` in docs/reference/quality-tables.md.
 * @throws Error if the file has no such comments
 */
export async function writeQualityDoc(
  docs: string,
  rows: Record<string, string | number>[],
  mark: string,
): Promise<void> {
  const path = join(docs, 'reference', 'quality-tables.md');
  const text = await readFile(path, 'utf8');
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/reference/quality-tables.md has no marks for ${mark}`);
  await writeFile(path, `${before}${begin}\n\n${markdown(rows)}\n\n${end}${after}`);
}
