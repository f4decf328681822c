/** Timing of the songs against the one that carries the beat. */
import { check } from './checks.ts';
import type { Expectations, MeasuredSection } from './measured-section.ts';
import { BEAT_OFFSETS, lags, patternCorrelations } from './onset-lag.ts';

export type TimingMeasurement = {
  /** Sizes of all lags in milliseconds, one for each two bars of each song. */
  lagSizesMs: number[];
  /** Median lag of each song against the anchor, in milliseconds; positive is late. */
  lateMs: Map<string, number>;
  /** Largest gain in pattern correlation by moving a song; null if no two songs can be compared. */
  advantage: number | null;
  /** Beats by which each song should play earlier; 0 if no move fits clearly better. */
  beatOffset: Map<string, number>;
};

/** What is collected of a song over all sections. Correlations are sums weighted by seconds. */
type SongTiming = { lagsMs: number[]; correlations: number[]; seconds: number; otherPulse: boolean };

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;

/** Measures the lags and beat offsets of the songs that keep the beat. */
export function measureTiming(sections: readonly MeasuredSection[], expected: Expectations): TimingMeasurement {
  const { songs, otherLagsMs } = collectTiming(sections, expected);
  const lateMs = new Map<string, number>();
  const beatOffset = new Map<string, number>();
  let advantage: number | null = null;
  for (const [songId, { lagsMs, correlations, seconds, otherPulse }] of songs) {
    if (lagsMs.length > 0) lateMs.set(songId, median(lagsMs));
    // Bars of different lengths, and patterns at half speed, never coincide: only an offset of half a beat can be detected.
    const halfBeatOnly = expected.meters.get(songId) !== expected.beatsPerBar || otherPulse;
    const usable = BEAT_OFFSETS.map((_, i) => i).filter((i) => !halfBeatOnly || Math.abs(BEAT_OFFSETS[i]!) < 1);
    const best = usable.reduce((a, b) => (correlations[b]! > correlations[a]! + 1e-9 ? b : a));
    const gain = (correlations[best]! - correlations[0]!) / seconds;
    advantage = Math.max(advantage ?? 0, gain);
    beatOffset.set(songId, check('metre_advantage', gain).passed ? 0 : BEAT_OFFSETS[best]!);
  }
  const lagSizesMs = [...otherLagsMs, ...[...songs.values()].flatMap(({ lagsMs }) => lagsMs)].map(Math.abs);
  return { lagSizesMs, lateMs, advantage, beatOffset };
}

/** Timing of each song against the anchor; `otherLagsMs` are lags in sections without it. */
function collectTiming(
  sections: readonly MeasuredSection[],
  { anchor, beatsPerBar, sampleRate }: Expectations,
): { songs: Map<string, SongTiming>; otherLagsMs: number[] } {
  const songs = new Map<string, SongTiming>();
  const otherLagsMs: number[] = [];
  for (const { onsets, durationSec, bpm, otherPulse } of sections) {
    const beatSec = 60 / bpm;
    const barSec = beatSec * beatsPerBar;
    const reference = onsets.get(anchor);
    if (!reference) {
      // Without the anchor, the other songs still have to be in time with each other.
      const [first, ...others] = [...onsets.values()];
      for (const other of others) otherLagsMs.push(...lags(first!, other, barSec, sampleRate));
      continue;
    }
    for (const [songId, own] of onsets) {
      if (songId === anchor) continue;
      const song = songs.get(songId) ?? {
        lagsMs: [],
        correlations: BEAT_OFFSETS.map(() => 0),
        seconds: 0,
        otherPulse: false,
      };
      song.lagsMs.push(...lags(reference, own, barSec, sampleRate));
      patternCorrelations(reference, own, beatSec, sampleRate).forEach((correlation, i) => {
        song.correlations[i]! += correlation * durationSec;
      });
      song.seconds += durationSec;
      song.otherPulse ||= otherPulse.has(songId) || otherPulse.has(anchor);
      songs.set(songId, song);
    }
  }
  return { songs, otherLagsMs };
}
