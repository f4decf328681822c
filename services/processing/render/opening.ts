/**
 * The opening of a mashup: its first sections, which are rendered and heard while the rest of the songs is separated. The render of all of
 * it uses them as they are, so that what was heard and what follows join exactly. They are kept in the cache of the service.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RenderRequest } from '../../../schema.ts';
import { writeCacheFile } from '../files/cache-file.ts';
import { hashOf, type RenderCache } from '../files/render-cache.ts';
import type { Tuning } from '../plan/tuning.ts';
import type { SectionResult } from '../sound/section.ts';
import { sharedSamples } from '../sound/slice.ts';
import type { RenderedOpening } from './candidate.ts';

/** What the file of an opening holds; each section has a file of its own. */
type KeptOpening = Pick<RenderedOpening, 'arrangement' | 'warnings'> & { tuning: Tuning };

const pathOf = (cache: RenderCache, key: string, section?: number): string =>
  cache.pathOf(hashOf(['opening', key, section ?? null]));

/** The file of a layer of a section of an opening: for the stems of the mashup, since the section is not rendered again. */
export const layerFileOf = (cache: RenderCache, key: string, section: number, layer: number): string =>
  cache.pathOf(hashOf(['opening layer', key, section, layer]));

/** Keeps an opening in the cache. */
export function keepOpening(cache: RenderCache, key: string, opening: RenderedOpening, tuning: Tuning): void {
  const { arrangement, sections, warnings } = opening;
  sections.forEach(({ channels, ...value }, i) => keep(cache, pathOf(cache, key, i), value, channels));
  const { runs, sections: slices } = arrangement;
  const kept: KeptOpening = { arrangement: { runs, sections: slices }, warnings, tuning };
  keep(cache, pathOf(cache, key), kept, []);
}

function keep(cache: RenderCache, path: string, value: unknown, channels: readonly Float32Array[]): void {
  writeCacheFile(path, value, channels);
  cache.added(path);
}

/** Reads an opening; undefined if the cache does not have all of it, or its songs were tuned otherwise. */
export async function readOpening(
  cache: RenderCache | undefined,
  { key, sections: count }: NonNullable<RenderRequest['opening']>,
  tuning: Tuning,
): Promise<RenderedOpening | undefined> {
  const kept = await cache?.read(pathOf(cache, key));
  if (!cache || !kept) return undefined;
  const opening = kept.value as KeptOpening;
  if (opening.arrangement.sections.length !== count || !isDeepStrictEqual(opening.tuning, tuning)) return undefined;
  const sections: SectionResult[] = [];
  for (let i = 0; i < count; i++) {
    const sound = await cache.read(pathOf(cache, key, i));
    if (!sound) return undefined;
    const channels: SectionResult['channels'] = [sharedSamples(sound.frames), sharedSamples(sound.frames)];
    for (const c of [0, 1] as const) channels[c].set(sound.channels[c]);
    sections.push({ ...(sound.value as Omit<SectionResult, 'channels'>), channels });
  }
  return { ...opening, sections };
}
