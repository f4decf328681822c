/** Encodes a stem as FLAC, in parts of a limited size. Each part is a file of its own, and together they have the samples of the stem. */
import { open, writeFile } from 'node:fs/promises';
import { STEM_PART_RESERVE_BYTES } from '../../schema.ts';
import { openFlacWriter } from '../../audio/encode/encode-flac.ts';
import type { FlacFileWriter } from '../../audio/encode/flac-file.ts';
import { WAV16_HEADER_BYTES } from '../../audio/encode/encode-wav.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';

const CHANNELS = 2;
const FRAME_BYTES = CHANNELS * 2;
/** Frames that are read at a time. */
const PIECE_FRAMES = 16_384;
/** Level 5 takes 1.6 times as long as level 3, and its files are 6 % smaller. Level 2 is no faster to encode and decode in all. */
const COMPRESSION = 3;

/**
 * Encodes a 16-bit stereo WAV file at 44.1 kHz, as `writeStems` writes it, piece by piece.
 * @param pathOf path of part 0, 1 and so on
 * @param partBytes size of the largest part, in bytes
 * @returns the paths of the parts, in order
 */
export async function encodeParts(
  wavPath: string,
  pathOf: (part: number) => string,
  partBytes: number,
): Promise<string[]> {
  const wav = await open(wavPath, 'r');
  const paths: string[] = [];
  let writer: FlacFileWriter | undefined;
  const finishPart = async (): Promise<void> => {
    if (!writer) return;
    const path = pathOf(paths.length);
    await writeFile(path, writer.finish());
    writer.close();
    writer = undefined;
    paths.push(path);
  };
  try {
    const piece = new Uint8Array(PIECE_FRAMES * FRAME_BYTES);
    for (let at = WAV16_HEADER_BYTES; ;) {
      const { bytesRead } = await wav.read(piece, 0, piece.length, at);
      const frames = Math.floor(bytesRead / FRAME_BYTES);
      if (frames === 0) break;
      writer ??= await openFlacWriter({ sampleRate: SAMPLE_RATE, channels: CHANNELS, compression: COMPRESSION });
      writer.write(new Int32Array(new Int16Array(piece.buffer, 0, frames * CHANNELS)), frames);
      at += frames * FRAME_BYTES;
      if (writer.bytes > partBytes - STEM_PART_RESERVE_BYTES) await finishPart();
    }
    await finishPart();
    return paths;
  } finally {
    writer?.close();
    await wav.close();
  }
}
