/** What a finished mashup did of the words of its user. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { WishOutcome } from '../schema.ts';

/** `changes`: sentences about what differs from the version before, or what a first plan does of the wishes. */
export interface PlanOutcome {
  changes: string | null;
  wishes: WishOutcome | null;
}

/** Reads the outcome of a mashup; all is null if it cannot be read: the mashup is there without it. */
export async function readPlanOutcome(supabase: SupabaseClient, jobId: string): Promise<PlanOutcome> {
  const { data } = await supabase.rpc('get_mashup', { job_id: jobId });
  const { plan_changes, plan_wishes } = (data ?? {}) as { plan_changes?: string | null; plan_wishes?: unknown };
  return { changes: plan_changes ?? null, wishes: WishOutcome.safeParse(plan_wishes).data ?? null };
}
