-- Reconciliation of ready tasks with the queue, and the positions in the queue of jobs.

create function mashup.reconcile_queue() returns integer
  language plpgsql security definer set search_path = '' set plan_cache_mode = 'force_custom_plan'
  as $$
declare
  v_task mashup.tasks;
  v_ids bigint[] := '{}';
begin
  if pg_catalog.to_regclass(/*queue*/'mashup_queue' || '.jobs') is null then
    return 0;
  end if;
  if not pg_catalog.has_schema_privilege('mashup_worker', mashup.queue_schema(), 'usage') then
    perform mashup.grant_queue();
  end if;
  for v_task in
    select t.* from mashup.tasks t
    where t.state = 'ready' and t.run_at < mashup.now() - interval '1 second'
      and not exists (
        select from /*queue*/mashup_queue.jobs q
        where q.key = 'mashup:' || t.id || ':' || t.attempt and q.attempts < q.max_attempts
          -- An entry that was taken so long ago and not claimed: its worker never received it. A claim that comes even later
          -- finds another attempt, and does nothing.
          and (q.locked_at is null or q.locked_at > pg_catalog.now() - interval '15 seconds'))
    order by t.id limit 500 for update skip locked
  loop
    update mashup.tasks t set attempt = t.attempt + 1 where t.id = v_task.id and t.state = 'ready' and t.attempt = v_task.attempt;
    if found then
      v_ids := v_ids || v_task.id;
    end if;
  end loop;
  return case when v_ids = '{}' then 0 else mashup.enqueue_tasks(v_ids) end;
end
$$;
comment on function mashup.reconcile_queue() is
  'Enqueues each ready task, due for a second, whose queue entry is missing or can never run. Touches no entry that will run. Returns how many were enqueued. Never waits for a row.';

create function mashup.queue_order() returns table (id uuid, queue_position integer)
  language plpgsql stable set search_path = ''
  as $$
#variable_conflict use_column
begin
  return query with running as (
    select user_id, count(*) as n from public.mashup_jobs where admitted_at is not null group by user_id
  ), waiting as (
    select j.id, j.user_id, j.queued_at, row_number() over (partition by j.user_id order by j.queued_at, j.id) as nth
    from mashup.waiting_jobs j
  )
  select w.id, (row_number() over (order by coalesce(r.n, 0) + w.nth, w.queued_at, w.id))::integer
  from waiting w left join running r on r.user_id = w.user_id;
end
$$;
comment on function mashup.queue_order() is
  'Returns the position, from 1, of each job that waits for a slot: by the number of its user''s running and earlier jobs, then by age.';

create function mashup.queue_position(p_job_id uuid) returns integer
  language plpgsql stable set search_path = ''
  as $$
begin
  -- The queue is ranked only for a job that is in it.
  if not exists (select from mashup.waiting_jobs j where j.id = p_job_id) then
    return null;
  end if;
  return (select q.queue_position from mashup.queue_order() q where q.id = p_job_id);
end
$$;
comment on function mashup.queue_position(uuid) is 'Returns the position of a job in the queue; null if it does not wait for a slot.';

create function mashup.head_of_queue() returns uuid[]
  language plpgsql stable set search_path = ''
  as $$
declare
  v_ids uuid[];
begin
  -- Slots go to users with the fewest running jobs. So the first job of a user who has none running comes before all others.
  -- If the oldest part of the queue has twenty of these, they are the first twenty, and the queue need not be ranked.
  -- The limits are written out: with a limit that it does not know, the planner sorts the whole queue.
  v_ids := array(
    select w.id from (
      select o.id, o.user_id, o.queued_at, row_number() over (partition by o.user_id order by o.queued_at, o.id) as nth
      from (select j.id, j.user_id, j.queued_at from mashup.waiting_jobs j order by j.queued_at, j.id limit 60) o
    ) w
    where w.nth = 1 and not exists (select from public.mashup_jobs r where r.user_id = w.user_id and r.admitted_at is not null)
    order by w.queued_at, w.id limit 20);
  if cardinality(v_ids) < 20 then
    v_ids := array(select q.id from mashup.queue_order() q order by q.queue_position limit 20);
  end if;
  return v_ids;
end
$$;
comment on function mashup.head_of_queue() is 'Returns the first twenty jobs that wait for a slot, in order.';

create function mashup.refresh_queue_positions() returns void
  language plpgsql set search_path = ''
  as $$
begin
  with changed as (
    -- A job may have left the queue since its head was read.
    select j.id, p.queue_position, w.waiting_on from mashup.waiting_jobs j
    join unnest(mashup.head_of_queue()) with ordinality as p (id, queue_position) on p.id = j.id
    cross join lateral (select case when mashup.is_job_paused(j.id, j.user_id) then 'pause' else 'slot' end as waiting_on) w
    where j.queue_position is distinct from p.queue_position or j.waiting_on is distinct from w.waiting_on
    for no key update of j skip locked
  )
  update public.mashup_jobs j set queue_position = c.queue_position, waiting_on = c.waiting_on,
      current_step = case
        when c.waiting_on = j.waiting_on then j.current_step
        when c.waiting_on = 'pause' then 'Paused by the operator'
        else (select s.step from mashup.stages s where s.stage = 'queued')
      end
  from changed c where j.id = c.id;
end
$$;
comment on function mashup.refresh_queue_positions() is
  'Writes queue_position of the first twenty waiting jobs, and whether a pause keeps them from a slot. A pause that holds back the whole queue is not written on all of it. Skips locked rows.';

create function mashup.show_silence() returns void
  language plpgsql set search_path = ''
  as $$
begin
  with silent as (
    select j.id, format('The %s service has not answered for a while', mashup.name_for_users(k.service)) as step
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join public.mashup_jobs j on j.id = t.job_id and j.stage = k.stage
    where t.state = 'running' and mashup.is_silent(t)
      and j.current_step is distinct from format('The %s service has not answered for a while', mashup.name_for_users(k.service))
    for no key update of j skip locked
  )
  update public.mashup_jobs j set current_step = s.step, estimate_note = mashup.estimate_note(j), estimated_completion_at = null
    from silent s where j.id = s.id;
end
$$;
comment on function mashup.show_silence() is
  'Writes current_step of jobs whose service is silent, and takes their estimate back. The next event or attempt writes the step again, the next sweep after it the estimate. Never waits for a row.';

create function mashup.is_silent(p_task mashup.tasks) returns boolean
  language plpgsql stable set search_path = ''
  as $$
declare
  v_silent_sec double precision := extract(epoch from mashup.now() - p_task.heard_at);
  v_stats mashup.stage_stats;
  v_job public.mashup_jobs;
  v_limits mashup.claim_limits;
begin
  if v_silent_sec is null or v_silent_sec > p_task.silence_sec / 2 then
    return v_silent_sec is not null;
  end if;
  v_limits := mashup.read_claim_limits();
  -- Until five are measured a call may take the whole time of its kind. Operators should not wait for half of that.
  if v_silent_sec <= v_limits.call_limit_min_sec
    or p_task.silence_sec < (select k.timeout_sec from mashup.task_kinds k where k.kind = p_task.kind)
  then
    return false;
  end if;
  select * into v_stats from mashup.stage_stats s where s.kind = p_task.kind;
  select * into v_job from public.mashup_jobs j where j.id = p_task.job_id;
  return v_silent_sec > mashup.measured_limit(v_stats, v_job, p_task.song_id, v_limits) / 2
    * case when p_task.kind = 'separate' and mashup.uses_model(v_job) then v_stats.model_factor else 1 end;
end
$$;
comment on function mashup.is_silent(mashup.tasks) is
  'Returns whether the service of a running task has been silent for half of the time after which its call ends, or, before that time follows from measured durations, for half of the time that it would be.';

revoke execute on all functions in schema mashup from public;
