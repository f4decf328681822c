/** The messages between a render and the thread that makes its playable parts. */
import type { PartPlan } from './parts.ts';
import type { MixedSection } from './timeline.ts';

/** Starts the thread's work. */
export type PartThreadData = { plan: PartPlan; maxParts: number };

/** The next section of the mashup, or the question whether all parts of those so far are made. */
export type PartRequest = MixedSection | 'flush';

/** A finished part, why there are no more, or that those of all sections so far are made. */
export type PartMessage =
  | { kind: 'part'; end: number; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'failed'; message: string }
  | { kind: 'made' };
