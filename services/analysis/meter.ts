/** Meter and downbeats: bars return in their strokes and chords, and begin where harmony turns and kicks fall. */
import type { BeatChroma } from './chroma.ts';
import { cosine } from './per-beat.ts';

/** Meters that are told apart. */
const METERS = [4, 3] as const;
/**
 * What kicks count beside turns of harmony where a bar begins; fitted as the weights of `evidence.ts`. Snares, basses and how much
 * one beat differs from the one before brought nothing beside the two.
 */
const KICK_WEIGHT = 0.36;

export type BarGrid = {
  meter: number;
  /** Index of the first downbeat, below `meter`. */ phase: number;
  confidence: number;
};

/** What is known of each beat. */
export type BeatEvidence = {
  chroma: BeatChroma;
  /** Onset strength at the beat in the low, mid and high band. */
  onsets: [number[], number[], number[]];
  /** How much harmony turns at each beat, against what sounds for about a beat and a half around it. */
  turns: number[];
};

function standardize(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length));
  return values.map((value) => (deviation > 1e-9 ? (value - mean) / deviation : 0));
}

/** How much the harmony of each beat differs from that of the beat before. */
function harmonicChange(chroma: BeatChroma): number[] {
  return chroma.treble.map((row, i) => {
    if (i === 0) return 0;
    const bass = 1 - cosine(chroma.bass[i]!, chroma.bass[i - 1]!);
    return 1 - cosine(row, chroma.treble[i - 1]!) + bass;
  });
}

/** Mean similarity of beats that lie `lag` apart, by the pattern of their onsets. */
function likenessAt(lag: number, rows: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let i = lag; i < rows.length; i++)
    for (let k = 0; k < rows[i]!.length; k++) sum += rows[i]![k]! * rows[i - lag]![k]!;
  return sum / Math.max(1, (rows.length - lag) * (rows[0]?.length ?? 1));
}

/** Mean of `values` at phase, phase + meter, …, minus the mean of the others. */
function phaseContrast(values: readonly number[], meter: number, phase: number): number {
  let [on, ons, off, offs] = [0, 0, 0, 0];
  values.forEach((value, i) => {
    if (i % meter === phase) [on, ons] = [on + value, ons + 1];
    else [off, offs] = [off + value, offs + 1];
  });
  return on / Math.max(1, ons) - off / Math.max(1, offs);
}

/** Meter by how onsets and harmony return, first downbeat by where harmony changes and kicks fall. */
export function estimateBars({ chroma, onsets, turns }: BeatEvidence): BarGrid {
  const [low, mid, high] = onsets.map(standardize) as [number[], number[], number[]];
  const change = standardize(harmonicChange(chroma));
  const turn = standardize(turns);
  const rows = low.map((value, i) => [value, mid[i]!, high[i]!, change[i]!]);
  const likeness = METERS.map(
    (meter) => likenessAt(meter, rows) + likenessAt(2 * meter, rows) - likenessAt(meter + 1, rows) * 0.25,
  );
  const best = METERS.map((meter, m) => {
    const phases = Array.from({ length: meter }, (_, phase) => ({
      phase,
      score: phaseContrast(turn, meter, phase) + KICK_WEIGHT * phaseContrast(low, meter, phase),
    })).sort((a, b) => b.score - a.score);
    return { meter, phase: phases[0]!.phase, lead: phases[0]!.score - phases[1]!.score, likeness: likeness[m]! };
  });
  // Songs in three are rare: they have to be clearly more alike in threes.
  const [four, three] = [best[0]!, best[1]!];
  const chosen = three.likeness > four.likeness + 0.1 ? three : four;
  return { meter: chosen.meter, phase: chosen.phase, confidence: Math.max(0, Math.min(1, chosen.lead)) };
}
