/** Bars of five and seven. Their pulse is at five or seven quarters, thirds or halves of the tempo that bars of four would have. */
import type { FittedGrid } from './beats.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmSignals } from './rhythm-signals.ts';
import { fitSteadyGrid, powerAt } from './steady-grid.ts';

/** Tempi of pulses that are tried, relative to the tempo of a grid. */
const RATIOS = [5 / 4, 5 / 3, 5 / 2, 7 / 4, 7 / 3, 7 / 2];
/** Range of the tempo of such a pulse. Eighths of 7/8 are fast. */
const PULSE_BPM = { min: 80, max: 290 } as const;
/**
 * How much stronger the pulse, or twice the pulse, must be than the grid and its halves and quarters of a beat. Songs in three and four have less than 1
 * of it, songs in five and seven more than 10.
 */
const MIN_POWER_RATIO = 3;
/** Frequencies that are tried around an expected one, in multiples of the resolution of the song's length. */
const OFFSETS = [-1, -0.5, 0, 0.5, 1];

/** Power of `signal` at a tempo. */
function powerOf(signal: Float32Array, bpm: number): number {
  const cycles = bpm / 60 / RHYTHM_RATE;
  return Math.max(...OFFSETS.map((offset) => powerAt(signal, cycles + offset / signal.length)));
}

/** The grids of pulses of five or seven that are far stronger than `grid`, strongest first. */
export function findOddPulses(
  { beatStrength, strength, durationSec }: RhythmSignals,
  { bpm }: FittedGrid,
): FittedGrid[] {
  const own = Math.max(...[1, 2, 4].map((factor) => powerOf(beatStrength, bpm * factor)));
  return RATIOS.map((ratio) => ratio * bpm)
    .filter((pulse) => pulse >= PULSE_BPM.min && pulse <= PULSE_BPM.max)
    .map((pulse) => ({ pulse, power: powerOf(beatStrength, pulse), double: powerOf(beatStrength, 2 * pulse) }))
    .filter(({ power, double }) => Math.max(power, double) >= MIN_POWER_RATIO * own)
    .sort((a, b) => b.power - a.power)
    .map(({ pulse }) => fitSteadyGrid(beatStrength, strength, pulse, durationSec));
}

/** A grid with a beat between any two beats; null if it would be too fast. */
export function doubledGrid(grid: FittedGrid): FittedGrid | null {
  if (2 * grid.bpm > PULSE_BPM.max) return null;
  const times = grid.times.flatMap((time, i) => {
    const next = grid.times[i + 1];
    return next === undefined ? [time] : [time, 0.5 * (time + next)];
  });
  return { ...grid, times, bpm: 2 * grid.bpm };
}
