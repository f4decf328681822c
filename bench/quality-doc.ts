/** The tables of mashups in docs/audio-quality.md, between its two marks. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A markdown table of rows of equal keys. */
function markdown(rows: Record<string, string | number>[]): string {
  const keys = Object.keys(rows[0] ?? {});
  const line = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(keys), line(keys.map(() => '---')), ...rows.map((row) => line(keys.map((key) => row[key]!)))].join('\n');
}

/** Replaces a table of docs/audio-quality.md, between the marks of that name. */
export async function writeQualityDoc(
  docs: string,
  rows: Record<string, string | number>[],
  mark: string,
): Promise<void> {
  const path = join(docs, 'audio-quality.md');
  const text = await readFile(path, 'utf8');
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/audio-quality.md has no marks for ${mark}`);
  await writeFile(path, `${before}${begin}\n\n${markdown(rows)}\n\n${end}${after}`);
}
