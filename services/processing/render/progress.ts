/** Progress of a render. */
import type { RenderPlan } from '../plan/plan.ts';

/** Reports progress, 0..100, with a message for users. */
export type ReportProgress = (progress: number, message: string) => void;

/** Progress at which the steps of a render begin: stretching stems, mixing sections, finishing; and at which it ends. */
export const PROGRESS = { stems: 2, sections: 62, finish: 80, done: 99 };

/** The tempi of a plan, for messages. */
export function tempoText({ sections }: RenderPlan): string {
  return `${[...new Set(sections.map(({ bpm }) => Math.round(bpm)))].join(' and ')} BPM`;
}
