/** Sections of mashups with one tempo: stems, levels and effects of each kind of section. */
import type { AnalyzedSong } from '../../schema.ts';
import { hasBeat, usableStems, singsAtAll } from '../theory/content.ts';
import type { SectionKind } from './energy-arc.ts';
import { atOwnSpeed, layer, type LayerDraft } from './layers.ts';
import type { Roles } from './roles.ts';

type SectionContext = {
  roles: Roles;
  /** The third song, if it can be brought to the tempo of the mashup. */
  colour: AnalyzedSong | null;
  /** The song that gives the harmony. */
  harmony: AnalyzedSong;
  /** Drafts the vocals of the lead, or its melody if it has no voice. */
  voice: (volume_db: number, ...effects: string[]) => LayerDraft;
};

/** Designs a section for the roles. */
export function designSection(kind: SectionKind, roles: Roles): LayerDraft[] {
  const { lead, groove, sings } = roles;
  const colour = roles.colourIsFree ? null : roles.colour;
  const voice: SectionContext['voice'] = (volume_db, ...effects) =>
    sings ? layer(lead, 'vocals', volume_db, ...effects) : layer(lead, 'other', volume_db - 1);
  const design = DESIGNS[kind] ?? designOutro;
  const harmony = colour && hasBeat(colour.analysis) && usableStems(colour).includes('other') ? colour : groove;
  return design({ roles, colour, harmony, voice });
}

const DESIGNS: Partial<Record<SectionKind, (context: SectionContext) => LayerDraft[]>> = {
  intro: ({ roles: { groove }, harmony }) => [
    layer(groove, 'drums', -7, 'lowpass_sweep(from=250,to=6000)'),
    layer(harmony, 'other', -10, 'highpass(freq=250)', 'reverb'),
  ],
  build: ({ roles: { groove }, voice }) => [
    layer(groove, 'drums', -5, 'riser(bars=2)'),
    layer(groove, 'bass', -7),
    voice(-4, 'reverb(mix=0.2)'),
  ],
  drop: ({ roles: { groove, sings }, colour, harmony, voice }) => [
    layer(groove, 'drums', -3),
    layer(groove, 'bass', -4),
    ...(sings || colour ? [layer(harmony, 'other', -9, 'sidechain(depth=5)')] : []),
    voice(-3),
  ],
  verse: ({ roles: { groove }, voice }) => [layer(groove, 'drums', -6), layer(groove, 'bass', -7), voice(-3)],
  break: ({ roles, colour }) => {
    if (roles.colourIsFree && roles.colour) return designFreeBreak(roles.colour, roles);
    return colour && singsAtAll(colour) ? designSecondVoiceBreak(colour) : designLeadBreak(roles, colour);
  },
  rise: ({ roles: { groove }, voice }) => [
    layer(groove, 'drums', -6, 'highpass_sweep(from=600,to=30)', 'riser(bars=4)'),
    voice(-4, 'delay(mix=0.2)'),
  ],
  peak: ({ roles: { lead, groove, sings }, colour, voice }) => [
    layer(groove, 'drums', -3),
    layer(groove, 'bass', -4),
    ...(sings ? [layer(lead, 'other', -8, 'sidechain(depth=6)', 'width(amount=1.3)')] : []),
    ...(colour ? [layer(colour, 'other', -11, 'highpass(freq=300)')] : []),
    voice(-3),
  ],
};

function designOutro({ roles: { lead, groove } }: SectionContext): LayerDraft[] {
  return [
    layer(groove, 'drums', -8, 'lowpass_sweep(from=8000,to=300)', 'fade_out'),
    layer(lead, 'other', -9, 'reverb(mix=0.35)', 'fade_out'),
  ];
}

function designSecondVoiceBreak(song: AnalyzedSong): LayerDraft[] {
  return [layer(song, 'vocals', -4, 'reverb(mix=0.35)'), layer(song, 'other', -8, 'highpass(freq=150)')];
}

function designLeadBreak({ lead, sings }: Roles, colour: AnalyzedSong | null): LayerDraft[] {
  return [
    layer(lead, 'other', -7, 'reverb'),
    ...(sings ? [layer(lead, 'vocals', -4, 'reverb(mix=0.35)')] : []),
    ...(colour ? [layer(colour, 'drums', -14, 'lowpass(freq=500)')] : []),
  ];
}

/** Designs the break for a third song whose tempo is out of reach: without drums, so that no beat conflicts with it. */
function designFreeBreak(song: AnalyzedSong, { lead, groove, sings }: Roles): LayerDraft[] {
  if (singsAtAll(song))
    return [
      layer(groove, 'other', -7, 'lowpass(freq=2500)', 'reverb'),
      atOwnSpeed(layer(song, 'vocals', -4, 'reverb(mix=0.35)')),
    ];
  const own = layer(song, 'other', -6, 'reverb');
  const over = layer(lead, 'vocals', -4, 'reverb(mix=0.35)');
  return sings ? [own, atOwnSpeed(over)] : [own, layer(song, 'bass', -8)];
}
