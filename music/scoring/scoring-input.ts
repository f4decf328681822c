/** The values that a pair score needs from an analysis of any service. Missing or invalid values become defaults. */
import { SongContent } from '../../schema.ts';
import { isRecord, toNumber } from '../loose-values.ts';

/** Values of one song's analysis that a pair score uses. */ export type ScoringInput = {
  key: string;
  /** Undefined if the analysis has none. */
  keyConfidence: number | undefined;
  chordComplexity: number;
  bpm: number;
  /** Beats per bar. Null if the analysis found no meter, undefined if it does not say. */
  meter: number | null | undefined;
  beatConfidence: number;
  /** False for sound without a beat. */
  hasBeat: boolean;
  content: SongContent;
  grooveStability: number;
  swingFactor: number;
  /** Mean of each MFCC row. Empty if the analysis has no timbre. */
  timbre: number[];
  brightness: number;
  dynamicRange: number;
  vocalPresence: number;
};

const numberOf = (value: unknown, fallback: number): number => toNumber(value) ?? fallback;

/** Returns the row means of a matrix with rows of any length, or of a flat list of means; [] for anything else. */
function timbreOf(value: unknown): number[] {
  if (!Array.isArray(value)) return [];
  const rows: unknown[] = value;
  const means = rows.map((row) => {
    if (!Array.isArray(row)) return numberOf(row, 0);
    const cells: unknown[] = row;
    return cells.length === 0 ? 0 : cells.reduce<number>((sum, cell) => sum + numberOf(cell, 0), 0) / cells.length;
  });
  return means.some((mean) => mean !== 0) ? means : [];
}

/** Reads a `SongAnalysis`, an analysis of the contract, or any part of one. */
export function readScoringInput(analysis: unknown): ScoringInput {
  const group = (name: string): Record<string, unknown> => {
    const value = isRecord(analysis) ? analysis[name] : undefined;
    return isRecord(value) ? value : {};
  };
  const harmonic = group('harmonic');
  const rhythmic = group('rhythmic');
  const spectral = group('spectral');
  const confidence = harmonic['key_confidence'];
  const timbreKnown = !isRecord(analysis) || analysis['has_timbre'] !== false;
  return {
    key: typeof harmonic['key'] === 'string' ? harmonic['key'] : 'N/A',
    keyConfidence: confidence == null ? undefined : numberOf(confidence, 0),
    chordComplexity: numberOf(harmonic['chord_complexity'], 0.5),
    bpm: Math.max(0, numberOf(rhythmic['bpm'], 0)),
    meter: rhythmic['meter'] === null ? null : (toNumber(rhythmic['meter']) ?? undefined),
    beatConfidence: numberOf(rhythmic['beat_confidence'], 0.5),
    hasBeat: rhythmic['has_beat'] !== false,
    content: SongContent.catch('full').parse(isRecord(analysis) ? analysis['content'] : undefined),
    grooveStability: numberOf(rhythmic['groove_stability'], 0.5),
    swingFactor: numberOf(rhythmic['swing_factor'], 0),
    timbre: timbreKnown ? timbreOf(spectral['mfccs']) : [],
    brightness: Math.max(0, numberOf(spectral['brightness'], 0)),
    dynamicRange: numberOf(spectral['dynamic_range'], 0),
    vocalPresence: numberOf(group('vocal')['vocal_presence'], 0.5),
  };
}
