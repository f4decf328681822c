/** Mixes sections. Those with equal inputs are mixed once. */
import { hashOf, type RenderCache } from '../files/render-cache.ts';
import type { LayerMeasurement } from '../measure/layer.ts';
import type { SectionResult, SectionTask } from '../sound/section.ts';
import { sharedSamples } from '../sound/slice.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import type { PreparedRun, RenderedRun, SoundKey } from './run-store.ts';

/** Makes the task of a section from its rendered runs, by their ids. */
export type MakeTask = (runs: ReadonlyMap<number, RenderedRun>) => SectionTask;

/** What a cache file holds of a section besides its samples. */
type CachedValue = { offset: number; longestPauseSec: number; measurements: LayerMeasurement[] };

/** The place of samples that are not rendered yet. */
const NO_REGION = { fd: 0, position: 0, frames: 0 };

/** The sections of the candidates of a render. */
export class SectionStore {
  readonly #threads: RenderThreads;
  readonly #cache: RenderCache | undefined;
  /** Sections of this candidate and of the one before, by the hashes of their inputs. */
  #sections = new Map<string, Promise<SectionResult>>();
  #earlier = new Map<string, Promise<SectionResult>>();

  constructor(threads: RenderThreads, cache: RenderCache | undefined) {
    this.#threads = threads;
    this.#cache = cache;
  }

  /** Begins a candidate. Sections that the one before did not use are forgotten. */
  startCandidate(): void {
    this.#earlier = this.#sections;
    this.#sections = new Map();
  }

  /** Forgets all sections. */
  release(): void {
    this.#sections.clear();
    this.#earlier.clear();
  }

  /**
   * Mixes a section, unless one with the same inputs was mixed. Its runs are rendered if they are needed.
   * @param runs the runs of the section by their ids
   * @param options.layerFiles files of the cache for its layers, which are written if the section is mixed now
   */
  async mix(
    runs: ReadonlyMap<number, PreparedRun>,
    makeTask: MakeTask,
    options: { priority: number; layerFiles: string[] | undefined },
  ): Promise<SectionResult> {
    const key = await keyOf(runs, makeTask);
    const known = this.#sections.get(key.hash) ?? this.#earlier.get(key.hash);
    const section = known ?? this.#render(key, runs, makeTask, options);
    this.#sections.set(key.hash, section);
    return section;
  }

  async #render(
    { hash, isLasting }: SoundKey,
    runs: ReadonlyMap<number, PreparedRun>,
    makeTask: MakeTask,
    { priority, layerFiles }: { priority: number; layerFiles: string[] | undefined },
  ): Promise<SectionResult> {
    const cacheFile = isLasting ? this.#cache?.pathOf(hash) : undefined;
    const cached = cacheFile === undefined ? null : await this.#readCached(cacheFile);
    if (cached) return cached;
    const rendered = await Promise.all(
      [...runs].map(async ([id, { render, origin }]) => [id, { region: await render(), origin }] as const),
    );
    const task = { ...makeTask(new Map(rendered)), cacheFile, layerFiles };
    const section = await this.#threads.run('section', task, { priority });
    if (cacheFile !== undefined) this.#cache?.added(cacheFile);
    for (const path of layerFiles ?? []) this.#cache?.added(path);
    return section;
  }

  async #readCached(path: string): Promise<SectionResult | null> {
    const sound = await this.#cache?.read(path);
    if (!sound) return null;
    const channels: SectionResult['channels'] = [sharedSamples(sound.frames), sharedSamples(sound.frames)];
    for (const c of [0, 1] as const) channels[c].set(sound.channels[c]);
    return { ...(sound.value as CachedValue), channels };
  }
}

/** All that a section depends on: its task, with the keys of its runs in place of their samples. */
async function keyOf(runs: ReadonlyMap<number, PreparedRun>, makeTask: MakeTask): Promise<SoundKey> {
  const keys = new Map<number, SoundKey>();
  await Promise.all([...runs].map(async ([id, { key }]) => keys.set(id, await key)));
  const ids = [...runs.keys()];
  const task = makeTask(new Map([...runs].map(([id, { origin }]) => [id, { region: NO_REGION, origin }])));
  const hash = hashOf(['section', task, ids.map((id) => keys.get(id)!.hash)]);
  return { hash, isLasting: [...keys.values()].every(({ isLasting }) => isLasting) };
}
