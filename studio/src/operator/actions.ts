/** The operator's actions. Each returns the problem that the page shows, or undefined. */
import { useState } from 'react';
import type { PostgrestError, SupabaseClient } from '@supabase/supabase-js';
import { fromDatabaseError } from '@mashup-engine/client';
import { toProblem } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import type { ReplayStage } from '../../../schema.ts';
import { isPaused } from './Pauses.tsx';
import type { Overview, PauseScope } from './types.ts';

/** The account of the page may not use the operator's functions. */
export const NO_OPERATOR_RIGHTS: Problem = {
  message: 'This account has no operator rights.',
  hint: 'Give them with `mashup operators add E-MAIL`, then sign in again.',
};

/** Converts an error of an operator's function. */
export function fromOperatorError(error: Pick<PostgrestError, 'message' | 'hint' | 'code'>): Problem {
  if (error.code === '42501') return NO_OPERATOR_RIGHTS;
  // The messages of Postgres on values that it cannot read are not for users.
  if (error.code.startsWith('22')) return toProblem(fromDatabaseError(error, 400));
  return { message: error.message, hint: error.hint ?? '' };
}

async function call(
  supabase: SupabaseClient,
  name: string,
  parameters: Record<string, unknown>,
): Promise<Problem | undefined> {
  const { error } = await supabase.rpc(name, parameters);
  return error === null ? undefined : fromOperatorError(error);
}

/** Replays a job from a stage. `fresh` also recomputes its analyses and stems. */
export const replay = (supabase: SupabaseClient, id: string, stage: ReplayStage, fresh: boolean) =>
  call(supabase, 'operator_replay', { job_id: id, stage, fresh });

/** Resumes a failed or cancelled job. */
export const retry = (supabase: SupabaseClient, id: string) => call(supabase, 'operator_retry', { job_id: id });

/** Cancels a live job. */
export const cancel = (supabase: SupabaseClient, id: string) => call(supabase, 'operator_cancel', { job_id: id });

/** Stops new tasks of a scope from starting. `key` names what is paused in the scope; it is empty for the system. */
export const pause = (supabase: SupabaseClient, scope: PauseScope, key: string) =>
  call(supabase, 'operator_pause', { scope, key });

/** Ends a pause. */
export const resume = (supabase: SupabaseClient, scope: PauseScope, key: string) =>
  call(supabase, 'operator_resume', { scope, key });

/** Pauses a scope, or resumes it if it is paused. */
export const toggleOf =
  (supabase: SupabaseClient, overview: Overview) =>
  (scope: PauseScope, key: string): Promise<Problem | undefined> =>
    (isPaused(overview, scope, key) ? resume : pause)(supabase, scope, key);

/** Takes the public link of a job down. Its owner reads the reason. */
export const takeDownShare = (supabase: SupabaseClient, id: string, reason: string) =>
  call(supabase, 'operator_take_down_share', { share: id, reason });

/** Lets a job be shared again. */
export const liftShareTakeDown = (supabase: SupabaseClient, id: string) =>
  call(supabase, 'operator_lift_share_take_down', { share: id });

/** The refusal of the last action, and a function that runs one and then reads the page again. */
export function useActions(refresh: () => Promise<void>): {
  refusal: Problem | undefined;
  dismiss: () => void;
  act: (work: Promise<Problem | undefined>) => void;
} {
  const [refusal, setRefusal] = useState<Problem>();
  return {
    refusal,
    dismiss: () => setRefusal(undefined),
    act: (work) => void work.then(setRefusal).then(refresh),
  };
}
