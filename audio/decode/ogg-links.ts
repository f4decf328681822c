/** The streams of sound in an Ogg file, and their packets. */
import { hasText } from './signatures.ts';
import type { OggFile, OggPage } from './ogg-pages.ts';

/** A codec in Ogg that can be decoded. */
export type OggCodec = 'vorbis' | 'opus' | 'flac';

/** One stream of a file. Chained files, such as recorded broadcasts, hold several, one after another. */
export type OggLink = {
  codec: OggCodec;
  /** The first packet: the description of the stream. */
  head: Uint8Array;
  /** All pages, from that of the first packet. */
  pages: OggPage[];
};

/** The packets that end on a page, and the flags and the granule position of the page. */
export type PagePackets = { packets: Uint8Array[]; granule: number; isLast: boolean };

/** The codec of a stream by its first packet, null if it cannot be decoded. */
export function codecOf(head: Uint8Array): OggCodec | null {
  if (hasText(head, 0, '\x01vorbis') && head.length >= 30) return 'vorbis';
  if (hasText(head, 0, 'OpusHead') && head.length >= 19) return 'opus';
  if (hasText(head, 0, '\x7fFLAC') && head.length >= 51) return 'flac';
  return null;
}

/**
 * Finds the streams of sound in the order of a file. Of several that play at once, such as the sound of a film in two languages, it
 * takes the first.
 */
export function findOggLinks({ pages }: Pick<OggFile, 'pages'>): OggLink[] {
  const links: OggLink[] = [];
  let current: OggLink | null = null;
  let wasFirst = false;
  for (const page of pages) {
    if (page.isFirst) {
      if (!wasFirst) current = null;
      const codec = codecOf(page.body);
      if (current === null && codec !== null) {
        current = { codec, head: page.body, pages: [page] };
        links.push(current);
      }
    } else if (current !== null && page.serial === current.pages[0]!.serial) {
      current.pages.push(page);
    }
    wasFirst = page.isFirst;
  }
  return links;
}

/** Reads the packets of a stream page by page. A packet of which a part is missing is left out. */
export function* readPackets(pages: readonly OggPage[]): Generator<PagePackets> {
  let begun: Uint8Array[] = [];
  let sequence: number | null = null;
  for (const page of pages) {
    const follows = sequence === null || page.sequence === sequence + 1;
    sequence = page.sequence;
    let isLost = page.isContinued && (begun.length === 0 || !follows);
    if (!page.isContinued || isLost) begun = [];
    const packets: Uint8Array[] = [];
    let start = 0;
    let end = 0;
    for (const length of page.lacing) {
      end += length;
      if (length === 255) continue;
      const part = page.body.subarray(start, end);
      if (!isLost) packets.push(begun.length === 0 ? part : joinBytes([...begun, part]));
      begun = [];
      isLost = false;
      start = end;
    }
    if (start < end && !isLost) begun.push(page.body.subarray(start, end));
    yield { packets, granule: page.granule, isLast: page.isLast };
  }
}

/** Joins arrays of bytes. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Longer advances between two pages, in samples, are jumps of the clock: a page holds less than a minute. */
const MAX_ADVANCE = 60 * 192_000;

/** Samples of a stream by its granule positions, and how many of them are missing. */
export type LinkLength = { samples: number; missing: number };

/**
 * Measures a stream by its pages. The first page of sound is left out, because its start is not known. The sequence numbers show gaps,
 * and the granule positions around a gap its length. Positions that jump without a gap are no loss.
 */
export function measureLink({ pages }: OggLink): LinkLength {
  const length = { samples: 0, missing: 0 };
  let granule = -1;
  let sequence = pages[0]!.sequence;
  let lost = 0;
  for (const page of pages) {
    lost += Math.max(0, page.sequence - sequence - 1);
    sequence = page.sequence;
    if (page.granule < 0) continue;
    const advance = page.granule - granule;
    // Pages of headers have position 0.
    if (granule > 0 && advance > 0 && advance < MAX_ADVANCE) {
      length.samples += advance;
      length.missing += (advance * lost) / (lost + 1);
    }
    lost = 0;
    granule = page.granule;
  }
  return length;
}
