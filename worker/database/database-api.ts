/** Typed wrappers of the state machine's SQL functions that the worker calls. Answers are parsed. */
import { sql } from 'kysely';
import { z } from 'zod';
import { MashupOptions, SeparationChoice, ServiceName } from '../../schema.ts';
import type { PlayableAudio, SongRanges } from '../../schema.ts';
import { TASK_KINDS } from '../../schema/database.ts';
import type { SongCard } from '../../schema/database.ts';
import type { Db } from './database.ts';
import { UnreadableClaim } from '../errors.ts';
import type { TaskError } from '../errors.ts';

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

const { format, length, length_sec, wishes, roles, separation, studio_version } = MashupOptions.partial().shape;
/** The options of a job. Submission checks them; one that this version cannot read does not take the others with it. */
const Options = z.object({
  format: format.catch(undefined),
  length: length.catch(undefined),
  length_sec: length_sec.catch(undefined),
  wishes: wishes.catch(undefined),
  roles: roles.catch(undefined),
  separation: separation.catch(undefined),
  studio_version: studio_version.catch(undefined),
}) satisfies z.ZodType<Partial<MashupOptions>>;

export const Claim = z.object({
  status: z.literal('claimed'),
  task_id: z.coerce.string(),
  claim: z.guid(),
  kind: z.enum(TASK_KINDS),
  job_id: z.guid(),
  user_id: z.guid(),
  epoch: z.number(),
  song_id: z.string().nullable(),
  songs: z.array(Card),
  options: Options,
  fresh: z.boolean(),
  parent_id: z.guid().nullable(),
  feedback: z.string().nullable(),
  plan_version: z.number().nullable(),
  failures: z.number(),
  max_attempts: z.number(),
  timeout_sec: z.number().positive(),
  heartbeat_sec: z.number().positive(),
  lease_sec: z.number().positive(),
  /** Run without the service: it has been unavailable for longer than this kind of task waits for it. */
  fallback: z.boolean(),
  service: ServiceName,
  /** Path prefix in Storage under which this claim may write. */
  output_prefix: z.string().nullable(),
  /** A call ends after this long without an event, or in all where the service sends none. */
  silence_sec: z.number().positive(),
  /** W3C trace context of the job. A database of an older version sends none of the members from here on. */
  traceparent: z.string().nullish().catch(undefined),
  /** Seconds from when the task was due to the claim. */
  waited_sec: z.number().nonnegative().optional().catch(undefined),
  /** Settings by name, as of the claim. */
  settings: z.record(z.string(), z.unknown()).optional().catch(undefined),
  /** Seconds from the last sign of life of the lost worker that ran the task before; null if none was lost. */
  lost_for_sec: z.number().nullish().catch(undefined),
  /** Of a `separate` task: how the song is to be separated, and of which models stems are used; null: of any model. */
  separation: z
    .object({
      method: SeparationChoice,
      models: z.array(z.string().nullable()).nullable(),
      classical: z.string().nullable(),
    })
    .nullish()
    .catch(undefined),
  /** Whether the task is one of a studio version: nobody waits for it. */
  is_studio: z.boolean().default(false).catch(false),
  /** Whether the task is the probe of an open circuit. */
  is_probe: z.boolean().default(false).catch(false),
  /** Code of the fault that ended the attempt before; null: there was none. */
  last_error: z.string().nullish().catch(undefined),
});
/** A claimed task, with everything that its handler needs. */
export type Claim = z.infer<typeof Claim>;

const ClaimResult = z.discriminatedUnion('status', [
  Claim,
  z.object({ status: z.literal('gone') }),
  z.object({ status: z.literal('deferred'), reason: z.string().optional() }),
]);
export type ClaimResult = z.infer<typeof ClaimResult>;

/** `held` if the claim is held, otherwise why it is lost. */
const ClaimStatus = z.enum(['held', 'replayed', 'cancelled', 'failed', 'lost']).catch('lost');
type ClaimStatus = z.infer<typeof ClaimStatus>;

/** Claims a ready task for a worker. @throws UnreadableClaim if the answer is not as this version knows it */
export async function claimTask(db: Db, taskId: string, attempt: number, workerId: string): Promise<ClaimResult> {
  const { rows } = await sql<{ answer: unknown }>`
    select mashup.claim_task(${taskId}::bigint, ${attempt}::int, ${workerId}::uuid) as answer`.execute(db);
  const answer = ClaimResult.safeParse(rows[0]?.answer);
  if (answer.success) return answer.data;
  throw unreadable(answer.error);
}

/** Returns the error for an answer to a claim that this version cannot read. */
export function unreadable(error: z.ZodError): UnreadableClaim {
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return new UnreadableClaim(issues.slice(0, 3).join('; '), error);
}

/** Names a claim whose answer cannot be read: by its queue entry, or by the token that this worker chose. */
export type UnreadTask = { task: string; attempt: number } | { claim: string };

/**
 * Ends the attempt of a task that this worker has claimed with an answer that it cannot read, so that the attempt counts and the
 * next one follows after a back-off.
 * @returns as `failTask`; undefined if this worker does not hold the task
 */
export async function failUnreadableClaim(
  db: Db,
  unread: UnreadTask,
  workerId: string,
  fault: UnreadableClaim,
): Promise<string | undefined> {
  const isIt =
    'claim' in unread
      ? sql`t.claim = ${unread.claim}::uuid`
      : sql`t.id = ${unread.task}::bigint and t.attempt = ${unread.attempt}::int`;
  const { rows } = await sql<{ answer: string }>`
    select mashup.fail_task(t.id, t.claim, ${fault.code}, ${fault.message}, ${fault.hint}, ${fault.faultClass}) as answer
    from mashup.tasks t where ${isIt} and t.worker_id = ${workerId}::uuid and t.state = 'running'`.execute(db);
  return rows[0]?.answer;
}

/**
 * Returns a task that this worker has claimed without knowing it, because the answer was lost with the connection. Otherwise
 * the task would be held until its lease expires and would count as lost by a worker.
 * @param known claim tokens that this worker knows of; their tasks are kept
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

/** Returns a claimed task without its work. Does nothing if the claim is lost. */
export async function returnTask(db: Db, claim: Claim): Promise<void> {
  await sql`select mashup.return_task(${claim.task_id}::bigint, ${claim.claim}::uuid)`.execute(db);
}

/** Extends the lease of a claim. A report also writes progress (0..1 of the task) and the current step. */
export async function heartbeatTask(
  db: Db,
  claim: Claim,
  report: { progress?: number; step?: string } = {},
): Promise<ClaimStatus> {
  const { rows } = await sql<{ answer: unknown }>`
    select mashup.heartbeat_task(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${report.progress ?? null}::real, ${report.step ?? null}::text
    ) as answer`.execute(db);
  return ClaimStatus.parse(rows[0]?.answer);
}

/** Ends an attempt with a fault. Returns `retrying` or `failed`, or why the claim is lost. */
export async function failTask(
  db: Db,
  claim: Claim,
  fault: Pick<TaskError, 'code' | 'message' | 'hint' | 'faultClass'> &
    Partial<Pick<TaskError, 'retryAfterSec' | 'service'>> & { spendsAttempt?: boolean; wasAnswering?: boolean },
): Promise<string> {
  const { rows } = await sql<{ answer: string }>`
    select mashup.fail_task(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${fault.code}, ${fault.message}, ${fault.hint},
      ${fault.faultClass}, ${fault.retryAfterSec ?? null}::real, ${fault.service ?? null}::text,
      ${fault.spendsAttempt ?? true}::boolean, ${fault.wasAnswering ?? false}::boolean
    ) as answer`.execute(db);
  return rows[0]?.answer ?? 'lost';
}

/**
 * Writes on the job which parts of its mashup can be played, all so far. Returns `held`, or why the claim is lost; then nothing is
 * written.
 */
export async function publishPlayable(db: Db, claim: Claim, playable: PlayableAudio): Promise<ClaimStatus> {
  const { rows } = await sql<{ answer: unknown }>`
    select mashup.publish_playable(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${JSON.stringify(playable)}::jsonb
    ) as answer`.execute(db);
  return ClaimStatus.parse(rows[0]?.answer);
}

/**
 * Reports stems whose files are missing. Returns `remaking` (the job has gone back to make them again), `failed` (they were made
 * again in this run already), or why the claim is lost.
 */
export async function reportMissingStems(db: Db, claim: Claim, stemsIds: readonly number[]): Promise<string> {
  const { rows } = await sql<{ answer: string }>`
    select mashup.report_missing_stems(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${sql.val(stemsIds.map(String))}::bigint[]
    ) as answer`.execute(db);
  return rows[0]?.answer ?? 'lost';
}

/**
 * Ends a render that needs parts of songs that were not separated: the job goes back to separating. Returns `remaking`, `failed` if that did
 * not help before, or why the claim is not valid.
 */
export async function reportMissingRanges(
  db: Db,
  claim: Claim,
  ranges: Readonly<Record<string, SongRanges>>,
): Promise<string> {
  const { rows } = await sql<{ answer: string }>`
    select mashup.report_missing_ranges(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${JSON.stringify(ranges)}::text::jsonb
    ) as answer`.execute(db);
  return rows[0]?.answer ?? 'lost';
}

/** Deregisters a stopping worker and requeues its tasks. */
export async function deregisterWorker(db: Db, workerId: string): Promise<void> {
  await sql`select mashup.deregister_worker(${workerId}::uuid)`.execute(db);
}

/** Gives free slots to waiting jobs: a transaction found another one doing so. */
export async function admitWaiting(db: Db): Promise<void> {
  await sql`select mashup.admit_waiting()`.execute(db);
}

/** Runs the periodic maintenance once. Returns counts by kind of work; null if another worker is running it. */
export async function sweep(db: Db): Promise<Record<string, number> | null> {
  const { rows } = await sql<{ answer: Record<string, number> | null }>`select mashup.sweep() as answer`.execute(db);
  return rows[0]?.answer ?? null;
}

/** Saves a paid answer of the orchestrator. */
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

/** A budget for Claude: per job, per user and day, or per day. */
const Budget = z.enum(['job', 'user_day', 'day']);
export type Budget = z.infer<typeof Budget>;

/** Returns the budget for Claude that is used up for a job, or null. */
export async function findExhaustedBudget(db: Db, jobId: string): Promise<Budget | null> {
  const { rows } = await sql<{ budget: unknown }>`
    select mashup.exhausted_plan_budget(${jobId}::uuid) as budget`.execute(db);
  return Budget.nullable().parse(rows[0]?.budget ?? null);
}

/** An entry of the outbox: a Storage object, or all objects under a prefix, to delete. */
export interface StorageDeletion {
  id: string;
  bucket: string;
  path: string;
  is_prefix: boolean;
}

/** Claims due deletions for this worker, for ten minutes. */
export async function claimStorageDeletions(db: Db, limit: number): Promise<StorageDeletion[]> {
  const { rows } = await sql<StorageDeletion>`
    select id, bucket, path, is_prefix from mashup.claim_storage_deletions(${limit}::int)`.execute(db);
  return rows;
}

/** Removes completed deletions from the outbox. */
export async function completeStorageDeletions(db: Db, ids: readonly string[]): Promise<void> {
  await sql`select mashup.complete_storage_deletions(${sql.val([...ids])}::bigint[])`.execute(db);
}

/**
 * Returns a numeric setting as the claim carries it, or `fallback` if there is none of that name. A database of an older version is
 * asked for it.
 */
export async function settingNumber(
  { db, claim }: { db: Db; claim: Claim },
  name: string,
  fallback: number,
): Promise<number> {
  const carried = claim.settings?.[name];
  if (typeof carried === 'number') return carried;
  const { rows } = await sql<{ value: number | null }>`select mashup.setting_number(${name}) as value`.execute(db);
  return rows[0]?.value ?? fallback;
}

/** The schema of the queue: its name, and its oid, which changes when the schema is created again. */
export interface QueueSchema {
  name: string;
  oid: string;
}

/** Returns the schema of the queue; undefined while it is missing or this role may not use it. */
export async function findQueueSchema(db: Db): Promise<QueueSchema | undefined> {
  const { rows } = await sql<QueueSchema>`
    select q.name, n.oid::text as oid from (select mashup.queue_schema() as name) q join pg_namespace n on n.nspname = q.name
    where has_schema_privilege(n.oid, 'usage') and to_regclass(quote_ident(q.name) || '._private_tasks') is not null`.execute(
    db,
  );
  return rows[0];
}

/** Says why {@link findQueueSchema} finds no schema, and what to do. */
export async function explainMissingQueue(db: Db): Promise<string> {
  const { rows } = await sql<{ name: string; exists: boolean }>`
    select q.name, to_regclass(quote_ident(q.name) || '._private_tasks') is not null as exists
    from (select mashup.queue_schema() as name) q`.execute(db);
  const { name, exists } = rows[0] ?? { name: 'mashup_queue', exists: false };
  return exists
    ? `the schema of the queue, ${name}, is not granted to this role: connect as mashup_worker, or run \`mashup migrate\` again`
    : `the schema of the queue, ${name}, is missing, as after \`supabase db push\` alone: run \`mashup migrate\``;
}

/** Unlocks all queue entries that Graphile Worker pools hold. A second run of a started entry finds its task claimed. */
export async function unlockPools(db: Db, poolIds: readonly string[]): Promise<void> {
  await sql`select mashup.unlock_queue(${sql.val([...poolIds])}::text[])`.execute(db);
}
