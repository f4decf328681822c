/** The timing of a performance: constant or drifting tempo, swing, and inexact players. */
import type { Composition, Note } from './compose.ts';
import type { SeededRandom } from './random.ts';

/** A note with times in seconds; `pitch` is a MIDI number. */
export type TimedNote = { atSec: number; lengthSec: number; pitch: number; velocity: number };

/** Probability of a drifting tempo, also for live styles, and its largest relative deviation. */
const DRIFT_CHANCE = 0.15;
const LIVE_DRIFT_CHANCE = 0.5;
const MAX_DRIFT = 0.022;

/** Converts beats of a composition to times of one performance of it. */
export class Timing {
  /** Times of the beats and of the end, seconds. */
  private readonly times: number[];
  private readonly swing: { of: 8 | 16; at: number } | null;
  /** Standard deviation of the players' timing, seconds. */
  private readonly looseness: number;
  private readonly random: SeededRandom;
  /** True if the tempo is constant. */
  readonly steady: boolean;

  constructor({ style, bpm, bars }: Composition, random: SeededRandom) {
    this.random = random;
    this.steady = !random.chance(style.live ? LIVE_DRIFT_CHANCE : DRIFT_CHANCE);
    const drift = this.steady ? 0 : random.between(0.01, MAX_DRIFT);
    const periodBeats = random.between(40, 90);
    const phase = random.between(0, 2 * Math.PI);
    // Some recordings start with silence.
    let time = random.chance(0.3) ? random.between(0.2, 1.5) : 0;
    this.times = [time];
    for (let beat = 0; beat < bars * style.meter; beat++) {
      time += (60 / bpm) * (1 + drift * Math.sin((2 * Math.PI * beat) / periodBeats + phase));
      this.times.push(time);
    }
    this.swing = style.swing ? { of: style.swing.of, at: random.between(...style.swing.at) } : null;
    this.looseness = random.pick([0, 0.003, style.sidechain ? 0 : 0.008]);
  }

  get durationSec(): number {
    return this.times.at(-1)!;
  }

  /** Beat times, seconds. */
  get beats(): number[] {
    return this.times.slice(0, -1);
  }

  /** Position in the beat (0..1) with swing. */
  private applySwing(phase: number): number {
    if (!this.swing) return phase;
    const { of, at } = this.swing;
    const unit = of === 8 ? 1 : 0.5;
    const start = Math.floor(phase / unit) * unit;
    const within = (phase - start) / unit;
    return start + unit * (within < 0.5 ? within * 2 * at : at + (within - 0.5) * 2 * (1 - at));
  }

  /** Time of a (fractional) beat, seconds. */
  timeAt(beat: number): number {
    const whole = Math.min(this.times.length - 2, Math.floor(beat + 1e-9));
    const step = this.times[whole + 1]! - this.times[whole]!;
    return this.times[whole]! + step * this.applySwing(beat - whole);
  }

  /** Performs notes with swing and the players' deviations. */
  play(notes: readonly Note[]): TimedNote[] {
    return notes.map(({ atBeat, lengthBeats, pitch, velocity }) => {
      const start = this.timeAt(atBeat);
      const late = this.looseness * (this.random.next() + this.random.next() + this.random.next() - 1.5) * 2;
      const lengthSec = Math.max(0.03, this.timeAt(atBeat + lengthBeats) - start);
      return { atSec: Math.max(0, start + late), lengthSec, pitch, velocity };
    });
  }
}
