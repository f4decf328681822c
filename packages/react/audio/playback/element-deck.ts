/** A deck around a media element. */
import type { Deck, DeckEvents } from './deck.ts';
import { LoopTimer } from './loop.ts';
import type { LoopRange } from './loop.ts';

/** Position that counts as the end, in seconds before it. */
const END_SEC = 0.05;
/** A section that ends this close to the end of the sound ends with it, in seconds. */
const NEAR_END_SEC = 0.5;

/** Plays what its element plays. Subclasses provide the source. */
export class ElementDeck implements Deck {
  readonly element: HTMLAudioElement;
  readonly #stop = new AbortController();
  /** A position that is set as soon as the element knows its length. */
  #wanted = 0;
  readonly #loop = new LoopTimer(
    () => this.position(),
    (seconds) => this.seek(seconds),
  );
  /** Whether it is to play. A source that fails or is exchanged stops the element, which is no wish of anybody. */
  #isPlayWanted = false;

  constructor(events: DeckEvents) {
    this.element = new Audio();
    this.element.preload = 'metadata';
    const on = (name: string, work: () => void): void =>
      this.element.addEventListener(name, work, { signal: this.#stop.signal });
    on('playing', () => {
      this.#loop.run(true);
      this.#isPlayWanted = true;
      events.onState('playing');
    });
    on('waiting', () => events.onState('waiting'));
    on('pause', () => {
      if (this.element.error !== null) return;
      if (this.element.ended && this.#repeat()) return;
      this.#isPlayWanted = false;
      this.#loop.run(false);
      events.onState(this.element.ended ? 'ended' : 'paused');
    });
    on('ended', () => {
      if (this.element.ended) events.onState('ended');
    });
    on('loadedmetadata', () => {
      this.#applyWanted();
      events.onReady();
    });
    on('error', () => this.onElementError(events));
  }

  position(): number {
    return this.element.readyState === 0 ? this.#wanted : this.element.currentTime;
  }

  async play(): Promise<void> {
    this.#isPlayWanted = true;
    await this.element.play();
  }

  pause(): void {
    this.#isPlayWanted = false;
    this.element.pause();
  }

  seek(seconds: number): void {
    this.#wanted = seconds;
    if (this.element.readyState > 0) this.#applyWanted();
  }

  isReady(): boolean {
    return this.element.readyState >= HTMLMediaElement.HAVE_METADATA;
  }

  setVolume(volume: number): void {
    this.element.volume = volume;
    // The volume of a media element is fixed on some phones: there the second half of a fade is heard, and the first is not.
    const isFixed = Math.abs(this.element.volume - volume) > 0.01;
    this.element.muted = volume === 0 || (isFixed && volume < 0.5);
  }

  setLoop(range: LoopRange | undefined): void {
    this.#loop.set(range);
  }

  close(): void {
    this.#loop.run(false);
    this.#stop.abort();
    this.element.pause();
    this.element.removeAttribute('src');
    this.element.load();
    this.element.remove();
  }

  /** Loads another source and continues at the same position. */
  protected load(src: string): void {
    this.#wanted = this.position();
    this.element.src = src;
    this.element.load();
    if (this.#isPlayWanted) void this.element.play().catch(() => {});
  }

  /** Where the section ends that is repeated from a position, in seconds; undefined: none is. */
  protected loopEnd(seconds: number): number | undefined {
    const { range } = this.#loop;
    return range !== undefined && seconds >= range.startSec && seconds < range.endSec ? range.endSec : undefined;
  }

  /** Reports an error of the element. */
  protected onElementError(events: DeckEvents): void {
    // What the browser says is for developers.
    events.onError(new Error('The sound cannot be played.', { cause: this.element.error }));
  }

  /** Starts a section again that ends with the sound. Returns false if none does. */
  #repeat(): boolean {
    const { range } = this.#loop;
    if (range === undefined || Math.abs(range.endSec - this.element.duration) > NEAR_END_SEC) return false;
    this.seek(range.startSec);
    void this.element.play().catch(() => {});
    return true;
  }

  #applyWanted(): void {
    const { duration } = this.element;
    const last = Number.isFinite(duration) ? Math.max(0, duration - END_SEC) : Infinity;
    const target = Math.min(this.#wanted, last);
    if (Math.abs(target - this.element.currentTime) > 1e-3) this.element.currentTime = target;
  }
}
