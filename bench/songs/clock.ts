/** When beats and notes are played: tempo that holds or wanders, swing, and hands that are not exact. */
import type { Composition, Note } from './compose.ts';
import type { Dice } from './random.ts';

/** A note in time; `pitch` is a MIDI number. */
export type TimedNote = { atSec: number; lengthSec: number; pitch: number; velocity: number };

const DRIFT_CHANCE = 0.15;
const LIVE_DRIFT_CHANCE = 0.5;
const MAX_SWAY = 0.022;

export class Clock {
  /** Time of each beat and of the end, seconds. */
  private readonly times: number[];
  private readonly swing: { of: 8 | 16; at: number } | null;
  /** Standard deviation of a player's timing, seconds. */
  private readonly looseness: number;
  private readonly dice: Dice;
  readonly steady: boolean;

  constructor({ style, bpm, bars }: Composition, dice: Dice) {
    this.dice = dice;
    this.steady = !dice.chance(style.live ? LIVE_DRIFT_CHANCE : DRIFT_CHANCE);
    const sway = this.steady ? 0 : dice.between(0.01, MAX_SWAY);
    const periodBeats = dice.between(40, 90);
    const phase = dice.between(0, 2 * Math.PI);
    // Some recordings begin at once, some after a moment.
    let time = dice.chance(0.3) ? dice.between(0.2, 1.5) : 0;
    this.times = [time];
    for (let beat = 0; beat < bars * style.meter; beat++) {
      time += (60 / bpm) * (1 + sway * Math.sin((2 * Math.PI * beat) / periodBeats + phase));
      this.times.push(time);
    }
    this.swing = style.swing ? { of: style.swing.of, at: dice.between(...style.swing.at) } : null;
    this.looseness = dice.pick([0, 0.003, style.sidechain ? 0 : 0.008]);
  }

  get durationSec(): number {
    return this.times.at(-1)!;
  }

  /** The beats themselves. */
  get beats(): number[] {
    return this.times.slice(0, -1);
  }

  private swung(phase: number): number {
    if (!this.swing) return phase;
    const { of, at } = this.swing;
    const unit = of === 8 ? 1 : 0.5;
    const start = Math.floor(phase / unit) * unit;
    const within = (phase - start) / unit;
    return start + unit * (within < 0.5 ? within * 2 * at : at + (within - 0.5) * 2 * (1 - at));
  }

  timeAt(beat: number): number {
    const whole = Math.min(this.times.length - 2, Math.floor(beat + 1e-9));
    const step = this.times[whole + 1]! - this.times[whole]!;
    return this.times[whole]! + step * this.swung(beat - whole);
  }

  /** Notes as they are played. */
  play(notes: readonly Note[]): TimedNote[] {
    return notes.map(({ atBeat, lengthBeats, pitch, velocity }) => {
      const start = this.timeAt(atBeat);
      const late = this.looseness * (this.dice.next() + this.dice.next() + this.dice.next() - 1.5) * 2;
      const lengthSec = Math.max(0.03, this.timeAt(atBeat + lengthBeats) - start);
      return { atSec: Math.max(0, start + late), lengthSec, pitch, velocity };
    });
  }
}
