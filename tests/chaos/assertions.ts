/** What must hold when the storm is over, asked of rows and files alone. */
import type { ChaosWorld } from './chaos-fixture.ts';
import { until } from './chaos-fixture.ts';
import { CODE_OF_DOOM } from './fault-plan.ts';
import type { Doom } from './fault-plan.ts';
import { textOfWav } from './services.ts';
import type { Signature } from './services.ts';

/** How long the outbox may take to drain: the delays that the run set, and the rounds of the workers. */
const DRAIN_MS = 60_000;

export interface Submitted {
  id: string;
  doom: Doom;
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
  left: number;
}

/** Judges jobs, results and events. @returns faults, one sentence each */
export async function judgeJobs(
  world: ChaosWorld,
  submitted: readonly Submitted[],
  cancelled: ReadonlySet<string>,
): Promise<string[]> {
  const faults: string[] = [];
  const jobs = await world.ask(
    (sql) => sql<EndedJob[]>`
    select j.id, j.stage, j.epoch, j.error_code, j.error_message, j.result_path, j.plan_version,
      coalesce((select jsonb_agg(r) from mashup_results r where r.job_id = j.id and r.epoch = j.epoch), '[]') as results,
      coalesce((select jsonb_agg(t) from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.kind = 'render' and t.state = 'done'), '[]') as renders,
      (select p.plan #>> '{masterplan,title}' from mashup_plans p where p.job_id = j.id and p.version = j.plan_version) as title,
      (select count(*)::int from mashup.tasks t where t.job_id = j.id and t.state in ('waiting', 'ready', 'running')) as left
    from mashup_jobs j`,
  );
  const byId = new Map(jobs.map((job) => [job.id, job]));
  if (jobs.length !== submitted.length)
    faults.push(`${jobs.length} jobs are there, ${submitted.length} were submitted`);
  for (const { id, doom } of submitted) {
    const job = byId.get(id);
    if (!job) {
      faults.push(`job ${id} is lost`);
      continue;
    }
    if (job.left > 0) faults.push(`job ${id} is ${job.stage} and has ${job.left} live tasks`);
    if (job.stage === 'cancelled') {
      if (!cancelled.has(id)) faults.push(`job ${id} is cancelled, and nobody did it`);
    } else if (job.stage === 'failed') {
      if (job.error_code !== CODE_OF_DOOM[doom])
        faults.push(`job ${id} (${doom}) failed with ${job.error_code}: ${job.error_message}`);
    } else if (job.stage !== 'complete') {
      faults.push(`job ${id} is stuck in ${job.stage}`);
    } else if (CODE_OF_DOOM[doom] !== undefined) {
      faults.push(`job ${id} is complete although it is ${doom}`);
    } else {
      faults.push(...(await judgeResult(world, job)));
    }
  }
  return [...faults, ...(await judgeEvents(world))];
}

/** One current result, made under the claim that finished, by the current plan; and the file says the same. */
async function judgeResult(world: ChaosWorld, job: EndedJob): Promise<string[]> {
  const [result, ...others] = job.results;
  const [render, ...renders] = job.renders;
  if (!result || !render || others.length > 0 || renders.length > 0)
    return [`job ${job.id} has ${job.results.length} current results of ${job.renders.length} renders`];
  if (
    result.path !== job.result_path ||
    result.path !== `${render.output_prefix}.wav` ||
    result.plan_version !== job.plan_version
  )
    return [
      `job ${job.id} points to ${job.result_path}, its result is ${result.path}, its render wrote ${render.output_prefix}`,
    ];
  const { data, error } = await world.bucket.download(result.path);
  if (error) return [`job ${job.id}: its file is not in Storage: ${error.message}`];
  const says = JSON.parse(textOfWav(Buffer.from(await data.arrayBuffer()))) as Signature;
  const isRight =
    says.job === job.id &&
    says.epoch === job.epoch &&
    says.title === job.title &&
    render.output_prefix === `generated/${says.job}/${says.epoch}-${says.claim}`;
  return isRight
    ? []
    : [`job ${job.id} in epoch ${job.epoch} with "${job.title}" has a file of ${JSON.stringify(says)}`];
}

/** The history of each job reads as one chain of moves, in epochs that only rise, and ends where the job is. */
async function judgeEvents(world: ChaosWorld): Promise<string[]> {
  const faults: string[] = [];
  const rows = await world.ask(
    (sql) => sql<
      { job_id: string; type: string; epoch: number; stage: string; from_stage: string | null; now: string }[]
    >`
    select e.job_id, e.type, e.epoch, e.stage, e.from_stage, j.stage as now
    from mashup_job_events e join mashup_jobs j on j.id = e.job_id order by e.job_id, e.id`,
  );
  const last = new Map<string, { stage: string; epoch: number; now: string }>();
  for (const { job_id, type, epoch, stage, from_stage, now } of rows) {
    const before = last.get(job_id);
    if (before && epoch < before.epoch)
      faults.push(`job ${job_id}: an event of epoch ${epoch} after one of ${before.epoch}`);
    const isMove = ['stage', 'replay', 'error', 'cancel'].includes(type);
    if (before && isMove && from_stage !== before.stage)
      faults.push(`job ${job_id}: moved from ${from_stage} when it was ${before.stage}`);
    if (before && !isMove && stage !== before.stage)
      faults.push(`job ${job_id}: "${type}" in ${stage} when it was ${before.stage}`);
    last.set(job_id, { stage, epoch, now });
  }
  for (const [id, { stage, now }] of last)
    if (stage !== now) faults.push(`job ${id}: its history ends in ${stage}, it is ${now}`);
  return faults;
}

/** Waits for the outbox, then holds every object against the rows. */
export async function judgeStorage(world: ChaosWorld): Promise<string[]> {
  await until(
    async () =>
      `the outbox is empty: ${JSON.stringify(await world.ask((sql) => sql`select * from mashup.storage_deletions limit 3`))}`,
    async () => {
      const [row] = await world.ask(
        (sql) => sql<{ n: number }[]>`select count(*)::int as n from mashup.storage_deletions`,
      );
      return row?.n === 0;
    },
    DRAIN_MS,
  );
  const rows = await world.ask(
    (sql) => sql<{ what: string; name: string }[]>`
    with known (name) as (
      select path from mashup_results union select p.value from mashup.stems s, jsonb_each_text(s.paths) p
    ), there as (
      select name from storage.objects where bucket_id = 'mashups' and name not like 'uploads/%'
    )
    select 'an orphan in Storage' as what, name from there where name not in (select name from known)
    union all
    select 'a file that is gone' as what, name from known where name not in (select name from there)`,
  );
  return rows.map(({ what, name }) => `${what}: ${name}`);
}

/** After all workers have left: nothing of them is left in the database. */
export async function judgeLeaks(world: ChaosWorld): Promise<string[]> {
  const [row] = await world.ask(
    (sql) => sql<Record<string, number>[]>`
    select
      (select count(*)::int from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()) as "advisory locks",
      (select count(*)::int from pg_stat_activity where usename = 'mashup_worker') as "connections of workers",
      (select count(*)::int from pg_replication_slots) as "replication slots",
      (select count(*)::int from pg_prepared_xacts) as "prepared transactions",
      (select count(*)::int from mashup.workers) as "rows of workers",
      (select count(*)::int from graphile_worker._private_jobs where locked_at is not null) as "locked wake-ups",
      (select count(*)::int from mashup.tasks where state = 'running') as "running tasks"`,
  );
  return Object.entries(row ?? {}).flatMap(([what, count]) => (count > 0 ? [`${count} ${what} are left`] : []));
}
