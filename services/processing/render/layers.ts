/** The layers of a rendered candidate, apart from each other: the sections are rendered once more, or were kept with the opening. */
import type { RenderStemsRequest, Stem } from '../../../schema.ts';
import type { RenderCache } from '../files/render-cache.ts';
import { type Scratch, type ScratchRegion, writeRegion } from '../files/scratch.ts';
import { sectionSpan } from '../sound/section-span.ts';
import type { RenderContext, RenderedCandidate, RenderedOpening } from './candidate.ts';
import { layerFileOf } from './opening.ts';
import type { PreparedRun } from './run-store.ts';
import { makeSectionTask } from './section-task.ts';

/** The sound of a layer on disk. `offset` is the sample of the mashup at which it begins. */
export type Layer = { offset: number; region: ScratchRegion };
/** A stem of a song with its layers. */
export type Bus = { songId: string; stem: Stem; layers: Layer[] };

/** The opening whose sections the candidate uses as they are. */
export type UsedOpening = { cache: RenderCache; key: string; sections: number };

/** Returns which sections of an opening a candidate uses; undefined if it uses none. Asked before the candidate's sections are forgotten. */
export function usedOpening(
  candidate: RenderedCandidate,
  opening: RenderedOpening | undefined,
  cache: RenderCache | undefined,
  request: Pick<RenderStemsRequest, 'opening'>,
): UsedOpening | undefined {
  if (!opening || !cache || !request.opening) return undefined;
  const sections = opening.sections.filter((section, i) => candidate.sections[i] === section).length;
  return sections > 0 ? { cache, key: request.opening.key, sections } : undefined;
}

/**
 * Writes the layers of all sections to the scratch file. Returns those of each stem.
 * @throws RenderError render_failed
 */
export async function separateLayers(
  context: RenderContext,
  candidate: RenderedCandidate,
  scratch: Scratch,
  opening: UsedOpening | undefined,
): Promise<Bus[]> {
  const { songs, store } = context;
  const { arrangement } = candidate;
  const runs = store.prepare(arrangement.runs, songs, () => 0);
  const sections = await Promise.all(
    arrangement.sections.map(async (slices, i) => {
      const kept = opening && i < opening.sections ? await readKept(opening, i, slices.length, scratch) : undefined;
      return kept ?? renderLayers(context, candidate, i, { runs, scratch });
    }),
  );
  const buses = new Map<string, Bus>();
  arrangement.sections.forEach((slices, i) =>
    slices.forEach(({ songId, stem }, n) => {
      const key = JSON.stringify([songId, stem]);
      const bus = buses.get(key) ?? { songId, stem, layers: [] };
      bus.layers.push(sections[i]![n]!);
      buses.set(key, bus);
    }),
  );
  return [...buses.values()];
}

/** Reads the layers of a section that were kept with the opening; undefined if the cache no longer has all of them. */
async function readKept(
  { cache, key }: UsedOpening,
  section: number,
  count: number,
  scratch: Scratch,
): Promise<Layer[] | undefined> {
  const layers: Layer[] = [];
  for (let n = 0; n < count; n++) {
    const sound = await cache.read(layerFileOf(cache, key, section, n));
    if (!sound) return undefined;
    const region = scratch.reserve(sound.frames);
    writeRegion(region, sound.channels);
    layers.push({ offset: (sound.value as { offset: number }).offset, region });
  }
  return layers;
}

/** Renders a section once more. */
async function renderLayers(
  { songs, threads }: RenderContext,
  { plan, arrangement }: RenderedCandidate,
  i: number,
  { runs, scratch }: { runs: ReadonlyMap<number, PreparedRun>; scratch: Scratch },
): Promise<Layer[]> {
  const slices = arrangement.sections[i]!;
  const ids = new Set(slices.flatMap(({ parts }) => parts.map(({ runId }) => runId)));
  const rendered = await Promise.all(
    [...ids].map(async (id) => {
      const { origin, render } = runs.get(id)!;
      return [id, { region: await render(), origin }] as const;
    }),
  );
  const { task } = makeSectionTask(i, plan, arrangement, songs, new Map(rendered));
  const { base, length } = sectionSpan(task);
  const layerRegions = slices.map(() => scratch.reserve(length));
  await threads.run('section', { ...task, layerRegions }, { priority: i });
  return layerRegions.map((region) => ({ offset: base, region }));
}
