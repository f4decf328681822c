/** A song's bars: from its analysed downbeats, or from its tempo where there are none. */
import type { SongAnalysis, SongSection } from '../../schema.ts';

const DEFAULT_METER = 4;
/** Length that is assumed where the analysis gives none: long enough to plan with, short enough for any song. */
const ASSUMED_DURATION_SEC = 60;
/** Tempo that is assumed where none could be told. */
export const ASSUMED_BPM = 120;

export type SongGrid = {
  bpm: number;
  /** Beats in a bar. */
  meter: number;
  barSec: number;
  durationSec: number;
  /** False where the length is an assumption. */
  durationKnown: boolean;
  /** Start of each bar, rising, inside the song; at least one. */
  downbeatsSec: number[];
};

export function songGrid(analysis: SongAnalysis): SongGrid {
  const { rhythmic } = analysis;
  const bpm = rhythmic.bpm > 0 ? rhythmic.bpm : ASSUMED_BPM;
  const meter = rhythmic.meter ?? DEFAULT_METER;
  const barSec = (60 / bpm) * meter;
  const lastBeat = rhythmic.beats_sec?.at(-1);
  const durationSec = analysis.duration_sec ?? (lastBeat ? lastBeat + 60 / bpm : ASSUMED_DURATION_SEC);
  const durationKnown = analysis.duration_sec !== null || lastBeat !== undefined;
  let downbeats = (rhythmic.downbeats_sec ?? []).filter((at) => at >= 0 && at < durationSec);
  if (downbeats.length === 0)
    downbeats = (rhythmic.beats_sec ?? []).filter((at, i) => i % meter === 0 && at < durationSec);
  if (downbeats.length === 0) {
    const bars = Math.max(1, Math.floor(durationSec / barSec));
    downbeats = Array.from({ length: bars }, (_, i) => i * barSec);
  }
  return { bpm, meter, barSec, durationSec, durationKnown, downbeatsSec: downbeats };
}

/** The downbeat nearest to a time. */
export function nearestDownbeat(grid: SongGrid, at: number): number {
  return grid.downbeatsSec.reduce(
    (best, each) => (Math.abs(each - at) < Math.abs(best - at) ? each : best),
    grid.downbeatsSec[0] ?? 0,
  );
}

/** Mean of a curve over a stretch of seconds; undefined where the curve has nothing there. */
function curveMean(
  curve: { hop_sec: number; values: number[] } | undefined,
  fromSec: number,
  toSec: number,
): number | undefined {
  if (!curve) return undefined;
  const from = Math.max(0, Math.floor(fromSec / curve.hop_sec));
  const to = Math.min(curve.values.length, Math.max(from + 1, Math.ceil(toSec / curve.hop_sec)));
  if (to <= from) return undefined;
  let sum = 0;
  for (let i = from; i < to; i++) sum += curve.values[i] ?? 0;
  return sum / (to - from);
}

function sectionMean(
  sections: readonly SongSection[] | undefined,
  fromSec: number,
  toSec: number,
  value: (section: SongSection) => number,
): number | undefined {
  let sum = 0;
  let weight = 0;
  for (const section of sections ?? []) {
    const overlap = Math.min(section.end_sec, toSec) - Math.max(section.start_sec, fromSec);
    if (overlap <= 0) continue;
    sum += overlap * value(section);
    weight += overlap;
  }
  return weight > 0 ? sum / weight : undefined;
}

/** Energy of a stretch of a song, 0..1, from the finest source that the analysis has. */
export function energyOf(analysis: SongAnalysis, fromSec: number, toSec: number): number {
  return (
    curveMean(analysis.energy?.curve, fromSec, toSec) ??
    sectionMean(analysis.sections, fromSec, toSec, (section) => section.energy) ??
    analysis.energy?.mean ??
    0.5
  );
}

/** Vocal presence of a stretch of a song, 0..1, from the finest source that the analysis has. */
export function vocalsOf(analysis: SongAnalysis, fromSec: number, toSec: number): number {
  return (
    curveMean(analysis.vocal.curve, fromSec, toSec) ??
    sectionMean(analysis.sections, fromSec, toSec, (section) => section.vocal_presence) ??
    analysis.vocal.vocal_presence
  );
}

/** Vocal presence of the most and of the least sung stretch of `bars` bars of a song, 0..1; of all of it where it is shorter. */
export function vocalRange(analysis: SongAnalysis, bars: number): { most: number; least: number } {
  const { downbeatsSec, barSec, durationSec } = songGrid(analysis);
  const starts = downbeatsSec.filter((at) => at + bars * barSec <= durationSec + barSec / 2);
  const values = starts.map((at) => vocalsOf(analysis, at, at + bars * barSec));
  if (values.length === 0) values.push(analysis.vocal.vocal_presence);
  return { most: Math.max(...values), least: Math.min(...values) };
}
