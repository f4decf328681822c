/** Ogg pages (RFC 3533). */
import { AudioError } from '../errors.ts';

/** More pages than fifteen minutes can have: one for each 2.5 ms. */
const MAX_PAGES = 400_000;

/** A page of a file. */
export type OggPage = {
  /** Lengths of the segments of the body. */
  lacing: Uint8Array;
  body: Uint8Array;
  /** The body continues a packet of the page before. */
  isContinued: boolean;
  isFirst: boolean;
  isLast: boolean;
  /** Position at the end of the last packet that ends on the page, in samples. -1 if none ends, or if the number is absurd. */
  granule: number;
  serial: number;
  sequence: number;
};

/** All pages of a file, and what lies between them. */
export type OggFile = {
  pages: OggPage[];
  /** The file ends inside a page. */
  endsInPage: boolean;
  /** Share of the bytes that belong to no page or to one with a wrong checksum, 0..1. */
  damagedRatio: number;
};

const HEADER_BYTES = 27;
/** No song is as long: larger granule positions are damage. */
const MAX_GRANULE = 2n ** 48n;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0);
  return value >>> 0;
});

/** The page checksum, computed with its own four bytes as zero (RFC 3533, 6). */
export function pageChecksum(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    const byte = i >= start + 22 && i < start + 26 ? 0 : bytes[i]!;
    crc = (crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 255]!;
  }
  return crc >>> 0;
}

function isPage(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x4f &&
    bytes[at + 1] === 0x67 &&
    bytes[at + 2] === 0x67 &&
    bytes[at + 3] === 0x53 &&
    bytes[at + 4] === 0
  );
}

/**
 * Reads all pages of a file. Bodies are views of `bytes`.
 * @throws AudioError for a file with more pages than a song can have
 */
export function readOggPages(bytes: Uint8Array): OggFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pages: OggPage[] = [];
  let damaged = 0;
  let offset = 0;
  let endsInPage = false;
  while (offset < bytes.length) {
    if (!isPage(bytes, offset)) {
      damaged++;
      offset++;
      continue;
    }
    const lacing = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + (bytes[offset + 26] ?? 0));
    const body = offset + HEADER_BYTES + lacing.length;
    const end = lacing.reduce((sum, length) => sum + length, body);
    endsInPage = offset + HEADER_BYTES + (bytes[offset + 26] ?? 255) > bytes.length || end > bytes.length;
    if (endsInPage) break;
    if (pages.length === MAX_PAGES) throw new AudioError('audio_damaged', 'The Ogg file has too many pages.');
    if (pageChecksum(bytes, offset, end) !== view.getUint32(offset + 22, true)) damaged += end - offset;
    const flags = bytes[offset + 5]!;
    const granule = view.getBigInt64(offset + 6, true);
    pages.push({
      lacing,
      body: bytes.subarray(body, end),
      isContinued: (flags & 1) !== 0,
      isFirst: (flags & 2) !== 0,
      isLast: (flags & 4) !== 0,
      granule: granule >= 0n && granule < MAX_GRANULE ? Number(granule) : -1,
      serial: view.getUint32(offset + 14, true),
      sequence: view.getUint32(offset + 18, true),
    });
    offset = end;
  }
  return { pages, endsInPage, damagedRatio: damaged / bytes.length };
}
