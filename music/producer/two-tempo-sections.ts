/**
 * Sections of mashups whose lead and groove have no common tempo. Each song has sections with its own beat. They are
 * combined in sections without drums: the voice of one, at its own speed, over the chords of the other. The tempo changes
 * in these sections, as a DJ changes it in a break.
 */
import type { AnalyzedSong } from '../../schema.ts';
import type { SectionKind } from './energy-arc.ts';
import { atOwnSpeed, layer, type LayerDraft } from './layers.ts';
import { singsAtAll } from '../theory/content.ts';
import type { Roles } from './roles.ts';
import { reachOf, type Tempi } from './tempo.ts';

/** Drafts a song's chords without attacks: with its attacks, its beat would conflict with the free voice. */
const chords = (song: AnalyzedSong, ...more: string[]): LayerDraft =>
  layer(song, 'other', -6, 'lowpass(freq=2500)', 'reverb(mix=0.35)', ...more);

/** Drafts a song's vocals at its own speed, or its melody if it has no voice. */
function freeVoice(song: AnalyzedSong): LayerDraft {
  return singsAtAll(song)
    ? atOwnSpeed(layer(song, 'vocals', -4, 'reverb(mix=0.25)'))
    : atOwnSpeed(layer(song, 'other', -5, 'highpass(freq=250)'));
}

/** Drafts all stems of a song at its own tempo, and the harmony of the third song if it reaches this tempo. */
function allStems(song: AnalyzedSong, third: AnalyzedSong | null): LayerDraft[] {
  return [
    layer(song, 'drums', -3),
    layer(song, 'bass', -4),
    layer(song, 'other', -8, 'sidechain(depth=5)'),
    ...(singsAtAll(song) ? [layer(song, 'vocals', -4)] : []),
    ...(third ? [layer(third, 'other', -11, 'highpass(freq=300)')] : []),
  ];
}

/** Designs a section of a mashup with two tempi. */
export function designTwoTempoSection(kind: SectionKind, { lead, groove, colour }: Roles, tempi: Tempi): LayerDraft[] {
  const reach = colour ? reachOf(colour, tempi) : { main: false, second: false };
  switch (kind) {
    case 'overture':
      return [chords(groove), freeVoice(lead)];
    case 'build':
      return [
        layer(groove, 'drums', -5, 'lowpass_sweep(from=400,to=16000)', 'riser(bars=2)'),
        layer(groove, 'bass', -7),
      ];
    case 'drop':
      return allStems(groove, reach.main ? colour : null);
    case 'encounter':
      return [chords(groove, 'riser(bars=2)'), freeVoice(lead)];
    case 'peak':
      return allStems(lead, reach.second && !reach.main ? colour : null);
    default: {
      const last = colour && !reach.main && !reach.second ? colour : groove;
      return [chords(lead, 'fade_out'), freeVoice(last)];
    }
  }
}
