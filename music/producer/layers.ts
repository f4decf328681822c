/** What is heard in each kind of section: stems, levels and effects, and why. */
import type { AnalyzedSong, Stem } from '../../schema.ts';
import type { SectionKind } from './energy-arc.ts';
import { singsAtAll, type Roles } from './roles.ts';

/** A layer before its part of the song is chosen. */
export type LayerIdea = {
  song: AnalyzedSong;
  stem: Stem;
  volume_db: number;
  effects: string[];
  why: string;
  /** At the song's own speed, beside any beat. */
  free: boolean;
};
export type SectionIdea = { description: string; layers: LayerIdea[] };

export const idea = (
  song: AnalyzedSong,
  stem: Stem,
  volume_db: number,
  why: string,
  ...effects: string[]
): LayerIdea => ({
  song,
  stem,
  volume_db,
  effects,
  why,
  free: false,
});

/** The same at the song's own speed. */
export const freely = (layer: LayerIdea): LayerIdea => ({ ...layer, free: true });

/** Designs a section for the roles. `part` counts the sections of the same kind in a row from 0. */
export function designSection(kind: SectionKind, roles: Roles, part: number): SectionIdea {
  const { lead, groove, sings } = roles;
  const colour = roles.guest ? null : roles.colour;
  const harmony = colour ?? groove;
  const voice = (volume_db: number, why: string, ...effects: string[]): LayerIdea =>
    sings
      ? idea(lead, 'vocals', volume_db, why, ...effects)
      : idea(lead, 'other', volume_db - 1, `${why} (no voice: its melody leads)`);
  const again = part > 0 ? ', continued' : '';

  switch (kind) {
    case 'intro':
      return {
        description: `Intro: the beat of ${groove.name} comes out of the dark${again}`,
        layers: [
          idea(
            groove,
            'drums',
            -7,
            'A filtered beat sets the tempo before anything else claims it',
            'lowpass_sweep(from=250,to=6000)',
          ),
          idea(harmony, 'other', -10, 'A hint of the harmony to come', 'highpass(freq=250)', 'reverb'),
        ],
      };
    case 'build':
      return {
        description: `Build: ${lead.name} enters over beat and bass${again}`,
        layers: [
          idea(groove, 'drums', -5, 'Carries the beat', 'riser(bars=2)'),
          idea(groove, 'bass', -7, 'The only bass, so the low end stays clear'),
          voice(-4, 'Introduced with room around it, ahead of the drop', 'reverb(mix=0.2)'),
        ],
      };
    case 'drop':
      return {
        description: `Drop: ${lead.name} meets the full groove of ${groove.name}${again}`,
        layers: [
          idea(groove, 'drums', -3, 'Full and dry: the floor of the section'),
          idea(groove, 'bass', -4, 'The only bass, from the same song as the drums'),
          ...(sings || colour
            ? [idea(harmony, 'other', -9, 'Fills the middle and steps back on each beat', 'sidechain(depth=5)')]
            : []),
          voice(-3, 'The phrase that fits this bed best'),
        ],
      };
    case 'verse':
      return {
        description: `Verse: lighter, with room for the words${again}`,
        layers: [
          idea(groove, 'drums', -6, 'Keeps walking'),
          idea(groove, 'bass', -7, 'The only bass'),
          voice(-3, 'Another part of the song, so that the drop is not repeated'),
        ],
      };
    case 'break': {
      if (roles.guest && roles.colour) return visit(roles.colour, roles, again);
      const second = colour && singsAtAll(colour) ? colour : null;
      return {
        description: second
          ? `Break: ${second.name} answers, without drums${again}`
          : `Break: ${lead.name} alone with its own harmony${again}`,
        layers: second
          ? [
              idea(
                second,
                'vocals',
                -4,
                'A second voice, alone, so that the two never sing over each other',
                'reverb(mix=0.35)',
              ),
              idea(
                second,
                'other',
                -8,
                'Its own harmony, which fits it without any shift against it',
                'highpass(freq=150)',
              ),
            ]
          : [
              idea(lead, 'other', -7, 'Its own harmony, heard for the first time', 'reverb'),
              ...(sings ? [idea(lead, 'vocals', -4, 'Close and quiet before the peak', 'reverb(mix=0.35)')] : []),
              ...(colour ? [idea(colour, 'drums', -14, 'A distant beat keeps time', 'lowpass(freq=500)')] : []),
            ],
      };
    }
    case 'rise':
      return {
        description: `Rise: the beat returns and opens up${again}`,
        layers: [
          idea(groove, 'drums', -6, 'Opens towards the peak', 'highpass_sweep(from=600,to=30)', 'riser(bars=4)'),
          voice(-4, 'Leads into the peak', 'delay(mix=0.2)'),
        ],
      };
    case 'peak':
      return {
        description: `Peak: everything together${again}`,
        layers: [
          idea(groove, 'drums', -3, 'Full and dry'),
          idea(groove, 'bass', -4, 'The only bass'),
          ...(sings
            ? [
                idea(
                  lead,
                  'other',
                  -8,
                  "The lead's own harmony lifts it over the first drop",
                  'sidechain(depth=6)',
                  'width(amount=1.3)',
                ),
              ]
            : []),
          ...(colour ? [idea(colour, 'other', -11, 'All songs are heard at the peak', 'highpass(freq=300)')] : []),
          voice(-3, 'The best phrase that is left'),
        ],
      };
    case 'outro':
    default:
      return {
        description: `Outro: ${groove.name} walks away${again}`,
        layers: [
          idea(groove, 'drums', -8, 'Closes as it opened', 'lowpass_sweep(from=8000,to=300)', 'fade_out'),
          idea(lead, 'other', -9, 'The last harmony rings out', 'reverb(mix=0.35)', 'fade_out'),
        ],
      };
  }
}

/** The break of a third song whose tempo is out of reach: no drums, so that nothing says what time it is. */
function visit(guest: AnalyzedSong, { lead, groove, sings }: Roles, again: string): SectionIdea {
  if (singsAtAll(guest))
    return {
      description: `Break: ${guest.name} sings at its own pace, without drums${again}`,
      layers: [
        idea(groove, 'other', -7, 'Chords that wait for the voice', 'lowpass(freq=2500)', 'reverb'),
        freely(idea(guest, 'vocals', -4, 'Free, since its tempo is too far away', 'reverb(mix=0.35)')),
      ],
    };
  const own = idea(guest, 'other', -6, 'Its melody, at its own tempo', 'reverb');
  const over = idea(lead, 'vocals', -4, 'Free over it, with no beat to keep', 'reverb(mix=0.35)');
  return {
    description: `Break: the tempo of ${guest.name}, without drums${again}`,
    layers: sings ? [own, freely(over)] : [own, idea(guest, 'bass', -8, 'Its own ground')],
  };
}
