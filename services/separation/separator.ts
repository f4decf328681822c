/** Separates a stream of stereo sound into four stems of the same length, block by block. */
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import type { StemChunk } from './block-separator.ts';
import { CLASSICAL } from './classical.ts';

const mapStems = (map: (stem: Stem, channel: 0 | 1) => Float32Array): StemChunk =>
  Object.fromEntries(STEMS.map((stem) => [stem, [map(stem, 0), map(stem, 1)]])) as StemChunk;

/** Fades from the end of the previous block to the samples of this one after `skip`. */
function fadeOver(stems: StemChunk, previous: StemChunk, skip: number, overlap: number): void {
  for (const stem of STEMS) {
    stems[stem].forEach((sound, channel) => {
      const old = previous[stem][channel]!;
      for (let i = 0; i < overlap; i++) {
        const share = (i + 0.5) / overlap;
        sound[skip + i] = sound[skip + i]! * share + old[i]! * (1 - share);
      }
    });
  }
}

/**
 * Separates sound at 44.1 kHz of any length. The total length of the chunks is that of the input, and the four stems sum to it. A chunk
 * is overwritten when the next one is requested. Memory is that of one block. Equal input gives equal output.
 * @param samples length of the sound, if it is known
 */
export async function* separate(
  chunks: AsyncIterable<StereoChunk>,
  method = CLASSICAL,
  samples?: number,
): AsyncGenerator<StemChunk> {
  const { overlap } = method;
  const block = method.blockLength(samples);
  const step = block - overlap;
  const separator = await method.open(block);
  // Holds one step in addition to a block, so that the last block can have the full length.
  const buffer: StereoChunk = [new Float32Array(block + step), new Float32Array(block + step)];
  let filled = 0;
  /** End of the previous block, for the cross-fade with the next one. */
  let tail: StemChunk | null = null;

  /**
   * Separates buffer[at, to). Its first `skip` samples were returned before; the next `overlap` samples are cross-faded with
   * `tail`. The end of the block becomes the new `tail`, unless it is the last block.
   */
  const separateBlock = async (at: number, to: number, skip: number, last: boolean): Promise<StemChunk> => {
    const stems = await separator.separate([buffer[0].subarray(at, to), buffer[1].subarray(at, to)]);
    if (tail) fadeOver(stems, tail, skip, overlap);
    const end = last ? to - at : to - at - overlap;
    tail = last ? null : mapStems((stem, channel) => stems[stem][channel].slice(end));
    return mapStems((stem, channel) => stems[stem][channel].subarray(skip, end));
  };

  try {
    for await (const chunk of chunks) {
      for (let offset = 0; offset < chunk[0].length;) {
        const count = Math.min(chunk[0].length - offset, block + step - filled);
        for (const c of [0, 1] as const) buffer[c].set(chunk[c].subarray(offset, offset + count), filled);
        filled += count;
        offset += count;
        if (filled < block + step) continue;
        yield await separateBlock(0, block, 0, false);
        for (const channel of buffer) channel.copyWithin(0, step);
        filled = block;
      }
    }
    if (filled > block) {
      yield await separateBlock(0, block, 0, false);
      yield await separateBlock(filled - block, filled, block - overlap - (filled - block), true);
    } else if (filled > 0) {
      yield await separateBlock(0, filled, 0, true);
    }
  } finally {
    separator.free();
  }
}
