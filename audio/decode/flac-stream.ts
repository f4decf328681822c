/** Decodes the frames of a FLAC stream to samples. */
import { AudioError } from '../errors.ts';
import { decodeFlacFrame, findFlacFrame } from './flac-frames.ts';

/** The description of a FLAC stream (STREAMINFO). */
export type FlacInfo = {
  sampleRate: number;
  channels: number;
  bits: number;
  /** Samples of one channel in each frame but the last, if the stream has frames of one length. */
  blockSize: number;
  /** Samples of one channel; null if the stream does not say. */
  samples: number | null;
};

/** Length of the description in bytes. */
export const STREAMINFO_BYTES = 34;
/** Samples of one channel in a chunk. */
const CHUNK_SAMPLES = 65_536;
/** The largest block (RFC 9639, 9.1.1). */
const MAX_BLOCK = 65_536;
/** Streams with more than this share of bytes outside of intact frames are damaged. */
const MAX_DAMAGED_RATIO = 0.02;
/** Longer streams have an intact frame, unless they are damaged. */
const MAX_FRAME_BYTES = 64 * 1024;
/** Streams with more headers without an intact frame are damaged. Decoding those takes time. */
const MAX_BROKEN_FRAMES = 2_000;

/**
 * Reads the description of a stream at `at`.
 * @throws AudioError if it is cut or invalid
 */
export function readStreamInfo(bytes: Uint8Array, at: number): FlacInfo {
  if (at + STREAMINFO_BYTES > bytes.length) {
    throw new AudioError('audio_truncated', 'The FLAC file ends inside its header.');
  }
  // RFC 9639, 8.2: 20 bits rate, 3 bits channels - 1, 5 bits depth - 1, 36 bits samples.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sampleRate = view.getUint32(at + 10) >>> 12;
  const samples = (view.getUint8(at + 13) & 15) * 2 ** 32 + view.getUint32(at + 14);
  const bits = (((view.getUint8(at + 12) & 1) << 4) | (view.getUint8(at + 13) >> 4)) + 1;
  if (sampleRate === 0 || bits < 4) {
    throw new AudioError('audio_damaged', 'The header of the FLAC file is invalid.');
  }
  const channels = ((view.getUint8(at + 12) >> 1) & 7) + 1;
  return { sampleRate, channels, bits, blockSize: view.getUint16(at + 2), samples: samples > 0 ? samples : null };
}

/**
 * Decodes all frames from byte `from` on, exactly: integers divided by their full scale.
 * @throws AudioError if more than 2 % of the bytes belong to no intact frame
 */
export async function* decodeFlac(bytes: Uint8Array, from: number, info: FlacInfo): AsyncGenerator<Float32Array[]> {
  const allocate = (): Float32Array[] =>
    Array.from({ length: info.channels }, () => new Float32Array(CHUNK_SAMPLES + MAX_BLOCK));
  let chunk = allocate();
  let filled = 0;
  // What lies behind the last intact frame is no damage: it may be a tag, or a frame that was cut.
  let damaged = 0;
  let broken = 0;
  let end = from;
  for (let at = from; broken <= MAX_BROKEN_FRAMES;) {
    const start = findFlacFrame(bytes, at);
    if (start >= bytes.length) break;
    const frame = decodeFlacFrame(bytes, start, info.bits);
    if (frame === null || frame.channels.length !== info.channels) {
      broken++;
      at = start + 1;
      continue;
    }
    damaged += start - end;
    at = frame.end;
    end = frame.end;
    const scale = 2 ** -(frame.bits - 1);
    for (const [channel, samples] of frame.channels.entries()) {
      const target = chunk[channel]!;
      for (let i = 0; i < samples.length; i++) target[filled + i] = samples[i]! * scale;
    }
    filled += frame.channels[0]!.length;
    if (filled >= CHUNK_SAMPLES) {
      yield chunk.map((samples) => samples.subarray(0, filled));
      chunk = allocate();
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.map((samples) => samples.subarray(0, filled));
  const isEmpty = end === from && bytes.length - from > MAX_FRAME_BYTES;
  if (isEmpty || damaged > (end - from) * MAX_DAMAGED_RATIO || broken > MAX_BROKEN_FRAMES) {
    throw new AudioError('audio_damaged', 'Parts of the FLAC file are damaged.');
  }
}
