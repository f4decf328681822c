/** The stems of a render: each is downloaded once, and each part of it is decoded once. */
import type { Stem } from '../../../schema.ts';
import { writeCacheFile } from '../files/cache-file.ts';
import type { StemRange, StemSource } from '../files/read-stem.ts';
import { hashOf, type RenderCache } from '../files/render-cache.ts';
import type { Scratch, StoredBytes } from '../files/scratch.ts';
import { stemIdentity } from '../files/stem-identity.ts';
import { missingRanges, type StemPiece } from '../files/stem-pieces.ts';
import type { DrumMeasurement } from '../song/measure-drums.ts';
import type { RenderSong } from '../song/song.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';

/** A stem as far as it was downloaded and decoded. `gain` matches its level. */
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
  readonly #cache: RenderCache | undefined;
  /** By song and stem. Each promise waits for the one before. */
  readonly #stems = new Map<string, Promise<StoredStem>>();
  readonly #identities = new Map<string, Promise<string | undefined>>();
  readonly #gains = new Map<string, Promise<number>>();

  constructor(threads: RenderThreads, scratch: Scratch, cache: RenderCache | undefined) {
    this.#threads = threads;
    this.#scratch = scratch;
    this.#cache = cache;
  }

  /** A hash of the content of a stem that holds in other renders as well; undefined if there is none, or no cache. */
  identity(song: RenderSong, stem: Stem): Promise<string | undefined> {
    const key = keyOf(song, stem);
    const found = this.#cache
      ? (this.#identities.get(key) ?? stemIdentity(song.stems[stem]!, song.pieces?.starts[stem]))
      : undefined;
    if (!found) return Promise.resolve(undefined);
    this.#identities.set(key, found);
    return found;
  }

  /**
   * The gain that matches the level of a stem. It is measured once, in the ranges of the first call, so that all runs of a stem have the
   * same.
   * @param priority that of the thread's job
   * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable, render_failed
   */
  gain(song: RenderSong, stem: Stem, ranges: readonly StemRange[], priority: number): Promise<number> {
    const key = keyOf(song, stem);
    const known = this.#gains.get(key) ?? this.#measureGain(song, stem, ranges, priority);
    this.#gains.set(key, known);
    return known;
  }

  async #measureGain(song: RenderSong, stem: Stem, ranges: readonly StemRange[], priority: number): Promise<number> {
    const identity = await this.identity(song, stem);
    return this.#cached(identity && ['gain', identity, stem, ranges, song.loudness ?? null], async () => {
      const { gain } = await this.load(song, stem, ranges, priority);
      return gain!;
    });
  }

  /** Reads a value from the cache, or makes and keeps it. */
  async #cached<T>(key: unknown, make: () => Promise<T>): Promise<T> {
    const path = key === undefined || key === '' ? undefined : this.#cache?.pathOf(hashOf(key));
    const cached = path === undefined ? null : await this.#cache?.read(path);
    if (cached) return cached.value as T;
    const value = await make();
    if (path !== undefined) {
      writeCacheFile(path, value, []);
      this.#cache?.added(path);
    }
    return value;
  }

  /**
   * Decodes the ranges of a stem that are not decoded yet, and measures its gain in them if it is not known.
   * @param priority that of the thread's job
   * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable, render_failed
   */
  load(song: RenderSong, stem: Stem, ranges: readonly StemRange[], priority: number): Promise<StoredStem> {
    return this.#update(song, stem, async (known) => {
      const { isWhole, stored, pieces, gain } = known;
      const isLoaded = isWhole || missingRanges(ranges, pieces).length === 0;
      if (isLoaded && gain !== undefined) return known;
      const source = this.#source(song, stem, stored);
      const level = { songLoudness: song.loudness, isMatched: gain !== undefined };
      const task = { ...source, ...level, scratch: this.#scratch.file, pieces, ranges, isWhole };
      const loaded = await this.#threads.run('stem', task, { priority });
      return {
        isWhole,
        stored: loaded.stored,
        pieces: [...pieces, ...loaded.pieces],
        gain: gain ?? loaded.gain,
      };
    });
  }

  /**
   * Decodes and measures the drums of a song.
   * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
   */
  async measureDrums(song: RenderSong): Promise<DrumMeasurement> {
    const identity = await this.identity(song, 'drums');
    return this.#cached(identity && ['drums', identity], async () => {
      let measurement: DrumMeasurement = null;
      await this.#update(song, 'drums', async ({ stored, gain }) => {
        const task = { ...this.#source(song, 'drums', stored), scratch: this.#scratch.file };
        const measured = await this.#threads.run('drums', task);
        measurement = measured.measurement;
        return { stored: [...stored, ...measured.stored], pieces: measured.pieces, isWhole: true, gain };
      });
      return measurement;
    });
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
