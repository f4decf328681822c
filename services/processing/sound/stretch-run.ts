/** Renders a run: stretches what it plays of its stem. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { warp } from '../../../audio/time/stretch.ts';
import type { TimeMap } from '../../../audio/time/time-map.ts';
import type { Stem } from '../../../schema.ts';
import { writeCacheFile } from '../files/cache-file.ts';
import type { StemRange } from '../files/read-stem.ts';
import { type ScratchRegion, writeRegion } from '../files/scratch.ts';
import type { StemPiece } from '../files/stem-pieces.ts';
import { readMatched } from './stem.ts';

/** Source audio before and after a run that stretching may read. */
const MARGIN_SEC = 0.5;

export type RunTask = {
  stem: Stem;
  /** Seconds of the run's buffer against seconds of the song. */
  map: TimeMap;
  /** Where the run is written; its length is the length of the run. */
  region: ScratchRegion;
  semitones: number;
  /** The decoded stem, and the gain that matches its level. */
  pieces: readonly StemPiece[];
  gain: number;
  /** The file of the cache that keeps the run. */
  cacheFile: string | undefined;
};

/** The samples of a stem that a run with this time map reads. */
export function sourceRange({ source }: TimeMap): StemRange {
  return [
    Math.max(0, Math.floor((source[0]! - MARGIN_SEC) * SAMPLE_RATE)),
    Math.max(1, Math.ceil((source.at(-1)! + MARGIN_SEC) * SAMPLE_RATE)),
  ];
}

/**
 * Stretches a run and writes it to its region.
 * @throws RenderError render_failed
 */
export async function stretchRun(task: RunTask): Promise<void> {
  const { stem, map, region, semitones, pieces, gain, cacheFile } = task;
  const [from, to] = sourceRange(map);
  const origin = from / SAMPLE_RATE;
  const channels = await warp(
    readMatched(pieces, { stem, gain, from, to }),
    { output: map.output, source: map.source.map((at) => at - origin) },
    {
      sampleRate: SAMPLE_RATE,
      frames: region.frames,
      semitones,
      keepFormants: stem === 'vocals',
      keep: stem === 'drums' ? 'attacks' : stem === 'bass' ? 'lowNotes' : 'notes',
    },
  );
  writeRegion(region, channels);
  if (cacheFile !== undefined) writeCacheFile(cacheFile, null, channels);
}
