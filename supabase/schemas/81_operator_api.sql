-- The operator page over the API: one document to read, one function for each action. Operators are users with the claim
-- mashup_role = operator in their app_metadata, which only the project can write, and the service role. The functions are created
-- in schema mashup and moved to public at the end, in one statement with their rights: a new function of public can be called by
-- everyone.

create function mashup.require_operator() returns void
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  -- The role that the API has set; without the API, the role that has logged in.
  v_role text := coalesce(nullif(current_setting('role'), 'none'), session_user);
begin
  if pg_has_role(v_role, 'service_role', 'member') then
    return;
  end if;
  -- The row as well as the token: a right that was taken away ends at once, not with the token.
  if auth.jwt() -> 'app_metadata' ->> 'mashup_role' = 'operator'
    and exists (select from auth.users u where u.id = auth.uid() and u.raw_app_meta_data ->> 'mashup_role' = 'operator')
  then
    return;
  end if;
  perform mashup.raise_error('42501', 'This account has no operator rights.',
    'Give them with `mashup operators add E-MAIL`, then sign in again.');
end
$$;
comment on function mashup.require_operator() is
  'Returns if the caller is an operator: a user whose token and row in auth.users have mashup_role = operator in app_metadata, or a member of service_role. Else raises 42501.';

create function mashup.grant_operator(p_email text, p_is_operator boolean default true) returns uuid
  language plpgsql set search_path = ''
  as $$
declare
  v_user uuid;
begin
  update auth.users u set raw_app_meta_data = case
      when p_is_operator then coalesce(u.raw_app_meta_data, '{}') || jsonb_build_object('mashup_role', 'operator')
      else u.raw_app_meta_data - 'mashup_role' end
    where lower(u.email) = lower(p_email) returning u.id into v_user;
  if v_user is null then
    perform mashup.raise_error('MB002', format('There is no account with the e-mail %s.', p_email),
      'Create it first: in the studio, or in the dashboard under Authentication.');
  end if;
  return v_user;
end
$$;
comment on function mashup.grant_operator(text, boolean) is
  'Makes the account with an e-mail an operator, or no longer one. A new right counts from the next sign-in or renewal of the token, a removed one ends at once. Returns the user. Raises MB002. Lock: the row of auth.users.';

create function mashup.operator_overview() returns jsonb
  language sql stable security definer set search_path = ''
  as $$
  select mashup.require_operator();
  -- The page asks every two seconds: the ended jobs of the last day are counted once, from the index by time alone.
  with clock as materialized (
    select mashup.now() - interval '1 day' as day_ago, date_trunc('hour', mashup.now()) as hour
  ), ended as materialized (
    select j.stage, date_bin('1 hour', j.finished_at, c.hour) as hour, count(*) as jobs
    from clock c join public.mashup_jobs j on j.finished_at > c.day_ago group by 1, 2
  ), counted as materialized (
    select e.stage, sum(e.jobs)::bigint as jobs from ended e group by e.stage
    union all
    select j.stage, count(*) from public.mashup_jobs j where j.status = 'processing' group by j.stage
  )
  select jsonb_build_object(
    'stages', (select jsonb_agg(jsonb_build_object('stage', s.stage, 'is_terminal', s.is_terminal,
        'jobs', coalesce(c.jobs, 0)) order by s.position) from mashup.stages s left join counted c on c.stage = s.stage),
    'live', (select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'stage', l.stage, 'waiting_on', l.waiting_on, 'progress', l.progress,
        'current_step', l.current_step, 'in_stage_sec', extract(epoch from l.in_stage_for), 'running', l.running, 'ready', l.ready,
        'waiting', l.waiting, 'epoch', l.epoch, 'user_id', l.user_id) order by l.created_at desc), '[]')
      from (select * from mashup.live_jobs order by created_at desc limit 50) l),
    'stuck', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'stage', s.stage, 'why', s.why,
        'in_stage_sec', extract(epoch from s.in_stage_for))), '[]') from (select * from mashup.stuck where why is not null limit 50) s),
    'failures', (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (select * from mashup.failures limit 20) f),
    'circuits', (select coalesce(jsonb_agg(jsonb_build_object('service', c.service, 'state', c.state, 'running', c.running,
        'waiting', c.waiting, 'at_most', c.at_most, 'last_error', c.last_error, 'probe_in_sec', extract(epoch from c.probe_in),
        'condition', c.condition, 'failures', c.failures_in_a_row, 'faults', c.faults_in_a_row, 'last_fault', c.last_fault,
        'last_fault_sec', extract(epoch from c.last_fault_ago), 'silent_sec', extract(epoch from c.silent_for),
        'heard_sec', extract(epoch from c.heard_ago), 'unanswered_sec', extract(epoch from c.unanswered_for)) order by c.service), '[]')
      from mashup.circuits c),
    'pauses', (select coalesce(jsonb_agg(to_jsonb(p) order by p.created_at), '[]') from mashup.pauses p),
    'capacity', (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from mashup.capacity c where c.what in ('jobs', 'workers')),
    'workers', (select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'host', w.host, 'pid', w.pid, 'version', w.version,
        'concurrency', w.concurrency, 'seen_sec', extract(epoch from mashup.now() - w.seen_at), 'draining', w.draining)), '[]') from mashup.workers w),
    'kinds', (select jsonb_agg(jsonb_build_object('kind', k.kind, 'service', k.service,
        'running', (select count(*) from mashup.tasks t where t.kind = k.kind and t.state = 'running'),
        'ready', (select count(*) from mashup.tasks t where t.kind = k.kind and t.state = 'ready'),
        'waiting', (select count(*) from mashup.tasks t where t.kind = k.kind and t.state = 'waiting')) order by s.position)
      from mashup.task_kinds k join mashup.stages s on s.stage = k.stage),
    'hours', (select jsonb_agg(jsonb_build_object('from', h.hour, 'complete', e.complete, 'failed', e.failed, 'cancelled', e.cancelled)
        order by h.hour)
      from clock c cross join generate_series(c.hour - interval '23 hours', c.hour, interval '1 hour') h (hour)
      cross join lateral (
        select coalesce(sum(n.jobs) filter (where n.stage = 'complete'), 0) as complete,
          coalesce(sum(n.jobs) filter (where n.stage = 'failed'), 0) as failed,
          coalesce(sum(n.jobs) filter (where n.stage = 'cancelled'), 0) as cancelled
        from ended n where n.hour = h.hour) e),
    'recent', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'stage', r.stage, 'title', r.title, 'error_code', r.error_code,
        'error_message', r.error_message, 'songs', (select jsonb_agg(s ->> 'name') from jsonb_array_elements(r.songs) s),
        'took_sec', extract(epoch from r.finished_at - r.queued_at), 'finished_at', r.finished_at) order by r.finished_at desc), '[]')
      from (select * from public.mashup_jobs where finished_at is not null order by finished_at desc limit 20) r),
    'server_now', mashup.now())
$$;
comment on function mashup.operator_overview() is
  'Returns everything that the operator page shows, in one document: stages, live and stuck jobs, failures, circuits, pauses, capacity, workers, kinds, ended jobs by hour of the last day, recent jobs. Times of stages are in operator_throughput. For operators. Raises 42501.';

create function mashup.operator_throughput() returns jsonb
  language sql stable security definer set search_path = ''
  as $$
  select mashup.require_operator();
  select coalesce(jsonb_agg(to_jsonb(t)), '[]') from mashup.throughput() t
$$;
comment on function mashup.operator_throughput() is
  'Returns mashup.throughput of the last day as an array. It reads all events of the day, so it is asked for seldom. For operators. Raises 42501.';

create function mashup.operator_task_logs(job_id uuid default null, task_id bigint default null, after_id bigint default 0, max_lines integer default 200)
  returns jsonb
  language sql stable security definer set search_path = ''
  as $$
  select mashup.require_operator();
  select coalesce(jsonb_agg(to_jsonb(l) order by l.id), '[]')
    from mashup.read_task_logs(operator_task_logs.job_id, operator_task_logs.task_id, operator_task_logs.after_id, operator_task_logs.max_lines) l
$$;
comment on function mashup.operator_task_logs(uuid, bigint, bigint, integer) is
  'Returns up to max_lines (at most 1000) log lines of a job or a task with ids greater than after_id, as an array in order. For operators. Raises MB006, 42501.';

create function mashup.operator_replay(job_id uuid, stage text, fresh boolean default false) returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.replay(operator_replay.job_id, operator_replay.stage, operator_replay.fresh) $$;
comment on function mashup.operator_replay(uuid, text, boolean) is 'Replays any job from a stage. For operators. Raises MB001, MB002, MB003, 42501.';

create function mashup.operator_retry(job_id uuid) returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.retry(operator_retry.job_id) $$;
comment on function mashup.operator_retry(uuid) is 'Retries any failed or cancelled job. For operators. Raises MB001, MB002, 42501.';

create function mashup.operator_cancel(job_id uuid) returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.cancel(operator_cancel.job_id) $$;
comment on function mashup.operator_cancel(uuid) is 'Cancels any live job. For operators. Raises MB001, MB002, 42501.';

create function mashup.operator_take_down(job_id uuid, reason text) returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.take_down(operator_take_down.job_id, operator_take_down.reason) $$;
comment on function mashup.operator_take_down(uuid, text) is 'Takes any mashup down. For operators. Raises MB002, MB006, 42501.';

create function mashup.operator_take_down_share(share text, reason text) returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.take_down_share(operator_take_down_share.share, operator_take_down_share.reason) $$;
comment on function mashup.operator_take_down_share(text, text) is 'Takes a public link down, by the link, its token or the id of its job. For operators. Raises MB002, MB006, 42501.';

create function mashup.operator_lift_share_take_down(share text) returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.lift_share_take_down(operator_lift_share_take_down.share) $$;
comment on function mashup.operator_lift_share_take_down(text) is 'Lets a mashup be shared again. For operators. Raises MB002, MB006, MB015, 42501.';

create function mashup.operator_pause(scope text, key text default '', reason text default 'Paused by the operator') returns void
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.pause(operator_pause.scope, operator_pause.key, operator_pause.reason) $$;
comment on function mashup.operator_pause(text, text, text) is 'Pauses the system, a user, a job, a kind of task or a service. For operators. Raises MB006, 42501.';

create function mashup.operator_resume(scope text, key text default '') returns boolean
  language sql security definer set search_path = ''
  as $$ select mashup.require_operator(); select mashup.resume(operator_resume.scope, operator_resume.key) $$;
comment on function mashup.operator_resume(text, text) is 'Ends a pause. Returns false if there was none. For operators. Raises 42501.';

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_proc p where p.pronamespace = 'mashup'::regnamespace and p.proname like 'operator\_%'
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', v_function);
    execute format('grant execute on function %s to authenticated, service_role', v_function);
    execute format('alter function %s set schema public', v_function);
  end loop;
end
$$;

revoke execute on all functions in schema mashup from public;
