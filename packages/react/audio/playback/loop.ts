/** Repeats a section: the range, and the timer by which a media element jumps back. */

/** A section that is repeated, in seconds. */
export interface LoopRange {
  startSec: number;
  endSec: number;
}

/** Longest wait between two looks at the position, in milliseconds. */
const LOOK_MS = 200;
/** A position this close to the end counts as the end, in seconds: timers are exact to a few milliseconds. */
const AT_END_SEC = 0.004;
/** Positions further behind the end than this were chosen by the listener, in seconds. */
const BEHIND_SEC = 1;

/** Watches the position of what plays, and jumps from the end of a section to its start. */
export class LoopTimer {
  readonly #position: () => number;
  readonly #jump: (seconds: number) => void;
  #range: LoopRange | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;

  constructor(position: () => number, jump: (seconds: number) => void) {
    this.#position = position;
    this.#jump = jump;
  }

  get range(): LoopRange | undefined {
    return this.#range;
  }

  /** Repeats this section; undefined: none. */
  set(range: LoopRange | undefined): void {
    this.#range = range;
    this.#look();
  }

  /** Tells whether the position moves. */
  run(isRunning: boolean): void {
    this.#isRunning = isRunning;
    this.#look();
  }

  #look(): void {
    clearTimeout(this.#timer);
    const range = this.#range;
    if (range === undefined || !this.#isRunning) return;
    const left = range.endSec - this.#position();
    if (left <= AT_END_SEC && left > -BEHIND_SEC) this.#jump(range.startSec);
    this.#timer = setTimeout(() => this.#look(), left > AT_END_SEC ? Math.min(LOOK_MS, left * 1000 - 3) : LOOK_MS / 10);
  }
}
