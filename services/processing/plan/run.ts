/** A run, one stem of one song played without a break, and which moment of the song sounds at which moment of it. */
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
  /** Beat of the song (index into its grid) that sounds at `start`. */
  sourceBeat: number;
  /** How long a beat of the song lasts in the mashup: half, one or two of its beats; of a free run, as long as in the song. */
  beatSec: number;
  /** Plays at the song's own speed. */
  free: boolean;
  semitones: number;
};

/** Second of the song that sounds at a second of the mashup. */
export function sourceAt(run: Run, song: RenderSong, at: number): number {
  if (run.free) return beatTime(song.grid, run.sourceBeat) + at - run.start;
  return beatTime(song.grid, run.sourceBeat + (at - run.start) / run.beatSec);
}

/** Anchors of a run: times of the mashup, counted from `origin`, against times of the song, one for each of its beats. */
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
