-- Limits, times and budgets by name, and the functions that read them.

create table mashup.settings (
  name        text primary key,
  value       jsonb not null,
  description text not null,
  type        text not null default 'number' check (type in ('number', 'integer', 'boolean', 'name', 'time_of_separation', 'numbers_by_service')),
  unit        text,
  min         numeric not null default 0,
  max         numeric,
  is_optional boolean not null default false
);
revoke all on mashup.settings from public, anon, authenticated, service_role;
grant select on mashup.settings to mashup_worker;
comment on table mashup.settings is 'Every limit, time and budget by name. An update applies to the next transaction.';
comment on column mashup.settings.value is 'A number, a name, an object of numbers by service, or null for a budget without a limit.';
comment on column mashup.settings.description is 'What the setting limits, and its unit.';
comment on column mashup.settings.type is 'What the value is: checked by check_setting.';
comment on column mashup.settings.unit is 'Unit of the number; null: a count.';
comment on column mashup.settings.min is 'Least number that is allowed.';
comment on column mashup.settings.max is 'Greatest number that is allowed; null: none.';
comment on column mashup.settings.is_optional is 'Whether the value may be null.';

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
  ('storage_max_bytes',          '52428800', 'Size of the largest file that Storage accepts, in bytes: the global limit of the project. Stems are split, and results delivered in a smaller format, to keep it.'),
  ('song_max_sec',               '900',   'Length of the longest song, in seconds.'),
  ('plan_min_length_sec',        '60',    'Length of the shortest mashup, in seconds, unless the songs are shorter.'),
  ('plan_max_length_sec',        '240',   'Length of the longest mashup, in seconds.'),
  -- Sharing
  ('sharing_enabled',            'true',  'Whether mashups can be shared by a public link. False: nobody can share one, and no link is served until it is true again.'),
  ('max_shares_per_minute',      '20',    'Public links that one user may ask for in a minute.'),
  ('max_shared_reads_per_minute_per_link',   '1200', 'Requests in a minute that one public link answers: page, cover and audio together. All tokens without a mashup count as one link.'),
  ('max_shared_reads_per_minute_per_client', '600',  'Requests in a minute of one network address for public links. Addresses are told apart in 4096 groups.'),
  ('max_shared_reads_per_minute',            '6000', 'Requests in a minute for public links, all together.'),
  -- Services
  ('service_limits',             '{"analysis": 2, "scoring": 4, "orchestrator": 4, "separation": 2, "processing": 1}',
                                          'Calls to each service at one time.'),
  ('service_abort_hold_sec',     '{"analysis": 2, "scoring": 0, "orchestrator": 0, "separation": 2, "processing": 2}',
                                          'Seconds for which an aborted call still counts against the limit of its service. Raise it for services that go on working on an aborted call.'),
  ('circuit_failures',           '5',     'Consecutive availability faults that open the circuit of a service.'),
  ('circuit_open_sec',           '15',    'Seconds for which an open circuit waits before it lets one probe through. Doubles up to circuit_open_max_sec.'),
  ('circuit_open_max_sec',       '300',   'Longest wait of an open circuit, in seconds.'),
  ('service_check_sec',          '30',    'Seconds between two checks of a service that answers: a worker asks it for its health.'),
  ('service_recheck_sec',        '5',     'Seconds between two checks of a service that does not answer.'),
  ('separate_early',             '"held"', 'When songs are separated whole before their mashup is planned: held (of drafts, while they wait for their user), always, or never. Otherwise what the plan plays of them is separated after planning. External renderers need always.'),
  ('studio_version_by_default',  'false', 'Whether mashups are first made with classical stems and then with those of the separation model, where the submission does not say it. Without a model there is one result.'),
  ('silence_sec',                '60',    'Seconds without an event after which a call that streams events ends as unanswered.'),
  ('call_limit_factor',          '8',     'A call without events ends after this many times the measured duration for its songs, but not before call_limit_min_sec nor after timeout_sec of its kind.'),
  ('call_limit_min_sec',         '60',    'Shortest limit of a call without events, in seconds.'),
  -- Workers
  ('lease_sec',                  '30',    'Seconds without a heartbeat after which a running task is taken from its worker.'),
  ('heartbeat_sec',              '5',     'Seconds between two heartbeats of a running task.'),
  ('crash_grace_sec',            '1',     'Seconds without a heartbeat after which the lock of a worker is examined.'),
  ('restart_grace_sec',          '10',    'Seconds after a restart of Postgres in which a free lock does not prove that its worker is lost, and after an interruption of the sweep in which a missed heartbeat does not prove it either.'),
  ('max_crashes_before_solo',    '2',     'Lost workers after which a task runs only on a worker that runs nothing else.'),
  ('max_solo_crashes',           '2',     'Workers lost in solo runs of a task after which the task fails.'),
  ('progress_min_interval_sec',  '1',     'Shortest time between two writes of progress, in seconds, unless progress rose by progress_min_step.'),
  ('progress_min_step',          '1',     'Rise of progress, in per cent, that is written at once.'),
  -- Maintenance
  ('queue_schema',               '"mashup_queue"', 'Schema of the queue of Graphile Worker. Changed by `mashup migrate --queue-schema NAME`.'),
  ('reconcile_sec',              '5',     'Seconds between two comparisons of ready tasks with the queue.'),
  ('draft_expires_hours',        '24',    'Hours after which a draft that is not started is cancelled.'),
  ('result_expires_days',        '30',    'Days after which the file of a result is deleted. The job stays, with expired_at.'),
  ('mashup_stems_kept_days',     '7',     'Days after which the stems of a mashup are deleted. They can be asked for again while the stems of its songs are kept.'),
  ('job_retention_days',         '365',   'Days after which an ended job and its history are deleted.'),
  ('stems_retention_days',       '7',     'Days without use after which cached stems are deleted.'),
  ('analysis_retention_days',    '365',   'Days without use after which cached analyses are deleted.'),
  ('retention_batch',            '200',   'Rows that one run of retention deletes at most.'),
  ('discard_after_sec',          '900',   'Seconds after which the output of a claim without a result is deleted. Longer than a service may go on writing for an aborted call.'),
  ('replaced_stems_after_sec',   '3600',  'Seconds after which stems are deleted that newer stems of the same song replaced. Longer than a render may go on reading them.'),
  ('max_playable_parts',         '40',    'Parts in which the beginning of a mashup is published while the rest is rendered. 0: it is not published.'),
  ('openings_in_spare_places',   '1',     'Places at the rendering service that have to be free for the opening of a mashup to be rendered while the rest of its songs is separated. 0: openings are not rendered.'),
  ('parts_kept_sec',             '900',   'Seconds after the end of a mashup after which its playable parts are deleted. Longer than a listener may go on reading them.'),
  ('task_log_max_lines',         '500',   'Log lines that are kept of each task, the newest ones. 0: workers write none to the database.'),
  ('task_logs_kept_days',        '7',     'Days after which log lines of tasks are deleted.'),
  ('outbox_retry_sec',           '600',   'Seconds after which a failed deletion of files is tried again.'),
  -- Costs
  ('plan_budget_usd_per_job',          '2',    'US dollars that planning one job may cost, all its plans together; then plans are made by rules. null: no limit.'),
  ('plan_budget_usd_per_user_per_day', 'null', 'US dollars that planning all jobs of one user may cost on one day (UTC). null: no limit.'),
  ('plan_budget_usd_per_day',          '50',   'US dollars that planning may cost on one day (UTC), all users together. null: no limit.'),
  ('plan_assumed_cost_usd',            '0',    'US dollars that an answer counts for that names no cost, as answers of external services do.'),
  ('plan_spend_retention_days',        '400',  'Days for which the ledger of planning costs is kept.'),
  ('plan_call_timeout_sec',            '200',  'Seconds that one call to the planning service may take. Keep it above the limit of the service for the model (MASHUP_CLAUDE_TIMEOUT_SEC, 180), so that a paid answer is received.');

-- Types and ranges. A setting that is not named here is a number from 0.
update mashup.settings s set type = t.type, unit = t.unit, min = t.min, max = t.max, is_optional = s.name like 'plan_budget_usd%'
from (
  select n.name,
    case when n.name in ('service_limits', 'service_abort_hold_sec') then 'numbers_by_service' when n.name = 'queue_schema' then 'name'
      when n.name = 'separate_early' then 'time_of_separation' when n.name in ('studio_version_by_default', 'sharing_enabled') then 'boolean'
      when n.name ~ '_(sec|usd|hours|days|per_day|per_job|step)$' then 'number' else 'integer' end as type,
    case when n.name ~ '_sec$' then 'seconds' when n.name ~ '_usd|_usd_' then 'US dollars' when n.name ~ '_hours$' then 'hours'
      when n.name ~ '_days$' then 'days' when n.name ~ '_bytes$' then 'bytes' when n.name = 'progress_min_step' then 'per cent' end as unit,
    case n.name when 'lease_sec' then 1 when 'heartbeat_sec' then 0.1 when 'crash_grace_sec' then 0.1 when 'reconcile_sec' then 0.1
      when 'circuit_failures' then 1 when 'circuit_open_sec' then 0.1 when 'circuit_open_max_sec' then 0.1 when 'max_solo_crashes' then 1
      when 'retention_batch' then 1 when 'upload_max_bytes' then 1 when 'storage_max_bytes' then 1000000 when 'song_max_sec' then 1 when 'plan_min_length_sec' then 1
      when 'plan_max_length_sec' then 1 when 'plan_call_timeout_sec' then 1 else 0 end as min,
    -- Each place at a service is a row.
    case when n.name = 'service_limits' then 1000
      when n.name in ('lease_sec', 'heartbeat_sec', 'crash_grace_sec', 'reconcile_sec', 'restart_grace_sec') then 3600
      when n.name ~ '_bytes$' then 5368709120 when n.name ~ '_sec$' then 31536000 when n.name ~ '_days$' then 1000000
      when n.name ~ '_hours$' then 1000000 when n.name = 'progress_min_step' then 100 when n.name = 'max_playable_parts' then 48 else 100000000 end as max
  from mashup.settings n
) t
where t.name = s.name;

create function mashup.allowed_values(p_setting mashup.settings) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_range text := pg_catalog.format('%s from %s%s', case when p_setting.type = 'integer' then 'a whole number' else 'a number' end
    || coalesce(' of ' || p_setting.unit, ''), pg_catalog.trim_scale(p_setting.min), coalesce(' to ' || pg_catalog.trim_scale(p_setting.max), ''));
begin
  return case p_setting.type
    when 'boolean' then 'true or false'
    when 'time_of_separation' then '"held", "always" or "never"'
    when 'name' then 'a name of small letters, digits and underscores, in double quotes'
    when 'numbers_by_service' then pg_catalog.format('an object with, for each service (%s), %s',
      (select pg_catalog.string_agg(h.service, ', ' order by h.service) from mashup.service_health h), v_range)
    else v_range
  end || case when p_setting.is_optional then ', or null for no limit' else '' end;
end
$$;
comment on function mashup.allowed_values(mashup.settings) is 'Returns which values a setting may have, as text for messages.';

create function mashup.is_allowed(p_setting mashup.settings) returns boolean
  language plpgsql stable set search_path = ''
  as $$
declare
  v_type text := pg_catalog.jsonb_typeof(p_setting.value);
  v_numbers jsonb := case when p_setting.type = 'numbers_by_service' then p_setting.value else pg_catalog.jsonb_build_array(p_setting.value) end;
begin
  if v_type = 'null' then
    return p_setting.is_optional;
  elsif p_setting.type = 'boolean' then
    return v_type = 'boolean';
  elsif p_setting.type = 'name' then
    return v_type = 'string' and p_setting.value #>> '{}' ~ '^[a-z_][a-z0-9_]{0,62}$';
  elsif p_setting.type = 'time_of_separation' then
    return p_setting.value in ('"held"', '"always"', '"never"');
  elsif p_setting.type = 'numbers_by_service' then
    if v_type <> 'object' or exists (select from pg_catalog.jsonb_object_keys(p_setting.value) k
        where not exists (select from mashup.service_health h where h.service = k)) then
      return false;
    end if;
    v_numbers := pg_catalog.jsonb_path_query_array(p_setting.value, '$.*');
  end if;
  return not exists (
    select from pg_catalog.jsonb_array_elements(v_numbers) n
    where case when pg_catalog.jsonb_typeof(n) = 'number' then n::numeric < p_setting.min or n::numeric > coalesce(p_setting.max, 'Infinity')
        or (p_setting.type = 'integer' and n::numeric % 1 <> 0) else true end);
end
$$;
comment on function mashup.is_allowed(mashup.settings) is 'Returns whether the value of a setting has its type and is within its range.';

create function mashup.check_setting() returns trigger
  language plpgsql set search_path = ''
  as $$
begin
  if not mashup.is_allowed(new) then
    perform mashup.raise_error('MB006', pg_catalog.format('The setting %s cannot be %s: it is %s.', new.name, new.value, mashup.allowed_values(new)),
      pg_catalog.format('Choose such a value. mashup settings get %s explains the setting.', new.name));
  end if;
  return new;
end
$$;
comment on function mashup.check_setting() is 'Trigger: refuses a value that a setting cannot have. Raises MB006.';
create trigger check_setting before insert or update on mashup.settings for each row execute function mashup.check_setting();

create function mashup.keep_setting() returns trigger
  language plpgsql set search_path = ''
  as $$
begin
  if tg_op = 'DELETE' or new.name <> old.name then
    perform mashup.raise_error('MB006', pg_catalog.format('The setting %s cannot be removed: the engine reads it.', old.name),
      pg_catalog.format('Change its value instead: it is %s.', mashup.allowed_values(old)));
  end if;
  return new;
end
$$;
comment on function mashup.keep_setting() is 'Trigger: refuses to delete or rename a setting. Raises MB006.';
create trigger keep_setting before delete or update of name on mashup.settings for each row execute function mashup.keep_setting();

-- Functions on the path of a transition are plpgsql: a session keeps their plans, while an sql function is planned at each call.
create function mashup.setting_number(p_name text) returns double precision
  language plpgsql stable set search_path = ''
  as $$ begin return (select (s.value #>> '{}')::double precision from mashup.settings s where s.name = p_name); end $$;
comment on function mashup.setting_number(text) is 'Returns a numeric setting by name; null if there is none of that name.';
grant execute on function mashup.setting_number(text) to mashup_worker;

create function mashup.setting_text(p_name text) returns text
  language plpgsql stable set search_path = ''
  as $$ begin return (select s.value #>> '{}' from mashup.settings s where s.name = p_name); end $$;
comment on function mashup.setting_text(text) is 'Returns a setting that is a name, by its name; null if there is none of that name.';

create function mashup.setting_interval(p_name text) returns interval
  language plpgsql stable set search_path = ''
  as $$ begin return pg_catalog.make_interval(secs => mashup.setting_number(p_name)); end $$;
comment on function mashup.setting_interval(text) is 'Returns a setting in seconds as an interval.';

revoke execute on all functions in schema mashup from public;
