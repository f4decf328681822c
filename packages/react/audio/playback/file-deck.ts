/** A deck that plays a file by its link. */
import type { DeckEvents } from './deck.ts';
import { ElementDeck } from './element-deck.ts';

/** Renewals of a link that does not play, before the deck gives up. */
const MAX_RENEWALS = 2;

/** Plays a file. A new link to it continues at the same position. */
export class FileDeck extends ElementDeck {
  readonly #onBroken: () => void;
  #src = '';
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

  /** Plays another link to the file. */
  setSource(src: string): void {
    if (src === this.#src) return;
    this.#src = src;
    this.load(src);
  }

  /** A file that could not be played is tried again. */
  override async play(): Promise<void> {
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
    if (this.#renewals <= MAX_RENEWALS) this.#onBroken();
    else {
      events.onState('paused');
      super.onElementError(events);
    }
  }
}

/** Whether two links lead to the same file. */
export const isSameFile = (first: string, second: string): boolean => pathOf(first) === pathOf(second);

/** A link without its signature. */
const pathOf = (link: string): string => link.split('?', 1)[0] ?? '';
