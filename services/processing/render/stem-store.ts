/** The stems of a render: each is downloaded once, and each part of it is decoded once. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import type { Stem } from '../../../schema.ts';
import { writeCacheFile } from '../files/cache-file.ts';
import { downloadPart } from '../files/download-part.ts';
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

/** Files that are downloaded at the same time. */
const MAX_DOWNLOADS = 3;

const EMPTY: StoredStem = { stored: [], pieces: [], isWhole: false, gain: undefined };

/** Downloads and decodes the stems of a render. */
export class StemStore {
  readonly #threads: RenderThreads;
  readonly #scratch: Scratch;
  readonly #cache: RenderCache | undefined;
  /** By song and stem. Each promise waits for the one before. */
  readonly #stems = new Map<string, Promise<StoredStem>>();
  readonly #identities = new Map<string, Promise<string | undefined>>();
  readonly #lanes: Promise<unknown>[] = [];
  #downloads = 0;
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
      const source = await this.#download(this.#source(song, stem, stored), Math.max(...ranges.map(([, to]) => to)));
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
        const source = await this.#download(this.#source(song, 'drums', stored), Infinity);
        const measured = await this.#threads.run('drums', { ...source, scratch: this.#scratch.file });
        measurement = measured.measurement;
        return { stored: [...source.stored, ...measured.stored], pieces: measured.pieces, isWhole: true, gain };
      });
      return measurement;
    });
  }

  /** Forgets what was decoded, when no run will read it any more. */
  release(): void {
    this.#stems.clear();
  }

  /** The source of a stem, with the parts of it that were downloaded before. */
  async source(song: RenderSong, stem: Stem): Promise<StemSource> {
    const { stored } = await (this.#stems.get(keyOf(song, stem)) ?? EMPTY);
    return this.#source(song, stem, stored);
  }

  #source(song: RenderSong, stem: Stem, stored: readonly StoredBytes[]): StemSource {
    return { urls: song.stems[stem]!, starts: song.pieces?.starts[stem], song: song.name, stem, stored };
  }

  /**
   * Downloads the parts of a stem that start before sample `end`, as far as their starts are known. A thread downloads the others when it
   * gets there.
   */
  async #download(source: StemSource, end: number): Promise<StemSource & { stored: readonly StoredBytes[] }> {
    const stored = [...(source.stored ?? [])];
    for (let part = stored.length; part < source.urls.length; part++) {
      const start = part === 0 ? 0 : source.starts?.[part];
      if (start === undefined || start * SAMPLE_RATE >= end) break;
      const download = (): Promise<Uint8Array> => downloadPart(source.urls[part]!, source, this.#threads.signal);
      stored.push(await this.#inTurn(async () => this.#scratch.store(await download())));
    }
    return { ...source, stored };
  }

  /** Runs a download when one of `MAX_DOWNLOADS` before it has ended. */
  #inTurn<T>(download: () => Promise<T>): Promise<T> {
    const lane = this.#downloads++ % MAX_DOWNLOADS;
    const result = (this.#lanes[lane] ?? Promise.resolve()).then(download);
    this.#lanes[lane] = result.catch(() => undefined);
    return result;
  }

  #update(song: RenderSong, stem: Stem, change: (known: StoredStem) => Promise<StoredStem>): Promise<StoredStem> {
    const key = keyOf(song, stem);
    const changed = (this.#stems.get(key) ?? Promise.resolve(EMPTY)).then(change);
    this.#stems.set(key, changed);
    return changed;
  }
}

const keyOf = (song: RenderSong, stem: Stem): string => JSON.stringify([song.id, stem]);
