/**
 * Sections of mashups in which no song can give drums and bass: songs without a beat, which flow into each other in free time, and voices
 * alone, which take turns.
 */
import type { AnalyzedSong } from '../../schema.ts';
import { usableStems, singsAtAll } from '../theory/content.ts';
import type { SectionKind } from './energy-arc.ts';
import { layer, type LayerDraft, type SectionDraft } from './layers.ts';
import type { Roles } from './roles.ts';

/** Kinds of sections in which the songs sound together. */
const TOGETHER: readonly SectionKind[] = ['build', 'drop', 'rise', 'peak', 'encounter', 'outro'];

/** Drafts all that a song has, or a part of it beside another song. */
function soundOf(song: AnalyzedSong, volumeDb: number, why: string, ...effects: string[]): LayerDraft[] {
  const stems = usableStems(song).filter((stem) => stem === 'other' || (stem === 'vocals' && singsAtAll(song)));
  return stems.map((stem) => layer(song, stem, volumeDb, why, ...effects));
}

/** Designs a section without drums and bass. `part` counts consecutive sections of the same kind, from 0. */
export function designFreeSection(kind: SectionKind, { lead, groove, colour }: Roles, part: number): SectionDraft {
  const second = colour && part % 2 === 1 ? colour : lead;
  const isTurn = !usableStems(groove).includes('other');
  const fades = kind === 'outro' ? ['fade_out'] : [];
  if (kind === 'intro' || kind === 'overture')
    return { description: `${groove.name} opens, in free time`, layers: soundOf(groove, -5, 'Opens alone') };
  if (TOGETHER.includes(kind) && !isTurn)
    return {
      description: `${second.name} over ${groove.name}, in free time`,
      layers: [
        ...soundOf(groove, -8, 'The ground, without a beat', ...fades),
        ...soundOf(second, -4, 'Flows over it at its own pace', ...fades).filter(
          ({ stem }) => stem !== 'vocals' || !singsAtAll(groove),
        ),
      ],
    };
  const own = isTurn && part % 2 === 0 && kind === 'drop' ? groove : second;
  return { description: `${own.name} alone`, layers: soundOf(own, -4, 'Its turn', ...fades) };
}
