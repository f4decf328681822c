/** The state machine's functions as the worker calls them: one function each, answers parsed. */
import { sql } from 'kysely';
import { z } from 'zod';
import { MashupOptions, ServiceName } from '../../schema.ts';
import { TASK_KINDS } from '../../schema/database.ts';
import type { SongCard } from '../../schema/database.ts';
import type { Db } from './database.ts';
import type { FaultClass } from '../errors.ts';

const Card = z
  .looseObject({
    song_id: z.string(),
    name: z.string(),
    artist: z.string(),
    path: z.string(),
    state: z.string(),
    hash: z.string().optional(),
    analysis_id: z.coerce.number().optional(),
    stems_id: z.coerce.number().optional(),
    duration_sec: z.number().nullish(),
  })
  .transform((card) => card as unknown as SongCard);

const Claim = z.object({
  status: z.literal('claimed'),
  task_id: z.coerce.string(),
  claim: z.uuid(),
  kind: z.enum(TASK_KINDS),
  job_id: z.uuid(),
  user_id: z.uuid(),
  epoch: z.number(),
  song_id: z.string().nullable(),
  songs: z.array(Card),
  options: MashupOptions.partial().catch({}),
  fresh: z.boolean(),
  parent_id: z.uuid().nullable(),
  feedback: z.string().nullable(),
  plan_version: z.number().nullable(),
  failures: z.number(),
  max_attempts: z.number(),
  timeout_sec: z.number().positive(),
  heartbeat_sec: z.number().positive(),
  lease_sec: z.number().positive(),
  /** Do without the service: it has been away for longer than this kind of task waits for it. */
  fallback: z.boolean(),
  service: ServiceName,
  /** Where this claim may write in Storage. */
  output_prefix: z.string().nullable(),
});
/** All that a handler needs of a claimed task. */
export type Claim = z.infer<typeof Claim>;

const ClaimResult = z.discriminatedUnion('status', [
  Claim,
  z.object({ status: z.literal('gone') }),
  z.object({ status: z.literal('deferred'), reason: z.string().optional() }),
]);
export type ClaimResult = z.infer<typeof ClaimResult>;

/** `held`, or why the claim is void. */
const ClaimStatus = z.enum(['held', 'replayed', 'cancelled', 'failed', 'lost']).catch('lost');
export type ClaimStatus = z.infer<typeof ClaimStatus>;

/** Claims a ready task for a worker. */
export async function claimTask(db: Db, taskId: string, attempt: number, workerId: string): Promise<ClaimResult> {
  const { rows } = await sql<{ answer: unknown }>`
    select mashup.claim_task(${taskId}::bigint, ${attempt}::int, ${workerId}::uuid) as answer`.execute(db);
  return ClaimResult.parse(rows[0]?.answer);
}

/**
 * Hands a task back that this worker has claimed without ever hearing so: the answer was lost with its connection. Without
 * it the task would be held until its lease ends, and a lost worker would be counted against it.
 */
export async function returnUnknownClaim(
  db: Db,
  taskId: string,
  attempt: number,
  workerId: string,
  known: readonly string[],
): Promise<void> {
  await sql`
    select mashup.return_task(t.id, t.claim) from mashup.tasks t
    where t.id = ${taskId}::bigint and t.attempt = ${attempt}::int and t.worker_id = ${workerId}::uuid and t.state = 'running'
      and t.claim <> all (${sql.val([...known])}::uuid[])`.execute(db);
}

/** Keeps a claim; with news writes progress (0..1 of the task) and what is being done. */
export async function heartbeatTask(
  db: Db,
  claim: Claim,
  news: { progress?: number; step?: string } = {},
): Promise<ClaimStatus> {
  const { rows } = await sql<{ answer: unknown }>`
    select mashup.heartbeat_task(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${news.progress ?? null}::real, ${news.step ?? null}::text
    ) as answer`.execute(db);
  return ClaimStatus.parse(rows[0]?.answer);
}

/** Finishes a task: `finished`, `failed` or `retrying` (the result was refused), or why the claim is void. */
export async function finishTask(db: Db, claim: Claim, result: Record<string, unknown>): Promise<string> {
  const { rows } = await sql<{ answer: string }>`
    select mashup.finish_task(${claim.task_id}::bigint, ${claim.claim}::uuid, ${JSON.stringify(result)}::jsonb) as answer`.execute(
    db,
  );
  return rows[0]?.answer ?? 'lost';
}

/** Ends an attempt with a fault: `retrying`, `failed`, or why the claim is void. */
export async function failTask(
  db: Db,
  claim: Claim,
  fault: { code: string; message: string; hint: string; faultClass: FaultClass; retryAfterSec?: number },
): Promise<string> {
  const { rows } = await sql<{ answer: string }>`
    select mashup.fail_task(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${fault.code}, ${fault.message}, ${fault.hint},
      ${fault.faultClass}, ${fault.retryAfterSec ?? null}::real
    ) as answer`.execute(db);
  return rows[0]?.answer ?? 'lost';
}

/** Says goodbye: everything that the worker holds is handed back. */
export async function deregisterWorker(db: Db, workerId: string): Promise<void> {
  await sql`select mashup.deregister_worker(${workerId}::uuid)`.execute(db);
}

/** One round of upkeep; null when another worker is at it. */
export async function sweep(db: Db): Promise<Record<string, number> | null> {
  const { rows } = await sql<{ answer: Record<string, number> | null }>`select mashup.sweep() as answer`.execute(db);
  return rows[0]?.answer ?? null;
}

/** Keeps an answer that was paid for. */
export async function saveReceipt(
  db: Db,
  receipt: {
    jobId: string;
    requestHash: string;
    answer: unknown;
    tokens: Record<string, number> | null;
    costUsd: number | null;
  },
): Promise<void> {
  await sql`
    select mashup.save_receipt(
      ${receipt.jobId}::uuid, ${receipt.requestHash}, ${JSON.stringify(receipt.answer)}::jsonb, ${JSON.stringify(receipt.tokens)}::jsonb,
      ${receipt.costUsd}::numeric
    )`.execute(db);
}

/** A budget for Claude: of the job, of its user for the day, of the day. */
const Budget = z.enum(['job', 'user_day', 'day']);
export type Budget = z.infer<typeof Budget>;

/** Which budget for Claude is used up for a job; null while none is. */
export async function findExhaustedBudget(db: Db, jobId: string): Promise<Budget | null> {
  const { rows } = await sql<{ budget: unknown }>`
    select mashup.exhausted_plan_budget(${jobId}::uuid) as budget`.execute(db);
  return Budget.nullable().parse(rows[0]?.budget ?? null);
}

/** An object, or everything below a prefix, that has to go from Storage. */
export interface StorageDeletion {
  id: string;
  bucket: string;
  path: string;
  is_prefix: boolean;
}

/** Leases due deletions to this worker for ten minutes. */
export async function claimStorageDeletions(db: Db, limit: number): Promise<StorageDeletion[]> {
  const { rows } = await sql<StorageDeletion>`
    select id, bucket, path, is_prefix from mashup.claim_storage_deletions(${limit}::int)`.execute(db);
  return rows;
}

/** Takes deletions that are done out of the outbox. */
export async function completeStorageDeletions(db: Db, ids: readonly string[]): Promise<void> {
  await sql`select mashup.complete_storage_deletions(${sql.val([...ids])}::bigint[])`.execute(db);
}

/** A numeric setting, or what to use where there is none. */
export async function settingNumber(db: Db, name: string, otherwise: number): Promise<number> {
  const { rows } = await sql<{ value: number | null }>`select mashup.setting_number(${name}) as value`.execute(db);
  return rows[0]?.value ?? otherwise;
}

/** Which schema Graphile Worker has, by oid: another after it was dropped and made again; undefined while it cannot be used. */
export async function queueIdentity(db: Db): Promise<string | undefined> {
  const { rows } = await sql<{ id: string | null }>`
    select case when has_schema_privilege(n.oid, 'usage') and to_regclass('graphile_worker._private_tasks') is not null
      then n.oid::text end as id
    from pg_namespace n where n.nspname = 'graphile_worker'`.execute(db);
  return rows[0]?.id ?? undefined;
}

/** Gives back at once what pools of Graphile Worker had taken from the queue, begun or not. Begun ones find their task claimed. */
export async function unlockPools(db: Db, poolIds: readonly string[]): Promise<void> {
  await sql`select graphile_worker.force_unlock_workers(${sql.val([...poolIds])}::text[])`.execute(db);
}
