/** Mixes sections. Those with equal inputs are mixed once. */
import { hashOf, type RenderCache } from '../files/render-cache.ts';
import type { LayerMeasurement } from '../measure/layer.ts';
import type { SectionResult, SectionTask } from '../sound/section.ts';
import { sectionSpan } from '../sound/section-span.ts';
import { sharedSamples, toSamples } from '../sound/slice.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import type { PreparedRun, RenderedRun, SoundKey } from './run-store.ts';

/** Makes the task of a section from its rendered runs, by their ids. */
export type MakeTask = (runs: ReadonlyMap<number, RenderedRun>) => SectionTask;

/** What a cache file holds of a section besides its samples. Its offset is that of the mashup in which it was mixed. */
type CachedValue = { offset: number; longestPauseSec: number; measurements: LayerMeasurement[] };

/** The place of samples that are not rendered yet, with the position of their run among those of the section. */
const noRegion = (position: number): RenderedRun['region'] => ({ fd: 0, position, frames: 0 });

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
    const { key, offset } = await keyOf(runs, makeTask);
    const known = this.#sections.get(key.hash) ?? this.#earlier.get(key.hash);
    const section = known ?? this.#render(key, runs, makeTask, options);
    this.#sections.set(key.hash, section);
    return { ...(await section), offset };
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

/**
 * All that a section depends on: its task, with the keys of its runs in place of their samples. `offset` is the sample of the mashup at
 * which it begins, which is no part of the key: an edit that moves a section in time does not change its sound.
 */
async function keyOf(
  runs: ReadonlyMap<number, PreparedRun>,
  makeTask: MakeTask,
): Promise<{ key: SoundKey; offset: number }> {
  const keys = new Map<number, SoundKey>();
  await Promise.all([...runs].map(async ([id, { key }]) => keys.set(id, await key)));
  const ids = [...runs.keys()];
  const task = makeTask(new Map([...runs].map(([id, { origin }], n) => [id, { region: noRegion(n), origin }])));
  const { base } = sectionSpan(task);
  const hash = hashOf(['section', fromSample(task, base), ids.map((id) => keys.get(id)!.hash)]);
  return { key: { hash, isLasting: [...keys.values()].every(({ isLasting }) => isLasting) }, offset: base };
}

/** The task with its times in samples, counted from sample `base` of the mashup. Its rendering reads no other times. */
function fromSample(task: SectionTask, base: number): SectionTask {
  const samples = (seconds: number): number => toSamples(seconds) - base;
  const slices = task.slices.map((slice) => ({
    ...slice,
    parts: slice.parts.map(({ region, origin, start, end }) => ({
      region,
      origin: samples(origin),
      start: samples(start),
      end: samples(end),
    })),
  }));
  return { ...task, start: samples(task.start), end: samples(task.end), slices };
}
