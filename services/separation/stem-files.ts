/** Writes stems to temporary WAV files while they are separated. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { WAV16_HEADER_BYTES, wav16Header, writeWav16Frames } from '../../audio/encode/encode-wav.ts';
import type { StemChunk } from './block-separator.ts';

/** Path of a stem's file in `folder`. */
export function stemFile(folder: string, stem: Stem): string {
  return join(folder, `${stem}.wav`);
}

/** Path of a part of a stem in `folder`; the first part is 0. */
export function partFile(folder: string, stem: Stem, part: number): string {
  return join(folder, `${stem}.${part}.flac`);
}

/** Writes all chunks to 16-bit stereo WAV files at 44.1 kHz, one for each stem. Returns the length in frames. */
export async function writeStems(chunks: AsyncIterable<StemChunk>, folder: string): Promise<number> {
  const files = await Promise.all(STEMS.map((stem) => open(stemFile(folder, stem), 'w')));
  try {
    for (const file of files) await file.write(wav16Header(0, 2, SAMPLE_RATE));
    let frames = 0;
    for await (const chunk of chunks) {
      await Promise.all(STEMS.map((stem, i) => append(files[i]!, chunk[stem])));
      frames += chunk.vocals[0].length;
    }
    // The length is known only at the end.
    for (const file of files) await file.write(wav16Header(frames, 2, SAMPLE_RATE), 0, WAV16_HEADER_BYTES, 0);
    return frames;
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

async function append(file: FileHandle, channels: readonly Float32Array[]): Promise<void> {
  const samples = new Int16Array(channels[0]!.length * channels.length);
  writeWav16Frames(samples, 0, channels);
  await file.write(new Uint8Array(samples.buffer));
}
