/** Tags around the audio of a file: ID3v2 and APEv2 before it, ID3v1, APEv2, Lyrics3 and ID3v2 behind it. */
import { hasText, isMp4 } from './signatures.ts';

const ID3V1_BYTES = 128;
/** An extension of ID3v1 that precedes it. */
const ID3V1_EXTENDED_BYTES = 227;
const APE_BYTES = 32;
const APE_HAS_HEADER = 0x80;
/** Some programs pad a tag with zeros that its length does not include. */
const MAX_PADDING_BYTES = 64 * 1024;

/** Length in bytes of an ID3v2 tag at `at`, 0 if there is none (ID3v2.4, 3.1). */
export function id3v2Length(bytes: Uint8Array, at: number): number {
  if (!hasText(bytes, at, 'ID3') || at + 10 > bytes.length || bytes[at + 3] === 0xff) return 0;
  const size = bytes.subarray(at + 6, at + 10);
  if (size.some((byte) => byte >= 0x80)) return 0;
  const footer = (bytes[at + 5]! & 0x10) !== 0 ? 10 : 0;
  return 10 + ((size[0]! << 21) | (size[1]! << 14) | (size[2]! << 7) | size[3]!) + footer;
}

/** Length in bytes of an APEv2 tag that starts at `at`, 0 if there is none. Its length field excludes the header. */
function apeLength(bytes: Uint8Array, at: number): number {
  if (!hasText(bytes, at, 'APETAGEX') || at + APE_BYTES > bytes.length) return 0;
  return APE_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 12, true);
}

/**
 * Length in bytes of all tags at the start of a file: one or several ID3v2 or APEv2 tags, with the zeros behind them. It may exceed
 * the length of `bytes`, if they are only the beginning of a file.
 */
export function leadingTagsLength(bytes: Uint8Array): number {
  let at = 0;
  for (;;) {
    const length = id3v2Length(bytes, at) || apeLength(bytes, at);
    if (length === 0) return at;
    at += length;
    let audio = at;
    while (audio < at + MAX_PADDING_BYTES && bytes[audio] === 0) audio++;
    // MP4 begins with the length of a box, whose first bytes are zeros as well.
    const box = [audio - 3, audio - 2, audio - 1].find((start) => start >= at && isMp4(bytes, start));
    if (audio < at + MAX_PADDING_BYTES && audio < bytes.length) at = box ?? audio;
  }
}

/** Length in bytes of the tag that ends at `end`, 0 if there is none. */
function trailingTagLength(bytes: Uint8Array, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (end >= ID3V1_BYTES && hasText(bytes, end - ID3V1_BYTES, 'TAG')) return ID3V1_BYTES;
  if (end >= ID3V1_EXTENDED_BYTES && hasText(bytes, end - ID3V1_EXTENDED_BYTES, 'TAG+')) return ID3V1_EXTENDED_BYTES;
  if (end >= APE_BYTES && hasText(bytes, end - APE_BYTES, 'APETAGEX')) {
    const hasHeader = (bytes[end - APE_BYTES + 23]! & APE_HAS_HEADER) !== 0;
    return view.getUint32(end - APE_BYTES + 12, true) + (hasHeader ? APE_BYTES : 0);
  }
  if (end >= 15 && hasText(bytes, end - 9, 'LYRICS200')) {
    const size = Number(String.fromCharCode(...bytes.subarray(end - 15, end - 9)));
    return Number.isInteger(size) ? size + 15 : 0;
  }
  if (end >= 10 && hasText(bytes, end - 10, '3DI')) {
    const size = bytes.subarray(end - 4, end);
    return 20 + ((size[0]! << 21) | (size[1]! << 14) | (size[2]! << 7) | size[3]!);
  }
  return 0;
}

/** Where the audio ends: the first byte of the tags at the end of a file, or the length of the file. */
export function trailingTagsStart(bytes: Uint8Array): number {
  let end = bytes.length;
  for (;;) {
    const length = trailingTagLength(bytes, end);
    if (length <= 0 || length > end) return end;
    end -= length;
  }
}
