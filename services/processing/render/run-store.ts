/** Renders runs, at most once each. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { Scratch, ScratchRegion } from '../files/scratch.ts';
import { type Run, runMap } from '../plan/run.ts';
import type { RenderSong } from '../song/song.ts';
import type { StemRun } from '../sound/stem.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';

/** Samples of a run on disk. `origin` is the second of the mashup at which the first sample plays. */
export type RenderedRun = { region: ScratchRegion; origin: number };

/** All that the samples of a run depend on, as one string. */
function runKey(run: Run, song: RenderSong): string {
  const { songId, stem, start, end, sourceBeat, beatSec, free, semitones } = run;
  return JSON.stringify([songId, stem, start, end, sourceBeat, beatSec, free, semitones, song.grid.beats[0]]);
}

/** The rendered runs of all candidates of a render. */
export class RunStore {
  readonly #threads: RenderThreads;
  readonly #scratch: Scratch;
  readonly #rendered = new Map<string, RenderedRun>();
  /** Seconds before the start of each run that are rendered for the transition from the section before. */
  readonly #headSec: number;

  constructor(threads: RenderThreads, scratch: Scratch, headSec: number) {
    this.#threads = threads;
    this.#scratch = scratch;
    this.#headSec = headSec;
  }

  /**
   * Returns rendered runs by their ids. New runs are stretched; each stem is downloaded once for all of its new runs.
   * @param onStem is called after each stem, with the number of stems that are done and their count
   */
  async render(
    wanted: readonly Run[],
    songs: ReadonlyMap<string, RenderSong>,
    onStem: (song: RenderSong, run: Run, done: number, count: number) => void = () => undefined,
  ): Promise<Map<number, RenderedRun>> {
    const groups = new Map<string, Run[]>();
    for (const run of wanted) {
      if (this.#rendered.has(runKey(run, songs.get(run.songId)!))) continue;
      const key = JSON.stringify([run.songId, run.stem]);
      groups.set(key, [...(groups.get(key) ?? []), run]);
    }
    let done = 0;
    await Promise.all(
      [...groups.values()].map(async (runs) => {
        const [first] = runs;
        const song = songs.get(first!.songId)!;
        await this.#renderStem(runs, song);
        onStem(song, first!, ++done, groups.size);
      }),
    );
    return new Map(wanted.map((run) => [run.id, this.#rendered.get(runKey(run, songs.get(run.songId)!))!]));
  }

  /** Renders runs of one stem of a song. */
  async #renderStem(runs: readonly Run[], song: RenderSong): Promise<void> {
    const { stem } = runs[0]!;
    const reserved = runs.map((run): [Run, RenderedRun] => {
      const origin = run.start - this.#headSec;
      const frames = Math.ceil((run.end - origin) * SAMPLE_RATE) + 1;
      return [run, { region: this.#scratch.reserve(frames), origin }];
    });
    await this.#threads.run('stem', {
      urls: song.stems[stem]!,
      song: song.name,
      stem,
      songLoudness: song.loudness,
      runs: reserved.map(([run, { region, origin }]): StemRun => {
        return { map: runMap(run, song, origin), region, semitones: run.semitones };
      }),
    });
    for (const [run, rendered] of reserved) this.#rendered.set(runKey(run, song), rendered);
  }
}
