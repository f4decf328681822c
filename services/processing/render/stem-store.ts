/** The stems of a render: each is downloaded once, and each part of it is decoded once. */
import type { Stem } from '../../../schema.ts';
import type { StemRange, StemSource } from '../files/read-stem.ts';
import type { Scratch, StoredBytes } from '../files/scratch.ts';
import type { StemPiece } from '../files/stem-pieces.ts';
import type { DrumMeasurement } from '../song/measure-drums.ts';
import type { RenderSong } from '../song/song.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';

/** A decoded stem. `gain` matches its level; it is measured once, so that all runs of a stem have the same. */
export type StemSound = { pieces: readonly StemPiece[]; gain: number };

type StoredStem = {
  stored: readonly StoredBytes[];
  pieces: readonly StemPiece[];
  /** Whether the pieces hold all of the stem. */
  isWhole: boolean;
  gain: number | undefined;
};

const EMPTY: StoredStem = { stored: [], pieces: [], isWhole: false, gain: undefined };

/** Downloads and decodes the stems of a render. */
export class StemStore {
  readonly #threads: RenderThreads;
  readonly #scratch: Scratch;
  /** By song and stem. Each promise waits for the one before. */
  readonly #stems = new Map<string, Promise<StoredStem>>();

  constructor(threads: RenderThreads, scratch: Scratch) {
    this.#threads = threads;
    this.#scratch = scratch;
  }

  /**
   * Decodes the ranges of a stem that are not decoded yet.
   * @param priority that of the thread's job
   * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable, render_failed
   */
  async load(song: RenderSong, stem: Stem, ranges: readonly StemRange[], priority: number): Promise<StemSound> {
    const { pieces, gain } = await this.#update(song, stem, async (known) => {
      const { isWhole, stored } = known;
      const loaded = await this.#threads.run(
        'stem',
        {
          ...this.#source(song, stem, stored),
          scratch: this.#scratch.file,
          songLoudness: song.loudness,
          pieces: known.pieces,
          ranges,
          isWhole,
          isMatched: known.gain !== undefined,
        },
        { priority },
      );
      return {
        isWhole,
        stored: loaded.stored,
        pieces: [...known.pieces, ...loaded.pieces],
        gain: known.gain ?? loaded.gain,
      };
    });
    return { pieces, gain: gain! };
  }

  /**
   * Decodes and measures the drums of a song.
   * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
   */
  async measureDrums(song: RenderSong): Promise<DrumMeasurement> {
    let measurement: DrumMeasurement = null;
    await this.#update(song, 'drums', async ({ stored, gain }) => {
      const task = { ...this.#source(song, 'drums', stored), scratch: this.#scratch.file };
      const measured = await this.#threads.run('drums', task);
      measurement = measured.measurement;
      return { stored: [...stored, ...measured.stored], pieces: measured.pieces, isWhole: true, gain };
    });
    return measurement;
  }

  /** The source of a stem, with the parts of it that were downloaded before. */
  async source(song: RenderSong, stem: Stem): Promise<StemSource> {
    const { stored } = await (this.#stems.get(keyOf(song, stem)) ?? EMPTY);
    return this.#source(song, stem, stored);
  }

  #source(song: RenderSong, stem: Stem, stored: readonly StoredBytes[]): StemSource {
    return { urls: song.stems[stem]!, starts: song.pieces?.starts[stem], song: song.name, stem, stored };
  }

  #update(song: RenderSong, stem: Stem, change: (known: StoredStem) => Promise<StoredStem>): Promise<StoredStem> {
    const key = keyOf(song, stem);
    const changed = (this.#stems.get(key) ?? Promise.resolve(EMPTY)).then(change);
    this.#stems.set(key, changed);
    return changed;
  }
}

const keyOf = (song: RenderSong, stem: Stem): string => JSON.stringify([song.id, stem]);
