/** Renders runs, at most once each. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { Stem } from '../../../schema.ts';
import type { StemRange } from '../files/read-stem.ts';
import type { Scratch, ScratchRegion } from '../files/scratch.ts';
import { type Run, runMap, sourceAt } from '../plan/run.ts';
import type { RenderSong } from '../song/song.ts';
import { sourceRange } from '../sound/stretch-run.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import type { StemSound, StemStore } from './stem-store.ts';

/** Samples of a run on disk. `origin` is the second of the mashup at which the first sample plays. */
export type RenderedRun = { region: ScratchRegion; origin: number };

/** A run that is rendered or will be. */
type KnownRun = { run: Run; rendered: Promise<RenderedRun> };

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

/** The rendered runs of all candidates of a render. */
export class RunStore {
  readonly #threads: RenderThreads;
  readonly #scratch: Scratch;
  readonly #stems: StemStore;
  readonly #known = new Map<string, KnownRun[]>();
  /** Seconds before the start of each run that are rendered for the transition from the section before. */
  readonly #headSec: number;

  constructor(threads: RenderThreads, scratch: Scratch, stems: StemStore, headSec: number) {
    this.#threads = threads;
    this.#scratch = scratch;
    this.#stems = stems;
    this.#headSec = headSec;
  }

  /**
   * Renders runs. What is contained in a run that is known is not rendered again. Runs of lower priority numbers are rendered first,
   * among equals the longer ones.
   * @param priorityOf priority of a run
   * @param onRun is called after each run
   * @returns the runs by their ids
   */
  render(
    wanted: readonly Run[],
    songs: ReadonlyMap<string, RenderSong>,
    priorityOf: (run: Run) => number,
    onRun: (run: Run) => void = () => undefined,
  ): Map<number, Promise<RenderedRun>> {
    const ordered = wanted.toSorted((a, b) => priorityOf(a) - priorityOf(b) || b.end - b.start - (a.end - a.start));
    const fresh: Run[] = [];
    const starts: ((stem: Promise<StemSound>) => void)[] = [];
    const rendered = new Map<number, Promise<RenderedRun>>();
    for (const run of ordered) {
      const song = songs.get(run.songId)!;
      const found = this.#find(run, song);
      if (found) {
        rendered.set(run.id, found);
        continue;
      }
      fresh.push(run);
      const { promise, resolve } = Promise.withResolvers<StemSound>();
      starts.push(resolve);
      const stretched = promise.then((sound) => this.#stretch(run, song, sound, priorityOf(run)));
      const kind = kindOf(run);
      this.#known.set(kind, [...(this.#known.get(kind) ?? []), { run, rendered: stretched }]);
      rendered.set(run.id, stretched);
    }
    const stems = this.#loadStems(fresh, songs, priorityOf);
    fresh.forEach((run, i) => starts[i]!(stems.get(stemKey(run))!));
    for (const run of wanted)
      void rendered.get(run.id)!.then(
        () => onRun(run),
        () => undefined,
      );
    return rendered;
  }

  /** A run of the same kind that contains this one, moved to its place. */
  #find(run: Run, song: RenderSong): Promise<RenderedRun> | undefined {
    for (const { run: outer, rendered } of this.#known.get(kindOf(run)) ?? []) {
      const at = placeIn(outer, run, song);
      const end = at + run.end - run.start;
      if (at < outer.start - EPSILON || end > outer.end + EPSILON) continue;
      return rendered.then(({ region, origin }) => ({ region, origin: origin + run.start - at }));
    }
    return undefined;
  }

  /** Decodes what the runs read; each stem is a job, with the priority of its first run. */
  #loadStems(
    runs: readonly Run[],
    songs: ReadonlyMap<string, RenderSong>,
    priorityOf: (run: Run) => number,
  ): Map<string, Promise<StemSound>> {
    const ranges = new Map<string, { songId: string; stem: Stem; ranges: StemRange[]; priority: number }>();
    for (const run of runs) {
      const range = sourceRange(this.#mapOf(run, songs.get(run.songId)!));
      const known = ranges.get(stemKey(run));
      if (known) known.ranges.push(range);
      else ranges.set(stemKey(run), { ...run, ranges: [range], priority: priorityOf(run) });
    }
    return new Map(
      [...ranges].map(([key, { songId, stem, ranges: wanted, priority }]) => [
        key,
        this.#stems.load(songs.get(songId)!, stem, wanted, priority),
      ]),
    );
  }

  #mapOf(run: Run, song: RenderSong): ReturnType<typeof runMap> {
    return runMap(run, song, run.start - this.#headSec);
  }

  async #stretch(run: Run, song: RenderSong, sound: StemSound, priority: number): Promise<RenderedRun> {
    const origin = run.start - this.#headSec;
    const region = this.#scratch.reserve(Math.ceil((run.end - origin) * SAMPLE_RATE) + 1);
    const { stem, semitones } = run;
    await this.#threads.run('run', { stem, map: this.#mapOf(run, song), region, semitones, ...sound }, { priority });
    return { region, origin };
  }
}

const stemKey = ({ songId, stem }: Run): string => JSON.stringify([songId, stem]);
