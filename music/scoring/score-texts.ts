/** Recommendations and warnings for a pair of songs. */
import { fifthDistance, keyShift, parseKey } from '../theory/keys.ts';
import { AUDIBLE_TEMPO_CHANGE, COMFORTABLE_TEMPO_CHANGE, matchTempo, tempoChange } from '../theory/tempo.ts';
import type { ScoringInput } from './scoring-input.ts';

/** Below this confidence a beat grid is uncertain. */
const UNCERTAIN_BEAT = 0.5;
/** Below this confidence a key is uncertain. */
const UNCERTAIN_KEY = 0.5;
/** Vocal presence of songs that are sung throughout, and of songs that are mostly instrumental. */
const VOCAL = 0.5;
const INSTRUMENTAL = 0.2;

type PairTexts = { recommendations: string[]; warnings: string[] };

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const semitones = (n: number): string => `${n > 0 ? '+' : ''}${n} semitone${Math.abs(n) === 1 ? '' : 's'}`;

/** Returns recommendations and warnings. "The first" and "the second" are the songs in the order of the request. */
export function explainPair(a: ScoringInput, b: ScoringInput, withTimbre: boolean): PairTexts {
  const texts: PairTexts = { recommendations: [], warnings: [] };
  explainKeys(a, b, texts);
  explainTempi(a, b, texts);
  explainMeters(a, b, texts);
  explainVoices(a, b, texts);
  if (!withTimbre) texts.warnings.push('No timbre was analysed, so the spectral score is left out');
  return texts;
}

function explainKeys(a: ScoringInput, b: ScoringInput, { recommendations, warnings }: PairTexts): void {
  const keyA = parseKey(a.key);
  const keyB = parseKey(b.key);
  if (!keyA || !keyB) {
    warnings.push('The key of a song is unknown, so the harmonic score is a guess');
    return;
  }
  const distance = fifthDistance(keyA, keyB);
  const shift = keyShift(keyB, keyA);
  if (distance === 0 && keyA.mode === keyB.mode) recommendations.push('Same key: everything can sound together');
  else if (distance === 0) recommendations.push('Relative keys share all their notes: no shift needed');
  else if (distance === 1)
    recommendations.push(`A fifth apart: they blend as they are, or shift the second by ${semitones(shift)}`);
  else recommendations.push(`Shift the second by ${semitones(shift)} to bring it into the key of the first`);
  if (Math.abs(shift) > 3 && distance > 1)
    warnings.push('The keys are far apart: share the shift between the songs, or use drums and voice only');
  if (Math.min(a.keyConfidence ?? 1, b.keyConfidence ?? 1) < UNCERTAIN_KEY)
    warnings.push('A key is uncertain: rely on the phrase matches rather than on its name');
}

function explainTempi(a: ScoringInput, b: ScoringInput, { recommendations, warnings }: PairTexts): void {
  if (!a.hasBeat || !b.hasBeat) {
    const free = a.hasBeat ? 'The second has' : b.hasBeat ? 'The first has' : 'Both songs have';
    const over = a.hasBeat || b.hasBeat ? 'it plays free over the other' : 'they can only flow into each other';
    warnings.push(`${free} no beat: ${over}`);
    return;
  }
  if (!(a.bpm > 0) || !(b.bpm > 0)) {
    warnings.push('The tempo of a song is unknown');
  } else {
    const { multiple } = matchTempo(b.bpm, a.bpm);
    const change = tempoChange(b.bpm, a.bpm);
    if (multiple !== 1)
      recommendations.push(`Read the second in ${multiple === 2 ? 'double' : 'half'} time to match the first`);
    if (change <= COMFORTABLE_TEMPO_CHANGE)
      recommendations.push(`Their tempi are ${percent(change)} apart: an easy stretch`);
    else if (change <= AUDIBLE_TEMPO_CHANGE)
      recommendations.push(`Meet in the middle: their tempi are ${percent(change)} apart`);
    else warnings.push(`Their tempi are ${percent(change)} apart: the stretch will be audible`);
  }
  if (Math.min(a.beatConfidence, b.beatConfidence) < UNCERTAIN_BEAT)
    warnings.push('The beat of a song is uncertain, so its beat grid may drift');
}

function explainMeters(a: ScoringInput, b: ScoringInput, { warnings }: PairTexts): void {
  if (a.meter === null || b.meter === null)
    warnings.push('The meter of a song is not known, so its bars may not start with those of the other');
  else if (a.meter !== undefined && b.meter !== undefined && a.meter !== b.meter)
    warnings.push(`They count ${a.meter} and ${b.meter} beats to the bar: their bars rarely start together`);
}

function explainVoices(a: ScoringInput, b: ScoringInput, { recommendations, warnings }: PairTexts): void {
  if (a.content === 'acapella' && b.content === 'acapella')
    warnings.push('Both songs are voices alone, without music: they can only take turns');
  else if (a.content === 'instrumental' && b.content === 'instrumental')
    warnings.push('Both songs are instrumental: nobody sings');
  else if (a.content === 'acapella' || b.content === 'acapella')
    recommendations.push(
      `Let the ${a.content === 'acapella' ? 'first' : 'second'}, which is voices alone, sing over the other`,
    );
  else if (a.vocalPresence > VOCAL && b.vocalPresence > VOCAL)
    warnings.push('Both songs seem to be sung throughout: let one sing at a time');
  else if (a.vocalPresence >= b.vocalPresence && a.vocalPresence > INSTRUMENTAL)
    recommendations.push('Put the voice of the first over the beat of the second');
  else if (b.vocalPresence > INSTRUMENTAL)
    recommendations.push('Put the voice of the second over the beat of the first');
  else recommendations.push('Both songs are mostly instrumental: use the melody of one and the beat of the other');
}
