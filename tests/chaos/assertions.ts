/** Checks at the end of a stress test, by rows and files alone. Each returns its violations, one sentence each. */
import type { ChaosFixture } from './chaos-fixture.ts';
import { EXPECTED_ERROR } from './fault-plan.ts';
import type { JobFault } from './fault-plan.ts';
import { textOfWav } from './stress-wav.ts';
import type { Signature } from './stress-wav.ts';

/** Limit for the outbox to become empty: the delays that the test sets, and the intervals of the workers. */
const OUTBOX_LIMIT_MS = 60_000;

export interface SubmittedJob {
  id: string;
  fault: JobFault;
}

interface EndedJob {
  id: string;
  stage: string;
  epoch: number;
  error_code: string | null;
  error_message: string | null;
  result_path: string | null;
  plan_version: number | null;
  results: { path: string; plan_version: number }[];
  renders: { output_prefix: string }[];
  title: string | null;
  live_tasks: number;
}

/** Checks outcomes, results and events of the jobs. */
export async function checkJobs(
  fixture: ChaosFixture,
  submitted: readonly SubmittedJob[],
  cancelled: ReadonlySet<string>,
): Promise<string[]> {
  const violations: string[] = [];
  const jobs = await loadJobs(fixture);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  if (jobs.length !== submitted.length)
    violations.push(`there are ${jobs.length} jobs, ${submitted.length} were submitted`);
  for (const { id, fault } of submitted) {
    const job = byId.get(id);
    if (!job) violations.push(`job ${id} is missing`);
    else violations.push(...(await checkOutcome(fixture, job, fault, cancelled.has(id))));
  }
  return [...violations, ...(await checkEvents(fixture))];
}

function loadJobs(fixture: ChaosFixture): Promise<EndedJob[]> {
  return fixture.query(async (sql) => [
    ...(await sql<EndedJob[]>`
    select j.id, j.stage, j.epoch, j.error_code, j.error_message, j.result_path, j.plan_version,
      coalesce((select jsonb_agg(r) from mashup_results r where r.job_id = j.id and r.epoch = j.epoch), '[]') as results,
      coalesce((select jsonb_agg(t) from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.kind = 'render' and t.state = 'done'), '[]') as renders,
      (select p.plan #>> '{masterplan,title}' from mashup_plans p where p.job_id = j.id and p.version = j.plan_version) as title,
      (select count(*)::int from mashup.tasks t where t.job_id = j.id and t.state in ('waiting', 'ready', 'running')) as live_tasks
    from mashup_jobs j`),
  ]);
}

async function checkOutcome(
  fixture: ChaosFixture,
  job: EndedJob,
  fault: JobFault,
  wasCancelled: boolean,
): Promise<string[]> {
  const { id, stage } = job;
  const expectedError = EXPECTED_ERROR[fault];
  const violations = job.live_tasks > 0 ? [`job ${id} is ${stage} and has ${job.live_tasks} live tasks`] : [];
  if (stage === 'cancelled') {
    if (!wasCancelled) violations.push(`job ${id} is cancelled, but no command cancelled it`);
  } else if (stage === 'failed') {
    if (job.error_code !== expectedError)
      violations.push(`job ${id} (${fault}) failed with ${job.error_code}: ${job.error_message}`);
  } else if (stage !== 'complete') {
    violations.push(`job ${id} is stuck in ${stage}`);
  } else if (expectedError !== undefined) {
    violations.push(`job ${id} is complete, but its fault is ${fault}`);
  } else {
    violations.push(...(await checkResult(fixture, job)));
  }
  return violations;
}

/** A job has one current result, written by the claim that finished, for the current plan. The file has the same signature. */
async function checkResult(fixture: ChaosFixture, job: EndedJob): Promise<string[]> {
  const [result, ...otherResults] = job.results;
  const [render, ...otherRenders] = job.renders;
  if (!result || !render || otherResults.length > 0 || otherRenders.length > 0)
    return [`job ${job.id} has ${job.results.length} current results of ${job.renders.length} renders`];
  if (
    result.path !== job.result_path ||
    result.path !== `${render.output_prefix}.wav` ||
    result.plan_version !== job.plan_version
  )
    return [
      `job ${job.id} points to ${job.result_path}, its result is ${result.path}, its render wrote ${render.output_prefix}`,
    ];
  const { data, error } = await fixture.bucket.download(result.path);
  if (error) return [`job ${job.id}: its file is not in Storage: ${error.message}`];
  const signature = JSON.parse(textOfWav(Buffer.from(await data.arrayBuffer()))) as Signature;
  const isRight =
    signature.job === job.id &&
    signature.epoch === job.epoch &&
    signature.title === job.title &&
    render.output_prefix === `generated/${signature.job}/${signature.epoch}-${signature.claim}`;
  return isRight
    ? []
    : [`job ${job.id} in epoch ${job.epoch} with "${job.title}" has a file of ${JSON.stringify(signature)}`];
}

interface JobEvent {
  job_id: string;
  type: string;
  epoch: number;
  stage: string;
  from_stage: string | null;
  current_stage: string;
}

/** The events of each job are one chain of transitions with rising epochs, which ends in the job's stage. */
async function checkEvents(fixture: ChaosFixture): Promise<string[]> {
  const violations: string[] = [];
  const events = await fixture.query(
    (sql) => sql<JobEvent[]>`
    select e.job_id, e.type, e.epoch, e.stage, e.from_stage, j.stage as current_stage
    from mashup_job_events e join mashup_jobs j on j.id = e.job_id order by e.job_id, e.id`,
  );
  const last = new Map<string, JobEvent>();
  for (const event of events) {
    const before = last.get(event.job_id);
    last.set(event.job_id, event);
    if (!before) continue;
    const { job_id, type, epoch, stage, from_stage } = event;
    if (epoch < before.epoch) violations.push(`job ${job_id}: an event of epoch ${epoch} after one of ${before.epoch}`);
    const isTransition = ['stage', 'replay', 'error', 'cancel'].includes(type);
    if (isTransition && from_stage !== before.stage)
      violations.push(`job ${job_id}: a transition from ${from_stage} when it was ${before.stage}`);
    if (!isTransition && stage !== before.stage)
      violations.push(`job ${job_id}: "${type}" in ${stage} when it was ${before.stage}`);
  }
  for (const { job_id, stage, current_stage } of last.values())
    if (stage !== current_stage) violations.push(`job ${job_id}: its events end in ${stage}, it is ${current_stage}`);
  return violations;
}

/** Waits until the outbox is empty. Then every object has a row, and every row its object. @throws if the outbox stays filled */
export async function checkStorage(fixture: ChaosFixture): Promise<string[]> {
  const firstDeletions = (): Promise<unknown> =>
    fixture.query((sql) => sql`select * from mashup.storage_deletions limit 3`);
  await fixture.until(
    async () => `the outbox is empty: ${JSON.stringify(await firstDeletions())}`,
    async () => {
      const [row] = await fixture.query(
        (sql) => sql<{ n: number }[]>`select count(*)::int as n from mashup.storage_deletions`,
      );
      return row?.n === 0;
    },
    OUTBOX_LIMIT_MS,
  );
  const rows = await fixture.query(
    (sql) => sql<{ what: string; name: string }[]>`
    with known (name) as (
      select path from mashup_results union select f from mashup.stems s, mashup.stem_files(s.paths) f
    ), stored as (
      select name from storage.objects where bucket_id = 'mashups' and name not like 'uploads/%'
    )
    select 'an object without a row' as what, name from stored where name not in (select name from known)
    union all
    select 'a row without its object' as what, name from known where name not in (select name from stored)`,
  );
  return rows.map(({ what, name }) => `${what}: ${name}`);
}

/** After the end of all workers, nothing of them is left in the database. */
export async function checkLeaks(fixture: ChaosFixture): Promise<string[]> {
  const [row] = await fixture.query(
    (sql) => sql<Record<string, number>[]>`
    select
      (select count(*)::int from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()) as "advisory locks",
      (select count(*)::int from pg_stat_activity where usename = 'mashup_worker') as "connections of workers",
      (select count(*)::int from pg_replication_slots) as "replication slots",
      (select count(*)::int from pg_prepared_xacts) as "prepared transactions",
      (select count(*)::int from mashup.workers) as "rows of workers",
      (select count(*)::int from mashup_queue._private_jobs where locked_at is not null) as "locked queue entries",
      (select count(*)::int from mashup.tasks where state = 'running') as "running tasks"`,
  );
  return Object.entries(row ?? {}).flatMap(([what, count]) => (count > 0 ? [`${count} ${what} are left`] : []));
}
