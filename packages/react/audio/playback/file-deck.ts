/** A deck that plays a file by its link. */
import type { DeckEvents } from './deck.ts';
import { ElementDeck } from './element-deck.ts';

/** Renewals of a link that does not play, before the deck gives up. */
const MAX_RENEWALS = 2;

/** Plays a file. A new link continues at the same position, so that versions can be compared while playing. */
export class FileDeck extends ElementDeck {
  readonly #onBroken: () => void;
  #src = '';
  #renewals = 0;

  /** @param onBroken called when the file cannot be played: its link may have expired */
  constructor(events: DeckEvents, onBroken: () => void) {
    super(events);
    this.#onBroken = onBroken;
    this.element.addEventListener('loadedmetadata', () => (this.#renewals = 0));
  }

  /** Plays another link. Returns whether it leads to another file than the link before. */
  setSource(src: string): boolean {
    if (src === this.#src) return false;
    const isOther = pathOf(src) !== pathOf(this.#src);
    this.#src = src;
    this.load(src);
    return isOther;
  }

  protected override onElementError(events: DeckEvents): void {
    this.#renewals += 1;
    if (this.#renewals <= MAX_RENEWALS) this.#onBroken();
    else super.onElementError(events);
  }
}

/** A link without its signature. */
const pathOf = (link: string): string => link.split('?', 1)[0] ?? '';
