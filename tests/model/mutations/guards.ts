/**
 * Guards of the state machine, each with the text that removes it. That no task is handed over past an open circuit is shown by
 * tests/state-machine/hand-over.test.ts: random sequences seldom come upon it.
 */

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
  /** A guard that only matters between overlapping transactions shows under stress; any other in random sequences. */
  shownBy: 'sequences' | 'stress';
}

const one = (guard: string, name: string, from: string, to: string, times = 1): Mutant => ({
  guard,
  patches: [{ function: name, from, to, times }],
  shownBy: 'sequences',
});

/** Removes nothing. It must pass, or the others prove nothing. */
export const CONTROL: Mutant = { guard: 'no guard removed', patches: [], shownBy: 'sequences' };

export const MUTANTS: readonly Mutant[] = [
  one('a write requires a valid claim', 'lock_claim', 'and t.claim = p_claim and t.state', 'and t.state'),
  one('a queue entry claims its own attempt only', 'claim_task', ' and attempt = p_attempt', '', 2),
  one(
    'a claimed task is checked again under its lock',
    'claim_task',
    "state = 'ready' and attempt = p_attempt and epoch = v_job.epoch",
    'true',
  ),
  one('a render begins without the parts of an earlier claim', 'show_start', 'v_job.playable := null;', ''),
  one(
    'parts are not replaced by fewer',
    'publish_playable',
    "< jsonb_array_length(p_playable -> 'ends')",
    '> 0 or true',
  ),
  one('a paused task is not claimed', 'claim_task', 'if exists (select from mashup.pauses) and', 'if false and'),
  one('a task that lost workers runs alone', 'defer_solo', 'if (v_solo and exists', 'if (false and exists'),
  one('tasks of an old epoch are dropped', 'after_transition', 'if new.epoch > old.epoch then', 'if false then'),
  one(
    'a complete job leaves no unfinished task',
    'after_transition',
    "elsif new.stage = 'complete' then",
    'elsif false then',
  ),
  one('a stage waits for all its tasks', 'advance_job', 'if v_live > 0 and not v_ends_early then', 'if false then'),
  one(
    'a stage that ends early is done only with its output',
    'advance_job',
    'or mashup.has_output(p_job, p_job.stage)',
    'or true',
  ),
  one('a stage is entered with its prerequisites', 'reset_for_rerun', 'if v_missing is not null then', 'if false then'),
  one(
    'a draft of one song is not rendered',
    'reset_for_rerun',
    'if jsonb_array_length(p_job.songs) < 2 then',
    'if false then',
  ),
  one(
    'only legal transitions are made',
    'check_transition',
    'if not exists (select from mashup.transitions',
    'if false and not exists (select from mashup.transitions',
  ),
  one(
    'a changed task refreshes waiting_on of its job',
    'request_schedule_for_task',
    'v_noted := mashup.mark_waiting_on_stale(new.job_id);',
    '',
  ),
  one(
    'a ready task refreshes waiting_on of its job',
    'mark_ready_job_stale',
    'v_noted := mashup.mark_waiting_on_stale(new.job_id);',
    '',
  ),
  one(
    'a pause or a circuit refreshes waiting_on of all jobs',
    'mark_all_jobs_stale',
    'perform mashup.mark_waiting_on_stale(null);',
    '',
  ),
  one(
    'a replay clears the warnings of the stages that run again',
    'detach_outputs',
    'p_job.warnings := mashup.warnings_outside(p_job.warnings, p_again);',
    '',
  ),
  one('failed quality checks reach the row', 'record_result', "coalesce(p_result -> 'warnings', '[]')", "'[]'"),
  one('every change raises the version', 'touch_job', 'new.version := old.version + 1', 'new.version := old.version'),
  {
    guard: 'progress does not fall',
    shownBy: 'sequences',
    patches: [
      { function: 'touch_job', from: 'new.progress := greatest(new.progress, old.progress);', to: '' },
      {
        function: 'show_progress',
        from: 'progress = greatest(j.progress, coalesce(v_progress, 0))',
        to: 'progress = coalesce(v_progress, j.progress)',
      },
    ],
  },
  one('calls to a service are limited', 'free_places', 'p.is_open and p.task_id is null and', 'p.is_open and'),
  one(
    'an open circuit passes no task',
    'circuit_of',
    "h.state = 'half_open' or (h.state = 'open' and h.retry_at > mashup.now())",
    'false',
  ),
  one(
    'Storage that is not available holds back the tasks that use it',
    'services_of',
    'when p_kind.uses_storage then',
    'when false then',
  ),
  one(
    'a task that was dispatched before Storage failed waits',
    'claim_task',
    'if v_kind.uses_storage and exists',
    'if false and exists',
  ),
  one('missing stems are made again once in a run', 'report_missing_stems', 'if mashup.remade_stems(v_job) or', 'if'),
  one(
    'an orphaned probe makes room for another',
    'reset_orphaned_probes',
    "where s.state = 'half_open' and not exists",
    'where false and not exists',
  ),
  one(
    'running jobs are limited',
    'admit_jobs',
    "mashup.setting_number('max_running_jobs')::integer - count(*)",
    '99 + 0 * count(*)',
  ),
  one(
    'running jobs of a user are limited',
    'next_admission',
    "mashup.setting_number('max_running_jobs_per_user')::integer - 1",
    '9',
  ),
  one('a song is excluded only while two are left', 'exclude_song', 'if v_left < 2 then', 'if v_left < 1 then'),
  one(
    'a plan with an excluded song is made again',
    'advance_job',
    'and mashup.is_plan_outdated(p_job) then',
    'and false then',
  ),
  one('attempts are limited', 'end_attempt', 'p_permanent or v_failures >= p_kind.max_attempts', 'p_permanent'),
  one('a lease expires', 'sweep_workers', 'or (v_leases_count and t.lease_until < mashup.now()) or', 'or'),
  one(
    'a lost process is detected by its lock',
    'dead_workers',
    'and not exists (\n        select from pg_catalog.pg_locks',
    'and exists (select) and false and not exists (\n        select from pg_catalog.pg_locks',
  ),
  one(
    'a task that kills its workers fails',
    'recover_task',
    "v_task.solo_crashes >= mashup.setting_number('max_solo_crashes')",
    'false',
  ),
  one(
    'missing queue entries are enqueued again',
    'reconcile_queue',
    "if pg_catalog.to_regclass(/*queue*/'mashup_queue' || '.jobs') is null then",
    'if true then',
  ),
  one('a task that ends frees its place', 'release_place', 'set task_id = null, held_until', 'set held_until'),
  one('a deleted task frees its place', 'release_place_of_deleted', 'perform mashup.release_place(old, null);', ''),
  one(
    'the place of a call that may go on stays taken',
    'release_place',
    'held_until = p_held_until',
    'held_until = null',
  ),
  one('a task that lost a worker is not handed over', 'may_hand_over', 'if p_task.crashes > 0 then', 'if false then'),
  one(
    'a paused task is not handed over',
    'hand_over',
    'v_job.admitted_at is null or exists (select from mashup.pauses)',
    'v_job.admitted_at is null',
  ),
  one('a worker that runs a task alone gets no other', 'hand_over', ' and w.solo_task is null', ''),
  one(
    'a repeated finish returns the claim of the first one',
    'finish_task_and_claim',
    't.claim = p_next_claim and',
    'false and',
  ),
  {
    guard: 'a write of a worker locks the job before the task',
    shownBy: 'stress',
    patches: [
      {
        function: 'lock_claim',
        from: 'perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id) for no key update;',
        to: '',
      },
    ],
  },
];
