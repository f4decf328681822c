/** Joins FLAC files that follow one another to one file, without decoding them (RFC 9639). Runs in Node and in browsers. */
import { AudioError } from '../errors.ts';
import { flacCrc16, flacCrc8 } from '../decode/flac-frames.ts';
import { type SplitFlac, splitFlac } from '../decode/flac-split.ts';
import { FLAC_HEAD_BYTES, patchFlacHead } from './flac-file.ts';
import { concatBytes } from './tags.ts';

/** Bytes of a frame before its number. */
const FIXED_BYTES = 4;
const CHECKSUM_BYTES = 2;
/** Places in a file's head: the sizes of its smallest and largest frame, and the checksum of its samples. Zeros: not known. */
const FRAME_SIZES = { from: 12, to: 18 };
const MD5 = { from: 26, to: FLAC_HEAD_BYTES };
/** A head with no metadata behind the stream info: that block is marked as the last. */
const LAST_BLOCK = 0x80;

/**
 * Joins files with equal formats. All frames but the last one must have the same number of samples.
 * @throws AudioError `audio_damaged`, also if the files cannot be joined
 */
export function joinFlac(files: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = files.map((bytes) => ({ bytes, ...splitFlac(bytes) }));
  const [first] = parts;
  if (!first) throw new AudioError('audio_damaged', 'There are no files to join.');
  const block = first.frames[0]?.samples ?? 0;
  const frames = parts.flatMap((part) => part.frames.map((place) => ({ place, bytes: part.bytes })));
  const isEven = frames.every(({ place }, i) => place.samples === block || i === frames.length - 1);
  if (!isEven || !parts.every((part) => isSameFormat(part, first))) {
    throw new AudioError('audio_damaged', 'These FLAC files cannot be joined: their formats or blocks differ.');
  }
  const head = first.bytes.slice(0, FLAC_HEAD_BYTES);
  head[FIXED_BYTES] = head[FIXED_BYTES]! | LAST_BLOCK;
  head.fill(0, FRAME_SIZES.from, FRAME_SIZES.to);
  head.fill(0, MD5.from, MD5.to);
  patchFlacHead(head, { frames: frames.reduce((sum, { place }) => sum + place.samples, 0), md5: undefined });
  return concatBytes([head, ...frames.map(({ place, bytes }, number) => renumber(bytes, place, number))]);
}

const isSameFormat = (a: SplitFlac, b: SplitFlac): boolean =>
  a.sampleRate === b.sampleRate && a.channels === b.channels && a.bits === b.bits;

/** Copies a frame with another number. Both of its checksums follow from it. */
function renumber(bytes: Uint8Array, { start, end }: { start: number; end: number }, number: number): Uint8Array {
  const numberEnd = start + FIXED_BYTES + numberBytes(bytes[start + FIXED_BYTES]!);
  const coded = codeNumber(number);
  const headEnd = headerEnd(bytes, start, numberEnd);
  const frame = concatBytes([
    bytes.subarray(start, start + FIXED_BYTES),
    coded,
    bytes.subarray(numberEnd, end - CHECKSUM_BYTES),
    new Uint8Array(CHECKSUM_BYTES),
  ]);
  const checksumAt = headEnd - numberEnd + FIXED_BYTES + coded.length;
  frame[checksumAt] = flacCrc8(frame, 0, checksumAt);
  const crc = flacCrc16(frame, 0, frame.length - CHECKSUM_BYTES);
  frame[frame.length - 2] = crc >> 8;
  frame[frame.length - 1] = crc & 0xff;
  return frame;
}

/** Bytes of a coded number: as many as its first byte has leading ones. */
const numberBytes = (firstByte: number): number => Math.max(1, Math.clz32(~(firstByte << 24)));

/** Index of the checksum of a header: behind the block size and sample rate, if they are written there. */
function headerEnd(bytes: Uint8Array, start: number, numberEnd: number): number {
  const blockCode = bytes[start + 2]! >> 4;
  const rateCode = bytes[start + 2]! & 15;
  const blockBytes = blockCode === 6 ? 1 : blockCode === 7 ? 2 : 0;
  const rateBytes = rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0;
  return numberEnd + blockBytes + rateBytes;
}

/** Codes a number of up to 31 bits as FLAC does: as UTF-8 codes a character. */
function codeNumber(number: number): Uint8Array {
  if (number < 0x80) return Uint8Array.of(number);
  let count = 2;
  while (number >= 2 ** (5 * count + 1)) count++;
  const bytes = new Uint8Array(count);
  let rest = number;
  for (let i = count - 1; i > 0; i--) {
    bytes[i] = 0x80 | (rest & 0x3f);
    rest = Math.floor(rest / 64);
  }
  bytes[0] = ((0xff << (8 - count)) & 0xff) | rest;
  return bytes;
}
