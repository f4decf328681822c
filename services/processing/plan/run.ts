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

/**
 * The time map of a run, with an anchor on each beat: seconds of the mashup, counted from `origin`, against seconds of the song. It
 * begins two beats before the run and ends two beats after it.
 */
export function runMap(run: Run, song: RenderSong, origin: number): { output: number[]; source: number[] } {
  const count = Math.ceil((run.end - run.start) / run.beatSec);
  const output: number[] = [];
  const source: number[] = [];
  for (let i = -2; i <= count + 2; i++) {
    const at = run.start + i * run.beatSec;
    output.push(at - origin);
    source.push(sourceAt(run, song, at));
  }
  return { output, source };
}
