/**
 * Sections of mashups whose lead and groove have no common tempo. Each song has sections with its own beat. They are
 * combined in sections without drums: the voice of one, at its own speed, over the chords of the other. The tempo changes
 * in these sections, as a DJ changes it in a break.
 */
import type { AnalyzedSong } from '../../schema.ts';
import type { SectionKind } from './energy-arc.ts';
import { atOwnSpeed, layer, type LayerDraft, type SectionDraft } from './layers.ts';
import { singsAtAll } from '../theory/content.ts';
import type { Roles } from './roles.ts';
import { reachOf, type Tempi } from './tempo.ts';

/** Drafts a song's chords without attacks: with its attacks, its beat would conflict with the free voice. */
const chords = (song: AnalyzedSong, why: string, ...more: string[]): LayerDraft =>
  layer(song, 'other', -6, why, 'lowpass(freq=2500)', 'reverb(mix=0.35)', ...more);

/** Drafts a song's vocals at its own speed, or its melody if it has no voice. */
function freeVoice(song: AnalyzedSong, why: string): LayerDraft {
  return singsAtAll(song)
    ? atOwnSpeed(layer(song, 'vocals', -4, why, 'reverb(mix=0.25)'))
    : atOwnSpeed(layer(song, 'other', -5, `${why} (no voice: its melody)`, 'highpass(freq=250)'));
}

/** Drafts all stems of a song at its own tempo, and the harmony of the third song if it reaches this tempo. */
function allStems(song: AnalyzedSong, third: AnalyzedSong | null): LayerDraft[] {
  return [
    layer(song, 'drums', -3, 'Full and dry, at its own tempo'),
    layer(song, 'bass', -4, 'The only bass'),
    layer(song, 'other', -8, 'Its own harmony', 'sidechain(depth=5)'),
    ...(singsAtAll(song) ? [layer(song, 'vocals', -4, 'Its own voice')] : []),
    ...(third ? [layer(third, 'other', -11, 'Near enough in tempo to join', 'highpass(freq=300)')] : []),
  ];
}

/** Designs a section of a mashup with two tempi. `part` counts consecutive sections of the same kind, from 0. */
export function designTwoTempoSection(kind: SectionKind, roles: Roles, tempi: Tempi, part: number): SectionDraft {
  const { description, layers } = designFirstPart(kind, roles, tempi);
  return { description: part > 0 ? `${description}, continued` : description, layers };
}

function designFirstPart(kind: SectionKind, { lead, groove, colour }: Roles, tempi: Tempi): SectionDraft {
  const reach = colour ? reachOf(colour, tempi) : { main: false, second: false };
  switch (kind) {
    case 'overture':
      return {
        description: `Overture: ${lead.name} at its own pace over the chords of ${groove.name}`,
        layers: [
          chords(groove, 'The harmony, before there is a beat'),
          freeVoice(lead, 'Free, since no tempo suits both songs'),
        ],
      };
    case 'build':
      return {
        description: `Build: the beat of ${groove.name} sets the first tempo`,
        layers: [
          layer(groove, 'drums', -5, 'Carries the beat', 'lowpass_sweep(from=400,to=16000)', 'riser(bars=2)'),
          layer(groove, 'bass', -7, 'The only bass, so the low end stays clear'),
        ],
      };
    case 'drop':
      return {
        description: `Drop: ${groove.name} with all it has`,
        layers: allStems(groove, reach.main ? colour : null),
      };
    case 'encounter':
      return {
        description: `Encounter: the beat stops, ${lead.name} comes back over ${groove.name}, and the tempo turns`,
        layers: [
          chords(groove, 'Holds the harmony while the beat is gone', 'riser(bars=2)'),
          freeVoice(lead, 'Free over it: what it leads to is its own beat'),
        ],
      };
    case 'peak':
      return {
        description: `Peak: ${lead.name} in its own tempo`,
        layers: allStems(lead, reach.second && !reach.main ? colour : null),
      };
    default: {
      const last = colour && !reach.main && !reach.second ? colour : groove;
      return {
        description: `Answer: ${last.name} over the chords of ${lead.name}`,
        layers: [chords(lead, 'The last harmony rings out', 'fade_out'), freeVoice(last, 'Has the last word, free')],
      };
    }
  }
}
