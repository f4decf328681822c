/** WAV (RIFF, RF64) read and written: 8, 16, 24 and 32 bit integer, 32 and 64 bit float, plain or extensible. */
import { AudioError } from '../errors.ts';

export type WavInfo = {
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  float: boolean;
  /** Where the samples start, in bytes. */
  dataOffset: number;
  /** Frames (samples of one channel) that are there. */
  frames: number;
  /** Frames that the header declares; more than `frames` in a truncated file. */
  declaredFrames: number;
};

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;
/** Programs that write to a pipe leave the length at one of these. */
const UNKNOWN_LENGTHS = new Set([0, 0xffffffff, 0x7fffffff, 0x7ffff000]);

function chunkId(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(offset + i)));
}

/**
 * Reads the header of a WAV file.
 * @throws AudioError audio_damaged without format or samples, audio_unsupported_format for compressed WAV.
 */
export function parseWav(bytes: Uint8Array): WavInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: { tag: number; channels: number; sampleRate: number; bits: number } | null = null;
  let offset = 12;
  let rf64Length: number | null = null;
  while (offset + 8 <= bytes.length) {
    const id = chunkId(view, offset);
    const size = view.getUint32(offset + 4, true);
    const body = offset + 8;
    if (id === 'ds64' && body + 16 <= bytes.length) rf64Length = Number(view.getBigUint64(body + 8, true));
    if (id === 'fmt ' && body + 16 <= bytes.length) {
      let tag = view.getUint16(body, true);
      if (tag === FORMAT_EXTENSIBLE && size >= 26 && body + 26 <= bytes.length) tag = view.getUint16(body + 24, true);
      format = {
        tag,
        channels: view.getUint16(body + 2, true),
        sampleRate: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      };
    }
    if (id === 'data') {
      if (!format) break;
      return describe(format, body, bytes.length, size === 0xffffffff && rf64Length !== null ? rf64Length : size);
    }
    offset = body + size + (size & 1);
  }
  throw new AudioError('audio_damaged', 'The WAV file has no samples or no description of them.');
}

function describe(
  format: { tag: number; channels: number; sampleRate: number; bits: number },
  dataOffset: number,
  fileLength: number,
  dataLength: number,
): WavInfo {
  const { tag, channels, sampleRate, bits } = format;
  const float = tag === FORMAT_FLOAT;
  const known = float ? [32, 64].includes(bits) : tag === FORMAT_PCM && [8, 16, 24, 32].includes(bits);
  if (!known) {
    throw new AudioError('audio_unsupported_format', 'The WAV file is compressed or has an unusual sample format.');
  }
  if (channels < 1 || channels > 32 || sampleRate < 1000 || sampleRate > 768_000) {
    throw new AudioError('audio_damaged', 'The header of the WAV file makes no sense.');
  }
  const frameBytes = channels * (bits / 8);
  const present = Math.floor((fileLength - dataOffset) / frameBytes);
  const declaredFrames = UNKNOWN_LENGTHS.has(dataLength) ? present : Math.floor(dataLength / frameBytes);
  return {
    sampleRate,
    channels,
    bitsPerSample: bits,
    float,
    dataOffset,
    frames: Math.min(present, declaredFrames),
    declaredFrames,
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

/** The 44 bytes before the samples of a 16-bit PCM WAV file of `frames` frames. */
export function wav16Header(frames: number, channels: number, sampleRate: number): Uint8Array {
  const dataLength = frames * channels * 2;
  const header = new Uint8Array(44);
  const view = new DataView(header.buffer);
  const text = (at: number, value: string): void => {
    for (let i = 0; i < value.length; i++) header[at + i] = value.charCodeAt(i);
  };
  text(0, 'RIFF');
  view.setUint32(4, 36 + dataLength, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, dataLength, true);
  return header;
}

/** Writes `channels` (equal lengths, full scale 1) interleaved as 16-bit samples into `target` from frame `at` on. */
export function writeWav16Frames(target: Int16Array, at: number, channels: readonly Float32Array[]): void {
  channels.forEach((samples, channel) => {
    let index = at * channels.length + channel;
    for (let i = 0; i < samples.length; i++, index += channels.length) {
      const value = Math.round(samples[i]! * 32768);
      target[index] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
    }
  });
}

/** A 16-bit PCM WAV file of `channels` (equal lengths, full scale 1; beyond it is clipped). */
export function encodeWav16(channels: readonly Float32Array[], sampleRate: number): Uint8Array {
  const frames = channels[0]?.length ?? 0;
  const file = new Uint8Array(44 + frames * channels.length * 2);
  file.set(wav16Header(frames, channels.length, sampleRate));
  writeWav16Frames(new Int16Array(file.buffer, 44), 0, channels);
  return file;
}
