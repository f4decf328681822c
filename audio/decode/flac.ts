/** Opens FLAC files. */
import { AudioError } from '../errors.ts';
import { flacLayout } from './channel-layout.ts';
import { detectFormat } from './detect.ts';
import { decodeFlacRange } from './flac-ranges.ts';
import { decodeFlac, readStreamInfo } from './flac-stream.ts';
import type { FlacInfo } from './flac-stream.ts';
import type { OpenedAudio } from './opened-audio.ts';
import { leadingTagsLength } from './tags.ts';

/** Where the blocks of metadata begin: behind the marker of the stream. */
const FIRST_BLOCK = 4;
const BLOCK_HEADER_BYTES = 4;

/** Where the frames begin: behind the blocks of metadata. A block with a wrong length may lead past the end. */
function findFrames(bytes: Uint8Array): number {
  let at = FIRST_BLOCK;
  for (let isLast = false; !isLast && at + BLOCK_HEADER_BYTES <= bytes.length;) {
    isLast = (bytes[at]! & 0x80) !== 0;
    at += BLOCK_HEADER_BYTES + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return at;
}

function readHeaders(bytes: Uint8Array): { info: FlacInfo; frames: number } {
  const info = readStreamInfo(bytes, FIRST_BLOCK + BLOCK_HEADER_BYTES);
  const frames = findFrames(bytes);
  if (frames >= bytes.length) throw new AudioError('audio_truncated', 'The FLAC file ends inside its header.');
  return { info, frames };
}

/** A FLAC file of which parts can be decoded without the others. */
export type FlacRanges = {
  sampleRate: number;
  channels: number;
  /** Samples of one channel. */
  samples: number;
  /** Decodes samples `from..to`; yields chunks with the sample at which they start. */
  decode: (from: number, to: number) => Generator<{ at: number; channels: Float32Array[] }>;
};

/**
 * Opens a file for decoding parts of it. Returns null if it is no FLAC file, or one that does not say how long it is.
 * @throws AudioError if its header is cut or invalid; `decode` throws audio_truncated and audio_damaged
 */
export function openFlacRanges(file: Uint8Array): FlacRanges | null {
  if (detectFormat(file) !== 'flac') return null;
  const bytes = file.subarray(leadingTagsLength(file));
  const { info, frames } = readHeaders(bytes);
  const { sampleRate, channels, samples } = info;
  if (samples === null) return null;
  return { sampleRate, channels, samples, decode: (from, to) => decodeFlacRange(bytes, frames, info, from, to) };
}

/**
 * Opens a FLAC file.
 * @param bytes the file, from its marker to the last byte before tags
 * @throws AudioError if its header is cut or invalid
 */
export function openFlac(bytes: Uint8Array): OpenedAudio {
  const { info, frames } = readHeaders(bytes);
  return {
    sampleRate: info.sampleRate,
    channels: info.channels,
    layout: flacLayout(bytes, info.channels),
    declaredSamples: info.samples,
    expectedSamples: info.samples,
    warnings: [],
    chunks: decodeFlac(bytes, frames, info),
  };
}
