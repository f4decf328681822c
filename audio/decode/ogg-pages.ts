/** Ogg pages (RFC 3533): reads the declared properties of a stream and checks that it is complete. */
import { opusLayout, vorbisLayout, wavLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';

/** Properties of a file by its page headers. */
export type OggSummary = {
  sampleRate: number;
  channels: number;
  layout: ChannelLayout;
  /** Samples of one channel at `sampleRate`: granule positions of the last pages, without the pre-skip. */
  declaredSamples: number;
  /** False if the file ends inside a page or without a page that ends the stream. */
  complete: boolean;
  /** Share of the bytes that belong to no page or to one with a wrong checksum, 0..1. */
  damagedRatio: number;
};

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0);
  return value >>> 0;
});

/** The page checksum, computed with its own four bytes as zero (RFC 3533, 6). */
function pageChecksum(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) {
    const byte = i >= start + 22 && i < start + 26 ? 0 : bytes[i]!;
    crc = ((crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 255]!) >>> 0;
  }
  return crc;
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

type OggHead = { sampleRate: number; channels: number; layout: ChannelLayout; preSkip: number };

/** Rate, channels and pre-skip from the first packet of a Vorbis, Opus or FLAC stream. */
function readHead(view: DataView, packet: number): OggHead {
  const tag = view.getUint8(packet);
  if (tag === 1) {
    const channels = view.getUint8(packet + 11);
    return { sampleRate: view.getUint32(packet + 12, true), channels, layout: vorbisLayout(channels), preSkip: 0 };
  }
  if (tag === 0x7f) {
    const rate = view.getUint32(packet + 27) >>> 12;
    const channels = ((view.getUint8(packet + 29) >> 1) & 7) + 1;
    return { sampleRate: rate, channels, layout: wavLayout(channels), preSkip: 0 };
  }
  const channels = view.getUint8(packet + 9);
  const layout = opusLayout(view.getUint8(packet + 18), channels);
  return { sampleRate: 48000, channels, layout, preSkip: view.getUint16(packet + 10, true) };
}

/** Reads all pages; the lengths of chained streams are added. Returns null if the first page is incomplete. */
export function summarizeOgg(bytes: Uint8Array): OggSummary | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let head: OggHead | null = null;
  let finished = 0;
  let granule = 0;
  let ended = false;
  let damaged = 0;
  let offset = 0;
  while (offset < bytes.length) {
    if (!isPage(bytes, offset)) {
      damaged++;
      offset++;
      continue;
    }
    const segments = bytes[offset + 26] ?? 0;
    let length = 27 + segments;
    for (let i = 0; i < segments; i++) length += bytes[offset + 27 + i] ?? 0;
    if (offset + length > bytes.length) {
      ended = false;
      break;
    }
    if (pageChecksum(bytes, offset, offset + length) !== view.getUint32(offset + 22, true)) damaged += length;
    const flags = bytes[offset + 5]!;
    if (flags & 2 && offset + 27 + segments + 30 <= bytes.length) {
      finished += granule;
      granule = 0;
      head ??= readHead(view, offset + 27 + segments);
    }
    const position = view.getBigInt64(offset + 6, true);
    if (position >= 0n && position < 2n ** 40n) granule = Math.max(granule, Number(position));
    ended = (flags & 4) !== 0;
    offset += length;
  }
  if (!head) return null;
  return {
    sampleRate: head.sampleRate,
    channels: head.channels,
    layout: head.layout,
    declaredSamples: Math.max(0, finished + granule - head.preSkip),
    complete: ended,
    damagedRatio: damaged / bytes.length,
  };
}
