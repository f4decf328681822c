/**
 * Last correction: a voice that fits no notes of the other songs is sung over the harmony of its own song. The other songs keep their
 * drums, and their bass or their harmony if the voice fits it.
 */
import { STEM_NAMES } from '../../../music/theory/stem-texts.ts';
import type { Stem } from '../../../schema.ts';
import type { LayerMeasurement } from '../measure/layer.ts';
import type { RenderLayer, RenderPlan, RenderSection } from '../plan/plan.ts';
import type { Tuning } from '../plan/tuning.ts';
import { isInTune, measureHarmony } from '../quality/harmony.ts';
import type { MeasuredSection } from '../quality/measured-section.ts';
import type { RenderSong } from '../song/song.ts';
import type { Correction } from './correction.ts';

/** Stems of other songs that are replaced, the least first. */
const REPLACED_STEMS: readonly (readonly Stem[])[] = [['bass'], ['other'], ['bass', 'other']];

type MeasuredCandidate = {
  plan: RenderPlan;
  tuning: Tuning;
  /** Measured layers of each section. */
  layers: readonly LayerMeasurement[][];
  /** Songs whose voices do not fit the notes under them. */
  outOfTune: readonly string[];
};

const sings = (layers: readonly { songId: string; stem: Stem }[], singer: string): boolean =>
  layers.some(({ songId, stem }) => songId === singer && stem === 'vocals');

/** Whether a layer is one of `stems` of another song than the singer's. */
const isReplaced = (layer: { songId: string; stem: Stem }, singer: string, stems: readonly Stem[]): boolean =>
  layer.songId !== singer && stems.includes(layer.stem);

/** Whether a voice is in tune without the replaced stems; it is if no other song's notes remain. */
function fitsWithout(layers: readonly LayerMeasurement[][], singer: string, stems: readonly Stem[]): boolean {
  const remaining = layers.map((section): Pick<MeasuredSection, 'layers'> => {
    return { layers: section.filter((layer) => !sings(section, singer) || !isReplaced(layer, singer, stems)) };
  });
  const correlations = measureHarmony(remaining).get(singer);
  return correlations === undefined || isInTune(correlations);
}

/** A section in which the replaced stems of other songs are those of the singer's song, at the same levels. */
function withOwnHarmony(section: RenderSection, singer: RenderSong, stems: readonly Stem[]): RenderSection {
  const voice = section.layers.find(({ songId, stem }) => songId === singer.id && stem === 'vocals');
  if (!voice || !section.layers.some((layer) => isReplaced(layer, singer.id, stems))) return section;
  const layers = section.layers.flatMap((layer): RenderLayer[] => {
    if (!isReplaced(layer, singer.id, stems)) return [layer];
    const hasOwn = section.layers.some(({ songId, stem }) => songId === singer.id && stem === layer.stem);
    if (hasOwn || singer.stems[layer.stem] === undefined) return [];
    return [{ ...layer, songId: singer.id, sourceStartSec: voice.sourceStartSec, free: voice.free }];
  });
  return { ...section, layers };
}

/** Whether a section plays as many songs as before. */
const keepsSongs = (before: RenderSection, after: RenderSection): boolean =>
  new Set(before.layers.map(({ songId }) => songId)).size === new Set(after.layers.map(({ songId }) => songId)).size;

/**
 * Replaces as few stems of other songs as possible under a voice that does not fit them; undefined if no voice can be corrected
 * without a section losing a song.
 */
export function useOwnHarmony(
  { plan, tuning, layers, outOfTune }: MeasuredCandidate,
  songs: ReadonlyMap<string, RenderSong>,
): Correction | undefined {
  for (const id of outOfTune) {
    const singer = songs.get(id)!;
    const stems = REPLACED_STEMS.find((each) => fitsWithout(layers, id, each));
    if (!stems) continue;
    const sections = plan.sections.map((section) => withOwnHarmony(section, singer, stems));
    if (!sections.every((section, i) => keepsSongs(plan.sections[i]!, section))) continue;
    const names = stems.map((stem) => STEM_NAMES[stem]).join(' and ');
    const messages = [`"${singer.name}" sings over its own ${names}: it fits no other notes.`];
    return { plan: { ...plan, sections }, tuning, messages };
  }
  return undefined;
}
