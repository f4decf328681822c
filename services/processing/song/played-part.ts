/** The part that the plan plays of a song whose tempo or meter changes. */
import { tempoChange } from '../../../music/theory/tempo.ts';
import type { TempoPart } from '../../../schema.ts';
import type { GridSource } from './beat-grid.ts';

/** A layer that starts this shortly before a part starts in it: times of a plan are rounded. */
const PART_TOLERANCE_SEC = 0.1;

/**
 * The part in which most layers of the plan start. If they name no place, the part with the least change of speed. Undefined for a song
 * that is one part.
 */
export function playedPart(
  parts: readonly TempoPart[],
  startsSec: readonly number[],
  targetBpm: number,
): TempoPart | undefined {
  const startsIn = (part: TempoPart): number =>
    startsSec.filter((at) => at >= part.start_sec - PART_TOLERANCE_SEC && at < part.end_sec - PART_TOLERANCE_SEC)
      .length;
  return parts.toSorted(
    (a, b) => startsIn(b) - startsIn(a) || tempoChange(a.bpm, targetBpm) - tempoChange(b.bpm, targetBpm),
  )[0];
}

/** The beats and downbeats of one part of a song. */
export function gridOfPart(rhythmic: { beats_sec?: number[]; downbeats_sec?: number[] }, part: TempoPart): GridSource {
  const inside = (times: readonly number[] = []): number[] =>
    times.filter((at) => at >= part.start_sec - 0.01 && at < part.end_sec - 0.01);
  return {
    bpm: part.bpm,
    meter: part.meter,
    beats_sec: inside(rhythmic.beats_sec),
    downbeats_sec: inside(rhythmic.downbeats_sec),
  };
}
