/** Opens FLAC files. */
import { AudioError } from '../errors.ts';
import { flacLayout } from './channel-layout.ts';
import { decodeFlac, readStreamInfo } from './flac-stream.ts';
import type { OpenedAudio } from './opened-audio.ts';

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

/**
 * Opens a FLAC file.
 * @param bytes the file, from its marker to the last byte before tags
 * @throws AudioError if its header is cut or invalid
 */
export function openFlac(bytes: Uint8Array): OpenedAudio {
  const info = readStreamInfo(bytes, FIRST_BLOCK + BLOCK_HEADER_BYTES);
  const frames = findFrames(bytes);
  if (frames >= bytes.length) throw new AudioError('audio_truncated', 'The FLAC file ends inside its header.');
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
