/** The messages between a render and the thread that makes its playable parts. */
import type { PartPlan } from './parts.ts';
import type { MixedSection } from './timeline.ts';

/** Starts the thread's work. */
export type PartThreadData = { plan: PartPlan; maxParts: number };

/** The next section of the mashup. */
export type SectionMessage = MixedSection;

/** A finished part, or why there are no more. */
export type PartMessage =
  { kind: 'part'; end: number; bytes: Uint8Array<ArrayBuffer> } | { kind: 'failed'; message: string };
