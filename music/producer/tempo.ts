/** The tempi of a mashup: one if the songs have a common tempo, otherwise two. */
import type { AnalyzedSong } from '../../schema.ts';
import { ASSUMED_BPM } from '../theory/bars.ts';
import type { Key } from '../theory/keys.ts';
import { canMatchTempo } from '../theory/tempo.ts';
import { hasBeat } from '../theory/content.ts';
import type { LayerDraft } from './layers.ts';
import type { Roles } from './roles.ts';
import { chooseTempo, foldTempo, haveCommonTempo, type Weighted } from './targets.ts';

/** Tempi of a mashup in bpm. */
export type Tempi = {
  /** Tempo of the mashup and of the groove. */
  main: number;
  /** Tempo of the sections for songs that cannot be brought to `main`. Equals `main` if there are none. */
  second: number;
};

/** Tempi and key of the mashup. `keyName` is 'C major' if no key is known. */
export type Targets = Tempi & { key: Key | null; keyName: string };

const bpmOf = ({ analysis }: AnalyzedSong): number => (analysis.rhythmic.bpm > 0 ? analysis.rhythmic.bpm : ASSUMED_BPM);
const reaches = (song: AnalyzedSong, bpm: number): boolean =>
  !hasBeat(song.analysis) || canMatchTempo(bpmOf(song), bpm);

/**
 * Chooses the tempi: `main` for the groove and as many songs as have a common tempo with it, `second` for the lead, or for
 * the third song, if it has none.
 */
export function chooseTempi(roles: Roles, weighted: readonly Weighted[]): Tempi {
  const { lead, groove, colour, twoTempi, colourIsFree } = roles;
  const of = (...songs: (AnalyzedSong | null)[]): Weighted[] => weighted.filter(({ song }) => songs.includes(song));
  if (!twoTempi && !colourIsFree) {
    const main = chooseTempo(weighted, groove);
    return { main, second: main };
  }
  if (colourIsFree && colour)
    return { main: chooseTempo(of(lead, groove), groove), second: chooseTempo(of(colour), colour) };
  const withGroove = colour && haveCommonTempo([groove, colour]) ? of(groove, colour) : of(groove);
  const isWithLead = colour && !withGroove.some(({ song }) => song === colour) && haveCommonTempo([lead, colour]);
  return {
    main: chooseTempo(withGroove, groove),
    second: chooseTempo(isWithLead ? of(lead, colour) : of(lead), lead),
  };
}

/** Returns the tempo at which a section plays: main, second, or that of its first song if neither suits all of them. */
export function tempoOf(layers: readonly LayerDraft[], { main, second }: Tempi): number {
  const bound = layers.filter(({ free }) => !free).map(({ song }) => song);
  const shared = [main, second].find((bpm) => bound.every((song) => reaches(song, bpm)));
  const first = bound[0];
  return shared ?? (first ? foldTempo(bpmOf(first)) : main);
}

/** Whether a song can be brought to each of the tempi. */
export function reachOf(song: AnalyzedSong, tempi: Tempi): { main: boolean; second: boolean } {
  return { main: reaches(song, tempi.main), second: reaches(song, tempi.second) };
}
