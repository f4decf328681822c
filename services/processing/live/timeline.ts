/** Mixes finished sections of a mashup in order, as `delivery/mix.ts` does with all of them at once. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { LAST_FADE_SEC, SUBSONIC_HZ } from '../delivery/mix.ts';
import type { RenderPlan } from '../plan/plan.ts';
import { type Channels, toSamples } from '../sound/slice.ts';

/** Sound before a stretch with which its high-pass filter starts: it has no memory of what is earlier. */
const FILTER_CONTEXT = SAMPLE_RATE / 2;

/** A mixed section. `offset` is the sample of the mashup at which its channels begin. */
export type MixedSection = { offset: number; channels: Channels };

/** The beginning of a mashup. It holds what later sections may still change, and a moment before it. */
export class LiveTimeline {
  readonly #frames: number;
  /** For each section, the sample before which the mix is final once the section is in it. */
  readonly #finalAfter: number[];
  #buffer: Channels = [new Float32Array(0), new Float32Array(0)];
  /** Sample of the mashup at which the buffer begins. */
  #start = 0;
  #done = 0;
  #sections = 0;

  constructor({ sections, durationSec }: Pick<RenderPlan, 'sections' | 'durationSec'>) {
    this.#frames = Math.round(durationSec * SAMPLE_RATE);
    // The transition to a section begins one beat before it.
    const starts = sections.map(({ start, bpm }) => toSamples(start) - toSamples(60 / bpm));
    this.#finalAfter = sections.map((_, i) => Math.max(0, Math.min(this.#frames, ...starts.slice(i + 1))));
  }

  /** Adds the next section. Returns the samples that became final. */
  add({ offset, channels }: MixedSection): Channels {
    const to = Math.min(this.#frames, offset + channels[0].length);
    this.#extend(to);
    for (const c of [0, 1] as const) {
      const target = this.#buffer[c];
      const source = channels[c];
      for (let i = Math.max(offset, this.#start); i < to; i++) target[i - this.#start]! += source[i - offset]!;
    }
    const end = this.#finalAfter[this.#sections++] ?? this.#frames;
    this.#extend(end);
    return this.#take(end);
  }

  #extend(end: number): void {
    const length = end - this.#start;
    if (length <= this.#buffer[0].length) return;
    this.#buffer = this.#buffer.map((samples) => {
      const longer = new Float32Array(length);
      longer.set(samples);
      return longer;
    }) as Channels;
  }

  /** Returns the samples up to `end` that were not returned yet, without rumble. */
  #take(end: number): Channels {
    const from = this.#done;
    const [start, to] = [this.#start, Math.max(from, end)];
    const filtered = this.#buffer.map((samples) => samples.slice(0, to - start));
    if (to === this.#frames) fadeEnd(filtered);
    applyFilter(filtered, SAMPLE_RATE, { kind: 'high-pass', frequency: SUBSONIC_HZ });
    const taken = filtered.map((samples) => samples.slice(from - start)) as Channels;
    this.#done = to;
    this.#start = Math.max(start, to - FILTER_CONTEXT);
    this.#buffer = this.#buffer.map((samples) => samples.slice(this.#start - start)) as Channels;
    return taken;
  }
}

function fadeEnd(channels: readonly Float32Array[]): void {
  const fade = Math.min(channels[0]!.length, Math.round(LAST_FADE_SEC * SAMPLE_RATE));
  for (const samples of channels) for (let i = 0; i < fade; i++) samples[samples.length - 1 - i]! *= i / fade;
}
