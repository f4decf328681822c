/** Finds the parts of an MP3 file: songs that were joined, each with its own rate and header. */
import { findFrameChain, readFrameHeader } from './mp3-frames.ts';
import type { Mp3Frame } from './mp3-frames.ts';
import { readMp3Header } from './mp3-header.ts';
import type { Mp3Header } from './mp3-header.ts';
import { leadingTagsLength } from './tags.ts';
import { hasText } from './signatures.ts';

/** Consecutive frames of one rate, with one header at most. Samples are those of one channel. */
export type Mp3Part = {
  /** Where the part starts and ends, in bytes. */
  from: number;
  to: number;
  sampleRate: number;
  channels: number;
  /** Samples of its frames, without that of its header. */
  samples: number;
  /** Samples that its header declares; null without such a header. */
  declaredSamples: number | null;
  /** Samples that the encoder added at the start and at the end, by the header. */
  padding: number;
};

/** The frames of a file. */
export type Mp3File = {
  parts: Mp3Part[];
  /** Share of the bytes between the first and the last frame that belong to no frame and no tag, 0..1. */
  junkRatio: number;
  /** The file ends inside a frame: writing or transfer was interrupted. */
  endsInFrame: boolean;
};

/** Shorter parts are damage that looks like frames of another rate, unless the file has nothing else. */
const MIN_PART_SEC = 0.5;
const ID3V1_BYTES = 128;

type OpenPart = { part: Mp3Part; frame: Mp3Frame; bytes: number };

/** Length in bytes of a tag between two songs, 0 if there is none. */
function tagLength(bytes: Uint8Array, at: number): number {
  if (hasText(bytes, at, 'TAG')) return ID3V1_BYTES;
  return leadingTagsLength(bytes.subarray(at));
}

function beginPart(at: number, frame: Mp3Frame, header: Mp3Header | null): OpenPart {
  const declared = header?.frames ?? null;
  return {
    frame,
    bytes: 0,
    part: {
      from: at,
      to: at,
      sampleRate: frame.sampleRate,
      channels: frame.channels,
      // The frame of the header is counted with the others below.
      samples: header === null ? 0 : -frame.samples,
      declaredSamples: declared === null ? null : declared * frame.samples,
      padding: header?.padding ?? 0,
    },
  };
}

function continues(open: OpenPart, frame: Mp3Frame): boolean {
  return frame.sampleRate === open.frame.sampleRate && frame.layer === open.frame.layer;
}

/** Reads all frame headers of an MP3 file. Returns null if it has no three consecutive frames. */
export function findMp3Parts(bytes: Uint8Array): Mp3File | null {
  const first = findFrameChain(bytes, 0, bytes.length);
  if (first === null) return null;
  const parts: Mp3Part[] = [];
  let open: OpenPart | null = null;
  let longestShort: OpenPart | undefined;
  let inFrames = 0;
  let tags = 0;
  let end = first;
  let endsInFrame = false;
  const close = (): void => {
    if (open && open.part.samples >= MIN_PART_SEC * open.part.sampleRate) {
      parts.push(open.part);
      inFrames += open.bytes;
    } else if (open && open.part.samples > (longestShort?.part.samples ?? 0)) longestShort = open;
    open = null;
  };
  for (let at = first; at + 4 <= bytes.length;) {
    const frame = readFrameHeader(bytes, at);
    const current: OpenPart | null = open;
    const isNext = frame !== null && current !== null && continues(current, frame);
    endsInFrame = isNext && at === end && at + frame.length > bytes.length;
    if (endsInFrame) break;
    const isWhole = frame !== null && at + frame.length <= bytes.length;
    if (isWhole && (isNext || findFrameChain(bytes, at, at + 1) !== null)) {
      const header = readMp3Header(bytes, at, frame);
      if (!isNext || header !== null) close();
      const target: OpenPart = (open ??= beginPart(at, frame, header));
      at += frame.length;
      end = at;
      target.bytes += frame.length;
      target.part.samples += frame.samples;
      target.part.to = at;
      continue;
    }
    const tag = tagLength(bytes, at);
    if (tag > 0) {
      close();
      tags += Math.min(tag, bytes.length - at);
      at += tag;
      continue;
    }
    const next = nextFrame(bytes, at + 1);
    if (next === null) break;
    at = next;
  }
  close();
  if (parts.length === 0 && longestShort) {
    parts.push(longestShort.part);
    inFrames = longestShort.bytes;
  }
  return { parts, junkRatio: end === first ? 1 : 1 - (inFrames + tags) / (end - first), endsInFrame };
}

/** The next byte from `from` on at which a chain of frames or a tag starts; null if there is none. */
function nextFrame(bytes: Uint8Array, from: number): number | null {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === 0xff && findFrameChain(bytes, at, at + 1) !== null) return at;
    if (bytes[at] === 0x49 && leadingTagsLength(bytes.subarray(at, at + 10)) > 0) return at;
  }
  return null;
}
