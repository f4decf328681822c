/** Which samples of the mashup a section takes: more than it lasts. */
import { toSamples } from './slice.ts';

/** Room after a section for the tails of its echoes and reverberation. */
const TAIL_SEC = 3;

/** Times of a section in seconds of the mashup, and its place in it. */
type Timing = { start: number; end: number; bpm: number; first: boolean; last: boolean };

/** In samples of the mashup. */
export type SectionSpan = {
  /** Sample at which the sound of the section begins, with the transition from the one before. */
  base: number;
  /** Samples from there to the start of the section. */
  head: number;
  /** Sample at which the section ends. */
  end: number;
  /** Samples of its sound, with the tails of its effects. */
  length: number;
};

/** Returns which samples of the mashup a section takes. */
export function sectionSpan({ start, end: endSec, bpm, first, last }: Timing): SectionSpan {
  const head = first ? 0 : toSamples(60 / bpm);
  const base = toSamples(start) - head;
  const end = toSamples(endSec);
  return { base, head, end, length: end - base + (last ? 0 : toSamples(TAIL_SEC)) };
}
