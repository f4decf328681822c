/** A deck takes over from another one at the same position, with a short crossfade. */
import type { Deck } from './deck.ts';

/** Length of the crossfade in milliseconds: usually, and to a deck that plays along already. */
const FADE_MS = 200;
const SHORT_FADE_MS = 60;
const STEP_MS = 20;
/** Allowed difference of two positions in seconds, and the jumps after which a larger one stays. */
const ALIGNED_SEC = 0.004;
/** The same for a deck that starts at an exact sample. */
const EXACT_SEC = 0.001;
const ATTEMPTS = 5;
/** No start is as late as this, in seconds. */
const JUMP_SEC = 1;
/** A difference of positions has settled when it stays within this amount, in seconds, for some steps; or after many. */
const SETTLED_SEC = 0.001;
const SETTLE_STEP_MS = 40;
const SETTLED_STEPS = 3;
const MAX_STEPS = 15;

/** Difference up to which a deck that plays along is at the same position: listeners notice more, starts are often less exact. */
const ALONG_SEC = 0.008;

/** Inaudible, but not 0: browsers play silence on another clock than sound, and jump when it becomes audible. */
export const SILENT = 1e-4;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts `next` silently, brings its position to that of `current`, and fades from one to the other.
 * @param playsAlong whether `next` plays already, silently
 * @param volume loudness of `next` in the end, read at each step
 * @returns false if it was stopped; both decks still play then
 * @throws DOMException if the browser refuses to play `next`
 */
export async function takeOver(
  current: Deck,
  next: Deck,
  { playsAlong, volume, isWanted }: { playsAlong: boolean; volume: () => number; isWanted: () => boolean },
): Promise<boolean> {
  next.setVolume(SILENT);
  const isAligned = playsAlong && Math.abs(current.position() - next.position()) < ALONG_SEC;
  if (!isAligned) await align(current, next, isWanted);
  const fadeMs = isAligned ? SHORT_FADE_MS : FADE_MS;
  // Both play the same music: gains that add to 1 keep its level.
  for (let at = STEP_MS; at <= fadeMs; at += STEP_MS) {
    if (!isWanted()) return false;
    next.setVolume((volume() * at) / fadeMs);
    current.setVolume(volume() * (1 - at / fadeMs));
    await pause(STEP_MS);
  }
  return isWanted();
}

/**
 * Brings a silent deck to the position of another one, by jumps that allow for the time that a start takes. Starts are late by up to one
 * buffer of the browser (12 ms in Chromium), so the next jump may do better.
 */
async function align(current: Deck, next: Deck, isWanted: () => boolean): Promise<void> {
  let startSec = 0;
  const alignedSec = next.element === undefined ? EXACT_SEC : ALIGNED_SEC;
  for (let attempt = 0; attempt < ATTEMPTS && isWanted(); attempt++) {
    next.pause();
    next.seek(current.position() + startSec);
    await next.play();
    const late = await settledDifference(current, next, isWanted);
    if (Math.abs(late) < alignedSec) return;
    // One of both may have jumped back to the start of a section that is repeated.
    if (Math.abs(late) < JUMP_SEC) startSec += late;
  }
}

/**
 * By how much `next` is late, in seconds. Shortly after a start the position of a media element is an estimate, so the difference is
 * read until it no longer changes.
 */
async function settledDifference(current: Deck, next: Deck, isWanted: () => boolean): Promise<number> {
  let [late, stable] = [NaN, 0];
  for (let step = 0; step < MAX_STEPS && stable < SETTLED_STEPS && isWanted(); step++) {
    const before = next.position();
    await pause(SETTLE_STEP_MS);
    const now = current.position() - next.position();
    const isSettled = next.position() > before && Math.abs(now - late) < SETTLED_SEC;
    stable = isSettled ? stable + 1 : 0;
    late = now;
  }
  return late;
}
