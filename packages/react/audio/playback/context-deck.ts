/** A deck that plays decoded parts by an audio context, where no Media Source takes FLAC. */
import type { PlayableAudio } from '@mashup-engine/client';
import type { DeckEvents } from './deck.ts';
import { partAt } from './parts.ts';
import type { PartCache } from './parts.ts';
import { ScheduledDeck } from './scheduled-deck.ts';
import type { Piece } from './scheduled-deck.ts';

/** Decoded sound ahead of the position, in seconds: 20 MiB a minute. */
const AHEAD_SEC = 30;

/** Plays parts by an audio context of their own sample rate. */
export class ContextDeck extends ScheduledDeck {
  readonly #cache: PartCache;
  #playable: PlayableAudio;

  constructor(playable: PlayableAudio, cache: PartCache, events: DeckEvents) {
    super(playable, events, AHEAD_SEC);
    this.#playable = playable;
    this.#cache = cache;
    queueMicrotask(() => {
      if (!this.isClosed) events.onReady();
    });
  }

  /** Takes more parts of the same mashup. */
  update(playable: PlayableAudio): void {
    this.#playable = playable;
    this.setLength(playable);
  }

  override isReady(): boolean {
    return true;
  }

  protected override pieceAt(sample: number): Promise<Piece> | undefined {
    const index = partAt(this.#playable, sample);
    return index < 0 ? undefined : this.#decode(index);
  }

  async #decode(index: number): Promise<Piece> {
    const { from, to, file } = await this.#cache.get(this.#playable, index);
    const buffer = await this.context.decodeAudioData(file.slice().buffer);
    if (buffer.length !== to - from) throw new RangeError(`Part ${index} is not decoded exactly.`);
    return { from, to, sounds: [{ buffer, into: this.output }] };
  }
}
