/** A song whose analysis came without a beat grid, heard from its stems. */
import type { SongAnalysis } from '../../../schema.ts';
import { analyzeSong } from '../../analysis/analyze.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { readStem, type StemPlace } from '../sound/stem.ts';

export type HeardSong = {
  duration_sec: number;
  /** Null where the sound is no music that a grid could be found in. */
  analysis: SongAnalysis | null;
};

/**
 * Sums the stems of a song and analyses the sum.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function listenToSong(places: readonly StemPlace[]): Promise<HeardSong> {
  const pieces: { at: number; chunk: [Float32Array, Float32Array] }[] = [];
  let frames = 0;
  for (const place of places) {
    await readStem(place, (chunk, at) => {
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
