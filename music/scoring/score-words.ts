/** A pair score in words: what to do with the pair, and what to watch out for. */
import { fifthDistance, keyShift, parseKey } from '../theory/keys.ts';
import type { ScoringInput } from './scoring-input.ts';
import { AUDIBLE_TEMPO_CHANGE, COMFORTABLE_TEMPO_CHANGE, matchTempo, tempoChange } from '../theory/tempo.ts';

/** Below this a beat grid is doubtful. */
const DOUBTFUL_BEAT = 0.5;
const DOUBTFUL_KEY = 0.3;
const VOCAL = 0.5;
const INSTRUMENTAL = 0.2;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const semitones = (n: number): string => `${n > 0 ? '+' : ''}${n} semitone${Math.abs(n) === 1 ? '' : 's'}`;

/** Recommendations and warnings for a pair; "the first" and "the second" are the songs in the order of the request. */
export function explainPair(
  a: ScoringInput,
  b: ScoringInput,
  withTimbre: boolean,
): { recommendations: string[]; warnings: string[] } {
  const recommendations: string[] = [];
  const warnings: string[] = [];

  const keyA = parseKey(a.key);
  const keyB = parseKey(b.key);
  if (!keyA || !keyB) {
    warnings.push('The key of a song is unknown, so the harmonic score is a guess');
  } else {
    const distance = fifthDistance(keyA, keyB);
    const shift = keyShift(keyB, keyA);
    if (distance === 0 && keyA.mode === keyB.mode) recommendations.push('Same key: everything can sound together');
    else if (distance === 0) recommendations.push('Relative keys share all their notes: no shift needed');
    else if (distance === 1)
      recommendations.push(`A fifth apart: they blend as they are, or shift the second by ${semitones(shift)}`);
    else recommendations.push(`Shift the second by ${semitones(shift)} to bring it into the key of the first`);
    if (Math.abs(shift) > 3 && distance > 1)
      warnings.push('The keys lie far apart: share the shift between the songs, or use drums and voice only');
    if (Math.min(a.keyConfidence ?? 1, b.keyConfidence ?? 1) < DOUBTFUL_KEY)
      warnings.push('A key was hard to tell: trust the ear and the phrase matches more than its name');
  }

  if (!(a.bpm > 0) || !(b.bpm > 0)) {
    warnings.push('The tempo of a song is unknown');
  } else {
    const { multiple } = matchTempo(b.bpm, a.bpm);
    const change = tempoChange(b.bpm, a.bpm);
    if (multiple !== 1)
      recommendations.push(`Read the second in ${multiple === 2 ? 'double' : 'half'} time to meet the first`);
    if (change <= COMFORTABLE_TEMPO_CHANGE)
      recommendations.push(`Their tempi are ${percent(change)} apart: an easy stretch`);
    else if (change <= AUDIBLE_TEMPO_CHANGE)
      recommendations.push(`Meet in the middle: their tempi are ${percent(change)} apart`);
    else warnings.push(`Their tempi are ${percent(change)} apart: the stretch will be heard`);
  }
  if (Math.min(a.beatConfidence, b.beatConfidence) < DOUBTFUL_BEAT)
    warnings.push('The beat of a song was hard to follow, so its grid may drift');

  if (a.vocalPresence > VOCAL && b.vocalPresence > VOCAL)
    warnings.push('Both songs look vocal throughout: let one sing at a time');
  else if (a.vocalPresence >= b.vocalPresence && a.vocalPresence > INSTRUMENTAL)
    recommendations.push('Put the voice of the first over the beat of the second');
  else if (b.vocalPresence > INSTRUMENTAL)
    recommendations.push('Put the voice of the second over the beat of the first');
  else recommendations.push('Both songs are mostly instrumental: let one carry the melody and the other the beat');

  if (!withTimbre) warnings.push('No timbre was analysed, so the spectral score is left out');
  return { recommendations, warnings };
}
