/** Phrase matches of pairs of songs whose truth is known: do they start on bars, do their shifts bring the keys together, how long do they take. */
import { fifthDistance, parseKey, transposeKey } from '../music/theory/keys.ts';
import { matchPhrases } from '../music/scoring/phrases.ts';
import type { AnalyzedSong, SongAnalysis } from '../schema.ts';
import { mean } from './metrics.ts';
import type { TrueSong } from './songs/truth.ts';
import { printTable } from './table.ts';

const ON_BAR_SEC = 0.07;

type Known = { truth: Pick<TrueSong, 'name' | 'bpm' | 'key' | 'downbeats'>; analysis: SongAnalysis };

/** Fifths between two songs' keys after the first is shifted; keys that share their notes are 0 apart. */
function fifthsApart(vocals: Known, bed: Known, shift: number): number {
  const [from, to] = [parseKey(vocals.truth.key), parseKey(bed.truth.key)];
  if (!from || !to) throw new Error(`A key of ${vocals.truth.name} or ${bed.truth.name} cannot be read.`);
  return fifthDistance(transposeKey(from, shift), to);
}

/** Measures the best match of each pair in both roles and prints one row. */
export function benchCompatibility(songs: readonly Known[]): Record<string, string | number>[] {
  const rows: { bars: number; apart: number; unshifted: number; best: number; tempo: number; took: number }[] = [];
  const analyzed = songs.map(({ truth, analysis }): AnalyzedSong => ({
    song_id: truth.name,
    name: truth.name,
    artist: '',
    analysis,
  }));
  songs.forEach((vocals, v) =>
    songs.forEach((bed, b) => {
      if (v === b) return;
      const start = performance.now();
      const [match] = matchPhrases(analyzed[v]!, analyzed[b]!);
      const took = performance.now() - start;
      if (!match) return;
      const onBar = ({ truth }: Known, at: number): number =>
        Number(truth.downbeats.some((time) => Math.abs(time - at) <= ON_BAR_SEC));
      const ratio = (vocals.truth.bpm * match.tempo_multiple) / bed.truth.bpm;
      const reach = [-3, -2, -1, 0, 1, 2, 3].map((shift) => fifthsApart(vocals, bed, shift));
      rows.push({
        bars: 0.5 * (onBar(vocals, match.vocals_start_sec) + onBar(bed, match.bed_start_sec)),
        apart: fifthsApart(vocals, bed, match.key_shift),
        unshifted: fifthsApart(vocals, bed, 0),
        best: Math.min(...reach),
        tempo: Number(Math.abs(Math.log2(ratio)) <= 0.51),
        took,
      });
    }),
  );
  const near = (values: readonly number[]): number => mean(values.map((value) => Number(value <= 1)));
  const table = [
    {
      pairs: rows.length,
      'starts on true bars': mean(rows.map(({ bars }) => bars)),
      'tempo reading nearest': mean(rows.map(({ tempo }) => tempo)),
      'keys within a fifth': near(rows.map(({ apart }) => apart)),
      'without shift': near(rows.map(({ unshifted }) => unshifted)),
      'best shift': near(rows.map(({ best }) => best)),
      'ms per match': mean(rows.map(({ took }) => took)),
    },
  ];
  printTable('Phrase matches of generated pairs against truth (both roles)', table);
  return table;
}
