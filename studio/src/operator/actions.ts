/** What an operator does. Each answers the problem that the page shows, or nothing. */
import type { PostgrestError, SupabaseClient } from '@supabase/supabase-js';
import type { ReplayStage } from '../../../schema.ts';
import type { Problem } from '../state/problem.ts';
import type { PauseScope } from './types.ts';

export function fromOperatorError(error: Pick<PostgrestError, 'message' | 'hint' | 'code'>): Problem {
  const isKey = error.code === '42501' || error.code === 'PGRST301' || /api key|jwt/i.test(error.message);
  return isKey
    ? { message: 'This key may not operate.', hint: 'Paste the service role key; `npm start` prints it.' }
    : { message: error.message, hint: error.hint ?? '' };
}

/** Calls a verb; answers what is wrong, or nothing. */
async function call(
  supabase: SupabaseClient,
  name: string,
  parameters: Record<string, unknown>,
): Promise<Problem | undefined> {
  const { error } = await supabase.rpc(name, parameters);
  return error === null ? undefined : fromOperatorError(error);
}

export const replay = (supabase: SupabaseClient, id: string, stage: ReplayStage, fresh: boolean) =>
  call(supabase, 'operator_replay', { job_id: id, stage, fresh });
export const retry = (supabase: SupabaseClient, id: string) => call(supabase, 'operator_retry', { job_id: id });
export const cancel = (supabase: SupabaseClient, id: string) => call(supabase, 'operator_cancel', { job_id: id });
export const pause = (supabase: SupabaseClient, scope: PauseScope, key: string) =>
  call(supabase, 'operator_pause', { scope, key });
export const resume = (supabase: SupabaseClient, scope: PauseScope, key: string) =>
  call(supabase, 'operator_resume', { scope, key });
