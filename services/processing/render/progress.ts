/** Progress of a render. */
import type { RenderPlan } from '../plan/plan.ts';

/** Reports progress, 0..100, with a message for users. */
export type ReportProgress = (progress: number, message: string) => void;

/** Progress at which the steps of a render begin: stretching and mixing, finishing; and at which it ends. */
export const PROGRESS = { sections: 2, finish: 80, done: 99 };
/** Share of stretching in the work on sections. */
const STRETCHING_SHARE = 0.75;

/** Progress of the work on sections: how many runs are stretched and sections mixed, each with their count. */
export function sectionProgress(runs: readonly [number, number], sections: readonly [number, number]): number {
  const share = ([done, count]: readonly [number, number]): number => done / Math.max(1, count);
  const work = STRETCHING_SHARE * share(runs) + (1 - STRETCHING_SHARE) * share(sections);
  return PROGRESS.sections + (PROGRESS.finish - PROGRESS.sections) * work;
}

/** The tempi of a plan, for messages. */
export function tempoText({ sections }: RenderPlan): string {
  return `${[...new Set(sections.map(({ bpm }) => Math.round(bpm)))].join(' and ')} BPM`;
}

/** Longer texts before the colon of a description are no name of a section. */
const MAX_NAME_LENGTH = 30;

/** Returns `Rendered section 3 of 6: Drop`. The name is the description up to its colon: sentences are too long for a step. */
export function renderedText(index: number, count: number, description: string): string {
  const end = description.indexOf(':');
  const name = end > 0 && end <= MAX_NAME_LENGTH ? `: ${description.slice(0, end)}` : '';
  return `Rendered section ${index + 1} of ${count}${name}`;
}
