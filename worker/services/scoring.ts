/** Client of the scoring service, `POST /calculate-mashability`. */
import { z } from 'zod';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import type { AnalyzedSong, PairScore, ScoringRequest, SongAnalysis } from '../../schema.ts';
import { DEFAULT_WEIGHTS } from '../../music/scoring/scoring.ts';
import { callJson } from './http.ts';
import { asNumber, asObject, clamp, parseResponse } from './read.ts';

/** Replaces zeros by which the existing service divides. */
const SMALL = 1e-3;
/** Spectral score of a pair if one song has no timbre; it has no weight. */
const NEUTRAL = 50;
const DIMENSIONS = ['harmonic', 'rhythmic', 'spectral', 'vocal'] as const;

const ScoringResponse = z.looseObject({
  overall_score: z.coerce.number(),
  dimension_scores: z.looseObject({}),
  compatibility_breakdown: z.looseObject({}).catch({}),
  recommendations: z.array(z.string()).catch([]),
  warnings: z.array(z.string()).catch([]),
});

export interface ScoreOptions {
  signal: AbortSignal;
  timeoutMs: number;
  token?: string;
}

/** Scores a pair of songs. Scores are limited to 0..100, except `raw_score`. @throws TaskError */
export async function callScore(
  baseUrl: string,
  first: AnalyzedSong,
  second: AnalyzedSong,
  options: ScoreOptions,
): Promise<Omit<PairScore, 'phrases'>> {
  const body: ScoringRequest = {
    song1_analysis: scoringForm(first.analysis),
    song2_analysis: scoringForm(second.analysis),
  };
  const scored = parseResponse(
    'scoring',
    ScoringResponse,
    await callJson({ service: 'scoring', baseUrl, path: SERVICE_DEFAULTS.scoring.path, body, ...options }),
  );
  const hasTimbre = first.analysis.has_timbre && second.analysis.has_timbre;
  const scores = scored.dimension_scores;
  const dimension_scores = {
    harmonic: bounded(scores['harmonic']),
    rhythmic: bounded(scores['rhythmic']),
    spectral: hasTimbre ? bounded(scores['spectral']) : NEUTRAL,
    vocal: bounded(scores['vocal']),
  };
  const isInRange = DIMENSIONS.every((name) => {
    const value = asNumber(scores[name], NaN);
    return value >= 0 && value <= 100;
  });
  return {
    song_pair: [first.song_id, second.song_id],
    // The service's mean is wrong if a dimension is out of range or a timbre is missing: compute it here.
    score: hasTimbre && isInRange ? clamp(scored.overall_score, 0, 100) : meanOf(dimension_scores, hasTimbre),
    raw_score: scored.overall_score,
    dimension_scores,
    compatibility_breakdown: readBreakdown(scored.compatibility_breakdown),
    recommendations: scored.recommendations,
    warnings: scored.warnings,
    source: 'service',
  };
}

/** The parts of an analysis that the service needs, without the zeros that it cannot process. */
function scoringForm(analysis: SongAnalysis): Record<string, unknown> {
  const { harmonic, rhythmic, spectral, vocal } = analysis;
  const means = spectral.mfccs.map((row) => row[0] ?? 0);
  const mfccs: number[] = means.length > 0 ? means : Array.from({ length: 13 }, () => 1);
  if (!mfccs.some((mean) => mean !== 0)) mfccs[0] = SMALL;
  return {
    harmonic: {
      key: harmonic.key,
      key_confidence: harmonic.key_confidence,
      chord_progression: harmonic.chord_progression,
      chord_complexity: harmonic.chord_complexity,
    },
    rhythmic: {
      bpm: Math.max(rhythmic.bpm, SMALL),
      beat_confidence: rhythmic.beat_confidence,
      groove_stability: rhythmic.groove_stability,
      swing_factor: rhythmic.swing_factor,
      tempo_alternatives: rhythmic.tempo_alternatives,
    },
    spectral: {
      mfccs: mfccs.map((mean) => [mean]),
      brightness: Math.max(spectral.brightness, SMALL),
      dynamic_range: Math.abs(spectral.dynamic_range) < SMALL ? SMALL : spectral.dynamic_range,
    },
    vocal: { vocal_presence: vocal.vocal_presence },
    has_timbre: analysis.has_timbre,
  };
}

function bounded(value: unknown): number {
  return clamp(asNumber(value, NEUTRAL), 0, 100);
}

function meanOf(scores: PairScore['dimension_scores'], hasTimbre: boolean): number {
  let sum = 0;
  let weights = 0;
  for (const name of DIMENSIONS) {
    const weight = name === 'spectral' && !hasTimbre ? 0 : DEFAULT_WEIGHTS[name];
    sum += weight * scores[name];
    weights += weight;
  }
  return sum / weights;
}

function readBreakdown(value: Record<string, unknown>): PairScore['compatibility_breakdown'] {
  const groups: PairScore['compatibility_breakdown'] = {};
  for (const [name, group] of Object.entries(value)) {
    const figures = Object.entries(asObject(group)).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
    );
    groups[name] = Object.fromEntries(figures);
  }
  return groups;
}
