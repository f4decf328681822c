/** A deck takes over from another one at the same position, with a short crossfade. */
import type { Deck } from './deck.ts';

/** Length of the crossfade in milliseconds. */
const FADE_MS = 200;
const STEP_MS = 20;
/** Allowed difference of two positions, in seconds, and the time that bringing them together may take in milliseconds. */
const ALIGNED_SEC = 0.006;
const ALIGN_MS = 2_500;
/** A difference is removed by another speed within this time, in seconds; the next deck is silent meanwhile. */
const CORRECTION_SEC = 0.25;
const MAX_RATE_CHANGE = 0.5;
/** A larger difference is removed by a jump. */
const JUMP_SEC = 0.2;
/** How long a start of playback after a jump takes at first, in seconds: a guess. */
const START_SEC = 0.06;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts `next` silently, brings its position to that of `current`, and fades from one to the other.
 * @param volume loudness of `next` in the end, read at each step
 * @returns false if it was stopped; both decks still play then
 * @throws DOMException if the browser refuses to play `next`
 */
export async function takeOver(
  current: Deck,
  next: Deck,
  { volume, isWanted }: { volume: () => number; isWanted: () => boolean },
): Promise<boolean> {
  next.setVolume(0);
  next.seek(current.position() + START_SEC);
  await next.play();
  await align(current, next, isWanted);
  next.setRate(1);
  // Both play the same music: gains that add to 1 keep its level.
  for (let at = STEP_MS; at <= FADE_MS; at += STEP_MS) {
    if (!isWanted()) return false;
    next.setVolume((volume() * at) / FADE_MS);
    current.setVolume(volume() * (1 - at / FADE_MS));
    await pause(STEP_MS);
  }
  return isWanted();
}

/** Brings a silent deck to the position of another one. */
async function align(current: Deck, next: Deck, isWanted: () => boolean): Promise<void> {
  const end = performance.now() + ALIGN_MS;
  let last = -1;
  while (isWanted() && performance.now() < end) {
    const position = next.position();
    const isMoving = last >= 0 && position > last;
    last = position;
    if (isMoving) {
      const late = current.position() - position;
      if (Math.abs(late) < ALIGNED_SEC) return;
      if (Math.abs(late) > JUMP_SEC) next.seek(current.position() + START_SEC);
      else next.setRate(1 + Math.max(-MAX_RATE_CHANGE, Math.min(MAX_RATE_CHANGE, late / CORRECTION_SEC)));
    }
    await pause(STEP_MS);
  }
}
