/** A run: one stem of one song, played without a break. Defines which moment of the song plays at which moment of the mashup. */
import type { Stem } from '../../../schema.ts';
import { beatTime } from '../song/beat-grid.ts';
import type { RenderSong } from '../song/song.ts';

export type Run = {
  id: number;
  songId: string;
  stem: Stem;
  /** Seconds of the mashup. */
  start: number;
  end: number;
  /** Beat of the song (index into its grid) that plays at `start`. */
  sourceBeat: number;
  /**
   * Duration of a beat of the song in the mashup, in seconds: half, one or two of the mashup's beats. In a free run it is as long
   * as in the song.
   */
  beatSec: number;
  /** Whether the run plays at the song's own speed. */
  free: boolean;
  semitones: number;
};

/** Second of the song that plays at second `at` of the mashup. */
export function sourceAt(run: Run, song: RenderSong, at: number): number {
  if (run.free) return beatTime(song.grid, run.sourceBeat) + at - run.start;
  return beatTime(song.grid, run.sourceBeat + (at - run.start) / run.beatSec);
}

/** A difference of two times that is smaller, in seconds, comes from their rounding. */
const ROUNDING_SEC = 1e-6;

/** Duration of a run in seconds. It is the same wherever the run plays in the mashup. */
export function runDuration({ start, end }: Run): number {
  return Math.round((end - start) / ROUNDING_SEC) * ROUNDING_SEC;
}

/**
 * The time map of a run, with an anchor on each beat: seconds of the run against seconds of the song. It begins two beats before the run
 * and ends two beats after it, and is the same wherever the run plays in the mashup.
 * @param headSec second of the map at which the run starts
 */
export function runMap(run: Run, song: RenderSong, headSec: number): { output: number[]; source: number[] } {
  const { beatSec, free, sourceBeat } = run;
  const count = Math.ceil((runDuration(run) - ROUNDING_SEC) / beatSec);
  const output: number[] = [];
  const source: number[] = [];
  for (let i = -2; i <= count + 2; i++) {
    output.push(headSec + i * beatSec);
    source.push(free ? beatTime(song.grid, sourceBeat) + i * beatSec : beatTime(song.grid, sourceBeat + i));
  }
  return { output, source };
}
