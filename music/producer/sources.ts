/** Which part of a song a section plays. */
import type { AnalyzedSong } from '../../schema.ts';
import { energyOf, songGrid, vocalsOf } from '../theory/bars.ts';

/** Choices made by listening: a voice where one is wanted counts most. */
const WEIGHTS = { energy: 0.6, voice: 1.2, boundary: 0.2, used: 0.7 } as const;

type SourceWish = {
  song: AnalyzedSong;
  /** Seconds of the song that the section needs. */
  neededSec: number;
  /** 0..1, from the song's quietest to its fullest part. */
  energy: number;
  /** 1 where a voice is wanted, -1 where it would be in the way, 0 where it does not matter. */
  voice: number;
};

type Stretch = [number, number];

/** Remembers what was played of each song and chooses what to play next. */
export class SourcePicker {
  readonly #played = new Map<string, Stretch[]>();

  /** Notes a choice that was made elsewhere. Returns it, moved back to a downbeat where the song would run out. */
  take(song: AnalyzedSong, startSec: number, neededSec: number): number {
    const fitting = fittingStarts(song, neededSec);
    const start = fitting.reduce(
      (best, at) => (Math.abs(at - startSec) < Math.abs(best - startSec) ? at : best),
      fitting[0] ?? 0,
    );
    const list = this.#played.get(song.song_id) ?? [];
    list.push([start, start + neededSec]);
    this.#played.set(song.song_id, list);
    return Math.round(start * 1_000) / 1_000;
  }

  /** Chooses the downbeat whose part of the song fits best in energy and voice, is a section's start and not yet played. */
  pick({ song, neededSec, energy, voice }: SourceWish): number {
    const starts = fittingStarts(song, neededSec);
    const energies = starts.map((at) => energyOf(song.analysis, at, at + neededSec));
    const low = Math.min(...energies);
    const range = Math.max(...energies) - low;
    const boundaries = (song.analysis.sections ?? []).map((section) => section.start_sec);
    const barSec = songGrid(song.analysis).barSec;
    const worth = starts.map((at, index) => {
      const relative = range > 0.02 ? ((energies[index] ?? 0) - low) / range : energy;
      const atBoundary = boundaries.some((each) => Math.abs(each - at) < barSec / 2);
      return (
        -WEIGHTS.energy * Math.abs(relative - energy) +
        WEIGHTS.voice * voice * vocalsOf(song.analysis, at, at + neededSec) +
        (atBoundary ? WEIGHTS.boundary : 0) -
        WEIGHTS.used * this.#playedShare(song.song_id, at, at + neededSec)
      );
    });
    const best = worth.reduce((top, each, index) => (each > (worth[top] ?? -Infinity) + 1e-9 ? index : top), 0);
    return this.take(song, starts[best] ?? 0, neededSec);
  }

  #playedShare(songId: string, from: number, to: number): number {
    const played = this.#played.get(songId) ?? [];
    const seconds = played.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);
    return Math.min(1, seconds / Math.max(1e-3, to - from));
  }
}

/** Downbeats from which enough of the song is left; the first one where none is. */
function fittingStarts(song: AnalyzedSong, neededSec: number): number[] {
  const grid = songGrid(song.analysis);
  const fitting = grid.downbeatsSec.filter((at) => at + neededSec <= grid.durationSec + 0.02);
  return fitting.length > 0 ? fitting : grid.downbeatsSec.slice(0, 1);
}
