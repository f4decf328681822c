/** Splits a FLAC file into its frames without decoding them (RFC 9639), e.g. to put them into another container. */
import { AudioError } from '../errors.ts';
import { findFlacFrame, flacCrc16Of, readFlacFrameHeader } from './flac-frames.ts';
import { readStreamInfo, STREAMINFO_BYTES } from './flac-stream.ts';

/** A frame of a file: its place in bytes, and its samples of one channel. */
export type FlacFramePlace = { start: number; end: number; samples: number };

/** A FLAC file as its description and its frames. */
export type SplitFlac = {
  sampleRate: number;
  channels: number;
  bits: number;
  /** The bytes of STREAMINFO. */
  streamInfo: Uint8Array<ArrayBuffer>;
  frames: FlacFramePlace[];
};

const MARK = 0x66_4c_61_43; // fLaC
const BLOCK_HEADER_BYTES = 4;
/** Bytes of the checksum behind a frame. */
const CHECKSUM_BYTES = 2;

/**
 * Splits a FLAC file. A frame ends where the checksum of its bytes holds and either the next frame header or the end follows.
 * @throws AudioError `audio_damaged` if any byte behind the metadata belongs to no intact frame, `audio_truncated`
 */
export function splitFlac(bytes: Uint8Array): SplitFlac {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < BLOCK_HEADER_BYTES || view.getUint32(0) !== MARK) {
    throw new AudioError('audio_damaged', 'This is no FLAC file.');
  }
  const info = readStreamInfo(bytes, 2 * BLOCK_HEADER_BYTES);
  const streamInfo = bytes.slice(2 * BLOCK_HEADER_BYTES, 2 * BLOCK_HEADER_BYTES + STREAMINFO_BYTES);
  const frames: FlacFramePlace[] = [];
  for (let at = firstFrame(view); at < bytes.length; at = frames.at(-1)!.end) {
    const header = readFlacFrameHeader(bytes, at, info.bits);
    const end = header === null ? null : frameEnd(bytes, at, header.body, info.bits);
    if (header === null || end === null) {
      throw new AudioError('audio_damaged', 'Parts of the FLAC file are damaged.');
    }
    frames.push({ start: at, end, samples: header.samples });
  }
  return { sampleRate: info.sampleRate, channels: info.channels, bits: info.bits, streamInfo, frames };
}

/** Where the metadata blocks end. */
function firstFrame(view: DataView): number {
  let at = BLOCK_HEADER_BYTES;
  for (let isLast = false; !isLast;) {
    if (at + BLOCK_HEADER_BYTES > view.byteLength) {
      throw new AudioError('audio_truncated', 'The FLAC file ends inside its header.');
    }
    const word = view.getUint32(at);
    isLast = word >>> 31 === 1;
    at += BLOCK_HEADER_BYTES + (word & 0xffffff);
  }
  return at;
}

/** End of the frame at `start`, whose subframes start at `body`; null if there is no intact frame. */
function frameEnd(bytes: Uint8Array, start: number, body: number, streamBits: number): number | null {
  let crc = 0;
  let checked = start;
  for (let from = body; ;) {
    const end = findFlacFrame(bytes, from);
    // The checksum continues from one candidate to the next, so that each byte is read once.
    if (end - CHECKSUM_BYTES >= body) {
      crc = flacCrc16Of(crc, bytes, checked, end - CHECKSUM_BYTES);
      checked = end - CHECKSUM_BYTES;
      const isIntact = crc === ((bytes[end - 2]! << 8) | bytes[end - 1]!);
      if (isIntact && (end === bytes.length || readFlacFrameHeader(bytes, end, streamBits) !== null)) return end;
    }
    if (end >= bytes.length) return null;
    from = end + 1;
  }
}
