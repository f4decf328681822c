/** Stems of songs of which only parts were separated. */
import { filesOf } from './stem-parts.ts';
import type { Stem } from './music.ts';
import type { StemPaths, StemPiece, StoredStems } from './services.ts';

/** Parts of a song in seconds, ascending and apart. */
export type SongRanges = [startSec: number, endSec: number][];

/** The first sections of a plan, if they can be rendered before the rest, and what they play of each song, with margins. */
export type PlanOpening = { sections: number; ranges: Record<string, SongRanges> };

/** Pieces that were separated at different times are cross-faded over this time, in seconds. */
export const SEAM_SEC = 1;

/** The pieces of stems; undefined for a whole song. */
export function piecesOf(stems: StoredStems): StemPiece[] | undefined {
  return 'pieces' in stems ? stems.pieces : undefined;
}

/** Returns the files of some stems of a song, of all its pieces. */
export function filesOfStems(stored: StoredStems, stems: readonly Stem[]): string[] {
  const holders: readonly StemPaths[] = piecesOf(stored) ?? [stored as StemPaths];
  return holders.flatMap((paths) => stems.flatMap((stem) => filesOf(paths[stem])));
}

/** Returns what of the wanted ranges no piece holds. */
export function missingRanges(
  wanted: Readonly<SongRanges>,
  pieces: readonly { start_sec: number; end_sec: number }[],
): SongRanges {
  return pieces.reduce<SongRanges>(
    (missing, { start_sec, end_sec }) =>
      missing.flatMap(([from, to]): SongRanges => {
        if (end_sec <= from || start_sec >= to) return [[from, to]];
        const before: SongRanges = from < start_sec ? [[from, start_sec]] : [];
        return to > end_sec ? [...before, [end_sec, to]] : before;
      }),
    [...wanted],
  );
}
