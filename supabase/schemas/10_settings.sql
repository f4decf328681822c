-- Limits, times and budgets by name, and the functions that read them.

create table mashup.settings (
  name        text primary key,
  value       jsonb not null,
  description text not null
);
revoke all on mashup.settings from public, anon, authenticated, service_role;
grant select on mashup.settings to mashup_worker;
comment on table mashup.settings is 'Every limit, time and budget by name. An update applies to the next transaction.';
comment on column mashup.settings.value is 'A number, a name, an object of numbers by service, or null for a budget without a limit.';
comment on column mashup.settings.description is 'What the setting limits, and its unit.';

insert into mashup.settings (name, value, description) values
  -- Jobs
  ('max_running_jobs',           '4',     'Jobs that hold a slot at one time, all users together.'),
  ('max_running_jobs_per_user',  '2',     'Jobs of one user that hold a slot at one time.'),
  ('max_queued_jobs',            '1000',  'Jobs that wait for a slot, all users together. One more is refused.'),
  ('max_queued_jobs_per_user',   '20',    'Jobs of one user that wait for a slot. One more is refused.'),
  ('max_drafts_per_user',        '20',    'Drafts of one user that wait for their user. One more is refused.'),
  ('max_submits_per_minute',     '30',    'Runs that one user may request in a minute: submissions, new versions, starts, retries and replays.'),
  ('max_uploads_per_minute',     '60',    'Uploads that one user may request in a minute.'),
  ('max_uploads_per_user',       '200',   'Files that one user may have below uploads/. One more is refused.'),
  ('upload_max_bytes',           '52428800', 'Size of the largest upload, in bytes.'),
  ('song_max_sec',               '900',   'Length of the longest song, in seconds.'),
  ('plan_min_length_sec',        '60',    'Length of the shortest mashup, in seconds, unless the songs are shorter.'),
  ('plan_max_length_sec',        '240',   'Length of the longest mashup, in seconds.'),
  -- Services
  ('service_limits',             '{"analysis": 2, "scoring": 4, "orchestrator": 4, "separation": 2, "processing": 1}',
                                          'Calls to each service at one time.'),
  ('service_abort_hold_sec',     '{"analysis": 2, "scoring": 0, "orchestrator": 0, "separation": 2, "processing": 2}',
                                          'Seconds for which an aborted call still counts against the limit of its service. Raise it for services that go on working on an aborted call.'),
  ('circuit_failures',           '5',     'Consecutive availability faults that open the circuit of a service.'),
  ('circuit_open_sec',           '15',    'Seconds for which an open circuit waits before it lets one probe through. Doubles up to circuit_open_max_sec.'),
  ('circuit_open_max_sec',       '300',   'Longest wait of an open circuit, in seconds.'),
  ('silence_sec',                '60',    'Seconds without an event after which a call that streams events ends as unanswered.'),
  ('call_limit_factor',          '8',     'A call without events ends after this many times the measured duration for its songs, but not before call_limit_min_sec nor after timeout_sec of its kind.'),
  ('call_limit_min_sec',         '60',    'Shortest limit of a call without events, in seconds.'),
  -- Workers
  ('lease_sec',                  '30',    'Seconds without a heartbeat after which a running task is taken from its worker.'),
  ('heartbeat_sec',              '5',     'Seconds between two heartbeats of a running task.'),
  ('crash_grace_sec',            '1',     'Seconds without a heartbeat after which the lock of a worker is examined.'),
  ('restart_grace_sec',          '10',    'Seconds after a restart of Postgres in which a free lock does not prove that its worker is lost.'),
  ('max_crashes_before_solo',    '2',     'Lost workers after which a task runs only on a worker that runs nothing else.'),
  ('max_solo_crashes',           '2',     'Workers lost in solo runs of a task after which the task fails.'),
  ('progress_min_interval_sec',  '1',     'Shortest time between two writes of progress, in seconds, unless progress rose by progress_min_step.'),
  ('progress_min_step',          '1',     'Rise of progress, in per cent, that is written at once.'),
  -- Maintenance
  ('queue_schema',               '"mashup_queue"', 'Schema of the queue of Graphile Worker. Changed by `mashup migrate --queue-schema NAME`.'),
  ('reconcile_sec',              '5',     'Seconds between two comparisons of ready tasks with the queue.'),
  ('draft_expires_hours',        '24',    'Hours after which a draft that is not started is cancelled.'),
  ('result_expires_days',        '30',    'Days after which the file of a result is deleted. The job stays, with expired_at.'),
  ('job_retention_days',         '365',   'Days after which an ended job and its history are deleted.'),
  ('stems_retention_days',       '7',     'Days without use after which cached stems are deleted.'),
  ('analysis_retention_days',    '365',   'Days without use after which cached analyses are deleted.'),
  ('retention_batch',            '200',   'Rows that one run of retention deletes at most.'),
  ('discard_after_sec',          '900',   'Seconds after which the output of a claim without a result is deleted. Longer than a service may go on writing for an aborted call.'),
  ('replaced_stems_after_sec',   '3600',  'Seconds after which stems are deleted that newer stems of the same song replaced. Longer than a render may go on reading them.'),
  ('outbox_retry_sec',           '600',   'Seconds after which a failed deletion of files is tried again.'),
  -- Costs
  ('plan_budget_usd_per_job',          '2',    'US dollars that planning one job may cost, all its plans together; then plans are made by rules. null: no limit.'),
  ('plan_budget_usd_per_user_per_day', 'null', 'US dollars that planning all jobs of one user may cost on one day (UTC). null: no limit.'),
  ('plan_budget_usd_per_day',          '50',   'US dollars that planning may cost on one day (UTC), all users together. null: no limit.'),
  ('plan_assumed_cost_usd',            '0',    'US dollars that an answer counts for that names no cost, as answers of external services do.'),
  ('plan_spend_retention_days',        '400',  'Days for which the ledger of planning costs is kept.'),
  ('plan_call_timeout_sec',            '200',  'Seconds that one call to the planning service may take. Keep it above the limit of the service for the model (MASHUP_CLAUDE_TIMEOUT_SEC, 180), so that a paid answer is received.');

-- Functions on the path of a transition are plpgsql: a session keeps their plans, while an sql function is planned at each call.
create function mashup.setting_number(p_name text) returns double precision
  language plpgsql stable set search_path = ''
  as $$ begin return (select (s.value #>> '{}')::double precision from mashup.settings s where s.name = p_name); end $$;
comment on function mashup.setting_number(text) is 'Returns a numeric setting by name; null if there is none of that name.';
grant execute on function mashup.setting_number(text) to mashup_worker;

create function mashup.setting_interval(p_name text) returns interval
  language plpgsql stable set search_path = ''
  as $$ begin return pg_catalog.make_interval(secs => mashup.setting_number(p_name)); end $$;
comment on function mashup.setting_interval(text) is 'Returns a setting in seconds as an interval.';

revoke execute on all functions in schema mashup from public;
