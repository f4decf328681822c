/** Chooses the part of a song that a section plays. */
import type { AnalyzedSong } from '../../schema.ts';
import { energyOf, snapToDownbeat, songBars, vocalsOf } from '../theory/bars.ts';
import { soundsThroughout } from '../theory/sound-spans.ts';

/** Weights of the criteria, tuned by listening: a voice where one is wanted counts most. */
const WEIGHTS = { energy: 0.6, voice: 1.2, boundary: 0.2, used: 0.7 } as const;

type SourceRequest = {
  song: AnalyzedSong;
  /** Seconds of the song that the section needs. */
  neededSec: number;
  /** Wanted energy, 0..1, from the song's quietest to its fullest part. */
  energy: number;
  /** 1 if a voice is wanted, negative if it would disturb, 0 if it does not matter. */
  voice: number;
};

/** Start and end in the song, in seconds. */
type Span = [number, number];

/** Chooses parts of songs and records which parts are used. */
export class SourcePicker {
  readonly #used = new Map<string, Span[]>();

  /** Records the use of a part. Returns its start, moved to the nearest downbeat with enough of the song left. */
  reserve(song: AnalyzedSong, startSec: number, neededSec: number): number {
    const start = snapToDownbeat(fittingStarts(song, neededSec), startSec);
    const list = this.#used.get(song.song_id) ?? [];
    list.push([start, start + neededSec]);
    this.#used.set(song.song_id, list);
    return Math.round(start * 1_000) / 1_000;
  }

  /** Chooses and reserves the part with the best rating: energy, voice, a section's start, not used yet. */
  pick({ song, neededSec, energy, voice }: SourceRequest): number {
    const starts = fittingStarts(song, neededSec);
    const energies = starts.map((at) => energyOf(song.analysis, at, at + neededSec));
    const low = Math.min(...energies);
    const range = Math.max(...energies) - low;
    const boundaries = (song.analysis.sections ?? []).map((section) => section.start_sec);
    const barSec = songBars(song.analysis).barSec;
    const ratings = starts.map((at, index) => {
      const relative = range > 0.02 ? ((energies[index] ?? 0) - low) / range : energy;
      const atBoundary = boundaries.some((each) => Math.abs(each - at) < barSec / 2);
      return (
        -WEIGHTS.energy * Math.abs(relative - energy) +
        WEIGHTS.voice * voice * vocalsOf(song.analysis, at, at + neededSec) +
        (atBoundary ? WEIGHTS.boundary : 0) -
        WEIGHTS.used * this.#usedShare(song.song_id, at, at + neededSec)
      );
    });
    const best = ratings.reduce((top, each, index) => (each > (ratings[top] ?? -Infinity) + 1e-9 ? index : top), 0);
    return this.reserve(song, starts[best] ?? 0, neededSec);
  }

  #usedShare(songId: string, from: number, to: number): number {
    const used = this.#used.get(songId) ?? [];
    const seconds = used.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);
    return Math.min(1, seconds / Math.max(1e-3, to - from));
  }
}

/** Returns the downbeats with enough of the song left, without silence in it if that is possible, or the first one. */
function fittingStarts(song: AnalyzedSong, neededSec: number): number[] {
  const { downbeatsSec, durationSec, spans } = songBars(song.analysis);
  const fitting = downbeatsSec.filter((at) => at + neededSec <= durationSec + 0.02);
  const sounding = fitting.filter((at) => soundsThroughout(spans, at, at + neededSec));
  if (sounding.length > 0) return sounding;
  return fitting.length > 0 ? fitting : downbeatsSec.slice(0, 1);
}
