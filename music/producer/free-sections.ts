/**
 * Sections of mashups in which no song can give drums and bass: songs without a beat, which flow into each other in free time, and voices
 * alone, which take turns.
 */
import type { AnalyzedSong } from '../../schema.ts';
import { usableStems, singsAtAll } from '../theory/content.ts';
import type { SectionKind } from './energy-arc.ts';
import { layer, type LayerDraft } from './layers.ts';
import type { Roles } from './roles.ts';

/** Kinds of sections in which the songs sound together. */
const TOGETHER: readonly SectionKind[] = ['build', 'drop', 'rise', 'peak', 'encounter', 'outro'];

/** Drafts all that a song has, or a part of it beside another song. */
function soundOf(song: AnalyzedSong, volumeDb: number, ...effects: string[]): LayerDraft[] {
  const stems = usableStems(song).filter((stem) => stem === 'other' || (stem === 'vocals' && singsAtAll(song)));
  return stems.map((stem) => layer(song, stem, volumeDb, ...effects));
}

/** Designs a section without drums and bass. `part` counts consecutive sections of the same kind, from 0. */
export function designFreeSection(kind: SectionKind, { lead, groove, colour }: Roles, part: number): LayerDraft[] {
  const second = colour && part % 2 === 1 ? colour : lead;
  const isTurn = !usableStems(groove).includes('other');
  const fades = kind === 'outro' ? ['fade_out'] : [];
  if (kind === 'intro' || kind === 'overture') return soundOf(groove, -5);
  if (TOGETHER.includes(kind) && !isTurn)
    return [
      ...soundOf(groove, -8, ...fades),
      ...soundOf(second, -4, ...fades).filter(({ stem }) => stem !== 'vocals' || !singsAtAll(groove)),
    ];
  const own = isTurn && part % 2 === 0 && kind === 'drop' ? groove : second;
  return soundOf(own, -4, ...fades);
}
