/** What a player reports. */
import type { Problem } from '../../state/problem.ts';
import type { LoopRange } from './loop.ts';

export interface PlaybackState {
  /** What is heard; undefined while there is nothing. */
  source: 'parts' | 'file' | 'stems' | undefined;
  /** Whether the listener wants to hear it. */
  isPlaying: boolean;
  /** Whether the sound waits for what is not there yet. */
  isWaiting: boolean;
  /** Whether the browser wants a press of Play first. */
  isBlocked: boolean;
  /** Whether the listener has heard parts, before the file took over. */
  hasHeardParts: boolean;
  /** How far it can be played, in seconds; Infinity for a file. */
  readySec: number;
  /** Peaks of the parts that were loaded, over the planned length; 0 where none was. */
  peaks: number[];
  /** Planned length of the parts in seconds. */
  plannedSec: number;
  /** 0..1 */
  volume: number;
  /** The section that is repeated. */
  loop: LoopRange | undefined;
  problem: Problem | undefined;
}

/** A player without a sound. */
export const NOTHING: PlaybackState = {
  source: undefined,
  isPlaying: false,
  isWaiting: false,
  isBlocked: false,
  hasHeardParts: false,
  readySec: 0,
  peaks: [],
  plannedSec: 0,
  volume: 1,
  loop: undefined,
  problem: undefined,
};
