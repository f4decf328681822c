/** A part of a text that is read as a whole. */
import type { Wish } from '../../schema.ts';
import type { Token } from './tokens.ts';

/** A clause with the wishes in it; null if it is not understood. `joiner` joins it to the one before. */
export type Clause = { tokens: readonly Token[]; wishes: readonly Wish[] | null; joiner: string };
