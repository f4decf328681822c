/** What plays a mashup: its parts by Media Source, its parts by an audio context, or its finished file. */

import type { LoopRange } from './loop.ts';

/** What a deck reports. */
export interface DeckEvents {
  /** It plays, has been stopped from outside (e.g. by the system), waits for sound, or has reached the end. */
  onState: (state: DeckState) => void;
  /** The deck knows its sound: it can be played. */
  onReady: () => void;
  /** It cannot go on. */
  onError: (error: unknown) => void;
}

export type DeckState = 'playing' | 'paused' | 'waiting' | 'ended';

export interface Deck {
  /** The media element; none for an audio context. */
  readonly element: HTMLAudioElement | undefined;
  /** Position in seconds that is heard now. */
  position(): number;
  /**
   * Plays at `position()`.
   * @throws DOMException `NotAllowedError` if the browser wants a press of a button first
   */
  play(): Promise<void>;
  pause(): void;
  seek(seconds: number): void;
  /** Whether it knows its sound. */
  isReady(): boolean;
  /** Loudness of 0..1; 0 is silent on every device. */
  setVolume(volume: number): void;
  /** Repeats a section while the position is within it; undefined: none. */
  setLoop(range: LoopRange | undefined): void;
  /** Ends all work. The deck is not used any more. */
  close(): void;
}
