/** Analyses the bytes of a file. */
import { readSong } from '../../audio/decode/read-song.ts';
import type { SongAnalysis } from '../../schema.ts';
import { analyzeStream } from './analyze.ts';

/**
 * Decodes and analyses a file in any supported format. What is peculiar about the file and its rhythm is told in `warnings`.
 * @throws AudioError for every file that cannot be used
 */
export async function analyzeFile(bytes: Uint8Array): Promise<SongAnalysis> {
  const { result, warnings } = await readSong(bytes, analyzeStream);
  const all = [...warnings, ...(result.warnings ?? [])];
  return all.length > 0 ? { ...result, warnings: all } : result;
}
