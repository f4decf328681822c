/** The table of pairs in docs/audio-quality.md, between its two marks. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PairResult } from './pairs.ts';

/** A markdown table of rows of equal keys. */
function markdown(rows: Record<string, string | number>[]): string {
  const keys = Object.keys(rows[0] ?? {});
  const line = (cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(keys), line(keys.map(() => '---')), ...rows.map((row) => line(keys.map((key) => row[key]!)))].join('\n');
}

/** Replaces the table of true or of separated stems. */
export async function writeQualityDoc(
  docs: string,
  results: readonly PairResult[],
  rowOf: (result: PairResult) => Record<string, string | number>,
  separated: boolean,
): Promise<void> {
  const path = join(docs, 'audio-quality.md');
  const text = await readFile(path, 'utf8');
  const mark = separated ? 'separated' : 'stems';
  const [begin, end] = [`<!-- pairs:${mark} -->`, `<!-- /pairs:${mark} -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/audio-quality.md has no marks for ${mark}`);
  await writeFile(path, `${before}${begin}\n\n${markdown(results.map(rowOf))}\n\n${end}${after}`);
}
