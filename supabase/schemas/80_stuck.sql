-- Which jobs make no progress, and why. One function for each cause: it returns the text for the operator, or null. The view
-- mashup.stuck asks them in order; the first that applies is the cause. A text names what is wrong and what to do.

-- Causes that concern every job.

create function mashup.stuck_on_clock() returns text
  language sql stable set search_path = ''
  as $$
  select format('The clock of the database was set back by about %s. The sweep corrects all times within seconds of running: is a worker running?',
    date_trunc('second', max(r.done_at) - mashup.now()))
  from mashup.maintenance_runs r where r.done_at > mashup.now() + interval '5 seconds' having count(*) > 0
$$;
comment on function mashup.stuck_on_clock() is 'Returns the cause where maintenance was done in the future; null if it was not.';

create function mashup.stuck_on_role() returns text
  language sql stable set search_path = ''
  as $$
  select 'The role mashup_worker lacks BYPASSRLS, so workers see no jobs. As superuser: alter role mashup_worker bypassrls.'
  from pg_catalog.pg_roles r where r.rolname = 'mashup_worker' and not r.rolbypassrls and not r.rolsuper
$$;
comment on function mashup.stuck_on_role() is 'Returns the cause where the role of the workers cannot read jobs; null if it can.';

create function mashup.stuck_on_queue() returns text
  language sql stable set search_path = ''
  as $$
  select case
    when pg_catalog.to_regclass(pg_catalog.format('%I._private_jobs', mashup.queue_schema())) is null
      then pg_catalog.format('The schema %s of the queue is missing. Run `mashup migrate`, or start a worker.', mashup.queue_schema())
    when not pg_catalog.has_schema_privilege('mashup_worker', mashup.queue_schema(), 'usage')
      then pg_catalog.format('The role mashup_worker may not use the schema %s of the queue: select mashup.grant_queue().', mashup.queue_schema())
  end
$$;
comment on function mashup.stuck_on_queue() is 'Returns the cause where the queue is missing or workers may not use it; null if they can.';

create function mashup.stuck_on_workers() returns text
  language sql stable set search_path = ''
  as $$
  select case
    when w.alive = 0 then 'No worker is running'
      || coalesce(' (the last one was seen ' || date_trunc('second', mashup.now() - w.last_seen_at) || ' ago)', '') || ': start one.'
    when w.draining = w.alive then format('All %s workers are stopping and claim nothing: start another one.', w.alive)
  end
  from (
    select count(*) filter (where s.is_alive) as alive, count(*) filter (where s.is_alive and s.draining) as draining, max(s.seen_at) as last_seen_at
    from (select v.seen_at, v.draining, v.seen_at > mashup.now() - mashup.setting_interval('lease_sec') as is_alive from mashup.workers v) s
  ) w
$$;
comment on function mashup.stuck_on_workers() is 'Returns the cause where no worker takes tasks; null if one does.';

create function mashup.stuck_on_version() returns text
  language sql stable set search_path = ''
  as $$
  select format('Every worker runs version %s, the database has %s: update the workers, or run `mashup migrate`.',
    string_agg(distinct w.version, ', '), mashup.engine_version())
  from mashup.workers w where w.seen_at > mashup.now() - mashup.setting_interval('lease_sec')
  having count(*) > 0 and bool_and(w.version <> mashup.engine_version())
$$;
comment on function mashup.stuck_on_version() is 'Returns the cause where all workers are of another version than the schema; null if one is not.';

-- Causes of one job.

create function mashup.stuck_on_pause(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select format('Paused (%s): %s%s. To go on: select mashup.resume(%L, %L).', concat_ws(' ', p.scope, nullif(p.key, '')), p.reason,
    coalesce(', until ' || to_char(p.until at time zone 'utc', 'YYYY-MM-DD HH24:MI "UTC"'), ''), p.scope, p.key)
  from mashup.pauses p
  where p_job.running = 0 and (p.until is null or p.until > mashup.now())
    and (p.scope = 'system' or (p.scope = 'job' and p.key = p_job.id::text) or (p.scope = 'user' and p.key = p_job.user_id::text)
      or (p.scope in ('kind', 'service') and p_job.ready = 0 and exists (
        select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
        where t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'waiting'
          and (case p.scope when 'kind' then p.key = k.kind else p.key = any (mashup.services_of(k)) end))))
  order by p.created_at limit 1
$$;
comment on function mashup.stuck_on_pause(mashup.live_jobs) is 'Returns the pause that keeps a job from going on; null if none does.';

create function mashup.stuck_on_circuit(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select format('Not available: %s. See mashup.circuits.',
    string_agg(distinct format('%s (%s)', h.service, coalesce(h.last_error, 'no error noted')), '; '))
  from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = any (mashup.services_of(k))
  where p_job.running + p_job.ready = 0 and t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'waiting' and h.state <> 'closed'
  having count(*) > 0
$$;
comment on function mashup.stuck_on_circuit(mashup.live_jobs) is 'Returns the unavailable services that a job waits for, with their last errors; null if there is none.';

create function mashup.stuck_on_lease(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select 'A worker is silent and no sweep takes its task back: look at the logs of the workers.'
  from mashup.tasks t where p_job.running > 0 and t.job_id = p_job.id and t.state = 'running' and t.lease_until < mashup.now()
    and not mashup.is_after_interruption() limit 1
$$;
comment on function mashup.stuck_on_lease(mashup.live_jobs) is 'Returns the cause where the lease of a task has ended; null if none has.';

create function mashup.stuck_on_silent_service(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select string_agg(distinct format('The %s service has sent nothing for %s s; the call ends after %s s. Does the service hang?',
    k.service, round(extract(epoch from mashup.now() - t.heard_at)), round(t.silence_sec)), ' ')
  from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
  where p_job.running > 0 and t.job_id = p_job.id and t.state = 'running' and mashup.is_silent(t)
$$;
comment on function mashup.stuck_on_silent_service(mashup.live_jobs) is 'Returns the services that have been silent for too long; null if there is none.';

create function mashup.stuck_on_busy_workers(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select case when c.in_use >= c.at_most
    then format('A task has been ready for over a minute, and all %s places of the workers are taken: start more workers.', c.at_most)
    else 'A task has been ready for over a minute although workers have free places: look at their logs.' end
  from mashup.capacity c
  where c.what = 'workers' and p_job.ready > 0 and exists (select from mashup.tasks t
    where t.job_id = p_job.id and t.state = 'ready' and t.run_at < mashup.now() - interval '1 minute')
$$;
comment on function mashup.stuck_on_busy_workers(mashup.live_jobs) is 'Returns the cause where no worker claims a ready task for a minute; null if they do.';

create function mashup.stuck_on_limit(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select case
    when p_job.waiting_on = 'slot' and p_job.in_stage_for > interval '10 minutes'
      then 'Has waited for a slot for over ten minutes: see mashup.capacity.'
    when p_job.waiting_on = 'tasks' and p_job.in_stage_for > interval '10 minutes'
      then 'Has waited for a free place at a service for over ten minutes: see mashup.capacity and the setting service_limits.'
  end
$$;
comment on function mashup.stuck_on_limit(mashup.live_jobs) is 'Returns the limit that a job has waited for over ten minutes; null if there is none.';

create function mashup.stuck_on_hook(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select (t.error ->> 'message') || '. ' || (t.error ->> 'hint')
  from mashup.tasks t where p_job.running + p_job.ready + p_job.waiting = 0 and t.job_id = p_job.id and t.epoch = p_job.epoch
    and t.state = 'failed' and t.error ->> 'code' = 'hook_failed'
  order by t.id desc limit 1
$$;
comment on function mashup.stuck_on_hook(mashup.live_jobs) is 'Returns the trigger of an integrator that keeps a job from ending; null if none does.';

create function mashup.stuck_without_tasks(p_job mashup.live_jobs) returns text
  language sql stable set search_path = ''
  as $$
  select case when p_job.running + p_job.ready + p_job.waiting = 0 and p_job.waiting_on is null
    then 'No task of it runs or may run. Replay it: update mashup_jobs set stage = stage where id = this one.' end
$$;
comment on function mashup.stuck_without_tasks(mashup.live_jobs) is 'Returns the cause where a job has nothing to do; null if it has.';

create view mashup.stuck as
  with everywhere as materialized (
    select s.cause, s.why
    from (values
      (1, 'clock', mashup.stuck_on_clock()),
      (2, 'role', mashup.stuck_on_role()),
      (3, 'queue', mashup.stuck_on_queue()),
      (4, 'workers', mashup.stuck_on_workers()),
      (5, 'version', mashup.stuck_on_version())) as s (n, cause, why)
    where s.why is not null order by s.n limit 1
  )
  select j.id, j.stage, j.waiting_on, j.in_stage_for, c.cause, c.why
  from mashup.live_jobs j
  cross join lateral (
    select s.cause, s.why
    -- Each function is called only where its cause is possible: with thousands of waiting jobs the calls take most of the time.
    from (values
      (1, 'pause', case when j.running = 0 and exists (select from mashup.pauses) then mashup.stuck_on_pause(j) end),
      -- A job that has just entered its stage, or has a task with a valid lease, shows nothing of these yet.
      (2, (select e.cause from everywhere e), case
        when (j.in_stage_for < interval '0' or j.in_stage_for > interval '30 seconds') and not exists (
          select from mashup.tasks t where t.job_id = j.id and t.state = 'running' and t.lease_until > mashup.now())
        then (select e.why from everywhere e) end),
      (3, 'circuit', case when j.running + j.ready = 0 and j.waiting > 0 then mashup.stuck_on_circuit(j) end),
      (4, 'lease', case when j.running > 0 then mashup.stuck_on_lease(j) end),
      (5, 'silent_service', case when j.running > 0 then mashup.stuck_on_silent_service(j) end),
      (6, 'busy_workers', case when j.ready > 0 then mashup.stuck_on_busy_workers(j) end),
      (7, 'limit', case when j.in_stage_for > interval '10 minutes' then mashup.stuck_on_limit(j) end),
      (8, 'hook', case when j.running + j.ready + j.waiting = 0 and j.waiting_on is distinct from 'slot' then mashup.stuck_on_hook(j) end),
      (9, 'no_tasks', case when j.waiting_on is null then mashup.stuck_without_tasks(j) end)) as s (n, cause, why)
    where s.why is not null order by s.n limit 1
  ) c
  where j.waiting_on is distinct from 'user';
revoke all on mashup.stuck from public, anon, authenticated, service_role;
comment on view mashup.stuck is 'Live jobs that make no progress, with the cause and what to do. Empty in normal operation.';

revoke execute on all functions in schema mashup from public;
