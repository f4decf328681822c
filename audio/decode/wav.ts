/** Reads WAV (RIFF, RF64): 8, 16, 24 and 32 bit integer, 32 and 64 bit float, plain or extensible. */
import { AudioError } from '../errors.ts';
import { maskLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { hasText, isWav } from './signatures.ts';

/** A parsed header of a WAV file that can be read. */
export type WavInfo = {
  sampleRate: number;
  channels: number;
  layout: ChannelLayout;
  bitsPerSample: number;
  float: boolean;
  /** Where the samples start, in bytes. */
  dataOffset: number;
  /** Frames (samples of one channel) that are there. */
  frames: number;
  /** Frames that the header declares; more than `frames` in a truncated file. */
  declaredFrames: number;
};

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
const FORMAT_EXTENSIBLE = 0xfffe;
/** Declared lengths of programs that write to a pipe: the real length is that of the rest of the file. */
const UNKNOWN_LENGTHS = new Set([0, 0xffffffff, 0x7fffffff, 0x7ffff000]);

/** The `fmt ` chunk. `blockAlign` is the declared number of bytes of a frame; `mask` names the channels, 0 if it is not given. */
type WavFormat = {
  tag: number;
  channels: number;
  sampleRate: number;
  blockAlign: number;
  bits: number;
  mask: number;
};

/** `dataLength` is the declared length of the samples in bytes; RF64 lengths are resolved. */
type WavChunks = { format: WavFormat; dataOffset: number; dataLength: number };

function readFormat(view: DataView, body: number, size: number): WavFormat {
  const tag = view.getUint16(body, true);
  const isExtensible = tag === FORMAT_EXTENSIBLE && size >= 26 && body + 26 <= view.byteLength;
  return {
    tag: isExtensible ? view.getUint16(body + 24, true) : tag,
    channels: view.getUint16(body + 2, true),
    sampleRate: view.getUint32(body + 4, true),
    blockAlign: view.getUint16(body + 12, true),
    bits: view.getUint16(body + 14, true),
    mask: isExtensible ? view.getUint32(body + 20, true) : 0,
  };
}

/** Finds format and samples in the first bytes of a WAV file; null if either is missing. */
function findChunks(bytes: Uint8Array): WavChunks | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: WavFormat | null = null;
  let rf64Length: number | null = null;
  for (let offset = 12; offset + 8 <= bytes.length;) {
    const size = view.getUint32(offset + 4, true);
    const body = offset + 8;
    if (hasText(bytes, offset, 'ds64') && body + 16 <= bytes.length) {
      rf64Length = Number(view.getBigUint64(body + 8, true));
    } else if (hasText(bytes, offset, 'fmt ') && body + 16 <= bytes.length) {
      format = readFormat(view, body, size);
    } else if (hasText(bytes, offset, 'data')) {
      const dataLength = size === 0xffffffff && rf64Length !== null ? rf64Length : size;
      return format && { format, dataOffset: body, dataLength };
    }
    offset = body + size + (size & 1);
  }
  return null;
}

/** True for sample formats that `readWavFrames` reads. */
function isReadable({ tag, bits }: WavFormat): boolean {
  return tag === FORMAT_FLOAT ? [32, 64].includes(bits) : tag === FORMAT_PCM && [8, 16, 24, 32].includes(bits);
}

/** Bytes of a frame. The declared number is used only for formats that cannot be read. */
function frameBytesOf(format: WavFormat): number {
  return isReadable(format) ? format.channels * (format.bits / 8) : format.blockAlign;
}

/**
 * Reads the header of a WAV file.
 * @param bytes the whole file
 * @throws AudioError audio_damaged without format or samples, audio_unsupported_format for compressed WAV.
 */
export function parseWav(bytes: Uint8Array): WavInfo {
  const chunks = findChunks(bytes);
  if (!chunks) throw new AudioError('audio_damaged', 'The WAV file has no samples or no description of them.');
  const { format, dataOffset, dataLength } = chunks;
  const { channels, sampleRate } = format;
  if (!isReadable(format)) {
    throw new AudioError('audio_unsupported_format', 'The WAV file is compressed or has an unusual sample format.');
  }
  if (channels < 1 || channels > 32 || sampleRate < 1000 || sampleRate > 768_000) {
    throw new AudioError('audio_damaged', 'The header of the WAV file is invalid.');
  }
  const frameBytes = frameBytesOf(format);
  const present = Math.floor((bytes.length - dataOffset) / frameBytes);
  const declaredFrames = UNKNOWN_LENGTHS.has(dataLength) ? present : Math.floor(dataLength / frameBytes);
  return {
    sampleRate,
    channels,
    layout: maskLayout(format.mask, channels),
    bitsPerSample: format.bits,
    float: format.tag === FORMAT_FLOAT,
    dataOffset,
    frames: Math.min(present, declaredFrames),
    declaredFrames,
  };
}

/**
 * Reads length, rate and channels of a WAV file without its samples. Compressed formats are accepted.
 * @param head the first bytes of the file, e.g. `WAV_HEADER_BYTES`
 * @param fileBytes size of the whole file, which bounds the declared length
 * @returns undefined if `head` is not that of a WAV file, or ends before its samples
 */
export function readWavHeader(head: Uint8Array, fileBytes: number): WavHeader | undefined {
  const chunks = isWav(head) ? findChunks(head) : null;
  if (!chunks) return undefined;
  const { format, dataOffset, dataLength } = chunks;
  const frameBytes = frameBytesOf(format);
  if (format.sampleRate === 0 || frameBytes === 0) return undefined;
  const present = Math.max(0, fileBytes - dataOffset);
  const dataBytes = UNKNOWN_LENGTHS.has(dataLength) ? present : Math.min(dataLength, present);
  return {
    sampleRate: format.sampleRate,
    channels: format.channels,
    dataBytes,
    durationSec: Math.floor(dataBytes / frameBytes) / format.sampleRate,
  };
}

/** Samples [from, from + count) of a parsed WAV file, one array for each channel, full scale 1. */
export function readWavFrames(bytes: Uint8Array, info: WavInfo, from: number, count: number): Float32Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = info.bitsPerSample / 8;
  const read = sampleReader(view, info);
  return Array.from({ length: info.channels }, (_, channel) => {
    const out = new Float32Array(count);
    let offset = info.dataOffset + (from * info.channels + channel) * width;
    for (let i = 0; i < count; i++, offset += info.channels * width) out[i] = read(offset);
    return out;
  });
}

function sampleReader(view: DataView, info: WavInfo): (offset: number) => number {
  const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
  if (info.float && info.bitsPerSample === 64) return (at) => finite(view.getFloat64(at, true));
  if (info.float) return (at) => finite(view.getFloat32(at, true));
  if (info.bitsPerSample === 8) return (at) => (view.getUint8(at) - 128) / 128;
  if (info.bitsPerSample === 16) return (at) => view.getInt16(at, true) / 32768;
  if (info.bitsPerSample === 24) {
    return (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608;
  }
  return (at) => view.getInt32(at, true) / 2147483648;
}
