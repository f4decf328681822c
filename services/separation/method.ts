/** How the separation splits a song into blocks, and what separates a block. */
import type { StereoChunk } from '../../audio/decode/decode.ts';
import type { StemChunk } from './block-separator.ts';

/** Separates blocks of up to one length. Its result is overwritten by the next call. */
export interface BlockSeparation {
  /** Returns stems of the length of the block, at 44.1 kHz. */
  separate(block: StereoChunk): StemChunk | Promise<StemChunk>;
  /** Releases the memory. It must not be used afterwards. */
  free(): void;
}

/** A method of separation. Lengths are in samples at 44.1 kHz. */
export interface SeparationMethod {
  /** Model that is stored with the stems. It changes if equal songs give other stems. */
  readonly model: string;
  /** Length of the cross-fade between consecutive blocks, less than half of a block. */
  readonly overlap: number;
  /** Least length of the sound before, and after, a part of a song that is separated with it. */
  readonly context: number;
  /** Parts of songs start and end at multiples of this, in seconds: shorter steps give more pieces, longer ones separate more than is needed. */
  readonly gridSec: number;
  /** Time that the separation of sound of a length takes, in a unit of the method. */
  costOf(samples: number): number;
  /** The longest sound that costs as much as `samples` samples. */
  lengthFor(samples: number): number;
  /** Length of the blocks for sound of a length; without it for any length. */
  blockLength(samples?: number): number;
  /** Allocates a separation for blocks of up to `block` samples. */
  open(block: number): Promise<BlockSeparation>;
}
