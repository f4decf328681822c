/** Chords by beat: triad templates, smoothed with the Viterbi algorithm. */
import { spellNote } from '../../music/theory/spelling.ts';
import type { Key } from '../../music/theory/key.ts';
import { cosine } from './per-beat.ts';
import type { BeatChroma } from './chroma.ts';

/** Bonus for staying on a chord. */
const STAY_BONUS = 0.2;
/** Weight of the bass energy at the chord's root. */
const BASS_WEIGHT = 0.1;

/** 24 triads: major and minor of each root, C first. */
const TRIADS = Array.from({ length: 12 }, (_, root) => root).flatMap((root) => [
  { root, notes: [root, (root + 4) % 12, (root + 7) % 12] },
  { root, notes: [root, (root + 3) % 12, (root + 7) % 12] },
]);
const TEMPLATES = TRIADS.map(({ notes }) => Array.from({ length: 12 }, (_, pitch) => (notes.includes(pitch) ? 1 : 0)));

/** Triad of each beat: twice the pitch class of its root, and 1 more for minor. Null for beats without pitch. */
export function triadsByBeat(chroma: BeatChroma): (number | null)[] {
  const count = chroma.treble.length;
  const score = Array.from({ length: count }, () => new Float64Array(TRIADS.length));
  const from = Array.from({ length: count }, () => new Int16Array(TRIADS.length));
  chroma.treble.forEach((treble, beat) => {
    const bassRow = chroma.bass[beat]!;
    const bassMax = Math.max(...bassRow, 1e-9);
    const weights = treble.map((value, pitch) => value + 0.5 * bassRow[pitch]!);
    const previous = beat > 0 ? score[beat - 1]! : new Float64Array(TRIADS.length);
    const bestPrevious = previous.indexOf(Math.max(...previous));
    for (let chord = 0; chord < TRIADS.length; chord++) {
      const fit = cosine(weights, TEMPLATES[chord]!) + BASS_WEIGHT * (bassRow[TRIADS[chord]!.root]! / bassMax);
      const stays = previous[chord]! + STAY_BONUS >= previous[bestPrevious]!;
      from[beat]![chord] = stays ? chord : bestPrevious;
      score[beat]![chord] = fit + (stays ? previous[chord]! + STAY_BONUS : previous[bestPrevious]!);
    }
  });
  const triads: (number | null)[] = [];
  let chord = count > 0 ? score[count - 1]!.indexOf(Math.max(...score[count - 1]!)) : 0;
  for (let beat = count - 1; beat >= 0; beat--) {
    triads[beat] = chroma.treble[beat]!.some((value) => value > 0) ? chord : null;
    chord = from[beat]![chord]!;
  }
  return triads;
}

/** Label of a triad of `triadsByBeat`, spelled as in a key: `Bb`, `F#m`. */
export function chordLabel(triad: number, key: Key | null): string {
  return `${spellNote(triad >> 1, key)}${triad % 2 === 1 ? 'm' : ''}`;
}

/**
 * Joins equal labels of consecutive beats to spans.
 * @param beats beat times, seconds
 * @param end end of the last beat, seconds
 */
export function chordSpans(
  labels: readonly (string | null)[],
  beats: readonly number[],
  end: number,
): { start_sec: number; end_sec: number; label: string }[] {
  const spans: { start_sec: number; end_sec: number; label: string }[] = [];
  labels.forEach((label, beat) => {
    if (label === null) return;
    const last = spans.at(-1);
    const stop = beats[beat + 1] ?? end;
    if (last && last.label === label && last.end_sec === beats[beat]) last.end_sec = stop;
    else spans.push({ start_sec: beats[beat]!, end_sec: stop, label });
  });
  return spans;
}
