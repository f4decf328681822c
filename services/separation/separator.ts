/** A stream of stereo sound into four streams of the same length, block by block. */
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { SAMPLE_RATE } from '../audio/decode.ts';
import type { StereoChunk } from '../audio/decode.ts';
import { RealFft } from '../audio/fft.ts';
import { maskedInverse, rootHann, stft } from '../audio/stft.ts';
import { stemMasks } from './masks.ts';

const FFT_SIZE = 4096;
const HOP = 1024;
/** Sound that is looked at together: long enough for repetition, short enough for memory (about 120 MB). */
export const BLOCK_SEC = 24;
/** Neighbouring blocks fade into each other over this long. */
export const OVERLAP_SEC = 2;

export type StemChunk = Record<Stem, StereoChunk>;

type Processor = { fft: RealFft; window: Float32Array };

function separateBlock(block: StereoChunk, { fft, window }: Processor): StemChunk {
  const left = stft(block[0], fft, window, HOP);
  const right = stft(block[1], fft, window, HOP);
  const masks = stemMasks(left, right, SAMPLE_RATE / FFT_SIZE, HOP / SAMPLE_RATE);
  const length = block[0].length;
  const render = (stem: Stem): StereoChunk => [
    maskedInverse(left, masks[stem], fft, window, HOP, length),
    maskedInverse(right, masks[stem], fft, window, HOP, length),
  ];
  return { vocals: render('vocals'), drums: render('drums'), bass: render('bass'), other: render('other') };
}

const mapStems = (map: (stem: Stem, channel: 0 | 1) => Float32Array): StemChunk =>
  Object.fromEntries(STEMS.map((stem) => [stem, [map(stem, 0), map(stem, 1)]])) as StemChunk;

function concat(a: Float32Array, b: Float32Array): Float32Array {
  const joined = new Float32Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/**
 * Separates sound at 44.1 kHz of any length. The chunks that come out have the length of the input in all, and the four
 * stems sum to it. Memory is that of one block; equal input gives equal output.
 */
export async function* separate(chunks: AsyncIterable<StereoChunk>): AsyncGenerator<StemChunk> {
  const fft = await RealFft.create(FFT_SIZE);
  const processor = { fft, window: rootHann(FFT_SIZE) };
  const blockLength = BLOCK_SEC * SAMPLE_RATE;
  const overlap = OVERLAP_SEC * SAMPLE_RATE;
  const step = blockLength - overlap;
  let buffer: StereoChunk = [new Float32Array(0), new Float32Array(0)];
  /** End of the last block, waiting to fade into the next one. */
  let tail: StemChunk | null = null;

  /**
   * Separates buffer[at, at + blockLength), of which the first `skip` samples were given out before and the `overlap`
   * samples after them are still in `tail`; keeps the block's own end back unless it is the last one.
   */
  const process = (at: number, skip: number, last: boolean): StemChunk => {
    const stems = separateBlock(
      [buffer[0].slice(at, at + blockLength), buffer[1].slice(at, at + blockLength)],
      processor,
    );
    const previous = tail;
    if (previous) {
      for (const stem of STEMS) {
        stems[stem].forEach((samples, channel) => {
          const old = previous[stem][channel]!;
          for (let i = 0; i < overlap; i++) {
            const share = (i + 0.5) / overlap;
            samples[skip + i] = samples[skip + i]! * share + old[i]! * (1 - share);
          }
        });
      }
    }
    const length = stems.vocals[0].length;
    const end = last ? length : length - overlap;
    tail = last ? null : mapStems((stem, channel) => stems[stem][channel].slice(end));
    return mapStems((stem, channel) => stems[stem][channel].subarray(skip, end));
  };

  for await (const chunk of chunks) {
    buffer = [concat(buffer[0], chunk[0]), concat(buffer[1], chunk[1])];
    // A whole step must be left behind the block, so that the last block can be a full one.
    while (buffer[0].length >= blockLength + step) {
      yield process(0, 0, false);
      buffer = [buffer[0].slice(step), buffer[1].slice(step)];
    }
  }
  const rest = buffer[0].length;
  if (rest > blockLength) {
    yield process(0, 0, false);
    yield process(rest - blockLength, blockLength - overlap - (rest - blockLength), true);
  } else if (rest > 0) {
    yield process(0, 0, true);
  }
  fft.free();
}
