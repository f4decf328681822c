/** Finds a channel that is inverted or silent, from the sums of a whole song. */
import type { StereoChunk } from './opened-audio.ts';

/** `inverted`: one channel has the opposite polarity. `left_only`, `right_only`: the other channel is silent. */
export type ChannelFault = 'inverted' | 'left_only' | 'right_only';

/** What a fault means for the song, in a sentence. */
export const CHANNEL_FAULT_TEXTS: Record<ChannelFault, string> = {
  inverted: 'One channel of the file has inverted polarity. It is used with the polarity of the other one.',
  left_only: 'The right channel of the file is silent. The left one is used for both sides.',
  right_only: 'The left channel of the file is silent. The right one is used for both sides.',
};

/** A channel is silent if its energy is below this share of the other's: -50 dB. */
const SILENT_RATIO = 1e-5;
/**
 * A channel is inverted if the correlation over the whole song is below this value. Wide mixes come near to 0, and then the polarity
 * hardly matters.
 */
const INVERTED_CORRELATION = -0.1;
/** Seconds with less than this share of the mean energy do not count as sound. */
const SOUNDING_SHARE = 1e-3;

/** Measures the balance of two channels. Feed all chunks of a song, then ask for the fault. Memory: 16 bytes per second. */
export class ChannelBalance {
  readonly #sampleRate: number;
  #filled = 0;
  /** Sums of the current second: left², right² and left × right. */
  #left = 0;
  #right = 0;
  #cross = 0;
  /** Sums of the seconds before. */
  #total = { left: 0, right: 0, cross: 0 };
  readonly #seconds: { energy: number; cross: number }[] = [];

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  push([left, right]: StereoChunk): void {
    for (let from = 0; from < left.length;) {
      const to = Math.min(left.length, from + this.#sampleRate - this.#filled);
      let [ll, rr, lr] = [0, 0, 0];
      for (let i = from; i < to; i++) {
        const l = left[i]!;
        const r = right[i]!;
        ll += l * l;
        rr += r * r;
        lr += l * r;
      }
      this.#left += ll;
      this.#right += rr;
      this.#cross += lr;
      this.#filled += to - from;
      if (this.#filled === this.#sampleRate) this.#endSecond();
      from = to;
    }
  }

  /** The fault of all samples so far. A fault of a part of the song, such as an intro on one side, is none. */
  fault(): ChannelFault | null {
    if (this.#filled > 0) this.#endSecond();
    const { left, right, cross } = this.#total;
    if (right < SILENT_RATIO * left) return 'left_only';
    if (left < SILENT_RATIO * right) return 'right_only';
    if (cross > INVERTED_CORRELATION * Math.sqrt(left * right)) return null;
    const least = (SOUNDING_SHARE * (left + right)) / this.#seconds.length;
    const sounding = this.#seconds.filter(({ energy }) => energy > least);
    const opposed = sounding.filter((second) => second.cross < 0);
    return 2 * opposed.length > sounding.length ? 'inverted' : null;
  }

  #endSecond(): void {
    this.#total.left += this.#left;
    this.#total.right += this.#right;
    this.#total.cross += this.#cross;
    this.#seconds.push({ energy: this.#left + this.#right, cross: this.#cross });
    [this.#left, this.#right, this.#cross, this.#filled] = [0, 0, 0, 0];
  }
}

/** The chunk without the fault. */
export function repairChannels([left, right]: StereoChunk, fault: ChannelFault): StereoChunk {
  if (fault === 'left_only') return [left, left];
  if (fault === 'right_only') return [right, right];
  return [left, right.map((value) => -value)];
}
