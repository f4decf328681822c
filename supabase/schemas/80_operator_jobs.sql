-- The operator API over jobs: lists by filter, operations on all jobs of a filter, and one job with its tasks, their attempts and
-- what they made. 81_operator_api.sql moves the functions to schema public, with their rights.

create function mashup.operator_jobs(filter jsonb default '{}', max_jobs integer default 50, before_time timestamptz default null, before_id uuid default null)
  returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_max integer := least(greatest(max_jobs, 1), 200);
  v_jobs jsonb;
  v_last jsonb;
begin
  perform mashup.require_operator();
  -- One more shows whether there is a next page.
  select coalesce(jsonb_agg(mashup.describe_for_list(j) order by coalesce(j.finished_at, j.created_at) desc, j.id desc), '[]') into v_jobs
    from mashup.find_jobs(filter, v_max + 1, before_time, before_id) j;
  if jsonb_array_length(v_jobs) > v_max then
    v_jobs := v_jobs - v_max;
    v_last := v_jobs -> -1;
  end if;
  return jsonb_build_object('jobs', v_jobs, 'server_now', mashup.now(),
    'next', case when v_last is not null then jsonb_build_object('time', v_last -> 'at', 'id', v_last -> 'id') end);
end
$$;
comment on function mashup.operator_jobs(jsonb, integer, timestamptz, uuid) is
  'Returns the latest jobs that match a filter (see mashup.check_job_filter): {jobs, next: {time, id} of the next page, or null, server_now}. The next page is asked for with before_time and before_id. For operators. Raises MB006, 42501.';

create function mashup.operator_preview(filter jsonb) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
begin
  perform mashup.require_operator();
  return mashup.preview_jobs(filter);
end
$$;
comment on function mashup.operator_preview(jsonb) is 'Returns what a filter of jobs selects: see mashup.preview_jobs. For operators. Raises MB006, 42501.';

create function mashup.operator_bulk(operation text, filter jsonb, to_stage text default null, max_jobs integer default 25, after_id uuid default null)
  returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_max integer := least(greatest(max_jobs, 1), 100);
  v_filter jsonb := mashup.check_job_filter(filter);
  v_outcomes jsonb;
begin
  perform mashup.require_operator();
  if v_filter - 'until' = '{}' then
    perform mashup.raise_error('MB006', 'An operation on all jobs needs a filter.', 'Choose a stage, an error, a user, a service, a time or words.');
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('id', b.job_id, 'outcome', b.outcome, 'message', b.message) order by b.job_id), '[]') into v_outcomes
    from mashup.bulk(operation, p_to_stage => to_stage, p_limit => v_max, p_after => after_id, p_filter => v_filter) b;
  return jsonb_build_object('outcomes', v_outcomes,
    'after', case when jsonb_array_length(v_outcomes) = v_max then v_outcomes -> -1 -> 'id' end);
end
$$;
comment on function mashup.operator_bulk(text, jsonb, text, integer, uuid) is
  'Applies an operation (replay from to_stage, retry or cancel) to up to max_jobs (at most 100) jobs that match a filter (see mashup.check_job_filter) and come after after_id, by id. Returns {outcomes: [{id, outcome: done or refused, message}], after: the id to go on after, or null at the end}. For operators. Lock order: jobs by id. Raises MB006, 42501.';

create function mashup.task_attempts(p_task mashup.tasks) returns jsonb
  language sql stable set search_path = ''
  as $$
  with written as (
    select l.claim, l.worker_id, min(l.at) as first_at, count(*) as lines,
      greatest(max(l.at), case when l.claim = (select n.claim from mashup.task_logs n where n.task_id = p_task.id order by n.id desc limit 1) then p_task.finished_at end) as last_at,
      case when bool_or(l.level = 'error') then 'error' when bool_or(l.level = 'warn') then 'warn' else 'info' end as level
    from mashup.task_logs l where l.task_id = p_task.id group by l.claim, l.worker_id
  ), lost as (
    -- A worker that is killed does not write its last lines, or none.
    select (e.detail ->> 'worker')::uuid as worker_id, (e.detail ->> 'started_at')::timestamptz as started_at, e.created_at as taken_at
    from public.mashup_job_events e
    where e.job_id = p_task.job_id and e.type = 'retry' and e.detail ->> 'task' = p_task.id::text and e.detail ->> 'started_at' is not null
  ), attempts as (
    select w.claim, coalesce(w.worker_id, o.worker_id) as worker_id, least(w.first_at, o.started_at) as first_at,
      greatest(w.last_at, o.taken_at) as last_at, coalesce(w.lines, 0) as lines, coalesce(w.level, 'error') as level, o.taken_at is not null as lost
    from written w full join lost o on o.worker_id = w.worker_id
      and w.first_at between o.started_at - interval '1 second' and o.taken_at
    union all
    -- A claim that has written no line yet.
    select p_task.claim, p_task.worker_id, p_task.started_at, p_task.started_at, 0, 'info', false
    where p_task.claim is not null and not exists (select from written w where w.claim = p_task.claim)
  )
  select coalesce(jsonb_agg(jsonb_build_object('claim', a.claim, 'worker_id', a.worker_id, 'host', (select w.host from mashup.workers w where w.id = a.worker_id),
      'from', a.first_at, 'until', case when p_task.claim = a.claim then null else a.last_at end, 'lines', a.lines, 'level', a.level, 'lost', a.lost)
      order by a.first_at), '[]') from attempts a
$$;
comment on function mashup.task_attempts(mashup.tasks) is
  'Returns the claims of a task, the oldest first: [{claim: null if it has written no line and is over, worker_id, host, from, until: null while it runs, lines, level: the worst of its lines, lost: the task was taken from its worker}]. They come from the log lines of the task and the history of the job: claims that ended otherwise and whose lines have expired are missing.';

create function mashup.operator_job_history(job_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.require_operator();
  select * into v_job from public.mashup_jobs j where j.id = operator_job_history.job_id;
  if not found then
    return null;
  end if;
  return jsonb_build_object('job', to_jsonb(v_job), 'server_now', mashup.now(),
    'email', (select u.email from auth.users u where u.id = v_job.user_id),
    'share', (select jsonb_build_object('created_at', s.created_at, 'revoked_at', s.revoked_at, 'taken_down_at', s.taken_down_at, 'reason', s.reason, 'actor', s.actor)
      from public.mashup_shares s where s.job_id = v_job.id order by s.revoked_at is not null, s.created_at desc limit 1),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'kind', t.kind, 'service', k.service, 'song_id', t.song_id, 'epoch', t.epoch,
        'state', t.state, 'failures', t.failures, 'max_attempts', k.max_attempts, 'crashes', t.crashes, 'error', t.error, 'is_studio', t.is_studio,
        'fallback', t.fallback, 'created_at', t.created_at, 'run_at', t.run_at, 'started_at', t.started_at, 'finished_at', t.finished_at,
        'worker_id', t.worker_id, 'attempts', mashup.task_attempts(t),
        'took_sec', extract(epoch from coalesce(t.finished_at, mashup.now()) - t.started_at)) order by t.id), '[]')
      from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind where t.job_id = v_job.id),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('at', s.at, 'since_start_sec', extract(epoch from s.since_start), 'epoch', s.epoch,
        'what', s.what, 'stage', s.stage, 'song', s.song, 'message', s.message, 'actor', s.actor, 'detail', s.detail)), '[]')
      from mashup.job_history(v_job.id) s));
end
$$;
comment on function mashup.operator_job_history(uuid) is
  'Returns one job with the e-mail of its user, its public link, its tasks with their times and attempts (see mashup.task_attempts), and its history, oldest event first; null if there is none. For operators. Raises 42501.';

create function mashup.operator_task_payload(task_id bigint) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_card jsonb;
begin
  perform mashup.require_operator();
  select * into v_task from mashup.tasks t where t.id = operator_task_payload.task_id;
  if not found then
    return null;
  end if;
  select s into v_card from public.mashup_jobs j, jsonb_array_elements(j.songs) s where j.id = v_task.job_id and s ->> 'song_id' = v_task.song_id;
  return jsonb_build_object('task', to_jsonb(v_task) - 'claim', 'song', v_card, 'made', case v_task.kind
    when 'analyze' then (select to_jsonb(a) - 'user_id' from mashup.analyses a where a.id = (v_card ->> 'analysis_id')::bigint)
    when 'separate' then (select to_jsonb(m) - 'user_id' from mashup.stems m where m.id = (v_card ->> 'stems_id')::bigint)
    when 'score' then (select to_jsonb(c) from mashup.scores c where c.job_id = v_task.job_id and c.epoch = v_task.epoch)
    when 'plan' then jsonb_build_object(
      'plans', (select coalesce(jsonb_agg(to_jsonb(p) order by p.version), '[]') from public.mashup_plans p where p.job_id = v_task.job_id and p.epoch = v_task.epoch),
      'receipts', (select coalesce(jsonb_agg(to_jsonb(r) order by r.id), '[]') from mashup.plan_receipts r where r.job_id = v_task.job_id))
    else (select to_jsonb(r) from public.mashup_results r where r.job_id = v_task.job_id and r.epoch = v_task.epoch) end);
end
$$;
comment on function mashup.operator_task_payload(bigint) is
  'Returns a task, the card of its song, and what tasks of its kind have made in its job: analysis, stems, scores, plans with receipts, or result; null if there is no such task. For operators. Raises 42501.';

revoke execute on all functions in schema mashup from public;
