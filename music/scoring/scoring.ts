/**
 * The score of a pair of songs: the contract's formula, extended by key distance, half and double tempo, and clamping.
 *
 * `raw_score` is the formula's value before clamping. It is outside 0..100 if a service reports values outside their
 * documented ranges.
 */
import { ScoreWeights, type AnalyzedSong, type PairScore, type SongAnalysis } from '../../schema.ts';
import { contentOf } from '../theory/content.ts';
import { fifthDistance, keyCompatibility, keyShift, parseKey } from '../theory/keys.ts';
import { matchPhrases } from './phrases.ts';
import { explainPair } from './score-texts.ts';
import { chooseParts } from '../theory/parts.ts';
import { readScoringInput, type ScoringInput } from './scoring-input.ts';
import { matchTempo, tempoRatio } from '../theory/tempo.ts';

/** Weights of the four dimensions for callers that set none. */
export const DEFAULT_WEIGHTS: ScoreWeights = { harmonic: 0.35, rhythmic: 0.35, spectral: 0.15, vocal: 0.15 };
/** From this confidence on, a key counts in full. */
const SURE_KEY_CONFIDENCE = 0.5;
const UNKNOWN_KEY_COMPATIBILITY = 0.5;
/** Factor for tempi that match only at half or double tempo. */
const HALF_TIME_FACTOR = 0.95;
/** If both songs have less vocal presence than this, the vocal score is 50, as in the contract. */
const VOCAL_THRESHOLD = 0.5;

type Dimensions = PairScore['dimension_scores'];

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const similarity = (a: number, b: number): number => 1 - Math.abs(a - b);

/** Returns 1 - difference / larger magnitude. Equal values, also two zeros, have 1. */
function relativeSimilarity(a: number, b: number): number {
  const larger = Math.max(Math.abs(a), Math.abs(b));
  return larger < 1e-9 ? 1 : 1 - Math.abs(a - b) / larger;
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const count = Math.min(a.length, b.length);
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < count; i++) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa * bb < 1e-18 ? 0 : dot / Math.sqrt(aa * bb);
}

function harmonicOf(a: ScoringInput, b: ScoringInput): Record<string, number> {
  const keyA = parseKey(a.key);
  const keyB = parseKey(b.key);
  let key = UNKNOWN_KEY_COMPATIBILITY;
  if (keyA && keyB) {
    const confidence = Math.min(a.keyConfidence ?? 1, b.keyConfidence ?? 1);
    const trust = clamp(confidence / SURE_KEY_CONFIDENCE, 0, 1);
    key += (keyCompatibility(keyA, keyB) - UNKNOWN_KEY_COMPATIBILITY) * trust;
  }
  const chords = similarity(a.chordComplexity, b.chordComplexity);
  return {
    score: ((key + chords) / 2) * 100,
    key_compatibility: key,
    chord_similarity: chords,
    ...(keyA && keyB ? { key_shift: keyShift(keyB, keyA), fifth_distance: fifthDistance(keyA, keyB) } : {}),
  };
}

function rhythmicOf(a: ScoringInput, b: ScoringInput): Record<string, number> {
  // A song without a beat plays free: it neither fits nor disturbs a rhythm.
  if (!a.hasBeat || !b.hasBeat) return { score: 50 };
  const { multiple } = matchTempo(b.bpm, a.bpm);
  const tempo = tempoRatio(a.bpm, b.bpm) * (multiple === 1 ? 1 : HALF_TIME_FACTOR);
  const groove = similarity(a.grooveStability, b.grooveStability);
  const swing = similarity(a.swingFactor, b.swingFactor);
  const beat = (a.beatConfidence + b.beatConfidence) / 2;
  return {
    score: (0.4 * tempo + 0.3 * groove + 0.2 * swing + 0.1 * beat) * 100,
    tempo_ratio: tempo,
    tempo_multiple: multiple,
    groove_similarity: groove,
    swing_compatibility: swing,
    beat_confidence: beat,
  };
}

function spectralOf(a: ScoringInput, b: ScoringInput): Record<string, number> {
  const brightness = relativeSimilarity(a.brightness, b.brightness);
  const range = relativeSimilarity(a.dynamicRange, b.dynamicRange);
  const timbre = cosine(a.timbre, b.timbre);
  return {
    score: (0.5 * timbre + 0.25 * brightness + 0.25 * range) * 100,
    mfcc_similarity: timbre,
    brightness_compatibility: brightness,
    dynamic_range_compatibility: range,
  };
}

function vocalOf(a: ScoringInput, b: ScoringInput): Record<string, number> {
  const voicesAlone = [a, b].filter(({ content }) => content === 'acapella').length;
  if (voicesAlone > 0) return { score: voicesAlone === 2 ? 0 : 100, overlap_risk: voicesAlone - 1 };
  const risk = a.vocalPresence * b.vocalPresence;
  const anyVoice = a.vocalPresence > VOCAL_THRESHOLD || b.vocalPresence > VOCAL_THRESHOLD;
  return {
    score: anyVoice ? (1 - risk) * 100 : 50,
    vocal_presence_1: a.vocalPresence,
    vocal_presence_2: b.vocalPresence,
    overlap_risk: risk,
  };
}

/** Normalises weights to a sum of 1. Invalid weights and weights that sum to 0 are replaced by the defaults. */
function sharesOf(
  wanted: Partial<ScoreWeights> | null | undefined,
  withTimbre: boolean,
): { shares: Dimensions; replaced: boolean } {
  const parsed = ScoreWeights.safeParse(wanted ?? {});
  const sum = (weights: ScoreWeights): number =>
    weights.harmonic + weights.rhythmic + (withTimbre ? weights.spectral : 0) + weights.vocal;
  const usable = parsed.success && Number.isFinite(sum(parsed.data)) && sum(parsed.data) > 0;
  const weights = usable ? parsed.data : DEFAULT_WEIGHTS;
  const total = sum(weights);
  return {
    shares: {
      harmonic: weights.harmonic / total,
      rhythmic: weights.rhythmic / total,
      spectral: withTimbre ? weights.spectral / total : 0,
      vocal: weights.vocal / total,
    },
    replaced: !usable,
  };
}

const bounded = (group: Record<string, number>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(group).map(([name, value]) => {
      if (name === 'score') return [name, clamp(value, 0, 100)];
      if (name === 'key_shift' || name === 'fifth_distance' || name === 'tempo_multiple') return [name, value];
      return [name, clamp(value, name === 'mfcc_similarity' ? -1 : 0, 1)];
    }),
  );

/** A pair score without ids, phrases and source. */
type ScoredAnalyses = Omit<PairScore, 'song_pair' | 'phrases' | 'source'>;

/**
 * Scores two analyses of any service, complete or not. Never throws: missing values get defaults, values out of range are
 * clamped, and weights that sum to 0 are replaced by the defaults, with a warning.
 */
export function scoreAnalyses(first: unknown, second: unknown, weights?: Partial<ScoreWeights> | null): ScoredAnalyses {
  const a = readScoringInput(first);
  const b = readScoringInput(second);
  const groups = {
    harmonic: harmonicOf(a, b),
    rhythmic: rhythmicOf(a, b),
    spectral: spectralOf(a, b),
    vocal: vocalOf(a, b),
  };
  const withTimbre = a.timbre.length > 0 && b.timbre.length > 0;
  const { shares, replaced } = sharesOf(weights, withTimbre);
  const names = ['harmonic', 'rhythmic', 'spectral', 'vocal'] as const;
  const raw = names.reduce((sum, name) => sum + shares[name] * (groups[name]['score'] ?? 0), 0);
  const breakdown = Object.fromEntries(names.map((name) => [name, bounded(groups[name])]));
  const score = (name: keyof Dimensions): number => breakdown[name]?.['score'] ?? 0;
  const dimension_scores = {
    harmonic: score('harmonic'),
    rhythmic: score('rhythmic'),
    spectral: score('spectral'),
    vocal: score('vocal'),
  };
  const texts = explainPair(a, b, withTimbre);
  return {
    score: clamp(
      names.reduce((sum, name) => sum + shares[name] * dimension_scores[name], 0),
      0,
      100,
    ),
    raw_score: raw,
    dimension_scores,
    compatibility_breakdown: breakdown,
    recommendations: texts.recommendations,
    warnings: replaced ? [...texts.warnings, 'The weights sum to 0, so the defaults were used'] : texts.warnings,
  };
}

/** The analysis of a song, with its content by sound and name. */
const withNamedContent = (song: AnalyzedSong): SongAnalysis => ({ ...song.analysis, content: contentOf(song) });

/** Scores two songs and finds the best phrase matches in both roles. */
export function scorePair(
  wholeFirst: AnalyzedSong,
  wholeSecond: AnalyzedSong,
  weights?: Partial<ScoreWeights> | null,
): PairScore {
  const [first, second] = chooseParts([wholeFirst, wholeSecond]) as [AnalyzedSong, AnalyzedSong];
  return {
    song_pair: [first.song_id, second.song_id],
    ...scoreAnalyses(withNamedContent(first), withNamedContent(second), weights),
    phrases: [...matchPhrases(first, second), ...matchPhrases(second, first)].sort(
      (x, y) => y.similarity - x.similarity,
    ),
    source: 'local',
  };
}
