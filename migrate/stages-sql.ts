/** SQL that follows from schema/stages.ts: the rows of the state machine, and the calls of each stage's own functions. */
import { CIRCUITS } from '../schema/services.ts';
import { STAGE_DEFINITIONS, TASK_KIND_DEFINITIONS } from '../schema/stages.ts';

const HEADER = '-- Generated from schema/stages.ts by `npm run schema:build`. Do not edit.\n';

/**
 * Writes the rows of `mashup.stages`, `mashup.transitions`, `mashup.task_kinds`, `mashup.stage_stats` and
 * `mashup.service_health`.
 * @returns SQL text
 */
export function stageRowsSql(): string {
  return [
    HEADER,
    insert(
      'mashup.stages (stage, position, is_terminal, progress_from, progress_to, step, makes, ends_early)',
      STAGE_DEFINITIONS.map((one, position) => [
        one.stage,
        position,
        one.isTerminal === true,
        ...one.progress,
        one.step,
        one.makes?.text ?? null,
        one.endsEarly === true,
      ]),
    ),
    insert('mashup.transitions (from_stage, to_stage, name, made_by)', transitions()),
    insert(
      'mashup.task_kinds (kind, stage, service, priority, max_attempts, backoff_sec, backoff_max_sec, timeout_sec, fallback_after_sec,\n  song_member, song_state, song_step, output_path, reports_progress, uses_storage)',
      TASK_KIND_DEFINITIONS.map((one) => [
        one.kind,
        one.stage,
        one.service,
        one.priority,
        one.maxAttempts,
        ...one.backoffSec,
        one.timeoutSec,
        one.fallbackAfterSec ?? null,
        one.perSong?.member ?? null,
        one.perSong?.state ?? null,
        one.perSong?.step ?? null,
        one.outputPath ?? null,
        one.reportsProgress === true,
        one.usesStorage === true,
      ]),
    ),
    insert(
      'mashup.stage_stats (kind, base_sec, per_song_sec, mean_sec, is_by_length)',
      TASK_KIND_DEFINITIONS.map(({ kind, expectedSec }) => [
        kind,
        expectedSec.base,
        expectedSec.perSong,
        expectedSec.mean,
        expectedSec.isByLength === true,
      ]),
    ),
    insert(
      'mashup.service_health (service)',
      CIRCUITS.map((service) => [service]),
    ),
  ].join('\n');
}

/**
 * Writes the functions that call a stage's own: `mashup.record_task` stores the result of a task, `mashup.has_output` tells
 * whether a job has what a stage makes.
 * @returns SQL text
 */
export function stageCallsSql(): string {
  const records = TASK_KIND_DEFINITIONS.map(
    ({ kind, record }) => `    when ${literal(kind)} then return mashup.${record}(p_job, p_task, p_result);`,
  );
  const checks = STAGE_DEFINITIONS.flatMap(({ stage, makes }) =>
    makes === undefined ? [] : `    when ${literal(stage)} then return mashup.${makes.check}(p_job);`,
  );
  return `${HEADER}
create function mashup.record_task(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
begin
  case p_task.kind
${records.join('\n')}
  end case;
end
$$;
comment on function mashup.record_task(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of a finished task by the function of its kind. Returns the job with what the result changes of its row, not written yet: the columns of save_result. Lock: job and task rows held by the caller. Raises MB003, MB006.';

create function mashup.has_output(p_job public.mashup_jobs, p_stage text) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  case p_stage
${checks.join('\n')}
    else return true;
  end case;
end
$$;
comment on function mashup.has_output(public.mashup_jobs, text) is 'Returns whether a job has what a stage makes.';

revoke execute on all functions in schema mashup from public;
`;
}

type Value = string | number | boolean | null;

/** The legal transitions: those of the engine along the order of the stages, and those of operators. */
function transitions(): Value[][] {
  const live = STAGE_DEFINITIONS.filter((one) => !one.isTerminal).map(({ stage }) => stage);
  const [queued, first] = live;
  if (queued === undefined || first === undefined) throw new Error('there are no stages');
  const working = live.slice(1);
  const planning = working.indexOf('planning');
  return [
    // A job enters the first stage, an iteration enters planning.
    [queued, first, 'admit', 'engine'],
    [queued, 'planning', 'admit', 'engine'],
    ...working.map((stage, n): Value[] => [stage, working[n + 1] ?? 'complete', 'advance', 'engine']),
    // A plan that uses an excluded song is made again.
    ...working.slice(planning).map((stage): Value[] => [stage, 'planning', 'replan', 'engine']),
    // Stems whose files are missing are made again.
    ['rendering', 'separating', 'remake', 'engine'],
    ...live.map((stage): Value[] => [stage, 'failed', 'fail', 'engine']),
    ...live.map((stage): Value[] => [stage, 'cancelled', 'cancel', 'operator']),
    // A live job is replayed from its stage or an earlier one, an ended job from any.
    ...STAGE_DEFINITIONS.flatMap(({ stage: from }, position) =>
      live.filter((_to, n) => n <= position).map((to): Value[] => [from, to, 'replay', 'operator']),
    ),
  ];
}

function insert(target: string, rows: Value[][]): string {
  return `insert into ${target} values\n${rows.map((row) => `  (${row.map(literal).join(', ')})`).join(',\n')};\n`;
}

function literal(value: Value): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
