/** Detection of containers and codecs by content. File names are ignored. No decoder is loaded. */
import { findFrameChain } from './mp3-frames.ts';
import { codecOf } from './ogg-links.ts';
import { hasText, isAiff, isMp4, isWav } from './signatures.ts';
import { leadingTagsLength } from './tags.ts';
import { unsupportedKind } from './unsupported.ts';

/** The formats that can be decoded. */
export const AUDIO_FORMATS = [
  ...(['mp3', 'wav', 'aiff', 'flac'] as const),
  ...(['ogg-flac', 'ogg-vorbis', 'ogg-opus', 'm4a', 'aac'] as const),
] as const;
/** Container and codec of a decodable file. */
export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** File types that are told apart before decoding. `unknown` may be audio: only a decoder can tell. */
export type FileType =
  | 'wav'
  | 'mp3'
  | 'flac'
  | 'ogg'
  | 'm4a'
  | 'aac'
  | 'aiff'
  | 'wma'
  | 'webm'
  | 'text'
  | 'picture'
  | 'document'
  | 'empty'
  | 'unknown';

/** First bytes of a file that `detectFileType` needs. */
export const FILE_TYPE_BYTES = 512;

/** MP3 files may carry junk before the first frame. The search for a frame ends after this many bytes. */
const MP3_SEARCH_BYTES = 512 * 1024;

const NOT_AUDIO: ReadonlySet<FileType> = new Set(['text', 'picture', 'document', 'empty']);

const TYPE_OF_FORMAT: Record<AudioFormat, FileType> = {
  mp3: 'mp3',
  wav: 'wav',
  aiff: 'aiff',
  flac: 'flac',
  'ogg-flac': 'ogg',
  'ogg-vorbis': 'ogg',
  'ogg-opus': 'ogg',
  m4a: 'm4a',
  aac: 'aac',
};

/** Signatures at the start of a file. They are checked in this order, before any search for audio frames. */
const SIGNATURES: readonly (readonly [text: string, type: FileType])[] = [
  ['FORM', 'aiff'],
  ['\x1a\x45\xdf\xa3', 'webm'],
  ['\x30\x26\xb2\x75', 'wma'],
  ['\x89PNG', 'picture'],
  ['GIF8', 'picture'],
  ['\xff\xd8\xff', 'picture'],
  ['%PDF', 'document'],
  ['PK\x03\x04', 'document'],
  ['\xd0\xcf\x11\xe0', 'document'],
];

/** True for two ADTS headers in a row at `offset` (ISO/IEC 13818-7, 6.2). */
function isAdts(bytes: Uint8Array, offset: number): boolean {
  for (let frame = 0; frame < 2; frame++) {
    if (offset + 7 > bytes.length) return false;
    if (bytes[offset] !== 0xff || (bytes[offset + 1]! & 0xf6) !== 0xf0) return false;
    const length = ((bytes[offset + 3]! & 3) << 11) | (bytes[offset + 4]! << 3) | (bytes[offset + 5]! >> 5);
    if (length < 7) return false;
    offset += length;
  }
  return true;
}

/** The format of the first stream of sound: films and files with a skeleton have other streams before it. */
function detectOgg(bytes: Uint8Array, start: number): AudioFormat | null {
  let at = start;
  while (hasText(bytes, at, 'OggS') && at + 27 < bytes.length && (bytes[at + 5]! & 2) !== 0) {
    const lacing = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!);
    const body = at + 27 + lacing.length;
    const end = lacing.reduce((sum, length) => sum + length, body);
    const codec = codecOf(bytes.subarray(body, end));
    if (codec !== null) return `ogg-${codec}`;
    at = end;
  }
  return null;
}

/**
 * Detects the format of a file by its content. Tags before it are skipped.
 * @param bytes the whole file, or at least its tags and first frames
 * @returns null for a file that cannot be decoded
 */
export function detectFormat(bytes: Uint8Array): AudioFormat | null {
  const start = leadingTagsLength(bytes);
  if (isWav(bytes, start)) return 'wav';
  if (isAiff(bytes, start)) return 'aiff';
  if (isMp4(bytes, start)) return 'm4a';
  if (hasText(bytes, start, 'fLaC')) return 'flac';
  if (hasText(bytes, start, 'OggS')) return detectOgg(bytes, start);
  if (isAdts(bytes, start)) return 'aac';
  // Other formats may contain frames of MP3.
  if (unsupportedKind(bytes) !== undefined) return null;
  if (findFrameChain(bytes, start, start + MP3_SEARCH_BYTES) !== null) return 'mp3';
  return null;
}

/**
 * Detects the type of a file by its first bytes. Unlike `detectFormat` it names files that are not audio, and it accepts
 * a single MPEG or ADTS frame header, because `FILE_TYPE_BYTES` rarely hold several frames.
 * @param bytes the first `FILE_TYPE_BYTES` of the file or more; the whole of a shorter file
 */
export function detectFileType(bytes: Uint8Array): FileType {
  if (bytes.length === 0) return 'empty';
  if (hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP')) return 'picture';
  const known = SIGNATURES.find(([text]) => hasText(bytes, 0, text));
  if (known) return known[1];
  const format = detectFormat(bytes);
  return format === null ? detectByFirstBytes(bytes) : TYPE_OF_FORMAT[format];
}

/** False for file types that hold no audio. */
export function isAudioType(type: FileType): boolean {
  return !NOT_AUDIO.has(type);
}

/** The type of a file in which `detectFormat` finds no decodable format. */
function detectByFirstBytes(bytes: Uint8Array): FileType {
  if (hasText(bytes, 0, 'OggS')) return 'ogg';
  if (hasText(bytes, 0, 'ID3')) return 'mp3';
  const [first = 0, second = 0] = bytes;
  // ADTS has layer bits 00 where MPEG audio has the layer.
  if (first === 0xff && (second & 0xf6) === 0xf0) return 'aac';
  if (first === 0xff && (second & 0xe0) === 0xe0) return 'mp3';
  return isText(bytes.subarray(0, FILE_TYPE_BYTES)) ? 'text' : 'unknown';
}

/** True if every byte is printable, white space, or part of a UTF-8 character. */
function isText(head: Uint8Array): boolean {
  for (const byte of head) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
    if (byte === 0x7f) return false;
  }
  // The last character may be cut: it has up to four bytes.
  return !new TextDecoder().decode(head.subarray(0, Math.max(1, head.length - 3))).includes('\ufffd');
}
