-- What a job waits for is named at each release. Looking at every job that holds a slot made a release grow with their number,
-- under the one lock that all releases share: with 200 live jobs it was two thirds of a job's time. A release now names the
-- waits of the jobs whose tasks its transaction touched; where all may be concerned (a pause, a circuit that opened or closed),
-- and in the sweep, it looks at all.

drop function mashup.refresh_waiting_on();
create function mashup.refresh_waiting_on(p_job_ids uuid[]) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_ids uuid[] := p_job_ids;
  v_paused boolean := exists (select from mashup.pauses);
  v_paused_kinds text[] := '{}';
  v_open_kinds text[];
begin
  if v_ids is null then
    -- Mostly every job has something that runs or may run, and is not said to wait.
    v_ids := array(
      select j.id from public.mashup_jobs j
      where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
        and (j.waiting_on is not null
          or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running'))));
  end if;
  if cardinality(v_ids) = 0 then
    return;
  end if;
  if v_paused then
    v_paused_kinds := array(select k.kind from mashup.task_kinds k
      where mashup.is_paused('kind', k.kind) or mashup.is_paused('service', k.service));
  end if;
  v_open_kinds := array(select k.kind from mashup.service_health h join mashup.task_kinds k on k.service = h.service
    where h.state <> 'closed');
  with waits as (
    -- Offset 0: a job's own tasks are looked up, not hashed with all others'.
    select j.id,
      case
        when exists (select from mashup.tasks t
          where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running') offset 0) then null
        when v_paused and mashup.is_job_paused(j.id, j.user_id) then 'pause'
        when v_paused_kinds <> '{}' and exists (select from mashup.tasks t
          where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting' and t.kind = any (v_paused_kinds) offset 0) then 'pause'
        when v_open_kinds <> '{}' and exists (select from mashup.tasks t
          where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting' and t.kind = any (v_open_kinds) offset 0) then 'circuit'
        else 'tasks'
      end as waiting_on
    from unnest(v_ids) as i (id) join public.mashup_jobs j on j.id = i.id
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
  ), changed as (
    select j.id, w.waiting_on from waits w join public.mashup_jobs j on j.id = w.id
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
      and j.waiting_on is distinct from w.waiting_on
    for no key update of j skip locked
  )
  update public.mashup_jobs j set waiting_on = c.waiting_on,
      current_step = case c.waiting_on
        when 'circuit' then 'A service is not answering; carrying on as soon as it does'
        when 'pause' then 'Paused by the operator'
        else case when j.waiting_on in ('circuit', 'pause') then (select s.step from mashup.stages s where s.stage = j.stage) else j.current_step end
      end
  from changed c where j.id = c.id;
end
$$;
comment on function mashup.refresh_waiting_on(uuid[]) is
  'Writes waiting_on of jobs that hold a slot; null: of all. Skips locked rows: the sweep names them within a second.';

-- The jobs whose waits this transaction may have changed: ids in a setting of the transaction, or 'all'.
create function mashup.mark_waiting_on_stale(p_job_id uuid) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_noted text := coalesce(current_setting('mashup.stale_jobs', true), '');
  v_max constant integer := 100 * 37;
begin
  if v_noted <> 'all' and (p_job_id is null or position(p_job_id::text in v_noted) = 0) then
    perform set_config('mashup.stale_jobs',
      case when p_job_id is null or length(v_noted) >= v_max then 'all' else v_noted || p_job_id || ' ' end, true);
  end if;
end
$$;
comment on function mashup.mark_waiting_on_stale(uuid) is
  'Notes a job for refresh_waiting_on at the end of this transaction; null, or more than a hundred: all jobs.';

-- The one door. Its lock is held until the transaction ends, so it is called last: by the deferred triggers (at commit) and
-- by sweep. The holder never waits for a row.
create function mashup.schedule(p_all boolean) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_noted text;
begin
  perform pg_advisory_xact_lock(hashtext('mashup.schedule'));
  perform mashup.admit_jobs();
  perform mashup.dispatch_tasks();
  v_noted := coalesce(current_setting('mashup.stale_jobs', true), '');
  perform mashup.refresh_waiting_on(case when not p_all and v_noted <> 'all' then string_to_array(rtrim(v_noted), ' ')::uuid[] end);
  perform set_config('mashup.stale_jobs', '', true);
  perform set_config('mashup.schedule', '', true);
end
$$;
comment on function mashup.schedule(boolean) is
  'Admits jobs and releases tasks under one advisory lock; names the waits of all jobs, or of those noted. Never waits for a row.';

create or replace function mashup.schedule_all() returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.schedule(true);
end
$$;
comment on function mashup.schedule_all() is 'Admits jobs, releases tasks and names every wait, under one advisory lock. Never waits for a row.';

create or replace function mashup.schedule_at_commit() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- A transaction that keeps its first snapshot cannot count what others released meanwhile: the sweep does it for it.
  if current_setting('mashup.schedule', true) = 'new' and current_setting('transaction_isolation') = 'read committed' then
    perform mashup.schedule(false);
  end if;
  return null;
end
$$;

create function mashup.request_schedule_for_task() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('mashup.schedule', 'new', true);
  perform mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$$;
comment on function mashup.request_schedule_for_task() is 'Trigger: notes that release has something to do at commit, and for which job.';
drop trigger mark_new_task on mashup.tasks;
drop trigger mark_task on mashup.tasks;
create trigger mark_new_task after insert on mashup.tasks for each row execute function mashup.request_schedule_for_task();
create trigger mark_task after update of state on mashup.tasks for each row
  when (new.state = 'waiting' or (old.state in ('running', 'ready') and new.state not in ('running', 'ready')))
  execute function mashup.request_schedule_for_task();
-- Made ready: its job, which need not be the one that the transaction is about, no longer waits.
create function mashup.mark_ready_job_stale() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$$;
comment on function mashup.mark_ready_job_stale() is 'Trigger: the job of a task that was made ready may no longer wait.';
create trigger mark_ready_task after update of state on mashup.tasks for each row
  when (old.state = 'waiting' and new.state = 'ready') execute function mashup.mark_ready_job_stale();

create function mashup.mark_all_jobs_stale() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.mark_waiting_on_stale(null);
  return null;
end
$$;
comment on function mashup.mark_all_jobs_stale() is 'Trigger: every job may wait for something else now.';
create trigger mark_waits after insert or update or delete on mashup.pauses for each statement execute function mashup.mark_all_jobs_stale();
create trigger mark_waits after update of state on mashup.service_health for each row
  when ((old.state = 'closed') <> (new.state = 'closed')) execute function mashup.mark_all_jobs_stale();

-- As the functions on the path of a job (20261122000032_plans.sql), and called by nobody from outside.
do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array['mashup.schedule_all()', 'mashup.schedule(boolean)']::regprocedure[] loop
    execute format('alter function %s set plan_cache_mode = %L', v_function, 'force_generic_plan');
    execute format('alter function %s set enable_seqscan = %L', v_function, 'off');
    execute format('alter function %s set enable_bitmapscan = %L', v_function, 'off');
    execute format('alter function %s set jit = %L', v_function, 'off');
  end loop;
end
$$;
revoke execute on function mashup.refresh_waiting_on(uuid[]), mashup.mark_waiting_on_stale(uuid), mashup.schedule(boolean), mashup.request_schedule_for_task(),
  mashup.mark_ready_job_stale(), mashup.mark_all_jobs_stale() from public;
