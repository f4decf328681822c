/** Boxes of MP4 files (ISO/IEC 14496-12): finds the length of the sound. */
import { hasText } from './signatures.ts';

/** Boxes whose end shows that a file was cut. */
const CONTENT_TYPES = ['moov', 'mdat', 'moof'];

/** What an MP4 file says about its first track of sound. */
export type Mp4Sound = {
  /** Length in seconds; null if the file does not say. */
  seconds: number | null;
  /** A box with content runs past the end of the file. */
  isCut: boolean;
  /** The index is there. */
  hasIndex: boolean;
  /** The sound is stored in fragments, whose number the index does not say. */
  isFragmented: boolean;
};

/** `from` and `to` enclose the content of a box. */
type Box = { type: string; from: number; to: number };

const HEADER_BYTES = 8;
const LONG_HEADER_BYTES = 16;
/** Flags of a fragment's run of samples (8.8.8): which optional fields are there. */
const RUN_HAS_OFFSET = 0x1;
const RUN_HAS_FIRST_FLAGS = 0x4;
const RUN_HAS_DURATION = 0x100;
const RUN_FIELDS = [0x100, 0x200, 0x400, 0x800] as const;
/** Flags of a fragment's header (8.8.7). */
const FRAGMENT_HAS_OFFSET = 0x1;
const FRAGMENT_HAS_DESCRIPTION = 0x2;
const FRAGMENT_HAS_DURATION = 0x8;

/** Reads boxes of MP4. All functions take ranges that lie inside of the file. */
export class BoxReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The boxes in a range. `isCut` is true if the last one runs past the end. */
  boxes(from: number, to: number): { boxes: Box[]; isCut: boolean } {
    const boxes: Box[] = [];
    for (let at = from; at + HEADER_BYTES <= to;) {
      const short = this.#view.getUint32(at);
      const isLong = short === 1 && at + LONG_HEADER_BYTES <= to;
      const header = isLong ? LONG_HEADER_BYTES : HEADER_BYTES;
      // Length 0 means `to the end of the file`.
      const length = isLong ? Number(this.#view.getBigUint64(at + HEADER_BYTES)) : short === 0 ? to - at : short;
      if (length < header) return { boxes, isCut: false };
      const type = String.fromCharCode(...this.#bytes.subarray(at + 4, at + 8));
      boxes.push({ type, from: at + header, to: Math.min(to, at + length) });
      if (at + length > to) return { boxes, isCut: CONTENT_TYPES.includes(type) };
      at += length;
    }
    return { boxes, isCut: false };
  }

  /** The first box at the end of a path of types inside of a box. */
  find(box: Box, ...path: string[]): Box | null {
    let current: Box | undefined = box;
    for (const type of path) {
      if (!current) return null;
      current = this.boxes(current.from, current.to).boxes.find((inner) => inner.type === type);
    }
    return current ?? null;
  }

  /** An unsigned integer of 4 or 8 bytes; 0 behind the end of the box. */
  number(box: Box, at: number, width: 4 | 8 = 4): number {
    if (box.from + at + width > box.to) return 0;
    return width === 4 ? this.#view.getUint32(box.from + at) : Number(this.#view.getBigUint64(box.from + at));
  }

  /** Version and flags of a full box. */
  flags(box: Box): { version: number; flags: number } {
    const word = this.number(box, 0);
    return { version: word >>> 24, flags: word & 0xffffff };
  }

  isSound(track: Box): boolean {
    const handler = this.find(track, 'mdia', 'hdlr');
    return handler !== null && hasText(this.#bytes, handler.from + 8, 'soun');
  }
}

/** Scale and duration of `mdhd` or `mvhd`, which have the same fields there. */
function readTimes(reader: BoxReader, box: Box): { scale: number; duration: number } {
  if (reader.flags(box).version === 1) return { scale: reader.number(box, 20), duration: reader.number(box, 24, 8) };
  return { scale: reader.number(box, 12), duration: reader.number(box, 16) };
}

/** The length that an edit list gives, in units of the movie; null without one, or if it does not say. */
function editedDuration(reader: BoxReader, track: Box): number | null {
  const list = reader.find(track, 'edts', 'elst');
  if (!list) return null;
  const width = reader.flags(list).version === 1 ? 8 : 4;
  const entry = 2 * width + 4;
  const count = Math.min(reader.number(list, 4), Math.floor((list.to - list.from - 8) / entry));
  let duration = 0;
  for (let i = 0; i < count; i++) {
    const at = 8 + i * entry;
    // An empty edit delays the sound; it is no sound itself.
    const isEmpty = reader.number(list, at + width) === 0xffffffff;
    if (!isEmpty) duration += reader.number(list, at, width);
  }
  return duration > 0 ? duration : null;
}

/** Units that the runs of a fragment of track `id` last. */
function fragmentDuration(reader: BoxReader, fragment: Box, id: number, defaultDuration: number): number {
  const header = reader.find(fragment, 'tfhd');
  if (!header || reader.number(header, 4) !== id) return 0;
  const { flags } = reader.flags(header);
  const at = 8 + (flags & FRAGMENT_HAS_OFFSET ? 8 : 0) + (flags & FRAGMENT_HAS_DESCRIPTION ? 4 : 0);
  const usual = flags & FRAGMENT_HAS_DURATION ? reader.number(header, at) : defaultDuration;
  let duration = 0;
  for (const run of reader.boxes(fragment.from, fragment.to).boxes) {
    if (run.type !== 'trun') continue;
    const { flags: fields } = reader.flags(run);
    const first = 8 + (fields & RUN_HAS_OFFSET ? 4 : 0) + (fields & RUN_HAS_FIRST_FLAGS ? 4 : 0);
    const width = RUN_FIELDS.reduce((sum, field) => sum + (fields & field ? 4 : 0), 0);
    const stated = reader.number(run, 4);
    if (!(fields & RUN_HAS_DURATION)) duration += stated * usual;
    else {
      const count = Math.min(stated, Math.floor((run.to - run.from - first) / width));
      for (let i = 0; i < count; i++) duration += reader.number(run, first + i * width);
    }
  }
  return duration;
}

/** Units that all fragments of a track last. */
function fragmentsDuration(reader: BoxReader, top: readonly Box[], movie: Box, id: number): number {
  const extends_ = reader.find(movie, 'mvex');
  const defaults = extends_
    ? reader.boxes(extends_.from, extends_.to).boxes.find((box) => box.type === 'trex' && reader.number(box, 4) === id)
    : undefined;
  const usual = defaults ? reader.number(defaults, 12) : 0;
  return top
    .filter((box) => box.type === 'moof')
    .flatMap((box) => reader.boxes(box.from, box.to).boxes.filter(({ type }) => type === 'traf'))
    .reduce((sum, fragment) => sum + fragmentDuration(reader, fragment, id, usual), 0);
}

/**
 * Reads the length of the first track of sound: that of its edit list, of its own header or of its fragments. The length of the
 * movie is that of the longest track, which may be a picture or text.
 */
export function readMp4Sound(bytes: Uint8Array): Mp4Sound {
  const reader = new BoxReader(bytes);
  const { boxes: top, isCut } = reader.boxes(0, bytes.length);
  const movie = top.find((box) => box.type === 'moov');
  const tracks = movie ? reader.boxes(movie.from, movie.to).boxes.filter((box) => box.type === 'trak') : [];
  const track = tracks.find((box) => reader.isSound(box));
  const media = track && reader.find(track, 'mdia', 'mdhd');
  const found = { isCut, hasIndex: movie !== undefined, isFragmented: false };
  if (!movie || !track || !media) return { ...found, seconds: null };
  const own = readTimes(reader, media);
  if (own.scale === 0) return { ...found, seconds: null };
  const header = reader.find(track, 'tkhd');
  const id = header ? reader.number(header, reader.flags(header).version === 1 ? 20 : 12) : 0;
  const fragments = fragmentsDuration(reader, top, movie, id);
  if (fragments > 0) return { ...found, isFragmented: true, seconds: (own.duration + fragments) / own.scale };
  const movieHeader = reader.find(movie, 'mvhd');
  const edited = editedDuration(reader, track);
  const scale = movieHeader ? readTimes(reader, movieHeader).scale : 0;
  const whole = own.duration / own.scale;
  // An edit list may name more than there is.
  const seconds = edited !== null && scale > 0 ? Math.min(edited / scale, whole || Infinity) : whole;
  return { ...found, seconds: seconds > 0 ? seconds : null };
}
