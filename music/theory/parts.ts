/**
 * Parts of songs whose tempo or meter changes. A mashup uses one part of such a song. An analysis that is reduced to a part has this part
 * as its only entry of `tempo_parts`.
 */
import type { AnalyzedSong, SongAnalysis, TempoPart } from '../../schema.ts';
import { tempoChange } from './tempo.ts';

/** Advantage of the longest part over one of no length, as a change of tempo: 5 % is as bad as half the length. */
const LENGTH_WEIGHT = 0.1;
/** A part that is shorter than this share of the longest is not chosen. */
const MIN_SHARE = 0.4;

const lengthOf = ({ start_sec, end_sec }: TempoPart): number => end_sec - start_sec;

/** Returns the longest part of a song; undefined for a song that is one part. */
export function longestPart(parts: readonly TempoPart[] | undefined): TempoPart | undefined {
  return parts?.reduce<TempoPart | undefined>(
    (best, part) => (best && lengthOf(best) >= lengthOf(part) ? best : part),
    undefined,
  );
}

/** Reduces an analysis to one part: its tempo, meter, beats and downbeats. */
export function reduceToPart(analysis: SongAnalysis, part: TempoPart): SongAnalysis {
  const { rhythmic, harmonic } = analysis;
  const isInside = (at: number): boolean => at >= part.start_sec - 0.01 && at < part.end_sec - 0.01;
  const rowsInside = <Row>(rows: readonly Row[] | undefined): Row[] | undefined =>
    rows?.filter((_, i) => isInside(rhythmic.beats_sec?.[i] ?? -1));
  return {
    ...analysis,
    harmonic: { ...harmonic, beat_chroma: rowsInside(harmonic.beat_chroma) },
    rhythmic: {
      ...rhythmic,
      bpm: part.bpm,
      meter: part.meter,
      beats_sec: rhythmic.beats_sec?.filter(isInside),
      downbeats_sec: rhythmic.downbeats_sec?.filter(isInside),
      beat_bands: rowsInside(rhythmic.beat_bands),
      tempo_parts: [part],
    },
  };
}

/** Returns the parts among which one is chosen; none for a song without changes and for one that is reduced to a part. */
function choicesOf({ analysis }: AnalyzedSong): TempoPart[] {
  const parts = analysis.rhythmic.tempo_parts ?? [];
  const longest = longestPart(parts);
  if (!longest || parts.length < 2) return [];
  return parts.filter((part) => lengthOf(part) >= MIN_SHARE * lengthOf(longest));
}

/**
 * Reduces each song whose tempo or meter changes to the part that fits the other songs best: the tempi need the least change of speed, and
 * longer parts are preferred. Other songs are returned as they are. The order of the songs does not matter.
 */
export function chooseParts(songs: readonly AnalyzedSong[]): AnalyzedSong[] {
  if (songs.every((song) => choicesOf(song).length === 0)) return [...songs];
  let chosen: { parts: (TempoPart | undefined)[]; cost: number } | undefined;
  for (const parts of combinations(songs.map(choicesOf))) {
    const tempi = songs.map(({ analysis }, i) => parts[i]?.bpm ?? analysis.rhythmic.bpm);
    const changes = tempi.flatMap((a, i) => tempi.slice(i + 1).map((b) => tempoChange(a, b)));
    const missing = songs.map(({ analysis }, i) => {
      const part = parts[i];
      const longest = longestPart(analysis.rhythmic.tempo_parts);
      return part && longest ? 1 - lengthOf(part) / lengthOf(longest) : 0;
    });
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const cost = sum(changes) + LENGTH_WEIGHT * sum(missing);
    if (!chosen || cost < chosen.cost - 1e-9) chosen = { parts, cost };
  }
  return songs.map((song, i) => {
    const part = chosen?.parts[i];
    return part ? { ...song, analysis: reduceToPart(song.analysis, part) } : song;
  });
}

/** All ways to take one part of each song. A song without a choice has undefined. */
function combinations(choices: readonly TempoPart[][]): (TempoPart | undefined)[][] {
  return choices.reduce<(TempoPart | undefined)[][]>(
    (rows, parts) =>
      rows.flatMap((row) => (parts.length === 0 ? [[...row, undefined]] : parts.map((part) => [...row, part]))),
    [[]],
  );
}
