/**
 * Two songs that no tempo suits both. Each has its beat for itself, and they meet in sections without drums: the voice of one, at
 * its own speed, over the chords of the other. The tempo changes where nobody drums, as a DJ changes it in a break.
 */
import type { AnalyzedSong } from '../../schema.ts';
import type { SectionKind } from './energy-arc.ts';
import { freely, idea, type LayerIdea, type SectionIdea } from './layers.ts';
import { singsAtAll, type Roles } from './roles.ts';
import { reachOf, type Tempi } from './tempo.ts';

/** Chords without attacks: what is left of a beat in them would rub. */
const chords = (song: AnalyzedSong, why: string, ...more: string[]): LayerIdea =>
  idea(song, 'other', -6, why, 'lowpass(freq=2500)', 'reverb(mix=0.35)', ...more);

/** What a song has to say without its beat: its voice or, where nobody sings, its melody. */
function voiceOf(song: AnalyzedSong, why: string): LayerIdea {
  return singsAtAll(song)
    ? freely(idea(song, 'vocals', -4, why, 'reverb(mix=0.25)'))
    : freely(idea(song, 'other', -5, `${why} (no voice: its melody)`, 'highpass(freq=250)'));
}

/** A song with all that it has: the other's tempo is out of reach. */
function whole(song: AnalyzedSong, guest: AnalyzedSong | null): LayerIdea[] {
  return [
    idea(song, 'drums', -3, 'Full and dry, at its own tempo'),
    idea(song, 'bass', -4, 'The only bass'),
    idea(song, 'other', -8, 'Its own harmony', 'sidechain(depth=5)'),
    ...(singsAtAll(song) ? [idea(song, 'vocals', -4, 'Its own voice')] : []),
    ...(guest ? [idea(guest, 'other', -11, 'Near enough in tempo to join', 'highpass(freq=300)')] : []),
  ];
}

/** Designs a section of a mashup in two tempi. `part` counts the sections of the same kind in a row from 0. */
export function designApart(kind: SectionKind, roles: Roles, tempi: Tempi, part: number): SectionIdea {
  const { lead, groove, colour } = roles;
  const again = part > 0 ? ', continued' : '';
  const near = colour ? reachOf(colour, tempi) : { home: false, away: false };
  switch (kind) {
    case 'overture':
      return {
        description: `Overture: ${lead.name} at its own pace over the chords of ${groove.name}${again}`,
        layers: [
          chords(groove, 'The harmony, before there is a beat'),
          voiceOf(lead, 'Free, since no tempo suits both songs'),
        ],
      };
    case 'build':
      return {
        description: `Build: the beat of ${groove.name} sets the first tempo${again}`,
        layers: [
          idea(groove, 'drums', -5, 'Carries the beat', 'lowpass_sweep(from=400,to=16000)', 'riser(bars=2)'),
          idea(groove, 'bass', -7, 'The only bass, so the low end stays clear'),
        ],
      };
    case 'drop':
      return {
        description: `Drop: ${groove.name} with all it has${again}`,
        layers: whole(groove, near.home ? colour : null),
      };
    case 'encounter':
      return {
        description: `Encounter: the beat stops, ${lead.name} comes back over ${groove.name}, and the tempo turns${again}`,
        layers: [
          chords(groove, 'Holds the harmony while the beat is gone', 'riser(bars=2)'),
          voiceOf(lead, 'Free over it: what it leads to is its own beat'),
        ],
      };
    case 'peak':
      return {
        description: `Peak: ${lead.name} in its own tempo${again}`,
        layers: whole(lead, near.away && !near.home ? colour : null),
      };
    default:
      return {
        description: `Answer: ${(colour && !near.home && !near.away ? colour : groove).name} over the chords of ${lead.name}${again}`,
        layers: [
          chords(lead, 'The last harmony rings out', 'fade_out'),
          voiceOf(colour && !near.home && !near.away ? colour : groove, 'Has the last word, free'),
        ],
      };
  }
}
