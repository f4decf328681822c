/** Title and artist in the tags of a file: ID3v2, Vorbis comments, RIFF INFO, AIFF, MP4. */
import { BoxReader } from './mp4-boxes.ts';
import { id3v2Length, leadingTagsLength } from './tags.ts';
import { findOggLinks, readPackets } from './ogg-links.ts';
import { readOggPages } from './ogg-pages.ts';
import { hasText, isAiff, isMp4, isWav } from './signatures.ts';

/** What is read of the tags. */
type Field = 'title' | 'artist';
/** Names of the fields by kind of tag; of ID3v2 in version 2.2 and later. */
const NAMES = {
  id3v22: { title: 'TT2', artist: 'TP1' },
  id3: { title: 'TIT2', artist: 'TPE1' },
  vorbis: { title: 'TITLE=', artist: 'ARTIST=' },
  riff: { title: 'INAM', artist: 'IART' },
  aiff: { title: 'NAME', artist: 'AUTH' },
  mp4: { title: '\xa9nam', artist: '\xa9ART' },
} as const;

/** Longer texts are damage. */
const MAX_TEXT_BYTES = 1_000;
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
  const text = new TextDecoder(encoding).decode(bytes.subarray(0, MAX_TEXT_BYTES));
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

/** The field in an ID3v2 tag of version 2.2 to 2.4. */
function readId3(tag: Uint8Array, field: Field): string | null {
  const version = tag[3]!;
  const flags = tag[5]!;
  const body = flags & 0x80 ? withoutStuffing(tag.subarray(10)) : tag.subarray(10);
  const view = viewOf(body);
  const [id, header] = version === 2 ? [NAMES.id3v22[field], 6] : [NAMES.id3[field], 10];
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

/** The field in Vorbis comments: the vendor, then `NAME=value` entries, each behind its length. */
function readComments(bytes: Uint8Array, field: Field): string | null {
  const view = viewOf(bytes);
  if (bytes.length < 8) return null;
  let at = 4 + view.getUint32(0, true) + 4;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at, true);
    const from = at + 4 + NAMES.vorbis[field].length;
    const name = String.fromCharCode(...bytes.subarray(at + 4, from));
    if (name.toUpperCase() === NAMES.vorbis[field]) return textOf(bytes.subarray(from, end), 'utf-8');
    at = end;
  }
  return null;
}

/** The field in the metadata blocks of FLAC, from the first block on. */
function readFlac(bytes: Uint8Array, from: number, field: Field): string | null {
  const view = viewOf(bytes);
  for (let at = from; at + 4 <= bytes.length;) {
    const end = at + 4 + (view.getUint32(at) & 0xffffff);
    if ((bytes[at]! & 0x7f) === FLAC_COMMENTS) return readComments(bytes.subarray(at + 4, end), field);
    if (bytes[at]! & 0x80) return null;
    at = end;
  }
  return null;
}

function readOgg(bytes: Uint8Array, field: Field): string | null {
  const link = findOggLinks(readOggPages(bytes.subarray(0, OGG_HEAD_BYTES)))[0];
  if (!link) return null;
  const header = { vorbis: 7, opus: 8, flac: 4 }[link.codec];
  let packets = 0;
  for (const page of readPackets(link.pages)) {
    const second = page.packets[1 - packets];
    if (second) return readComments(second.subarray(header), field);
    packets += page.packets.length;
  }
  return null;
}

/** The field in the chunks of RIFF (little-endian) or AIFF (big-endian). */
function readChunks(bytes: Uint8Array, from: number, isLittle: boolean, field: Field): string | null {
  const view = viewOf(bytes);
  for (let at = from; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, isLittle);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (hasText(bytes, at, NAMES.riff[field]) || hasText(bytes, at, NAMES.aiff[field])) return textOf(content, 'utf-8');
    const isTag = hasText(bytes, at, 'id3 ') || hasText(bytes, at, 'ID3 ');
    // Lists inside of lists are not read: a damaged file may have thousands.
    const isList = from === FIRST_CHUNK && hasText(bytes, at, 'LIST') && hasText(content, 0, 'INFO');
    const found = isTag ? readFirstTag(content, field) : isList ? readChunks(content, 4, isLittle, field) : null;
    if (found !== null) return found;
    at += 8 + length + (length % 2);
  }
  return null;
}

/** The field in `ilst`. In `meta` boxes follow four bytes of version; old QuickTime files have none. */
function readMp4(bytes: Uint8Array, field: Field): string | null {
  const reader = new BoxReader(bytes);
  const meta = reader.find({ type: '', from: 0, to: bytes.length }, 'moov', 'udta', 'meta');
  if (!meta) return null;
  const boxes = hasText(bytes, meta.from + 4, 'hdlr') ? meta : { ...meta, from: meta.from + 4 };
  const data = reader.find(boxes, 'ilst', NAMES.mp4[field], 'data');
  return data && textOf(bytes.subarray(data.from + 8, data.to), 'utf-8');
}

/** The field of the first of several ID3v2 tags that has it. */
function readFirstTag(bytes: Uint8Array, field: Field): string | null {
  let at = 0;
  for (;;) {
    const length = id3v2Length(bytes, at);
    if (length === 0) return null;
    const text = readId3(bytes.subarray(at, at + length), field);
    if (text !== null) return text;
    at += length;
  }
}

function readField(file: Uint8Array, field: Field): string | null {
  const leading = readFirstTag(file, field);
  if (leading !== null) return leading;
  const bytes = file.subarray(leadingTagsLength(file));
  if (hasText(bytes, 0, 'fLaC')) return readFlac(bytes, 4, field);
  if (hasText(bytes, 0, 'OggS')) return readOgg(bytes, field);
  if (isWav(bytes)) return readChunks(bytes, FIRST_CHUNK, !hasText(bytes, 0, 'RIFX'), field);
  if (isAiff(bytes)) return readChunks(bytes, FIRST_CHUNK, false, field);
  return isMp4(bytes) ? readMp4(bytes, field) : null;
}

/**
 * Reads title and artist in the tags of a file: ID3v2 (also in WAV and AIFF), Vorbis comments (FLAC, Ogg), `INAM` and `IART` of RIFF,
 * `NAME` and `AUTH` of AIFF, `©nam` and `©ART` of MP4. The sound is not read.
 * @param file all of the file, or its beginning: tags behind it are not found
 * @returns null for what the tags do not say, and for damaged tags
 */
export function readNameTags(file: Uint8Array): { title: string | null; artist: string | null } {
  return { title: readField(file, 'title'), artist: readField(file, 'artist') };
}
