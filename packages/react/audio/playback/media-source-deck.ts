/** A deck that plays parts by Media Source: FLAC frames in fragmented MP4, at their places by sample counts. */
import type { PlayableAudio } from '@mashup-engine/client';
import { AHEAD_SEC, bufferedEnd, planBuffer } from './buffer-plan.ts';
import type { Ranges } from './buffer-plan.ts';
import type { DeckEvents } from './deck.ts';
import { ElementDeck } from './element-deck.ts';
import { FLAC_MP4_TYPE, initSegment, mediaSegment } from './fragmented-mp4.ts';
import { isWhole, partAt } from './parts.ts';
import type { Fragment, Part, PartCache } from './parts.ts';

/** Sound that is appended before the listener presses Play, in seconds. */
const PRELOAD_SEC = 10;
/** Samples by which the time of a media element may be off. */
const ROUNDING = 8;
/** Appends of the same fragment without an effect, after which this browser cannot do it. */
const MAX_REPEATS = 3;
/** Smallest amount ahead that is tried when the browser holds less than usual, in seconds. */
const MIN_AHEAD_SEC = 10;

interface ManagedSource extends MediaSource {
  readonly streaming: boolean;
}
interface SourceConstructor {
  new (): MediaSource;
  isTypeSupported(type: string): boolean;
}

/** The media source of this browser that takes FLAC; undefined if there is none. */
function sourceConstructor(): SourceConstructor | undefined {
  const { MediaSource: plain, ManagedMediaSource: managed } = globalThis as {
    MediaSource?: SourceConstructor;
    ManagedMediaSource?: SourceConstructor;
  };
  return [plain, managed].find((one) => one?.isTypeSupported(FLAC_MP4_TYPE) === true);
}

/** Whether this browser plays parts by Media Source. */
export const hasMediaSource = (): boolean => sourceConstructor() !== undefined;

/** Plays parts by Media Source. Sound is appended as far as planned ahead, and dropped behind the position. */
export class MediaSourceDeck extends ElementDeck {
  readonly #source: MediaSource;
  readonly #cache: PartCache;
  readonly #onError: (error: unknown) => void;
  readonly #url: string;
  #buffer: SourceBuffer | undefined;
  #playable: PlayableAudio;
  /** STREAMINFO of the last initialization, as text. */
  #description = '';
  #sequence = 0;
  #last: { fragment: Fragment | undefined; repeats: number } = { fragment: undefined, repeats: 0 };
  #aheadLimit = AHEAD_SEC;
  #hasPlayed = false;
  #isClosed = false;

  /** @throws Error if the browser has no media source for FLAC */
  constructor(playable: PlayableAudio, cache: PartCache, events: DeckEvents) {
    super(events);
    const Source = sourceConstructor();
    if (Source === undefined) throw new Error('This browser has no media source for FLAC.');
    this.#playable = playable;
    this.#cache = cache;
    this.#onError = events.onError;
    this.#source = new Source();
    this.#url = URL.createObjectURL(this.#source);
    // A managed source is refused beside remote playback.
    this.element.disableRemotePlayback = true;
    this.#source.addEventListener('sourceopen', () => this.#open(), { once: true });
    this.#source.addEventListener('startstreaming', () => this.#pump());
    for (const name of ['timeupdate', 'seeking', 'play']) this.element.addEventListener(name, () => this.#pump());
    this.element.src = this.#url;
  }

  /** Takes more parts of the same mashup. */
  update(playable: PlayableAudio): void {
    this.#playable = playable;
    this.#pump();
  }

  override async play(): Promise<void> {
    this.#hasPlayed = true;
    await super.play();
  }

  override close(): void {
    this.#isClosed = true;
    super.close();
    URL.revokeObjectURL(this.#url);
  }

  #open(): void {
    if (this.#isClosed) return;
    this.#buffer = this.#source.addSourceBuffer(FLAC_MP4_TYPE);
    this.#source.duration = this.#playable.totalFrames / this.#playable.sampleRate;
    this.#buffer.addEventListener('updateend', () => this.#pump());
    this.#pump();
  }

  /** Takes the next step, unless one is under way: its end calls this again. */
  #pump(): void {
    const buffer = this.#buffer;
    if (this.#isClosed || buffer === undefined || buffer.updating || this.#source.readyState === 'closed') return;
    try {
      this.#step(buffer);
    } catch (error) {
      this.#onError(error);
    }
  }

  #step(buffer: SourceBuffer): void {
    const ranges = rangesOf(buffer);
    const position = this.position();
    const step = planBuffer(ranges, position, this.#aheadSec());
    if (step.remove !== undefined) return buffer.remove(...step.remove);
    const { sampleRate, totalFrames } = this.#playable;
    const at = Math.round(bufferedEnd(ranges, position) * sampleRate);
    if (isWhole(this.#playable) && at + ROUNDING >= totalFrames) {
      if (this.#source.readyState === 'open' && ranges.length > 0) this.#source.endOfStream();
      return;
    }
    const { streaming = true } = this.#source as Partial<ManagedSource>;
    if (step.appendAt === undefined || (!streaming && ranges.length > 0)) return;
    const index = partAt(this.#playable, at + ROUNDING);
    if (index < 0) return;
    const part = this.#cache.peek(index);
    if (part !== undefined) return this.#append(buffer, part, at);
    this.#cache.get(this.#playable, index).then(
      () => this.#pump(),
      (error: unknown) => {
        if (!this.#isClosed) this.#onError(error);
      },
    );
  }

  #append(buffer: SourceBuffer, part: Part, at: number): void {
    const description = part.stream.streamInfo.subarray(0, 14).join();
    if (description !== this.#description) {
      buffer.appendBuffer(initSegment(part.stream));
      this.#description = description;
      return;
    }
    const fragment = part.fragments.find(({ to }) => at + ROUNDING < to);
    if (fragment === undefined) return;
    const repeats = fragment === this.#last.fragment ? this.#last.repeats + 1 : 0;
    this.#last = { fragment, repeats };
    if (repeats > MAX_REPEATS) throw new Error('The browser does not take the sound.');
    this.#sequence += 1;
    try {
      buffer.appendBuffer(mediaSegment(part.file, fragment.frames, fragment.from, this.#sequence));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error;
      this.#makeRoom(buffer);
    }
  }

  /** Sound ahead of the position that is wanted now, in seconds. */
  #aheadSec(): number {
    return this.#hasPlayed ? this.#aheadLimit : PRELOAD_SEC;
  }

  /** Drops all but the surroundings of the position, and appends less from now on. */
  #makeRoom(buffer: SourceBuffer): void {
    const position = this.position();
    const ranges = rangesOf(buffer);
    const first = ranges[0]?.[0] ?? 0;
    const ahead = bufferedEnd(ranges, position) - position;
    this.#last = { fragment: undefined, repeats: 0 };
    this.#aheadLimit = Math.max(MIN_AHEAD_SEC, ahead - 1);
    if (first < position - 1) buffer.remove(first, position - 1);
    else if (ahead > 2 * MIN_AHEAD_SEC) buffer.remove(position + MIN_AHEAD_SEC, Infinity);
    else if (ahead < MIN_AHEAD_SEC) throw new Error('The browser has no room for the sound.');
  }
}

function rangesOf({ buffered }: SourceBuffer): Ranges {
  return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);
}
