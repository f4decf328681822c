/** The sound of a slice: the parts of its runs, with the fades at its boundaries. */
import type { Effect } from '../../../music/plan/effects.ts';
import type { Curve, Stem } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { readRegion, type ScratchRegion } from '../files/scratch.ts';

/** Duration of the change between two sections, in beats. It ends on the boundary, so that the first beat plays at full level. */
const TRANSITION_BEATS: Record<Stem, number> = { vocals: 1, other: 1, bass: 0.125, drums: 0.0625 };
/**
 * Drums that stop are silent for this time before the boundary. The onset of a hit begins before its beat, and half of one is heard
 * as a tick.
 */
const DRUMS_STOP_SEC = 0.008;
/** Fade between two places of the same song, where a layer loops. */
const LOOP_FADE_SEC = 0.03;
/** Fade at the start of the mashup. */
const FIRST_FADE_SEC = 0.005;
/** Fade at the end of the mashup. */
const LAST_FADE_BEATS = 1;

/** Left and right samples at 44.1 kHz. */
export type Channels = [Float32Array, Float32Array];

/** Samples that another thread can read without a copy. */
export function sharedSamples(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** A slice with its samples on disk; can be sent to a thread. */
export type SliceAudio = {
  songId: string;
  stem: Stem;
  volumeDb: number;
  effects: Effect[];
  joinsPrevious: boolean;
  joinsNext: boolean;
  /** `start` and `end` are seconds of the mashup; `origin` is the second of the run's first sample. */
  parts: { region: ScratchRegion; origin: number; start: number; end: number }[];
  /** Presence of singing, 0..1, from the start of the section on; of vocals only, if it is known. */
  presence: Curve | undefined;
};

/** The section that a slice is cut for. */
type SliceSection = { bpm: number; first: boolean; last: boolean };

/** Fades of a part, in samples. */
type Fades = {
  fadeIn: number;
  fadeOut: number;
  /** Whether the part fades against the same run, so that amplitudes add up to one; else powers do. */
  coherentIn: boolean;
  coherentOut: boolean;
  /** Whether the fade-in ends at the start of the part; else it begins there. */
  beforeStart: boolean;
  /** The part ends this much earlier. */
  stopEarly: number;
};

/** Number of samples in a time. */
export const toSamples = (seconds: number): number => Math.round(seconds * SAMPLE_RATE);

/** Gain of a fade at `x` = 0..1. */
const fadeGain = (x: number, coherent: boolean): number =>
  coherent ? Math.sin((x * Math.PI) / 2) ** 2 : Math.sin((x * Math.PI) / 2);

/** Gain of a part from `from` to `end` at sample `i`. */
function gainAt(i: number, from: number, end: number, fades: Fades): number {
  let gain = 1;
  if (i < from + fades.fadeIn) gain = fadeGain((i - from + 0.5) / fades.fadeIn, fades.coherentIn);
  if (i >= end - fades.fadeOut) gain *= fadeGain((end - i - 0.5) / fades.fadeOut, fades.coherentOut);
  return gain;
}

/** Adds a part to `into` with its fades. `base` is the sample of the mashup at the start of `into`. */
function addPart(into: Channels, base: number, part: SliceAudio['parts'][number], fades: Fades): void {
  const start = toSamples(part.start);
  const end = toSamples(part.end) - fades.stopEarly;
  const origin = toSamples(part.origin);
  const from = fades.beforeStart ? start - fades.fadeIn : start;
  const first = Math.max(from, origin, base);
  const last = Math.max(first, Math.min(end, origin + part.region.frames));
  const samples = readRegion(part.region, first - origin, last - origin);
  for (const c of [0, 1] as const) {
    const source = samples[c];
    const target = into[c];
    for (let i = first; i < last; i++) {
      const isFaded = i < from + fades.fadeIn || i >= end - fades.fadeOut;
      target[i - base]! += isFaded ? source[i - first]! * gainAt(i, from, end, fades) : source[i - first]!;
    }
  }
}

/**
 * Reads a slice from disk at its level in the plan, without effects. Returns `length` samples of each channel; the first one is
 * sample `base` of the mashup.
 */
export function readSlice(slice: SliceAudio, section: SliceSection, base: number, length: number): Channels {
  const audio: Channels = [new Float32Array(length), new Float32Array(length)];
  const transition = toSamples((TRANSITION_BEATS[slice.stem] * 60) / section.bpm);
  const loop = toSamples(LOOP_FADE_SEC);
  slice.parts.forEach((part, i) => {
    const opens = i === 0;
    const closes = i === slice.parts.length - 1;
    addPart(audio, base, part, {
      fadeIn: !opens ? loop : section.first ? toSamples(FIRST_FADE_SEC) : transition,
      fadeOut: !closes ? loop : section.last ? toSamples((LAST_FADE_BEATS * 60) / section.bpm) : transition,
      coherentIn: opens && slice.joinsPrevious,
      coherentOut: closes && slice.joinsNext,
      beforeStart: !(opens && section.first),
      stopEarly: slice.stem === 'drums' && closes && !slice.joinsNext && !section.last ? toSamples(DRUMS_STOP_SEC) : 0,
    });
  });
  const gain = 10 ** (slice.volumeDb / 20);
  for (const samples of audio) for (let i = 0; i < length; i++) samples[i]! *= gain;
  return audio;
}
