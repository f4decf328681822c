/** Compares the client's types with the messages on the wire. A difference does not compile. */
import type {
  Iteration,
  MashupJob,
  MashupOptions,
  MashupStems,
  PlanEdit,
  Submission,
  SubmittedSong,
} from '@mashup-engine/client';
import type { Camel } from '../../packages/client/wire.ts';
import type * as wire from '../../schema.ts';

/** Fails to compile unless both types accept each other. */
type Same<A, B> = [A, B] extends [B, A] ? true : never;
const isSame = <A, B>(same: Same<A, B> & true): boolean => same;

/** One entry for each message. */
export const comparisons: Record<string, boolean> = {
  options: isSame<MashupOptions, Camel<wire.SubmittedOptions>>(true),
  job: isSame<MashupJob, Camel<wire.MashupJob>>(true),
  song: isSame<Required<SubmittedSong>, Required<Camel<wire.SubmittedSong>>>(true),
  submission: isSame<Omit<Submission, 'stage'>, Omit<Camel<wire.Submission>, 'stage'>>(true),
  stems: isSame<MashupStems, Camel<wire.MashupStems>>(true),
  edit: isSame<PlanEdit, wire.PlanEdit>(true),
  edited: isSame<Iteration, Pick<Camel<wire.EditAnswer>, keyof Iteration>>(true),
  iteration: isSame<Iteration, Pick<Camel<wire.IterationAnswer>, keyof Iteration>>(true),
};
