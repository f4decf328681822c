/** Songs of which only some parts were separated: what their stems hold. */
import { type RenderRequest, type Stem, STEMS, type StemUrls } from '../../../schema.ts';

type SentStems = NonNullable<RenderRequest['songs'][number]['stems']>;

/** Seconds of a song. */
export type TimeSpan = readonly [from: number, to: number];

/** The parts of a song that its stems hold. */
export type SongPieces = {
  /** Ascending, joined where they touch. */
  spans: readonly TimeSpan[];
  /** By stem and file: second of the song at which the file starts; undefined if it follows the one before. */
  starts: Partial<Record<Stem, readonly (number | undefined)[]>>;
};

/** Less than this may be missing of what is played, in seconds: times are rounded. */
const TOLERANCE_SEC = 0.05;

const isPieces = (urls: StemUrls): urls is Extract<StemUrls, { start_sec: number }[]> =>
  Array.isArray(urls) && typeof urls[0] === 'object';

/** The URLs of the files of a stem, in order. */
export function urlsOf(urls: StemUrls): readonly string[] {
  if (typeof urls === 'string') return [urls];
  return isPieces(urls) ? ordered(urls).flatMap((piece) => piece.urls) : (urls as string[]);
}

const ordered = <Piece extends { start_sec: number }>(pieces: readonly Piece[]): Piece[] =>
  pieces.toSorted((a, b) => a.start_sec - b.start_sec);

/** Reads what the stems of a song hold; undefined for whole stems. Of stems that hold different parts, what all of them hold. */
export function songPieces(stems: SentStems): SongPieces | undefined {
  const starts: SongPieces['starts'] = {};
  let spans: TimeSpan[] | undefined;
  for (const stem of STEMS) {
    const urls = stems[stem];
    if (urls === undefined || !isPieces(urls)) continue;
    const pieces = ordered(urls);
    starts[stem] = pieces.flatMap((piece) => piece.urls.map((_, i) => (i === 0 ? piece.start_sec : undefined)));
    const own = joinSpans(pieces.map(({ start_sec, end_sec }) => [start_sec, end_sec]));
    spans = spans ? intersect(spans, own) : own;
  }
  return spans && { spans, starts };
}

/** Joins ascending spans where they overlap or touch. */
function joinSpans(spans: readonly TimeSpan[]): TimeSpan[] {
  const joined: [number, number][] = [];
  for (const [from, to] of spans) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function intersect(spans: readonly TimeSpan[], others: readonly TimeSpan[]): TimeSpan[] {
  return spans.flatMap(([a, b]) =>
    others.flatMap(([c, d]): TimeSpan[] => (Math.max(a, c) < Math.min(b, d) ? [[Math.max(a, c), Math.min(b, d)]] : [])),
  );
}

/** Whether the stems hold seconds `from..to` of the song. */
export function holdsSpan(pieces: SongPieces | undefined, from: number, to: number): boolean {
  return (
    pieces === undefined ||
    pieces.spans.some(([start, end]) => start <= from + TOLERANCE_SEC && end >= to - TOLERANCE_SEC)
  );
}
