/** Guards of the state machine, each with the text that takes it out. */

/** A patch of one function's body: `from` must be there exactly `times` times (once by default). */
export interface Patch {
  function: string;
  from: string;
  to: string;
  times?: number;
}

export interface Mutant {
  guard: string;
  patches: Patch[];
  /** Where the guard only matters between transactions that overlap, the storm shows it; else random sequences do. */
  shownBy: 'sequences' | 'storm';
}

const one = (guard: string, name: string, from: string, to: string, times = 1): Mutant => ({
  guard,
  patches: [{ function: name, from, to, times }],
  shownBy: 'sequences',
});

/** Takes nothing out: what must pass, or the others prove nothing. */
export const CONTROL: Mutant = { guard: 'nothing is taken out', patches: [], shownBy: 'sequences' };

export const MUTANTS: readonly Mutant[] = [
  one('a write needs the claim that holds', 'lock_claim', 'and t.claim = p_claim and t.state', 'and t.state'),
  one('a wake-up claims its own attempt only', 'claim_task', ' and attempt = p_attempt', '', 2),
  one(
    'a claimed task is judged again under its lock',
    'claim_task',
    "state = 'ready' and attempt = p_attempt and epoch = v_job.epoch",
    'true',
  ),
  one('what is paused is not claimed', 'claim_task', 'if exists (select from mashup.pauses) and', 'if false and'),
  one('a task that cost workers runs alone', 'claim_task', 'v_solo and v_others > 0', 'false'),
  one('tasks of an old epoch are dropped', 'after_transition', 'if new.epoch > old.epoch then', 'if false then'),
  one(
    'a complete job leaves no task behind',
    'after_transition',
    "elsif new.stage = 'complete' then",
    'elsif false then',
  ),
  one(
    'a stage waits for all its tasks',
    'advance_job',
    "and t.state in ('waiting', 'ready', 'running')) then\n    return;",
    'and false) then\n    return;',
  ),
  one('a stage is entered with what it needs', 'check_transition', 'if v_missing is not null then', 'if false then'),
  one(
    'a draft of one song is not rendered',
    'check_transition',
    'if jsonb_array_length(new.songs) < 2 then',
    'if false then',
  ),
  one(
    'a task that was touched names its job’s wait',
    'request_schedule_for_task',
    'perform mashup.mark_waiting_on_stale(new.job_id);',
    '',
  ),
  one(
    'a job whose task was made ready waits no more',
    'mark_ready_job_stale',
    'perform mashup.mark_waiting_on_stale(new.job_id);',
    '',
  ),
  one('a pause or a circuit names all waits', 'mark_all_jobs_stale', 'perform mashup.mark_waiting_on_stale(null);', ''),
  one('every change raises the version', 'touch_job', 'new.version := old.version + 1', 'new.version := old.version'),
  {
    guard: 'progress does not fall',
    shownBy: 'sequences',
    patches: [
      { function: 'touch_job', from: 'new.progress := greatest(new.progress, old.progress);', to: '' },
      {
        function: 'heartbeat_task',
        from: 'progress = greatest(j.progress, coalesce(v_progress, 0))',
        to: 'progress = coalesce(v_progress, j.progress)',
      },
    ],
  },
  one(
    'a service has so many places',
    'service_capacity',
    "where t.state = 'running' and not t.fallback",
    'where false',
  ),
  one(
    'an open circuit lets nothing through',
    'service_capacity',
    "elsif v_health.state in ('open', 'half_open') then",
    'elsif false then',
  ),
  one(
    'a probe that is gone makes room for another',
    'reset_orphaned_probes',
    "where s.state = 'half_open' and not exists",
    'where false and not exists',
  ),
  one(
    'so many jobs run',
    'admit_jobs',
    "mashup.setting_number('max_running_jobs')::integer - count(*)",
    '99 + 0 * count(*)',
  ),
  one(
    'so many jobs of a user run',
    'next_admission',
    "mashup.setting_number('max_running_jobs_per_user')::integer - 1",
    '9',
  ),
  one('a song is left out only while two are left', 'exclude_song', 'if v_good < 2 then', 'if v_good < 1 then'),
  one('a plan without a song that is gone is made again', 'finish_task', 'if v_replan then', 'if false then'),
  one('attempts are counted', 'end_attempt', 'p_permanent or v_failures >= p_kind.max_attempts', 'p_permanent'),
  one('a lease runs out', 'sweep_workers', 'or t.lease_until < mashup.now() or', 'or'),
  one(
    'a dead process is noticed by its lock',
    'dead_workers',
    'and not exists (\n        select from pg_catalog.pg_locks',
    'and exists (select) and false and not exists (\n        select from pg_catalog.pg_locks',
  ),
  one(
    'a task that kills its workers ends',
    'recover_task',
    "v_task.solo_crashes >= mashup.setting_number('max_solo_crashes')",
    'false',
  ),
  one(
    'lost wake-ups are put back',
    'reconcile_queue',
    "if pg_catalog.to_regclass('graphile_worker.jobs') is null then",
    'if true then',
  ),
  {
    guard: 'one transaction at a time gives slots and places',
    shownBy: 'storm',
    patches: [{ function: 'schedule', from: "perform pg_advisory_xact_lock(hashtext('mashup.schedule'));", to: '' }],
  },
  {
    guard: 'a worker’s write takes the job before the task',
    shownBy: 'storm',
    patches: [
      {
        function: 'lock_claim',
        from: 'perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id) for no key update;',
        to: '',
      },
    ],
  },
];
