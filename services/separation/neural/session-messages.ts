/** Messages between a session and its thread. */
import type { ModelErrorCode } from './errors.ts';
import type { ValueMetadata } from './runtime.ts';

/** Values of an input or output. */
export interface Values {
  dims: readonly number[];
  data: Float32Array<ArrayBuffer>;
}

/** Values by the name of the input or output. */
export type NamedValues = Record<string, Values>;

/** What the thread tells: first whether the graph is open, then the outcome of each run. */
export type SessionMessage =
  | { kind: 'opened'; inputs: ValueMetadata[]; outputs: ValueMetadata[] }
  | { kind: 'model-error'; code: ModelErrorCode; message: string; hint: string }
  | { kind: 'results'; results: NamedValues }
  | { kind: 'run-failed'; message: string };
