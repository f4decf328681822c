/** Which container and codec a file is, told by its content alone. */
import { findFrameChain, id3v2Length } from './mp3-frames.ts';

export const AUDIO_FORMATS = ['mp3', 'wav', 'flac', 'ogg-flac', 'ogg-vorbis', 'ogg-opus', 'm4a', 'aac'] as const;
export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** MP3 files may carry junk before the first frame; more than this is not looked through. */
const MP3_SEARCH_BYTES = 64 * 1024;

function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

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

function detectOgg(bytes: Uint8Array, offset: number): AudioFormat | null {
  const packet = offset + 27 + (bytes[offset + 26] ?? 0);
  if (hasText(bytes, packet, '\x01vorbis')) return 'ogg-vorbis';
  if (hasText(bytes, packet, 'OpusHead')) return 'ogg-opus';
  if (hasText(bytes, packet, '\x7fFLAC')) return 'ogg-flac';
  return null;
}

/** The format of `bytes`, or null if it is none that can be decoded. A file's name plays no part. */
export function detectFormat(bytes: Uint8Array): AudioFormat | null {
  if ((hasText(bytes, 0, 'RIFF') || hasText(bytes, 0, 'RF64')) && hasText(bytes, 8, 'WAVE')) return 'wav';
  if (hasText(bytes, 4, 'ftyp')) return 'm4a';
  const start = id3v2Length(bytes);
  if (hasText(bytes, start, 'fLaC')) return 'flac';
  if (hasText(bytes, start, 'OggS')) return detectOgg(bytes, start);
  if (isAdts(bytes, start)) return 'aac';
  if (findFrameChain(bytes, start, start + MP3_SEARCH_BYTES) !== null) return 'mp3';
  return null;
}
