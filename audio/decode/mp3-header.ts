/** The header that encoders write into the first frame of an MP3 file. */
import { hasText } from './signatures.ts';
import type { Mp3Frame } from './mp3-frames.ts';

/** What a Xing, Info or VBRI header declares. */
export type Mp3Header = {
  /** Frames behind that of the header; null if it does not say. */
  frames: number | null;
  /** Samples at the start and at the end that the encoder added. */
  padding: number;
};

const HAS_FRAMES = 1;
/** Optional parts of the header, by their flags, and their lengths in bytes: frames, bytes, table of contents, quality. */
const PARTS = [4, 4, 100, 4] as const;
/** Where delay and padding are in the extension of LAME, which other encoders write as well. */
const DELAY_AT = 21;

/**
 * Reads the header in the frame at `offset`.
 * @returns null if the frame holds sound
 */
export function readMp3Header(bytes: Uint8Array, offset: number, frame: Mp3Frame): Mp3Header | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const side = frame.version === 1 ? (frame.channels === 1 ? 17 : 32) : frame.channels === 1 ? 9 : 17;
  const xing = offset + 4 + side;
  if (hasText(bytes, xing, 'Xing') || hasText(bytes, xing, 'Info')) {
    if (xing + 12 > bytes.length) return { frames: null, padding: 0 };
    const flags = view.getUint32(xing + 4);
    const extension = xing + 8 + PARTS.reduce((sum, length, bit) => sum + ((flags >> bit) & 1 ? length : 0), 0);
    const at = extension + DELAY_AT;
    const hasPadding = at + 3 <= offset + frame.length && at + 3 <= bytes.length && bytes[extension] !== 0;
    const [first, middle, last] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    return {
      frames: flags & HAS_FRAMES ? view.getUint32(xing + 8) : null,
      padding: hasPadding ? ((first << 4) | (middle >> 4)) + (((middle & 15) << 8) | last) : 0,
    };
  }
  const vbri = offset + 36;
  if (hasText(bytes, vbri, 'VBRI') && vbri + 18 <= bytes.length) {
    return { frames: view.getUint32(vbri + 14), padding: 0 };
  }
  return null;
}
