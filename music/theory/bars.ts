/** Bars of a song, and its energy and vocal presence in parts of it. */
import type { SongAnalysis, SongSection } from '../../schema.ts';
import { longestPart } from './parts.ts';
import { soundSpans, spanAt } from './sound-spans.ts';
import type { SoundSpan } from './sound-spans.ts';

const DEFAULT_METER = 4;
/** Assumed length of a song whose analysis has none: long enough to plan with, short enough for any song. */
const ASSUMED_DURATION_SEC = 60;
/** Assumed tempo of a song without a known tempo. */
export const ASSUMED_BPM = 120;

/** Bars of a song, as planning needs them. */
export type SongBars = {
  bpm: number;
  /** Beats per bar. */
  meter: number;
  /** False if the analysis found no meter, so that bars of four beats are an assumption. */
  meterKnown: boolean;
  barSec: number;
  /** Start of the part of the song that is used; 0 for the whole song. */
  startSec: number;
  /** End of the music, or of the part of it that is used: silence behind it is left out. */
  durationSec: number;
  /** Seconds past `durationSec` that a source may reach: a cut off last bar is hardly audible, another tempo is. */
  overrunSec: number;
  /** False if `durationSec` is an assumption. */
  durationKnown: boolean;
  /** Start of each bar that sounds, ascending, within the song. At least one. */
  downbeatsSec: number[];
  /** Where the song sounds. */
  spans: readonly SoundSpan[];
};

/**
 * Returns a song's bars from its analysed downbeats, otherwise from its beats, otherwise from its tempo. Of a song whose tempo or meter
 * changes, it returns those of the part that its analysis is reduced to, otherwise of the longest part.
 */
export function songBars(analysis: SongAnalysis): SongBars {
  const { rhythmic } = analysis;
  const part = longestPart(rhythmic.tempo_parts);
  const bpm = part?.bpm ?? (rhythmic.bpm > 0 ? rhythmic.bpm : ASSUMED_BPM);
  const meter = rhythmic.meter ?? DEFAULT_METER;
  const barSec = (60 / bpm) * meter;
  const lastBeat = rhythmic.beats_sec?.at(-1);
  const songSec = analysis.duration_sec ?? (lastBeat ? lastBeat + 60 / bpm : ASSUMED_DURATION_SEC);
  const spans = soundSpans(analysis.energy?.curve, songSec, { pauses: analysis.content !== 'acapella' });
  const startSec = part?.start_sec ?? 0;
  const durationSec = Math.min(spans.at(-1)![1], part?.end_sec ?? songSec);
  const isInside = (at: number): boolean => at >= startSec - 0.01 && at < durationSec - 0.01;
  const durationKnown = analysis.duration_sec !== null || lastBeat !== undefined;
  let downbeats = (rhythmic.downbeats_sec ?? []).filter(isInside);
  if (downbeats.length === 0) downbeats = (rhythmic.beats_sec ?? []).filter(isInside).filter((_, i) => i % meter === 0);
  if (downbeats.length === 0) {
    const bars = Math.max(1, Math.floor((durationSec - startSec) / barSec));
    downbeats = Array.from({ length: bars }, (_, i) => startSec + i * barSec);
  }
  const overrunSec = durationSec < songSec - barSec / 2 ? 0 : barSec;
  return {
    bpm,
    meter,
    meterKnown: rhythmic.meter !== null,
    barSec,
    startSec,
    durationSec,
    overrunSec,
    durationKnown,
    downbeatsSec: soundingBars(downbeats, barSec, spans),
    spans,
  };
}

/** The downbeats whose bar sounds at least for a half; all of them if there is none. */
function soundingBars(downbeats: number[], barSec: number, spans: readonly SoundSpan[]): number[] {
  const sounding = downbeats.filter((at) => {
    const [from, to] = spanAt(spans, at);
    return at >= from - barSec / 8 && at + barSec / 2 <= to;
  });
  return sounding.length > 0 ? sounding : downbeats;
}

/** Returns the downbeat nearest to a time, in seconds; 0 if there is none. */
export function snapToDownbeat(downbeatsSec: readonly number[], atSec: number): number {
  return downbeatsSec.reduce(
    (best, each) => (Math.abs(each - atSec) < Math.abs(best - atSec) ? each : best),
    downbeatsSec[0] ?? 0,
  );
}

/** Returns the mean of a curve between two times; undefined if the curve has no value there. */
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

/** Returns the mean of a value over the sections between two times, weighted by overlap; undefined if none overlaps. */
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

/** Returns the energy of a song between two times, 0..1, from the finest data that the analysis has. */
export function energyOf(analysis: SongAnalysis, fromSec: number, toSec: number): number {
  return (
    curveMean(analysis.energy?.curve, fromSec, toSec) ??
    sectionMean(analysis.sections, fromSec, toSec, (section) => section.energy) ??
    analysis.energy?.mean ??
    0.5
  );
}

/** Returns the vocal presence of a song between two times, 0..1, from the finest data that the analysis has. */
export function vocalsOf(analysis: SongAnalysis, fromSec: number, toSec: number): number {
  return (
    curveMean(analysis.vocal.curve, fromSec, toSec) ??
    sectionMean(analysis.sections, fromSec, toSec, (section) => section.vocal_presence) ??
    analysis.vocal.vocal_presence
  );
}

/**
 * Returns the highest and the lowest vocal presence, 0..1, of all stretches of `bars` bars of a song. For a shorter song
 * both are its mean.
 */
export function vocalRange(analysis: SongAnalysis, bars: number): { most: number; least: number } {
  const { downbeatsSec, barSec, durationSec, overrunSec } = songBars(analysis);
  const starts = downbeatsSec.filter((at) => at + bars * barSec <= durationSec + overrunSec / 2 + 0.02);
  const values = starts.map((at) => vocalsOf(analysis, at, at + bars * barSec));
  if (values.length === 0) values.push(analysis.vocal.vocal_presence);
  return { most: Math.max(...values), least: Math.min(...values) };
}
