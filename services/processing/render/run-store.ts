/** Runs made sound: each stem is fetched once for all of its runs, and what was made once is not made again. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { type Run, runMap } from '../plan/run.ts';
import type { Scratch, Spot } from '../files/scratch.ts';
import type { RenderSong } from '../song/song.ts';
import type { StemRun } from '../sound/stem.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';

/** `origin`: second of the mashup at which the run's first sample sounds. */
export type RenderedRun = { spot: Spot; origin: number };

/** Everything that a run's samples depend on. */
function identity(run: Run, song: RenderSong): string {
  const { songId, stem, start, end, sourceBeat, beatSec, free, semitones } = run;
  return JSON.stringify([songId, stem, start, end, sourceBeat, beatSec, free, semitones, song.grid.beats[0]]);
}

export class RunStore {
  readonly #threads: RenderThreads;
  readonly #scratch: Scratch;
  readonly #made = new Map<string, RenderedRun>();
  /** Room before each run for the change from the section before, seconds. */
  readonly #headSec: number;

  constructor(threads: RenderThreads, scratch: Scratch, headSec: number) {
    this.#threads = threads;
    this.#scratch = scratch;
    this.#headSec = headSec;
  }

  /** The rendered form of runs, by their ids; those that are new are stretched. */
  async render(
    wanted: readonly Run[],
    songs: ReadonlyMap<string, RenderSong>,
    onStem: (song: RenderSong, run: Run, done: number, count: number) => void = () => undefined,
  ): Promise<Map<number, RenderedRun>> {
    const groups = new Map<string, Run[]>();
    for (const run of wanted) {
      if (this.#made.has(identity(run, songs.get(run.songId)!))) continue;
      const key = JSON.stringify([run.songId, run.stem]);
      groups.set(key, [...(groups.get(key) ?? []), run]);
    }
    let done = 0;
    await Promise.all(
      [...groups.values()].map(async (runs) => {
        const [first] = runs;
        const song = songs.get(first!.songId)!;
        const made = runs.map((run): [Run, RenderedRun] => {
          const origin = run.start - this.#headSec;
          const frames = Math.ceil((run.end - origin) * SAMPLE_RATE) + 1;
          return [run, { spot: this.#scratch.reserve(frames), origin }];
        });
        await this.#threads.run('stem', {
          url: song.stems[first!.stem]!,
          song: song.name,
          stem: first!.stem,
          runs: made.map(([run, { spot, origin }]): StemRun => {
            return { map: runMap(run, song, origin), spot, semitones: run.semitones };
          }),
        });
        for (const [run, rendered] of made) this.#made.set(identity(run, song), rendered);
        onStem(song, first!, ++done, groups.size);
      }),
    );
    return new Map(wanted.map((run) => [run.id, this.#made.get(identity(run, songs.get(run.songId)!))!]));
  }
}
