/** Decodes parts of a FLAC stream. Frames are found by their numbers, so that nothing before a part is decoded. */
import { AudioError } from '../errors.ts';
import { decodeFlacFrame, findFlacFrame } from './flac-frames.ts';
import type { FlacFrame } from './flac-frames.ts';
import type { FlacInfo } from './flac-stream.ts';

/** The search ends when the frame lies within so many bytes; these are decoded. */
const NEAR_BYTES = 32 * 1024;
/** A part with more than this share of missing samples is damaged. */
const MAX_MISSING_RATIO = 0.02;

/** The first intact frame from byte `at` on, and its first sample; null if there is none. */
function nextFrame(bytes: Uint8Array, at: number, info: FlacInfo): { frame: FlacFrame; sample: number } | null {
  for (let start = findFlacFrame(bytes, at); start < bytes.length; start = findFlacFrame(bytes, start + 1)) {
    const frame = decodeFlacFrame(bytes, start, info.bits);
    if (frame === null || frame.channels.length !== info.channels) continue;
    return { frame, sample: frame.isSampleNumber ? frame.number : frame.number * info.blockSize };
  }
  return null;
}

/** A byte from which on the frame with sample `wanted` follows, by bisection. */
function seek(bytes: Uint8Array, frames: number, info: FlacInfo, wanted: number): number {
  let low = frames;
  let high = bytes.length;
  while (high - low > NEAR_BYTES) {
    const middle = (low + high) >> 1;
    const found = nextFrame(bytes, middle, info);
    if (found !== null && found.sample <= wanted) low = middle;
    else high = middle;
  }
  return low;
}

function scaled(samples: ArrayLike<number>, from: number, to: number, scale: number): Float32Array {
  const result = new Float32Array(to - from);
  for (let i = from; i < to; i++) result[i - from] = samples[i]! * scale;
  return result;
}

/**
 * Decodes samples `from..to` exactly: integers divided by their full scale. Yields chunks with the sample at which they start; damaged
 * frames are left out.
 * @param frames the byte at which the first frame starts
 * @throws AudioError audio_truncated if the stream ends before the part, audio_damaged if more than 2 % of it are missing
 */
export function* decodeFlacRange(
  bytes: Uint8Array,
  frames: number,
  info: FlacInfo,
  from: number,
  to: number,
): Generator<{ at: number; channels: Float32Array[] }> {
  const end = Math.min(to, info.samples ?? to);
  if (end <= from) return;
  let decoded = 0;
  let last = from;
  for (let at = seek(bytes, frames, info, from); ;) {
    const found = nextFrame(bytes, at, info);
    if (found === null || found.sample >= end) break;
    const { frame, sample } = found;
    at = frame.end;
    const length = frame.channels[0]!.length;
    const first = Math.max(0, from - sample);
    const behind = Math.min(length, end - sample);
    if (behind <= first) continue;
    const scale = 2 ** -(frame.bits - 1);
    yield {
      at: sample + first,
      channels: frame.channels.map((samples) => scaled(samples, first, behind, scale)),
    };
    decoded += behind - first;
    last = sample + behind;
  }
  const missing = end - from - decoded;
  if (missing <= (end - from) * MAX_MISSING_RATIO) return;
  if (end - last > missing / 2) throw new AudioError('audio_truncated', 'The file is incomplete: its end is missing.');
  throw new AudioError('audio_damaged', 'Parts of the FLAC file are damaged.');
}
