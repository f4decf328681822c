/** Typed wrappers of the SQL functions that finish a task and hand over the next one of its job. Answers are parsed. */
import { sql } from 'kysely';
import { z } from 'zod';
import { TASK_RESULTS } from '../../schema/task-results.ts';
import type { UnreadableClaim } from '../errors.ts';
import { Claim, unreadable } from './database-api.ts';
import type { Db } from './database.ts';

const Finish = z.object({ status: z.string(), next: z.unknown().optional() });

/** How a task was finished, and the next task of its job if this worker has claimed it with the same call. */
export interface FinishResult {
  /** `finished`, `failed` or `retrying` (the result was rejected), or why the claim is lost. */
  status: string;
  /** The next task of the job, or the fault of an answer that this version cannot read. */
  next: Claim | UnreadableClaim | undefined;
}

/**
 * Finishes a task.
 * @param result the result of the claim's kind of task (schema/task-results.ts); members that SQL does not read are left out
 * @param nextClaim token under which the next task of the job is claimed for this worker; undefined: none is claimed. Repeat a
 *   call whose answer was lost with the same token
 * @throws ZodError if the result is not of the claim's kind
 */
export async function finishTask(db: Db, claim: Claim, result: unknown, nextClaim?: string): Promise<FinishResult> {
  const checked = JSON.stringify(TASK_RESULTS[claim.kind].parse(result));
  const { rows } = await (
    nextClaim === undefined
      ? sql<{ answer: unknown }>`
        select jsonb_build_object('status', mashup.finish_task(${claim.task_id}::bigint, ${claim.claim}::uuid, ${checked}::jsonb)) as answer`
      : sql<{ answer: unknown }>`
        select mashup.finish_task_and_claim(
          ${claim.task_id}::bigint, ${claim.claim}::uuid, ${checked}::jsonb, ${nextClaim}::uuid) as answer`
  ).execute(db);
  const { status, next } = Finish.parse(rows[0]?.answer);
  if (next === null || next === undefined) return { status, next: undefined };
  const parsed = Claim.safeParse(next);
  return { status, next: parsed.success ? parsed.data : unreadable(parsed.error) };
}

/** Returns the tasks that this worker claimed under tokens whose answers it never received. */
export async function returnClaims(db: Db, workerId: string, claims: readonly string[]): Promise<void> {
  await sql`select mashup.return_claims(${workerId}::uuid, ${sql.val([...claims])}::uuid[])`.execute(db);
}
