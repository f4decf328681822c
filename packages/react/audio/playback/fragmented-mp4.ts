/**
 * Writes FLAC frames as fragmented MP4 for Media Source: ISO/IEC 14496-12 (boxes, fragments) and "Encapsulation of FLAC in ISO Base
 * Media File Format" (sample entry `fLaC`, box `dfLa`). One track; a sample of the container is a FLAC frame. Times count samples.
 */
import type { FlacFramePlace, SplitFlac } from '../../../../audio/decode/flac-split.ts';

/** The type under which Media Source takes these segments. */
export const FLAC_MP4_TYPE = 'audio/mp4; codecs="flac"';

const TRACK = 1;
const STREAMINFO_BLOCK = 0x80; // type 0, the last block
/** Frames of FLAC need no other frame: each is a sync sample that depends on none (8.8.3.1). */
const SAMPLE_FLAGS = 0x02000000;
const BASE_IS_FRAGMENT = 0x020000;
const RUN_HAS_OFFSET = 0x1;
const RUN_HAS_DURATIONS = 0x100;
const RUN_HAS_SIZES = 0x200;
const TRACK_IS_USED = 0x7;
const UNITY_RATE = 0x00010000;
const FULL_VOLUME = 0x0100;
const UNDETERMINED_LANGUAGE = 0x55c4;
const IDENTITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

type Bytes = Uint8Array<ArrayBuffer>;

const u16 = (...values: number[]): Bytes => Uint8Array.from(values.flatMap((value) => [value >>> 8, value & 255]));
const u32 = (...values: number[]): Bytes =>
  Uint8Array.from(values.flatMap((value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]));
const text = (characters: string): Bytes => Uint8Array.from(characters, (character) => character.charCodeAt(0));
const zeros = (count: number): Bytes => new Uint8Array(count);

function join(parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A box: its length, its type and its content (4.2). */
function box(type: string, ...content: Uint8Array[]): Bytes {
  const length = content.reduce((sum, part) => sum + part.length, 8);
  return join([u32(length), text(type), ...content]);
}

/** A box with a version and flags. */
const fullBox = (type: string, version: number, flags: number, ...content: Uint8Array[]): Bytes =>
  box(type, u32(version * 2 ** 24 + flags), ...content);

/** The description of the sound (12.2.3, and `dfLa` with the STREAMINFO of the stream). */
function sampleEntry({ channels, bits, sampleRate, streamInfo }: SplitFlac): Bytes {
  const description = join([Uint8Array.of(STREAMINFO_BLOCK, 0, 0, streamInfo.length), streamInfo]);
  return box(
    'fLaC',
    zeros(6),
    u16(1), // index of the data reference
    zeros(8),
    u16(channels, bits),
    zeros(4),
    u16(sampleRate, 0),
    fullBox('dfLa', 0, 0, description),
  );
}

function track(stream: SplitFlac): Bytes {
  const dataInformation = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const noSamples = [
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  ];
  const table = box('stbl', fullBox('stsd', 0, 0, u32(1), sampleEntry(stream)), ...noSamples);
  return box(
    'trak',
    fullBox(
      'tkhd',
      0,
      TRACK_IS_USED,
      u32(0, 0, TRACK, 0, 0),
      zeros(8),
      u16(0, 0, FULL_VOLUME, 0),
      u32(...IDENTITY_MATRIX, 0, 0),
    ),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, stream.sampleRate, 0), u16(UNDETERMINED_LANGUAGE, 0)),
      fullBox('hdlr', 0, 0, u32(0), text('soun'), zeros(12), text('sound\0')),
      box('minf', fullBox('smhd', 0, 0, zeros(4)), dataInformation, table),
    ),
  );
}

/** The segment that starts a stream: what its fragments contain. */
export function initSegment(stream: SplitFlac): Bytes {
  const header = fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, stream.sampleRate, 0, UNITY_RATE),
    u16(FULL_VOLUME, 0),
    zeros(8),
    u32(...IDENTITY_MATRIX),
    zeros(24),
    u32(TRACK + 1),
  );
  const fragments = box('mvex', fullBox('trex', 0, 0, u32(TRACK, 1, 0, 0, SAMPLE_FLAGS)));
  return join([box('ftyp', text('iso6'), u32(0), text('iso6mp41')), box('moov', header, track(stream), fragments)]);
}

/**
 * A segment with some frames of a file.
 * @param firstSample place of the first frame in the whole sound, in samples of one channel
 * @param sequence number of the segment: it increases from one segment to the next
 */
export function mediaSegment(
  file: Uint8Array,
  frames: readonly FlacFramePlace[],
  firstSample: number,
  sequence: number,
): Bytes {
  const first = frames[0];
  const last = frames.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('A segment needs a frame.');
  const fragment = (dataOffset: number): Bytes =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequence)),
      box(
        'traf',
        fullBox('tfhd', 0, BASE_IS_FRAGMENT, u32(TRACK)),
        fullBox('tfdt', 1, 0, u32(Math.floor(firstSample / 2 ** 32), firstSample >>> 0)),
        fullBox(
          'trun',
          0,
          RUN_HAS_OFFSET | RUN_HAS_DURATIONS | RUN_HAS_SIZES,
          u32(frames.length, dataOffset),
          u32(...frames.flatMap(({ start, end, samples }) => [samples, end - start])),
        ),
      ),
    );
  // The samples lie behind the header of the box `mdat`, which follows the fragment.
  const dataOffset = fragment(0).length + 8;
  return join([fragment(dataOffset), box('mdat', file.subarray(first.start, last.end))]);
}
