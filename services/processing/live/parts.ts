/** Makes playable parts of the sections of a mashup, as they are finished. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { encodeFlac } from '../../../audio/encode/encode-flac.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import { TruePeakStreamLimiter } from '../../../audio/level/stream-limiter.ts';
import { MAX_PART_SEC } from '../../../schema/playable.ts';
import type { RenderPlan } from '../plan/plan.ts';
import type { Channels } from '../sound/slice.ts';
import { estimateGain } from './level.ts';
import { LiveTimeline, type MixedSection } from './timeline.ts';

/** The first part is short, so that it is there early. */
const FIRST_PART_SEC = 6;
/** Shorter parts are joined to the one before. */
const MIN_PART_SEC = 2;
/** Ceiling of the limiter, as that of a FLAC file. */
const CEILING_DB = -1;
/** Parts are read once and soon deleted: encoding them must not cost the render time. */
const COMPRESSION = 0;

export type PartPlan = Pick<RenderPlan, 'sections' | 'durationSec'>;

/** A part: the sample of the mashup at which it ends, and its FLAC file. */
export type PlayablePart = { end: number; bytes: Uint8Array<ArrayBuffer> };

/** Turns sections into parts. Level and limiter run on from part to part. */
export class PartMaker {
  readonly #plan: PartPlan;
  readonly #timeline: LiveTimeline;
  readonly #limiter = new TruePeakStreamLimiter(SAMPLE_RATE, CEILING_DB, 2);
  #partsLeft: number;
  #gain: number | undefined;
  #sections = 0;
  #end = 0;

  /** @param maxParts largest number of parts; what does not fit is left out at the end */
  constructor(plan: PartPlan, maxParts: number) {
    this.#plan = plan;
    this.#timeline = new LiveTimeline(plan);
    this.#partsLeft = maxParts;
  }

  /** Adds the next section and yields the parts that it completes. */
  async *add(section: MixedSection): AsyncGenerator<PlayablePart> {
    const samples = this.#timeline.add(section);
    this.#gain ??= this.#firstGain(samples);
    for (const channel of samples) for (let i = 0; i < channel.length; i++) channel[i]! *= this.#gain;
    const isLast = ++this.#sections === this.#plan.sections.length;
    const pieces = [this.#limiter.push(samples), ...(isLast ? [this.#limiter.finish()] : [])];
    const channels = [0, 1].map((c) => concat(pieces.map((piece) => piece[c]!)));
    const cuts = cutParts(channels[0]!.length, this.#end === 0);
    for (const [from, to] of cuts) {
      if (this.#partsLeft-- <= 0) return;
      this.#end += to - from;
      const part = channels.map((channel) => channel.subarray(from, to));
      yield { end: this.#end, bytes: await encodeFlac(part, SAMPLE_RATE, {}, COMPRESSION) };
    }
  }

  #firstGain(samples: Channels): number {
    const measured = integratedLoudness(samples, SAMPLE_RATE);
    const spans = this.#plan.sections.map((section, i) => ({ section, measured: i === 0 ? measured : undefined }));
    return 10 ** (estimateGain(spans) / 20);
  }
}

/** Cuts `length` samples into parts: pairs of from and to. */
export function cutParts(length: number, isFirst: boolean): [number, number][] {
  const cuts: [number, number][] = [];
  let from = 0;
  while (from < length) {
    const wanted = (isFirst && from === 0 ? FIRST_PART_SEC : MAX_PART_SEC) * SAMPLE_RATE;
    const to = length - from - wanted < MIN_PART_SEC * SAMPLE_RATE ? length : from + wanted;
    cuts.push([from, to]);
    from = to;
  }
  return cuts;
}

function concat(pieces: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
