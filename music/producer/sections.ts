/** Sections of mashups with one tempo: stems, levels and effects of each kind of section, with reasons. */
import type { AnalyzedSong } from '../../schema.ts';
import { hasBeat, usableStems, singsAtAll } from '../theory/content.ts';
import type { SectionKind } from './energy-arc.ts';
import { atOwnSpeed, layer, type LayerDraft, type SectionDraft } from './layers.ts';
import type { Roles } from './roles.ts';

type SectionContext = {
  roles: Roles;
  /** The third song, if it can be brought to the tempo of the mashup. */
  colour: AnalyzedSong | null;
  /** The song that gives the harmony. */
  harmony: AnalyzedSong;
  /** Drafts the vocals of the lead, or its melody if it has no voice. */
  voice: (volume_db: number, why: string, ...effects: string[]) => LayerDraft;
};

/** Designs a section for the roles. `part` counts consecutive sections of the same kind, from 0. */
export function designSection(kind: SectionKind, roles: Roles, part: number): SectionDraft {
  const { lead, groove, sings } = roles;
  const colour = roles.colourIsFree ? null : roles.colour;
  const voice: SectionContext['voice'] = (volume_db, why, ...effects) =>
    sings
      ? layer(lead, 'vocals', volume_db, why, ...effects)
      : layer(lead, 'other', volume_db - 1, `${why} (no voice: its melody leads)`);
  const design = DESIGNS[kind] ?? designOutro;
  const harmony = colour && hasBeat(colour.analysis) && usableStems(colour).includes('other') ? colour : groove;
  const { description, layers } = design({ roles, colour, harmony, voice });
  return { description: part > 0 ? `${description}, continued` : description, layers };
}

const DESIGNS: Partial<Record<SectionKind, (context: SectionContext) => SectionDraft>> = {
  intro: ({ roles: { groove }, harmony }) => ({
    description: `Intro: the beat of ${groove.name} comes out of the dark`,
    layers: [
      layer(
        groove,
        'drums',
        -7,
        'A filtered beat sets the tempo before anything else claims it',
        'lowpass_sweep(from=250,to=6000)',
      ),
      layer(harmony, 'other', -10, 'A hint of the harmony to come', 'highpass(freq=250)', 'reverb'),
    ],
  }),
  build: ({ roles: { lead, groove }, voice }) => ({
    description: `Build: ${lead.name} enters over beat and bass`,
    layers: [
      layer(groove, 'drums', -5, 'Carries the beat', 'riser(bars=2)'),
      layer(groove, 'bass', -7, 'The only bass, so the low end stays clear'),
      voice(-4, 'Introduced with room around it, ahead of the drop', 'reverb(mix=0.2)'),
    ],
  }),
  drop: ({ roles: { lead, groove, sings }, colour, harmony, voice }) => ({
    description: `Drop: ${lead.name} meets the full groove of ${groove.name}`,
    layers: [
      layer(groove, 'drums', -3, 'Full and dry: the floor of the section'),
      layer(groove, 'bass', -4, 'The only bass, from the same song as the drums'),
      ...(sings || colour
        ? [layer(harmony, 'other', -9, 'Fills the middle and steps back on each beat', 'sidechain(depth=5)')]
        : []),
      voice(-3, 'The phrase that fits this bed best'),
    ],
  }),
  verse: ({ roles: { groove }, voice }) => ({
    description: 'Verse: lighter, with room for the words',
    layers: [
      layer(groove, 'drums', -6, 'Keeps walking'),
      layer(groove, 'bass', -7, 'The only bass'),
      voice(-3, 'Another part of the song, so that the drop is not repeated'),
    ],
  }),
  break: ({ roles, colour }) => {
    if (roles.colourIsFree && roles.colour) return designFreeBreak(roles.colour, roles);
    return colour && singsAtAll(colour) ? designSecondVoiceBreak(colour) : designLeadBreak(roles, colour);
  },
  rise: ({ roles: { groove }, voice }) => ({
    description: 'Rise: the beat returns and opens up',
    layers: [
      layer(groove, 'drums', -6, 'Opens towards the peak', 'highpass_sweep(from=600,to=30)', 'riser(bars=4)'),
      voice(-4, 'Leads into the peak', 'delay(mix=0.2)'),
    ],
  }),
  peak: ({ roles: { lead, groove, sings }, colour, voice }) => ({
    description: 'Peak: everything together',
    layers: [
      layer(groove, 'drums', -3, 'Full and dry'),
      layer(groove, 'bass', -4, 'The only bass'),
      ...(sings
        ? [
            layer(
              lead,
              'other',
              -8,
              "The lead's own harmony lifts it over the first drop",
              'sidechain(depth=6)',
              'width(amount=1.3)',
            ),
          ]
        : []),
      ...(colour ? [layer(colour, 'other', -11, 'All songs are heard at the peak', 'highpass(freq=300)')] : []),
      voice(-3, 'The best phrase that is left'),
    ],
  }),
};

function designOutro({ roles: { lead, groove } }: SectionContext): SectionDraft {
  return {
    description: `Outro: ${groove.name} walks away`,
    layers: [
      layer(groove, 'drums', -8, 'Closes as it opened', 'lowpass_sweep(from=8000,to=300)', 'fade_out'),
      layer(lead, 'other', -9, 'The last harmony rings out', 'reverb(mix=0.35)', 'fade_out'),
    ],
  };
}

function designSecondVoiceBreak(song: AnalyzedSong): SectionDraft {
  return {
    description: `Break: ${song.name} answers, without drums`,
    layers: [
      layer(
        song,
        'vocals',
        -4,
        'A second voice, alone, so that the two never sing over each other',
        'reverb(mix=0.35)',
      ),
      layer(song, 'other', -8, 'Its own harmony, which fits it without any shift against it', 'highpass(freq=150)'),
    ],
  };
}

function designLeadBreak({ lead, sings }: Roles, colour: AnalyzedSong | null): SectionDraft {
  return {
    description: `Break: ${lead.name} alone with its own harmony`,
    layers: [
      layer(lead, 'other', -7, 'Its own harmony, heard for the first time', 'reverb'),
      ...(sings ? [layer(lead, 'vocals', -4, 'Close and quiet before the peak', 'reverb(mix=0.35)')] : []),
      ...(colour ? [layer(colour, 'drums', -14, 'A distant beat keeps time', 'lowpass(freq=500)')] : []),
    ],
  };
}

/** Designs the break for a third song whose tempo is out of reach: without drums, so that no beat conflicts with it. */
function designFreeBreak(song: AnalyzedSong, { lead, groove, sings }: Roles): SectionDraft {
  if (singsAtAll(song))
    return {
      description: `Break: ${song.name} sings at its own pace, without drums`,
      layers: [
        layer(groove, 'other', -7, 'Chords that wait for the voice', 'lowpass(freq=2500)', 'reverb'),
        atOwnSpeed(layer(song, 'vocals', -4, 'Free, since its tempo is too far away', 'reverb(mix=0.35)')),
      ],
    };
  const own = layer(song, 'other', -6, 'Its melody, at its own tempo', 'reverb');
  const over = layer(lead, 'vocals', -4, 'Free over it, with no beat to keep', 'reverb(mix=0.35)');
  return {
    description: `Break: the tempo of ${song.name}, without drums`,
    layers: sings ? [own, atOwnSpeed(over)] : [own, layer(song, 'bass', -8, 'Its own ground')],
  };
}
