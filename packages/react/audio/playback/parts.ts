/** The parts of a mashup that is being rendered: where they lie, and the few of them that are kept in memory. */
import { splitFlac } from '../../../../audio/decode/flac-split.ts';
import type { FlacFramePlace, SplitFlac } from '../../../../audio/decode/flac-split.ts';
import type { PlayableAudio } from '@mashup-engine/client';

/** Reads a part. It repeats by itself; @throws MashupClientError `part_gone` if there is no such file any more. */
export type LoadPart = (playable: PlayableAudio, index: number, signal: AbortSignal) => Promise<ArrayBuffer>;

/** A part in memory. */
export interface Part {
  index: number;
  /** Its first sample and the sample behind its last one, in the whole mashup. */
  from: number;
  to: number;
  file: Uint8Array<ArrayBuffer>;
  stream: SplitFlac;
  fragments: Fragment[];
}

/** Some frames of a part that are appended together. */
export interface Fragment {
  from: number;
  to: number;
  frames: FlacFramePlace[];
}

/** Parts in memory, if nothing else is said: four to six minutes. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Length of a fragment in seconds: so much is played again after a jump, and dropped at once. */
const FRAGMENT_SEC = 5;

/** The samples that have come so far. */
export const readyFrames = ({ ends }: PlayableAudio): number => ends.at(-1) ?? 0;

/** Whether all parts have come. */
export const isWhole = (playable: PlayableAudio): boolean => readyFrames(playable) >= playable.totalFrames;

/** The part with this sample; -1 if it has not come yet. */
export const partAt = ({ ends }: PlayableAudio, sample: number): number => ends.findIndex((end) => sample < end);

/**
 * Splits a part for appending.
 * @throws AudioError if the file is damaged or its length is not the one that the row tells
 */
export function openPart(playable: PlayableAudio, index: number, bytes: ArrayBuffer): Part {
  const file = new Uint8Array(bytes);
  const stream = splitFlac(file);
  const from = playable.ends[index - 1] ?? 0;
  const fragments: Fragment[] = [];
  let at = from;
  for (const frame of stream.frames) {
    let last = fragments.at(-1);
    if (last === undefined || at - last.from >= FRAGMENT_SEC * playable.sampleRate) {
      last = { from: at, to: at, frames: [] };
      fragments.push(last);
    }
    last.frames.push(frame);
    at += frame.samples;
    last.to = at;
  }
  if (at !== playable.ends[index]) {
    throw new RangeError(`Part ${index} has ${at - from} samples instead of ${(playable.ends[index] ?? 0) - from}.`);
  }
  return { index, from, to: at, file, stream, fragments };
}

/** Loads parts, each once at a time, and keeps the last used ones. */
export class PartCache {
  readonly #load: LoadPart;
  readonly #onPart: (part: Part) => void;
  readonly #maxBytes: number;
  readonly #stop = new AbortController();
  /** Least recently used first. */
  readonly #parts = new Map<number, Part>();
  readonly #loading = new Map<number, Promise<Part>>();
  /** Errors of parts that cannot be had: they are not requested again. */
  readonly #failures = new Map<number, unknown>();

  /**
   * @param onPart receives each part that was loaded
   * @param maxBytes size of the parts that are kept; the last one is kept in any case
   */
  constructor(load: LoadPart, onPart: (part: Part) => void = () => {}, maxBytes: number = MAX_BYTES) {
    this.#load = load;
    this.#onPart = onPart;
    this.#maxBytes = maxBytes;
  }

  /** The part, if it is in memory. */
  peek(index: number): Part | undefined {
    const part = this.#parts.get(index);
    if (part !== undefined) {
      this.#parts.delete(index);
      this.#parts.set(index, part);
    }
    return part;
  }

  /**
   * Loads a part.
   * @throws MashupClientError `part_gone`, AudioError, or the reason of `close`
   */
  async get(playable: PlayableAudio, index: number): Promise<Part> {
    const known = this.peek(index);
    if (known !== undefined) return known;
    const running = this.#loading.get(index);
    if (running !== undefined) return running;
    if (this.#failures.has(index)) throw this.#failures.get(index);
    const loading = this.#read(playable, index);
    this.#loading.set(index, loading);
    try {
      return await loading;
    } catch (error) {
      this.#failures.set(index, error);
      throw error;
    } finally {
      this.#loading.delete(index);
    }
  }

  /** Ends all requests and forgets all parts. */
  close(): void {
    this.#stop.abort();
    this.#parts.clear();
  }

  async #read(playable: PlayableAudio, index: number): Promise<Part> {
    const bytes = await this.#load(playable, index, this.#stop.signal);
    this.#stop.signal.throwIfAborted();
    const part = openPart(playable, index, bytes);
    this.#parts.set(index, part);
    let sum = 0;
    for (const [other, { file }] of [...this.#parts].reverse()) {
      sum += file.length;
      if (sum > this.#maxBytes && other !== index) this.#parts.delete(other);
    }
    this.#onPart(part);
    return part;
  }
}
