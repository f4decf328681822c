/** Measures phrase matches of pairs of annotated songs: starts on bars, distance of the shifted keys, tempo ratio, and time per match. */
import { fifthDistance, parseKey, transposeKey } from '../music/theory/keys.ts';
import { matchPhrases } from '../music/scoring/phrases.ts';
import type { AnalyzedSong, SongAnalysis } from '../schema.ts';
import { mean } from '../services/analysis/statistics.ts';
import type { AnnotatedSong } from './songs/annotated-songs.ts';
import { printTable } from './table.ts';

/** Largest distance of a start from a bar line. */
const ON_BAR_SEC = 0.07;

/** Annotations and analysis of a song. */
type AnalyzedTruth = { truth: Pick<AnnotatedSong, 'name' | 'bpm' | 'key' | 'downbeats'>; analysis: SongAnalysis };

/** Distance of the keys of two songs on the circle of fifths after the first is shifted. Relative keys have distance 0. */
function fifthsApart(vocals: AnalyzedTruth, bed: AnalyzedTruth, shift: number): number {
  const [from, to] = [parseKey(vocals.truth.key), parseKey(bed.truth.key)];
  if (!from || !to) throw new Error(`A key of ${vocals.truth.name} or ${bed.truth.name} cannot be read.`);
  return fifthDistance(transposeKey(from, shift), to);
}

/** Scores of one phrase match. Distances of keys are in fifths. */
type MatchScores = {
  /** Share of the two starts that are on a bar line. */
  onBars: number;
  shiftedKeys: number;
  unshiftedKeys: number;
  /** Smallest distance of the keys with any shift of up to three semitones. */
  bestShiftKeys: number;
  /** 1 if the tempo multiple is the nearest one, else 0. */
  nearestTempo: number;
  milliseconds: number;
};

function isOnBar({ truth }: AnalyzedTruth, at: number): number {
  return Number(truth.downbeats.some((time) => Math.abs(time - at) <= ON_BAR_SEC));
}

/** Scores the best match of two songs; null if there is none. */
function scoreMatch(vocals: AnalyzedTruth, bed: AnalyzedTruth): MatchScores | null {
  const [vocalsSong, bedSong] = [toAnalyzedSong(vocals), toAnalyzedSong(bed)];
  const start = performance.now();
  const [match] = matchPhrases(vocalsSong, bedSong);
  const milliseconds = performance.now() - start;
  if (!match) return null;
  const ratio = (vocals.truth.bpm * match.tempo_multiple) / bed.truth.bpm;
  return {
    onBars: 0.5 * (isOnBar(vocals, match.vocals_start_sec) + isOnBar(bed, match.bed_start_sec)),
    shiftedKeys: fifthsApart(vocals, bed, match.key_shift),
    unshiftedKeys: fifthsApart(vocals, bed, 0),
    bestShiftKeys: Math.min(...[-3, -2, -1, 0, 1, 2, 3].map((shift) => fifthsApart(vocals, bed, shift))),
    nearestTempo: Number(Math.abs(Math.log2(ratio)) <= 0.51),
    milliseconds,
  };
}

function toAnalyzedSong({ truth, analysis }: AnalyzedTruth): AnalyzedSong {
  return { song_id: truth.name, name: truth.name, artist: '', analysis };
}

/** Measures the best match of each pair in both roles and prints a table of one row. */
export function benchCompatibility(songs: readonly AnalyzedTruth[]): Record<string, string | number>[] {
  const rows = songs
    .flatMap((vocals) => songs.filter((bed) => bed !== vocals).map((bed) => scoreMatch(vocals, bed)))
    .filter((row) => row !== null);
  const of = (key: keyof MatchScores): number[] => rows.map((row) => row[key]);
  const within = (values: readonly number[]): number => mean(values.map((value) => Number(value <= 1)));
  const table = [
    {
      pairs: rows.length,
      'starts on true bars': mean(of('onBars')),
      'tempo reading nearest': mean(of('nearestTempo')),
      'keys within a fifth': within(of('shiftedKeys')),
      'without shift': within(of('unshiftedKeys')),
      'best shift': within(of('bestShiftKeys')),
      'ms per match': mean(of('milliseconds')),
    },
  ];
  printTable('Phrase matches of generated pairs against truth (both roles)', table);
  return table;
}
