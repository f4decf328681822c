/** Differences between corresponding sections, collected so that equal ones become one sentence. */
import { clock } from '../../plan/clock.ts';
import { joinWords } from '../words.ts';
import type { PlanSection } from '../../../schema.ts';

/** Kinds of differences in the order in which they are told. */
export const KINDS = ['source', 'added', 'removed', 'level', 'effect', 'timing', 'place', 'energy'] as const;
type Kind = (typeof KINDS)[number];

/**
 * A difference in one section. The sentence is `text`, the place, and `details`, with a full stop. `scope` names what it is about: it is
 * told without a place if it applies to all sections with that scope.
 */
export type Finding = { kind: Kind; text: string; details?: string; scope: string };

/** Longer lists of sections are cut. */
const MAX_LISTED = 4;

/** Collects findings by their texts, and in how many sections something of a scope could have changed. */
export class Findings {
  readonly #found = new Map<string, Finding & { sections: number[] }>();
  readonly #scopes = new Map<string, Set<number>>();

  /** Notes that a section has something of this scope. */
  count(scope: string, section: number): void {
    const sections = this.#scopes.get(scope) ?? new Set();
    this.#scopes.set(scope, sections.add(section));
  }

  /** Adds a difference of a section of the later plan. */
  add(finding: Finding, section: number): void {
    const key = `${finding.text}${finding.details ?? ''}`;
    const known = this.#found.get(key);
    if (known) known.sections.push(section);
    else this.#found.set(key, { ...finding, sections: [section] });
  }

  /** Returns the sentences. `timeline` is that of the later plan. */
  sentences(timeline: readonly PlanSection[]): string[] {
    return [...this.#found.values()]
      .toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
      .map(({ text, details = '', scope, sections }) => {
        const isEverywhere = sections.length >= (this.#scopes.get(scope)?.size ?? Infinity);
        return `${text}${isEverywhere ? '' : ` ${whereText(sections, timeline)}`}${details}.`;
      });
  }
}

/** Returns `in section 3 (0:45)` or `in sections 3, 4 and 6`. */
function whereText(sections: readonly number[], timeline: readonly PlanSection[]): string {
  const [first] = sections;
  if (sections.length === 1) return `in section ${nameOfSection(first!, timeline)}`;
  const numbers = sections.map((index) => String(index + 1));
  if (numbers.length <= MAX_LISTED) return `in sections ${joinWords(numbers)}`;
  return `in ${sections.length} of the ${timeline.length} sections`;
}

/** Returns `3 (0:45)` for the third section. */
export const nameOfSection = (index: number, timeline: readonly PlanSection[]): string =>
  `${index + 1} (${clock(timeline[index]?.time_start_sec ?? 0)})`;
