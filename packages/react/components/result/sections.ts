/** Sections of a mashup as the player uses them: to jump to, and to repeat. */

export interface PlayerSection {
  /** In seconds. */
  start: number;
  /** In seconds. */
  duration: number;
  description: string;
}

/** A position that is reached by a jump may be this much earlier, in seconds. */
const TOLERANCE_SEC = 0.05;
/** A jump back within this time after the start of a section goes to the section before, in seconds. */
const BACK_SEC = 2;

/** Index of the section at a position, the last one behind the end; -1 without sections. */
export const sectionAt = (sections: readonly PlayerSection[], seconds: number): number =>
  Math.max(0, sections.filter(({ start }) => start <= seconds + TOLERANCE_SEC).length - 1) - (sections.length ? 0 : 1);

/** Start of the next section, in seconds; undefined in the last one. */
export const nextStart = (sections: readonly PlayerSection[], seconds: number): number | undefined =>
  sections[sectionAt(sections, seconds) + 1]?.start;

/** Start of the section at a position, or of the one before if it has just begun, in seconds. */
export function previousStart(sections: readonly PlayerSection[], seconds: number): number {
  const at = sectionAt(sections, seconds);
  const isEarly = seconds - (sections[at]?.start ?? 0) < BACK_SEC;
  return sections[isEarly ? at - 1 : at]?.start ?? 0;
}
