/*
 * The mashup engine's state machine: a map.
 *
 * A row of public.mashup_jobs is a job. Its `stage` is a state; rows of mashup.transitions are the legal moves. A row of
 * mashup.tasks is one unit of work for a worker; it is where attempts, back-off and leases are counted. A wake-up is a
 * Graphile Worker job that names a task; it carries no truth and may be lost, doubled or late without harm.
 *
 *   tables   public.mashup_jobs, mashup_plans, mashup_results, mashup_job_events            (what a tenant may see)
 *            mashup.stages, transitions, task_kinds, settings                               (the machine as data)
 *            mashup.tasks, workers, service_health, pauses                                  (what runs now)
 *            mashup.analyses, stems, scores, plan_receipts                                  (what was worked out)
 *            mashup.storage_deletions                                                       (outbox to the Storage API)
 *   moves    check_transition (before update of stage: is the move legal? what does it reset?)
 *            after_transition (after: event, drop old tasks, make new ones)
 *            schedule_all (at commit, under one advisory lock: admits jobs, makes waiting tasks ready, adds wake-ups)
 *   worker   register_worker, claim_task, heartbeat_task, finish_task, fail_task, return_task, deregister_worker
 *   upkeep   sweep (frees what dead workers hold, releases, reconciles tasks with the queue, expires, retains)
 *   verbs    replay, retry, cancel, start, pause, resume, and each in bulk by filter
 *   tenants  public.submit_mashup, start_mashup, cancel_mashup, retry_mashup, replay_mashup, delete_mashup, get_mashup_status
 *
 * Lock order, in every function: the user's row (a new job only), their room, job rows by id, task rows, queue rows. A beat
 * without news locks only its task. schedule_all and sweep hold an advisory lock and never wait for a row (skip locked).
 *
 * Errors raised on purpose have SQLSTATE class MB; every message names what is wrong and every hint the next step:
 *   MB001 illegal_move          MB005 idempotency_conflict   MB010 sign_in_required
 *   MB002 job_not_found         MB006 invalid_request        MB011 row_too_large
 *   MB003 missing_input         MB008 upload_missing         MB012 rate_limited
 *   MB004 queue_full            MB009 not_a_draft
 *
 * All time comes from mashup.now(), so that tests can move it; nothing else in the schema reads a clock.
 */

create schema mashup;
comment on schema mashup is 'The mashup engine''s state machine. Not exposed by the API.';
revoke all on schema mashup from public, anon, authenticated;

-- The only clock. Tests replace this function in their own database; nothing in production may.
-- Without a search_path of its own, so that the planner can put it in line; what it names is qualified.
create function mashup.now() returns timestamptz
  language sql stable
  as $$ select pg_catalog.now() $$;
comment on function mashup.now() is 'The only clock of the state machine: the transaction''s time.';

create table mashup.settings (
  name        text primary key,
  value       jsonb not null,
  description text not null
);
comment on table mashup.settings is 'Every limit by name. Change with update; read by the next transaction.';

insert into mashup.settings (name, value, description) values
  ('max_running_jobs',           '4',     'Jobs that hold a slot at one time, all users together.'),
  ('max_running_jobs_per_user',  '2',     'Jobs of one user that hold a slot at one time.'),
  ('max_queued_jobs',            '1000',  'Jobs that wait for a slot, all users together; one more is refused.'),
  ('max_queued_jobs_per_user',   '20',    'Jobs of one user that wait for a slot; one more is refused.'),
  ('max_drafts_per_user',        '20',    'Drafts of one user that wait for their user; one more is refused.'),
  ('max_submits_per_minute',     '30',    'Jobs that one user may submit in a minute.'),
  ('service_limits',             '{"analysis": 2, "scoring": 4, "orchestrator": 4, "separation": 2, "processing": 1}',
                                          'Calls to each service at one time.'),
  ('service_abort_hold_sec',     '{"analysis": 2, "scoring": 0, "orchestrator": 0, "separation": 2, "processing": 2}',
                                          'How long a service''s place stays taken after a call was aborted. Raise it for services that keep working on an aborted call.'),
  ('lease_sec',                  '30',    'A running task whose worker has not been heard of for this long is taken from it.'),
  ('heartbeat_sec',                   '5',     'How often a worker reports on a running task.'),
  ('crash_grace_sec',            '1',     'A worker''s lock is looked at only when it has been quiet for this long.'),
  ('restart_grace_sec',          '10',    'After a restart of Postgres, free locks prove nothing for this long.'),
  ('max_crashes_before_solo',    '2',     'After this many lost workers a task runs only on a worker that runs nothing else.'),
  ('max_solo_crashes',           '2',     'After this many workers lost while it ran alone a task fails.'),
  ('circuit_failures',           '5',     'Availability faults in a row that open a service''s circuit.'),
  ('circuit_open_sec',           '15',    'How long an open circuit waits before it lets one probe through; doubles up to circuit_open_max_sec.'),
  ('circuit_open_max_sec',       '300',   'Longest wait of an open circuit.'),
  ('progress_min_interval_sec',  '1',     'Progress is written at most this often, unless it rose by progress_min_step.'),
  ('progress_min_step',          '1',     'Progress (per cent) that is written at once.'),
  ('reconcile_sec',              '5',     'How often tasks are compared with the queue.'),
  ('upload_max_bytes',           '52428800', 'Largest upload.'),
  ('song_max_sec',               '900',   'Longest song.'),
  ('plan_min_length_sec',        '60',    'Shortest mashup, unless the songs are shorter.'),
  ('plan_max_length_sec',        '240',   'Longest mashup.'),
  ('draft_expires_hours',        '24',    'A draft that nobody starts is cancelled after this.'),
  ('result_expires_days',        '30',    'A result''s file is deleted after this; the job stays, with expired_at.'),
  ('job_retention_days',         '365',   'A finished job and its history are deleted after this.'),
  ('stems_retention_days',       '7',     'Cached stems that were not used for this long are deleted.'),
  ('analysis_retention_days',    '365',   'Cached analyses that were not used for this long are deleted.'),
  ('retention_batch',            '200',   'Rows that one round of retention deletes at most.');

-- Functions on the path of a move are plpgsql, whose plans a session keeps: an sql function is planned at each call.
create function mashup.setting_number(p_name text) returns double precision
  language plpgsql stable set search_path = ''
  as $$ begin return (select (s.value #>> '{}')::double precision from mashup.settings s where s.name = p_name); end $$;
comment on function mashup.setting_number(text) is 'A numeric setting by name; null if there is none of that name.';

create function mashup.setting_interval(p_name text) returns interval
  language plpgsql stable set search_path = ''
  as $$ begin return pg_catalog.make_interval(secs => mashup.setting_number(p_name)); end $$;
comment on function mashup.setting_interval(text) is 'A setting in seconds as an interval.';

-- One door for errors made on purpose: a message, what to do next, and a SQLSTATE of class MB.
create function mashup.raise_error(p_sqlstate text, p_message text, p_hint text, p_detail text default '') returns void
  language plpgsql set search_path = ''
  as $$
begin
  raise exception using errcode = p_sqlstate, message = p_message, hint = p_hint, detail = p_detail;
end
$$;
comment on function mashup.raise_error(text, text, text, text) is 'Raises an error of class MB with message, hint and detail.';
