/** The title tag of a file: ID3v2, Vorbis comments, RIFF INFO, AIFF, MP4. */
import { BoxReader } from './mp4-boxes.ts';
import { id3v2Length, leadingTagsLength } from './tags.ts';
import { findOggLinks, readPackets } from './ogg-links.ts';
import { readOggPages } from './ogg-pages.ts';
import { hasText, isAiff, isMp4, isWav } from './signatures.ts';

/** Longer titles are damage. */
const MAX_TITLE_BYTES = 1_000;
/** The comments of an Ogg file are in its second packet. */
const OGG_HEAD_BYTES = 1 << 20;
const FLAC_COMMENTS = 4;
/** Chunks of WAV and AIFF follow the type of the file. */
const FIRST_CHUNK = 12;
/** Text encodings of ID3v2 by number (ID3v2.4, 4). */
const ID3_ENCODINGS = ['latin1', 'utf-16le', 'utf-16be', 'utf-8'] as const;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Text up to the first zero, without spaces around it; null if there is none. */
function textOf(bytes: Uint8Array, encoding: (typeof ID3_ENCODINGS)[number]): string | null {
  const text = new TextDecoder(encoding).decode(bytes.subarray(0, MAX_TITLE_BYTES));
  return text.split('\0', 1)[0]!.trim() || null;
}

/** The text of a frame: its encoding, an optional byte order, the characters. */
function frameText(frame: Uint8Array): string | null {
  let encoding = ID3_ENCODINGS[frame[0] ?? 0];
  if (encoding === undefined) return null;
  if (encoding === 'utf-16le' && frame[1] === 0xfe && frame[2] === 0xff) encoding = 'utf-16be';
  return textOf(frame.subarray(1), encoding);
}

/** Undoes the scheme that keeps a tag free of the mark of MPEG frames: a zero follows each byte 255 (ID3v2.3, 5). */
const withoutStuffing = (bytes: Uint8Array): Uint8Array =>
  bytes.filter((byte, i) => byte !== 0 || i === 0 || bytes[i - 1] !== 0xff);

/** The title in an ID3v2 tag of version 2.2 to 2.4. */
function id3Title(tag: Uint8Array): string | null {
  const version = tag[3]!;
  const flags = tag[5]!;
  const body = flags & 0x80 ? withoutStuffing(tag.subarray(10)) : tag.subarray(10);
  const view = viewOf(body);
  const [id, header] = version === 2 ? ['TT2', 6] : ['TIT2', 10];
  // Lengths of version 2.4 have seven bits in a byte.
  const lengthAt = (at: number): number => {
    if (version === 2) return view.getUint32(at - 1) & 0xffffff;
    const length = view.getUint32(at);
    if (version === 3) return length;
    return ((length >> 3) & 0xfe00000) | ((length >> 2) & 0x1fc000) | ((length >> 1) & 0x3f80) | (length & 0x7f);
  };
  let at = 0;
  // The length of an extended header includes itself in version 2.4 only.
  if (version > 2 && flags & 0x40 && body.length >= 4) at = lengthAt(0) + (version === 3 ? 4 : 0);
  while (at + header <= body.length && body[at] !== 0) {
    const end = at + header + lengthAt(at + id.length);
    if (hasText(body, at, id)) return frameText(body.subarray(at + header, end));
    at = end;
  }
  return null;
}

/** The title in Vorbis comments: the vendor, then `NAME=value` entries, each behind its length. */
function commentTitle(bytes: Uint8Array): string | null {
  const view = viewOf(bytes);
  if (bytes.length < 8) return null;
  let at = 4 + view.getUint32(0, true) + 4;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at, true);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 10));
    if (name.toUpperCase() === 'TITLE=') return textOf(bytes.subarray(at + 10, end), 'utf-8');
    at = end;
  }
  return null;
}

/** The title in the metadata blocks of FLAC, from the first block on. */
function flacTitle(bytes: Uint8Array, from: number): string | null {
  const view = viewOf(bytes);
  for (let at = from; at + 4 <= bytes.length;) {
    const end = at + 4 + (view.getUint32(at) & 0xffffff);
    if ((bytes[at]! & 0x7f) === FLAC_COMMENTS) return commentTitle(bytes.subarray(at + 4, end));
    if (bytes[at]! & 0x80) return null;
    at = end;
  }
  return null;
}

function oggTitle(bytes: Uint8Array): string | null {
  const link = findOggLinks(readOggPages(bytes.subarray(0, OGG_HEAD_BYTES)))[0];
  if (!link) return null;
  const header = { vorbis: 7, opus: 8, flac: 4 }[link.codec];
  let packets = 0;
  for (const page of readPackets(link.pages)) {
    const second = page.packets[1 - packets];
    if (second) return commentTitle(second.subarray(header));
    packets += page.packets.length;
  }
  return null;
}

/** The title in the chunks of RIFF (little-endian) or AIFF (big-endian). */
function chunkTitle(bytes: Uint8Array, from: number, isLittle: boolean): string | null {
  const view = viewOf(bytes);
  for (let at = from; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, isLittle);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (hasText(bytes, at, 'INAM') || hasText(bytes, at, 'NAME')) return textOf(content, 'utf-8');
    const isTag = hasText(bytes, at, 'id3 ') || hasText(bytes, at, 'ID3 ');
    // Lists inside of lists are not read: a damaged file may have thousands.
    const isList = from === FIRST_CHUNK && hasText(bytes, at, 'LIST') && hasText(content, 0, 'INFO');
    const found = isTag ? tagTitle(content) : isList ? chunkTitle(content, 4, isLittle) : null;
    if (found !== null) return found;
    at += 8 + length + (length % 2);
  }
  return null;
}

/** The title in `ilst` (`©nam`). In `meta` boxes follow four bytes of version; old QuickTime files have none. */
function mp4Title(bytes: Uint8Array): string | null {
  const reader = new BoxReader(bytes);
  const meta = reader.find({ type: '', from: 0, to: bytes.length }, 'moov', 'udta', 'meta');
  if (!meta) return null;
  const boxes = hasText(bytes, meta.from + 4, 'hdlr') ? meta : { ...meta, from: meta.from + 4 };
  const data = reader.find(boxes, 'ilst', '\xa9nam', 'data');
  return data && textOf(bytes.subarray(data.from + 8, data.to), 'utf-8');
}

/** The title of the first of several ID3v2 tags that has one. */
function tagTitle(bytes: Uint8Array): string | null {
  let at = 0;
  for (;;) {
    const length = id3v2Length(bytes, at);
    if (length === 0) return null;
    const title = id3Title(bytes.subarray(at, at + length));
    if (title !== null) return title;
    at += length;
  }
}

/**
 * Reads the title tag of a file: ID3v2 (also in WAV and AIFF), Vorbis comments (FLAC, Ogg), `INAM` of RIFF, `NAME` of AIFF, `©nam` of
 * MP4. The sound is not read.
 * @returns null without a title, and for damaged tags
 */
export function readTitle(file: Uint8Array): string | null {
  const leading = tagTitle(file);
  if (leading !== null) return leading;
  const bytes = file.subarray(leadingTagsLength(file));
  if (hasText(bytes, 0, 'fLaC')) return flacTitle(bytes, 4);
  if (hasText(bytes, 0, 'OggS')) return oggTitle(bytes);
  if (isWav(bytes)) return chunkTitle(bytes, FIRST_CHUNK, !hasText(bytes, 0, 'RIFX'));
  if (isAiff(bytes)) return chunkTitle(bytes, FIRST_CHUNK, false);
  return isMp4(bytes) ? mp4Title(bytes) : null;
}
