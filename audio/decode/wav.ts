/** Reads WAV (RIFF, RIFX, RF64, BW64): integers of up to 64 bits, 32 and 64 bit float, A-law and µ-law, plain or extensible. */
import { AudioError } from '../errors.ts';
import { maskLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { declaredFrames, isPlaceholder, isReadablePcm, placeOfBits } from './pcm.ts';
import type { PcmBlock, PcmEncoding } from './pcm.ts';
import { hasText, isWav } from './signatures.ts';

/** A parsed header of a WAV file that can be read. */
export type WavInfo = PcmBlock & { layout: ChannelLayout };

/** First bytes of a file that `readWavHeader` needs: the header of most WAV files, with room for metadata before the samples. */
export const WAV_HEADER_BYTES = 4_096;

/** Summary of a WAV header. */
export type WavHeader = {
  sampleRate: number;
  channels: number;
  /** Bytes of samples in the file: the declared length, limited by the size of the file. */
  dataBytes: number;
  durationSec: number;
};

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_ALAW = 6;
const FORMAT_MULAW = 7;
const FORMAT_MPEG = 0x50;
const FORMAT_MP3 = 0x55;
const FORMAT_EXTENSIBLE = 0xfffe;

/** Codecs in WAV that are refused by name (RFC 2361). */
const CODEC_NAMES: Record<number, string> = {
  0x02: 'Microsoft ADPCM',
  0x11: 'IMA ADPCM',
  0x14: 'G.723 ADPCM',
  0x17: 'Dialogic ADPCM',
  0x20: 'Yamaha ADPCM',
  0x31: 'GSM 6.10',
  0x40: 'G.721 ADPCM',
  0x45: 'G.726 ADPCM',
  0x64: 'G.726 ADPCM',
  0x65: 'G.722 ADPCM',
  0xff: 'AAC',
  0x160: 'Windows Media Audio',
  0x161: 'Windows Media Audio',
  0x162: 'Windows Media Audio Professional',
  0x163: 'Windows Media Audio Lossless',
  0x270: 'ATRAC3',
  0x2000: 'AC-3',
  0x2001: 'DTS',
  0x674f: 'Vorbis',
  0x6771: 'Vorbis',
  0xf1ac: 'FLAC',
};

/** The `fmt ` chunk. `blockAlign` is the declared number of bytes of a frame. */
type WavFormat = {
  tag: number;
  channels: number;
  sampleRate: number;
  blockAlign: number;
  bits: number;
  /** Bits of the channels' positions, 0 if they are not given. */
  mask: number;
  littleEndian: boolean;
};

/** `dataLength` is the declared length of the samples in bytes; 64-bit lengths are resolved, and placeholders are 0. */
type WavChunks = { format: WavFormat; dataOffset: number; dataLength: number };

function readFormat(view: DataView, body: number, size: number, little: boolean): WavFormat {
  const tag = view.getUint16(body, little);
  const isExtensible = tag === FORMAT_EXTENSIBLE && size >= 26 && body + 26 <= view.byteLength;
  return {
    tag: isExtensible ? view.getUint16(body + 24, little) : tag,
    channels: view.getUint16(body + 2, little),
    sampleRate: view.getUint32(body + 4, little),
    blockAlign: view.getUint16(body + 12, little),
    bits: view.getUint16(body + 14, little),
    mask: isExtensible ? view.getUint32(body + 20, little) : 0,
    littleEndian: little,
  };
}

/**
 * Finds format and samples in the first bytes of a WAV file; null if either is missing.
 * @param fileBytes size of the whole file
 */
function findChunks(bytes: Uint8Array, fileBytes: number): WavChunks | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !hasText(bytes, 0, 'RIFX');
  let format: WavFormat | null = null;
  let longLength: number | null = null;
  for (let offset = 12; offset + 8 <= bytes.length;) {
    const size = view.getUint32(offset + 4, little);
    const body = offset + 8;
    if (hasText(bytes, offset, 'ds64') && body + 16 <= bytes.length) {
      longLength = Number(view.getBigUint64(body + 8, true));
    } else if (hasText(bytes, offset, 'fmt ') && body + 16 <= bytes.length) {
      format = readFormat(view, body, size, little);
    } else if (hasText(bytes, offset, 'data')) {
      const declared = size === 0xffffffff && longLength !== null ? longLength : size;
      // The outer length agrees with the file: nothing is missing, and the inner length is wrong.
      const isWhole = view.getUint32(4, little) + 8 === fileBytes && body + declared > fileBytes;
      const dataLength = isWhole || isPlaceholder(declared) ? 0 : declared;
      return format && { format, dataOffset: body, dataLength };
    }
    offset = body + size + (size & 1);
  }
  return null;
}

function encodingOf({ tag, bits }: WavFormat): PcmEncoding | null {
  if (tag === FORMAT_ALAW) return 'alaw';
  if (tag === FORMAT_MULAW) return 'mulaw';
  if (tag === FORMAT_FLOAT) return 'float';
  if (tag === FORMAT_PCM) return bits <= 8 ? 'unsigned' : 'signed';
  return null;
}

/** Bytes of the container of a sample: the share of a block, if that has room for the bits. */
function widthOf({ channels, blockAlign, bits }: WavFormat): number {
  const needed = Math.ceil(bits / 8);
  const width = blockAlign / channels;
  return Number.isInteger(width) && width > needed && width <= 8 && needed > 1 ? width : needed;
}

/** Bytes of a frame. The declared number is used as it is only for formats that cannot be read. */
function frameBytesOf(format: WavFormat): number {
  return encodingOf(format) === null ? format.blockAlign : format.channels * widthOf(format);
}

/**
 * Reads the header of a WAV file.
 * @param bytes the whole file
 * @throws AudioError audio_damaged without format or samples, audio_unsupported_format for codecs that cannot be read.
 */
export function parseWav(bytes: Uint8Array): WavInfo {
  const chunks = findChunks(bytes, bytes.length);
  if (!chunks) throw new AudioError('audio_damaged', 'The WAV file has no samples or no description of them.');
  const { format, dataOffset, dataLength } = chunks;
  const { channels, sampleRate, littleEndian } = format;
  const layout = maskLayout(format.mask, channels);
  const encoding = encodingOf(format);
  if (encoding === null) throw unreadable(`The WAV file contains ${codecName(format.tag)}`);
  if (channels < 1 || channels > 32 || sampleRate < 1000 || sampleRate > 768_000 || format.bits === 0) {
    throw new AudioError('audio_damaged', 'The header of the WAV file is invalid.');
  }
  const needed = Math.ceil(format.bits / 8);
  if (!isReadablePcm(encoding, needed)) {
    const kind = encoding === 'float' ? 'floating-point samples' : 'samples';
    throw unreadable(`The WAV file contains ${kind} of ${format.bits} bits`);
  }
  const width = encoding === 'signed' ? widthOf(format) : needed;
  const samples = { sampleRate, channels, encoding, littleEndian, dataOffset };
  const withWidth = (bytesOfSample: number): PcmBlock => {
    const present = Math.floor((bytes.length - dataOffset) / (channels * bytesOfSample));
    const declared = declaredFrames(dataLength, channels * bytesOfSample, present);
    const frames = Math.max(0, Math.min(present, declared));
    return { ...samples, width: bytesOfSample, scaleBits: 8 * bytesOfSample, frames, declaredFrames: declared };
  };
  const block = withWidth(width);
  const place = placeOfBits(bytes, block, format.bits);
  if (place === 'bottom') return { ...block, scaleBits: format.bits, layout };
  // Samples that use the whole container contradict its declared size.
  return { ...(place === 'all' && width > needed ? withWidth(needed) : block), layout };
}

function codecName(tag: number): string {
  return CODEC_NAMES[tag] ?? `an unknown codec (0x${tag.toString(16).padStart(4, '0')})`;
}

function unreadable(what: string): AudioError {
  return new AudioError('audio_unsupported_format', `${what}, which cannot be read.`, {
    hint: 'Convert it to WAV with 16 or 24 bits without compression, or to FLAC or MP3.',
  });
}

/** The MP3 stream inside a WAV file, or null if the file holds something else. */
export function mp3InWav(bytes: Uint8Array): Uint8Array | null {
  const chunks = findChunks(bytes, bytes.length);
  if (!chunks || (chunks.format.tag !== FORMAT_MP3 && chunks.format.tag !== FORMAT_MPEG)) return null;
  const { dataOffset, dataLength } = chunks;
  return bytes.subarray(dataOffset, dataLength === 0 ? bytes.length : dataOffset + dataLength);
}

/**
 * Reads length, rate and channels of a WAV file without its samples. Compressed formats are accepted.
 * @param head the first bytes of the file, e.g. `WAV_HEADER_BYTES`
 * @param fileBytes size of the whole file, which bounds the declared length
 * @returns undefined if `head` is not that of a WAV file, or ends before its samples
 */
export function readWavHeader(head: Uint8Array, fileBytes: number): WavHeader | undefined {
  const chunks = isWav(head) ? findChunks(head, fileBytes) : null;
  if (!chunks) return undefined;
  const { format, dataOffset, dataLength } = chunks;
  const frameBytes = frameBytesOf(format);
  if (format.sampleRate === 0 || !(frameBytes > 0)) return undefined;
  const present = Math.max(0, fileBytes - dataOffset);
  const dataBytes = dataLength === 0 ? present : Math.min(dataLength, present);
  return {
    sampleRate: format.sampleRate,
    channels: format.channels,
    dataBytes,
    durationSec: Math.floor(dataBytes / frameBytes) / format.sampleRate,
  };
}
