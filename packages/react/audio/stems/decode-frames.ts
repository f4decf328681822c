/** Decodes some frames of a part: the browser gets them as a FLAC file of their own. */
import type { Part } from '../playback/parts.ts';

const MARK = 0x66_4c_61_43; // fLaC
const LAST_BLOCK = 0x80_00_00_00;
const BLOCK_HEADER_BYTES = 4;
/** Places in STREAMINFO (RFC 9639, 8.2): the highest bits of the length, its other 32 bits, and the checksum. */
const LENGTH_HIGH = 13;
const LENGTH = 14;
const CHECKSUM = 18;

/**
 * Decodes the samples of a part from `from` to the one before `to`, counted in the whole mashup. Undefined: they are silent.
 * @throws DOMException if the browser cannot decode them, RangeError if it does not decode them exactly
 */
export async function decodeFrames(
  context: BaseAudioContext,
  part: Part,
  from: number,
  to: number,
): Promise<AudioBuffer | undefined> {
  const { frames, streamInfo } = part.stream;
  let start = part.from;
  let first = 0;
  for (; start + frames[first]!.samples <= from; first++) start += frames[first]!.samples;
  let end = start;
  let last = first;
  for (; end < to; last++) end += frames[last]!.samples;
  const bytes = part.file.subarray(frames[first]!.start, frames[last - 1]!.end);
  const decoded = await context.decodeAudioData(fileOf(streamInfo, bytes, end - start));
  if (decoded.length !== end - start) throw new RangeError('The browser does not decode a stem exactly.');
  if (isSilent(decoded)) return undefined;
  return start === from && end === to ? decoded : cut(decoded, from - start, to - start);
}

/** A FLAC file of some frames. Its description names their length, and no checksum. */
function fileOf(streamInfo: Uint8Array, frames: Uint8Array, samples: number): ArrayBuffer {
  const info = 2 * BLOCK_HEADER_BYTES;
  const head = info + streamInfo.length;
  const file = new Uint8Array(head + frames.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, MARK);
  view.setUint32(BLOCK_HEADER_BYTES, LAST_BLOCK + streamInfo.length);
  file.set(streamInfo, info);
  file[info + LENGTH_HIGH]! &= 0xf0;
  view.setUint32(info + LENGTH, samples);
  file.fill(0, info + CHECKSUM, head);
  file.set(frames, head);
  return file.buffer;
}

const channelsOf = (buffer: AudioBuffer): Float32Array<ArrayBuffer>[] =>
  Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));

const isSilent = (buffer: AudioBuffer): boolean =>
  channelsOf(buffer).every((samples) => samples.every((value) => value === 0));

function cut(buffer: AudioBuffer, from: number, to: number): AudioBuffer {
  const { sampleRate, numberOfChannels } = buffer;
  const part = new AudioBuffer({ sampleRate, numberOfChannels, length: to - from });
  for (const [channel, samples] of channelsOf(buffer).entries()) {
    part.copyToChannel(samples.subarray(from, to), channel);
  }
  return part;
}
