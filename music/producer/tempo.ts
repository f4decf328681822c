/** The tempi of a mashup: one where all songs can meet, else one for each side, and what is out of reach plays free. */
import type { AnalyzedSong } from '../../schema.ts';
import { ASSUMED_BPM } from '../theory/bars.ts';
import type { LayerIdea } from './layers.ts';
import type { Roles } from './roles.ts';
import { canAllMeet, chooseTempo, foldTempo, type Weighted } from './targets.ts';
import { canMeet } from '../theory/tempo.ts';

export type Tempi = {
  /** The mashup's: where the beat of the groove is heard. */
  home: number;
  /** Where the songs are heard that home is out of reach of; home itself where there are none. */
  away: number;
};

const bpmOf = ({ analysis }: AnalyzedSong): number => (analysis.rhythmic.bpm > 0 ? analysis.rhythmic.bpm : ASSUMED_BPM);
const reaches = (song: AnalyzedSong, bpm: number): boolean => canMeet(bpmOf(song), bpm);

/**
 * Chooses the tempi: one for as many songs as can meet, the groove among them, and one for the lead, or for a third song alone, where
 * it is out of reach.
 */
export function chooseTempi(roles: Roles, weighted: readonly Weighted[]): Tempi {
  const { lead, groove, colour, apart, guest } = roles;
  const of = (...songs: (AnalyzedSong | null)[]): Weighted[] => weighted.filter(({ song }) => songs.includes(song));
  if (!apart && !guest) {
    const home = chooseTempo(weighted, groove);
    return { home, away: home };
  }
  if (guest && colour) return { home: chooseTempo(of(lead, groove), groove), away: chooseTempo(of(colour), colour) };
  const atHome = colour && canAllMeet([groove, colour]) ? of(groove, colour) : of(groove);
  const near = colour && !atHome.some(({ song }) => song === colour) && canAllMeet([lead, colour]);
  return { home: chooseTempo(atHome, groove), away: chooseTempo(near ? of(lead, colour) : of(lead), lead) };
}

/** The tempo at which a section's layers play: home, away, or the own one of a song that neither suits. */
export function tempoOf(layers: readonly LayerIdea[], { home, away }: Tempi): number {
  const bound = layers.filter(({ free }) => !free).map(({ song }) => song);
  const shared = [home, away].find((bpm) => bound.every((song) => reaches(song, bpm)));
  return shared ?? foldTempo(bpmOf(bound[0] as AnalyzedSong));
}

/** Whether a song can keep the beat at home, and away. */
export function reachOf(song: AnalyzedSong, tempi: Tempi): { home: boolean; away: boolean } {
  return { home: reaches(song, tempi.home), away: reaches(song, tempi.away) };
}
