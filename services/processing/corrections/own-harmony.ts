/**
 * The last resort of a DJ: where a voice fits no notes of the other song, it is sung over harmony of its own, and the other song keeps
 * its drums under it, and its bass or its chords where the voice bears those.
 */
import type { Stem } from '../../../schema.ts';
import { type Correction, isInTune } from './shift-changes.ts';
import { harmonyOf, type HeardSection } from '../quality/check-layers.ts';
import type { LayerSound } from '../measure/layer.ts';
import type { RenderLayer, RenderPlan, RenderSection } from '../plan/plan.ts';
import type { RenderSong } from '../song/song.ts';
import type { Tuning } from '../plan/tuning.ts';

/** What gives way to the song that sings, the least first. */
const GIVING_WAY: readonly (readonly Stem[])[] = [['bass'], ['other'], ['bass', 'other']];

type HeardTake = { plan: RenderPlan; tuning: Tuning; layers: readonly LayerSound[][]; outOfTune: readonly string[] };

const sings = (layers: readonly { songId: string; stem: Stem }[], singer: string): boolean =>
  layers.some(({ songId, stem }) => songId === singer && stem === 'vocals');

/** Whether a layer of another song gives way to a singer. */
const givesWay = (layer: { songId: string; stem: Stem }, singer: string, stems: readonly Stem[]): boolean =>
  layer.songId !== singer && stems.includes(layer.stem);

/** Whether a voice is in tune with what is left under it; where no note of another song is, nothing can be wrong. */
function fitsWithout(layers: readonly LayerSound[][], singer: string, stems: readonly Stem[]): boolean {
  const left = layers.map((section): Pick<HeardSection, 'layers'> => {
    return { layers: section.filter((layer) => !sings(section, singer) || !givesWay(layer, singer, stems)) };
  });
  const likeness = harmonyOf(left).get(singer);
  return likeness === undefined || isInTune(likeness);
}

/** A section in which a singer has notes of its own for those of others. */
function withOwn(section: RenderSection, singer: RenderSong, stems: readonly Stem[]): RenderSection {
  const voice = section.layers.find(({ songId, stem }) => songId === singer.id && stem === 'vocals');
  if (!voice || !section.layers.some((layer) => givesWay(layer, singer.id, stems))) return section;
  const layers = section.layers.flatMap((layer): RenderLayer[] => {
    if (!givesWay(layer, singer.id, stems)) return [layer];
    const hasOwn = section.layers.some(({ songId, stem }) => songId === singer.id && stem === layer.stem);
    if (hasOwn || singer.stems[layer.stem] === undefined) return [];
    return [{ ...layer, songId: singer.id, sourceStartSec: voice.sourceStartSec, free: voice.free }];
  });
  return { ...section, layers };
}

/** Whether two songs are still heard wherever they were before. */
const keepsCompany = (before: RenderSection, after: RenderSection): boolean =>
  new Set(before.layers.map(({ songId }) => songId)).size === new Set(after.layers.map(({ songId }) => songId)).size;

/**
 * The plan with the least of another song's notes taken from under a voice that does not fit them; undefined where the two songs would not
 * be heard together any more.
 */
export function giveOwnHarmony(
  { plan, tuning, layers, outOfTune }: HeardTake,
  songs: ReadonlyMap<string, RenderSong>,
): Correction | undefined {
  for (const id of outOfTune) {
    const singer = songs.get(id)!;
    const stems = GIVING_WAY.find((each) => fitsWithout(layers, id, each));
    if (!stems) continue;
    const sections = plan.sections.map((section) => withOwn(section, singer, stems));
    if (!sections.every((section, i) => keepsCompany(plan.sections[i]!, section))) continue;
    const names = stems.map((stem) => (stem === 'other' ? 'harmony' : stem)).join(' and ');
    const words = [`"${singer.name}" sings over its own ${names}: it fits no other notes.`];
    return { plan: { ...plan, sections }, tuning, words };
  }
  return undefined;
}
