/** The sum of the stems of a song. */
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';

/** Stems may be short excerpts. */
const LIMITS = { minSec: 1 };

/**
 * Adds files that start together, in any supported format. Memory: two decoded files.
 * @returns a WAV file as long as the longest
 * @throws AudioError
 */
export async function sumOfFiles(files: readonly Uint8Array[]): Promise<Uint8Array> {
  let sum: StereoChunk = [new Float32Array(0), new Float32Array(0)];
  for (const file of files) {
    const { channels } = await decodeAudio(file, { limits: LIMITS });
    const [longer, shorter] = channels[0].length > sum[0].length ? [channels, sum] : [sum, channels];
    for (const c of [0, 1] as const)
      for (let i = 0; i < shorter[c].length; i++) longer[c][i] = longer[c][i]! + shorter[c][i]!;
    sum = longer;
  }
  return encodeWav16(sum, SAMPLE_RATE);
}
