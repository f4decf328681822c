/** Analyses a song from its stems, for songs whose analysis came without a beat grid. */
import type { SongAnalysis } from '../../../schema.ts';
import { analyzeSong } from '../../analysis/analyze.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { readStem, type StemSource } from '../files/read-stem.ts';

export type StemAnalysis = {
  duration_sec: number;
  /** Null if the sound cannot be analysed as music. */
  analysis: SongAnalysis | null;
};

/**
 * Mixes the stems of a song and analyses the mix.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function analyzeStems(sources: readonly StemSource[]): Promise<StemAnalysis> {
  const pieces: { at: number; chunk: [Float32Array, Float32Array] }[] = [];
  let frames = 0;
  for (const source of sources) {
    await readStem(source, (chunk, at) => {
      pieces.push({ at, chunk });
      frames = Math.max(frames, at + chunk[0].length);
    });
  }
  const mix: [Float32Array, Float32Array] = [new Float32Array(frames), new Float32Array(frames)];
  for (const { at, chunk } of pieces) {
    for (const c of [0, 1] as const) for (let i = 0; i < chunk[c].length; i++) mix[c][at + i]! += chunk[c][i]!;
  }
  pieces.length = 0;
  const duration_sec = frames / SAMPLE_RATE;
  try {
    return { duration_sec, analysis: await analyzeSong(mix) };
  } catch {
    return { duration_sec, analysis: null };
  }
}
