/** `mashup show`: one job with songs, plan, tasks and events. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type postgres from 'postgres';
import { toMashupJob } from '@mashup-engine/client';
import type { JobResult, MashupJob, Plan } from '../../schema.ts';
import { fromLines } from '../../music/texts/lines.ts';
import { displayKeyWithCamelot } from '../../music/theory/keys.ts';
import { STEM_NAMES } from '../../music/theory/stem-texts.ts';
import type { StackOptions } from '../connect.ts';
import { ID_HELP } from '../job-id.ts';
import { findJobId, withDatabase } from '../operator.ts';
import { clock, truncate, paintStatus, print, printJson, table } from '../output.ts';
import { songText, stepText } from '../progress/texts.ts';
import { warningLines } from '../result.ts';

interface EventLine {
  epoch: number;
  type: string;
  stage: string;
  message: string;
  actor: string | null;
  at_sec: number;
}

interface TaskLine {
  id: string;
  kind: string;
  song_id: string | null;
  epoch: number;
  state: string;
  attempt: number;
  failures: number;
  run_sec: number | null;
  error: { code?: string; message?: string } | null;
}

/** Once there is a result, `plan` and `changes` are those of the plan as it was rendered. */
interface PlanLine {
  version: number;
  source: string;
  plan: Plan;
  model: string | null;
  tokens: Record<string, number> | null;
  cost_usd: string | null;
  changes: string | null;
}

/** Adds the command to the program. */
export function addShow(program: Command): void {
  program
    .command('show')
    .description('show one job: songs, plan, tasks, events')
    .argument('<id>', ID_HELP)
    .option('--json', 'as JSON')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { json?: boolean }>();
      const found = await withDatabase(options, (sql) => read(sql, id));
      if (options.json === true) printJson(found);
      else printAll(found);
    });
}

interface Found {
  job: MashupJob;
  plan: PlanLine | undefined;
  tasks: TaskLine[];
  events: EventLine[];
}

async function read(sql: postgres.Sql, text: string): Promise<Found> {
  const id = await findJobId(sql, text);
  const [jobs, plans, tasks, events] = [
    await sql<{ job: MashupJob }[]>`select to_jsonb(j) as job from public.mashup_jobs j where id = ${id}`,
    await sql<PlanLine[]>`
      select p.version, p.source, coalesce(r.plan, p.plan) as plan, p.model, p.tokens, p.cost_usd,
        coalesce(r.changes, p.changes) as changes
      from public.mashup_plans p
      join public.mashup_jobs j on j.id = p.job_id and j.plan_version = p.version
      left join public.mashup_results r on r.job_id = j.id and r.path = j.result_path where j.id = ${id}`,
    await sql<TaskLine[]>`
      select id, kind, song_id, epoch, state, attempt, failures, error,
        extract(epoch from finished_at - started_at)::real as run_sec
      from mashup.tasks where job_id = ${id} order by id`,
    await sql<EventLine[]>`
      select e.epoch, e.type, e.stage, e.message, e.actor, extract(epoch from e.created_at - j.created_at)::real as at_sec
      from public.mashup_job_events e join public.mashup_jobs j on j.id = e.job_id where e.job_id = ${id} order by e.id`,
  ];
  const job = jobs[0]?.job;
  if (job === undefined) throw new Error(`job ${id} was deleted during the command`);
  return { job, plan: plans[0], tasks, events };
}

/** What changed in a version: a line for each sentence. */
function changeLines(changes: string): string[] {
  return [pc.dim('  changed'), ...fromLines(changes).map((sentence) => `  - ${truncate(sentence, 300)}`)];
}

function printAll({ job, plan, tasks, events }: Found): void {
  print(`${pc.bold(job.title ?? 'Mashup')}  ${paintStatus(job.status, job.stage)}  ${Math.floor(job.progress)} %`);
  print(pc.dim(`${job.id}  epoch ${job.epoch}  version ${job.version}  created ${job.created_at}`));
  const shown = toMashupJob(job);
  if (job.status === 'processing') print(stepText(shown));
  if (job.error_code !== null) print(pc.red(`${job.error_code}: ${job.error_message} ${job.error_hint ?? ''}`));
  for (const line of warningLines(shown)) print(line);
  if (job.result !== null) print(`${pc.dim('result')}  ${resultText(job.result)}`);
  if (job.result_path !== null) print(`${pc.dim('file')}  ${job.result_path}`);

  heading('Songs');
  printRows(shown.songs.map((song) => [song.name, pc.dim(songText(song))]));
  if (plan !== undefined) {
    const { masterplan } = plan.plan;
    const { targetBPM, targetKey } = masterplan.global;
    heading(`Plan ${plan.version} (${plan.source}): ${targetBPM} bpm, ${displayKeyWithCamelot(targetKey)}`);
    print(`  ${truncate(plan.plan.creative_vision, 300)}`);
    const cost = costText(plan);
    if (cost !== '') print(`  ${pc.dim(cost)}`);
    if (plan.changes !== null) for (const line of changeLines(plan.changes)) print(line);
    printRows(
      masterplan.timeline.map((section) => [
        clock(section.time_start_sec),
        section.description,
        pc.dim(section.layers.map((layer) => `${nameOf(job, layer.songId)} ${STEM_NAMES[layer.stem]}`).join(', ')),
      ]),
    );
  }
  heading('Tasks');
  printRows(
    tasks.map((task) => [
      task.kind,
      task.song_id === null ? '' : nameOf(job, task.song_id),
      task.state,
      task.run_sec === null ? '' : `${task.run_sec.toFixed(2)} s`,
      pc.dim(task.error?.code ?? ''),
    ]),
  );
  heading('Events');
  printRows(
    events.map((event) => [
      pc.dim(`+${event.at_sec.toFixed(2)} s`),
      event.type,
      event.stage,
      event.message,
      pc.dim(event.actor ?? ''),
    ]),
  );
}

/** Returns tempo, key and length of a result, and whether it passed the quality checks. */
function resultText({ bpm, key, duration_sec, quality }: JobResult): string {
  const verdict = { true: 'quality checks passed', false: pc.red('quality checks failed'), undefined: '' };
  return [`${bpm.toFixed(1)} bpm`, displayKeyWithCamelot(key), clock(duration_sec), verdict[`${quality?.passed}`]]
    .filter((part) => part !== '')
    .join(', ');
}

/** Returns model, tokens and cost of a plan, as far as they are known. All answers for the plan are included. */
function costText({ model, tokens, cost_usd }: PlanLine): string {
  const counts = Object.entries(tokens ?? {}).map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`);
  const cost = cost_usd === null ? [] : [`${Number(cost_usd).toFixed(3)} US dollars`];
  return [...(model === null ? [] : [model]), ...counts, ...cost].join(', ');
}

function heading(text: string): void {
  print();
  print(pc.bold(text));
}

function printRows(rows: string[][]): void {
  for (const line of table(rows)) print(`  ${line}`);
}

function nameOf(job: MashupJob, songId: string): string {
  return job.songs.find((song) => song.song_id === songId)?.name ?? songId;
}
