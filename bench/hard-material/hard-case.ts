/** A song or pair of songs that is hard to hear right, with its truth. */

/** What a case is about. Each group has a file of cases and a test file. */
export const HARD_GROUPS = ['signal', 'tuning', 'key', 'time', 'content', 'container', 'delivery'] as const;
export type HardGroup = (typeof HARD_GROUPS)[number];

/** What was measured, as text for the table, and whether it is right. */
export type HardOutcome = { value: string; right: boolean };

export type HardCase = {
  group: HardGroup;
  /** The material, for example `mono song, right channel inverted`. */
  name: string;
  /** The right value, as text. */
  truth: string;
  /** What commit ed399e7 gave, as text. */
  before: string;
  /** Makes the file, uses it as a user would and measures. */
  measure: () => Promise<HardOutcome>;
};
