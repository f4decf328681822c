/** A deck that plays a file by its link. */
import type { DeckEvents } from './deck.ts';
import { ElementDeck } from './element-deck.ts';

/** Renewals of a link that does not play, before the deck gives up. */
const MAX_RENEWALS = 2;

/** Sound that may be missing at the end of what is buffered, in seconds: browsers round. */
const ROUNDING_SEC = 0.5;

/** Plays a file by the newest link to it, as soon as the browser needs one. */
export class FileDeck extends ElementDeck {
  readonly #onBroken: () => void;
  /** The newest link. */
  #src = '';
  /** Whether the element has an older one, which it plays as long as it needs no other part of the file. */
  #isOutdated = false;
  #renewals = 0;

  /** @param onBroken called when the file cannot be played: its link may have expired */
  constructor(src: string, events: DeckEvents, onBroken: () => void) {
    super(events);
    this.#onBroken = onBroken;
    this.#src = src;
    this.element.addEventListener('loadedmetadata', () => (this.#renewals = 0));
    this.load(src);
  }

  /** Whether a link leads to the file that it plays. */
  isOf(src: string): boolean {
    return isSameFile(src, this.#src);
  }

  /**
   * Takes another link to the file. It is used at once if the file could not be played, otherwise by the next start or jump that
   * may need another part of the file: playing is not interrupted.
   */
  setSource(src: string): void {
    if (src === this.#src) return;
    this.#src = src;
    this.#isOutdated = true;
    if (this.element.error !== null) this.#renew();
  }

  override seek(seconds: number): void {
    this.#renewFor(seconds);
    super.seek(seconds);
  }

  /** A file that could not be played is tried again. */
  override async play(): Promise<void> {
    if (this.element.paused) this.#renewFor(this.position());
    const isBroken = this.element.error !== null && this.#renewals > MAX_RENEWALS;
    const started = super.play();
    if (isBroken) {
      this.#renewals = 0;
      this.#onBroken();
    }
    await started;
  }

  protected override onElementError(events: DeckEvents): void {
    this.#renewals += 1;
    if (this.#renewals <= MAX_RENEWALS && this.#isOutdated) this.#renew();
    else if (this.#renewals <= MAX_RENEWALS) this.#onBroken();
    else {
      events.onState('paused');
      super.onElementError(events);
    }
  }

  /** Loads the newest link. */
  #renew(): void {
    this.#isOutdated = false;
    this.load(this.#src);
  }

  /** Loads the newest link, unless the browser has the sound from a position to the end of what will play. */
  #renewFor(seconds: number): void {
    if (!this.#isOutdated) return;
    const { buffered, duration } = this.element;
    const end = this.loopEnd(seconds) ?? duration;
    for (let at = 0; at < buffered.length; at++)
      if (buffered.start(at) <= seconds && buffered.end(at) >= end - ROUNDING_SEC) return;
    this.#renew();
  }
}

/** Whether two links lead to the same file. */
export const isSameFile = (first: string, second: string): boolean => pathOf(first) === pathOf(second);

/** A link without its signature. */
const pathOf = (link: string): string => link.split('?', 1)[0] ?? '';
