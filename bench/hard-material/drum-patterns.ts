/** Drum patterns of the band: positions in a bar, in beats. */

export type DrumPattern = {
  kicks: readonly number[];
  snares: readonly number[];
  hats: readonly number[];
};

/** Eighths of a bar of `meter` quarters. */
const eighths = (meter: number): number[] => Array.from({ length: 2 * meter }, (_, i) => i / 2);

/** Kicks on the first beat, in bars of four or more also on the third, snares on the other beats, hats on the eighths. */
export function usualDrums(meter: number): DrumPattern {
  const beats = Array.from({ length: meter }, (_, i) => i);
  const kicks = meter >= 4 ? [0, 2] : [0];
  return { kicks, snares: beats.filter((beat) => !kicks.includes(beat)), hats: eighths(meter) };
}

/** The kick on the first beat of four, the snare on the third: as if the tempo were half. */
export const HALF_TIME_DRUMS: DrumPattern = { kicks: [0], snares: [2], hats: [0, 1, 2, 3] };

export const NO_DRUMS: DrumPattern = { kicks: [], snares: [], hats: [] };

/** 5/4 as 3 + 2. */
export const FIVE_FOUR_DRUMS: DrumPattern = { kicks: [0, 3], snares: [1, 4], hats: eighths(5) };

/** 7/8 as 2 + 2 + 3, in eighths. */
export const SEVEN_EIGHT_223_DRUMS: DrumPattern = { kicks: [0, 4], snares: [2, 5], hats: [0, 1, 2, 3, 4, 5, 6] };

/** 7/8 as 3 + 2 + 2, in eighths. */
export const SEVEN_EIGHT_322_DRUMS: DrumPattern = { kicks: [0, 5], snares: [3], hats: [0, 1, 2, 3, 4, 5, 6] };

/** 11/4 as 3 + 3 + 3 + 2. */
export const ELEVEN_FOUR_DRUMS: DrumPattern = {
  kicks: [0, 3, 6, 9],
  snares: [2, 5, 8],
  hats: Array.from({ length: 11 }, (_, i) => i),
};
