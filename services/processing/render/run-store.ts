/** Renders runs, at most once each, and only those that a section asks for. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import type { StemRange } from '../files/read-stem.ts';
import { hashOf, type RenderCache } from '../files/render-cache.ts';
import { type Scratch, type ScratchRegion, writeRegion } from '../files/scratch.ts';
import { type Run, runDuration, runMap, sourceAt } from '../plan/run.ts';
import type { RenderSong } from '../song/song.ts';
import { sourceRange } from '../sound/stretch-run.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import type { StemStore } from './stem-store.ts';

/** Samples of a run on disk. `origin` is the second of the mashup at which the first sample plays. */
export type RenderedRun = { region: ScratchRegion; origin: number };

/** A hash of all that some sound depends on. `isLasting` if it holds in other renders as well. */
export type SoundKey = { hash: string; isLasting: boolean };

/** A run of a candidate. */
export type PreparedRun = {
  key: Promise<SoundKey>;
  /** Second of the mashup at which the first sample plays. */
  origin: number;
  /** Renders the run with the first call. */
  render: () => Promise<ScratchRegion>;
};

/** A run that is contained in another may be this much longer, in seconds: a fraction of a sample. */
const EPSILON = 1e-6;

/** All that the samples of a run depend on but its place in the song and in the mashup, as one string. */
const kindOf = ({ songId, stem, beatSec, free, semitones }: Run): string =>
  JSON.stringify([songId, stem, beatSec, free, semitones]);

/** Second of the mashup at which `outer` plays what `inner` plays at its start. Both are of one kind. */
function placeIn(outer: Run, inner: Run, song: RenderSong): number {
  if (outer.free) return outer.start + sourceAt(inner, song, inner.start) - sourceAt(outer, song, outer.start);
  return outer.start + (inner.sourceBeat - outer.sourceBeat) * outer.beatSec;
}

/** What the runs of one stem read of it, and the priority of the first one. */
type StemUse = { ranges: StemRange[]; priority: number };

/** The runs of all candidates of a render. */
export class RunStore {
  readonly #threads: RenderThreads;
  readonly #scratch: Scratch;
  readonly #stems: StemStore;
  readonly #cache: RenderCache | undefined;
  readonly #known = new Map<string, { run: Run; prepared: PreparedRun }[]>();
  /** Seconds before the start of each run that are rendered for the transition from the section before. */
  readonly #headSec: number;

  constructor(
    threads: RenderThreads,
    scratch: Scratch,
    stems: StemStore,
    { headSec, cache }: { headSec: number; cache: RenderCache | undefined },
  ) {
    this.#threads = threads;
    this.#scratch = scratch;
    this.#stems = stems;
    this.#cache = cache;
    this.#headSec = headSec;
  }

  /**
   * Prepares runs. What is contained in a run that is known is part of it. Runs of lower priority numbers are rendered first, among
   * equals the longer ones.
   * @param priorityOf priority of a run
   * @param onRun is called after each run that is rendered
   * @returns the runs by their ids
   */
  prepare(
    wanted: readonly Run[],
    songs: ReadonlyMap<string, RenderSong>,
    priorityOf: (run: Run) => number,
    onRun: (run: Run) => void = () => undefined,
  ): Map<number, PreparedRun> {
    const ordered = wanted.toSorted((a, b) => priorityOf(a) - priorityOf(b) || b.end - b.start - (a.end - a.start));
    const uses = new Map<string, StemUse>();
    const prepared = new Map<number, PreparedRun>();
    for (const run of ordered) {
      const song = songs.get(run.songId)!;
      const found = this.#find(run, song);
      if (found) {
        prepared.set(run.id, found);
        continue;
      }
      const use = uses.get(stemKey(run)) ?? { ranges: [], priority: priorityOf(run) };
      use.ranges.push(sourceRange(this.#mapOf(run, song)));
      uses.set(stemKey(run), use);
      const fresh = this.#prepare(run, song, use, { priority: priorityOf(run), onRun });
      const kind = kindOf(run);
      this.#known.set(kind, [...(this.#known.get(kind) ?? []), { run, prepared: fresh }]);
      prepared.set(run.id, fresh);
    }
    return prepared;
  }

  /** A run of the same kind that contains this one, moved to its place. */
  #find(run: Run, song: RenderSong): PreparedRun | undefined {
    for (const { run: outer, prepared } of this.#known.get(kindOf(run)) ?? []) {
      const at = placeIn(outer, run, song);
      const end = at + run.end - run.start;
      if (at < outer.start - EPSILON || end > outer.end + EPSILON) continue;
      return { ...prepared, origin: prepared.origin + run.start - at };
    }
    return undefined;
  }

  #mapOf(run: Run, song: RenderSong): ReturnType<typeof runMap> {
    return runMap(run, song, this.#headSec);
  }

  /** `use` is complete when all runs are prepared, which is before anything is awaited. */
  #prepare(
    run: Run,
    song: RenderSong,
    use: StemUse,
    { priority, onRun }: { priority: number; onRun: (run: Run) => void },
  ): PreparedRun {
    const { stem, semitones } = run;
    const origin = run.start - this.#headSec;
    const frames = Math.ceil((this.#headSec + runDuration(run)) * SAMPLE_RATE) + 1;
    const map = this.#mapOf(run, song);
    const gain = Promise.resolve().then(() => this.#stems.gain(song, stem, use.ranges, use.priority));
    const key = Promise.all([gain, this.#stems.identity(song, stem)]).then(([matched, identity]): SoundKey => {
      const hash = hashOf(['run', identity ?? song.id, stem, semitones, matched, frames, map]);
      return { hash, isLasting: identity !== undefined };
    });
    const render = async (): Promise<ScratchRegion> => {
      const cacheFile = this.#fileOf(await key);
      const region = this.#scratch.reserve(frames);
      if (cacheFile === undefined || !(await this.#readCached(cacheFile, region))) {
        const { pieces } = await this.#stems.load(song, stem, use.ranges, use.priority);
        const task = { stem, map, region, semitones, pieces, gain: await gain, cacheFile };
        await this.#threads.run('run', task, { priority });
        if (cacheFile !== undefined) this.#cache?.added(cacheFile);
      }
      onRun(run);
      return region;
    };
    // A section that fails before it asks for its runs must not leave their failure unhandled.
    key.catch(() => undefined);
    let rendered: Promise<ScratchRegion> | undefined;
    return { key, origin, render: () => (rendered ??= render()) };
  }

  #fileOf({ hash, isLasting }: SoundKey): string | undefined {
    return isLasting ? this.#cache?.pathOf(hash) : undefined;
  }

  async #readCached(path: string, region: ScratchRegion): Promise<boolean> {
    const sound = await this.#cache?.read(path);
    if (sound?.frames !== region.frames) return false;
    writeRegion(region, sound.channels);
    return true;
  }
}

const stemKey = ({ songId, stem }: Run): string => JSON.stringify([songId, stem]);
