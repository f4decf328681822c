-- What a job with a slot waits for, where nothing of it runs or may run: column waiting_on.
--
-- Looking at every job with a slot made scheduling grow with their number, under its one lock: with 200 live jobs it was two
-- thirds of the time of a job. So a transaction notes the jobs whose tasks it touched, in the setting mashup.stale_jobs, and
-- schedule looks at these. It looks at all jobs after a pause, after a circuit opened or closed, and in the sweep.
--
-- Both functions that write here hold the locks of services, for which workers wait that hold jobs. So they must not wait for a job.
-- Skip locked does not suffice: where the holder of a row commits an update at that very moment, Postgres follows it to the new version
-- of the row, and waits for whoever holds that one. A lock timeout ends this wait, long before Postgres looks for deadlocks.

create function mashup.mark_waiting_on_stale(p_job_id uuid) returns text
  language plpgsql set search_path = ''
  as $$
declare
  v_noted text := coalesce(current_setting('mashup.stale_jobs', true), '');
  v_max constant integer := 100 * 37;
begin
  if v_noted <> 'all' and (p_job_id is null or position(p_job_id::text in v_noted) = 0) then
    v_noted := set_config('mashup.stale_jobs',
      case when p_job_id is null or length(v_noted) >= v_max then 'all' else v_noted || p_job_id || ' ' end, true);
  end if;
  return v_noted;
end
$$;
comment on function mashup.mark_waiting_on_stale(uuid) is
  'Notes a job for refresh_waiting_on at the end of this transaction; null, or more than a hundred jobs: all. Returns what is noted.';

create function mashup.unmark_waiting_on_stale(p_job_id uuid) returns text
  language plpgsql set search_path = ''
  as $$
begin
  return set_config('mashup.stale_jobs', replace(coalesce(current_setting('mashup.stale_jobs', true), ''), p_job_id || ' ', ''), true);
end
$$;
comment on function mashup.unmark_waiting_on_stale(uuid) is
  'Takes back mark_waiting_on_stale for a job of which this transaction started a task last: its waiting_on is null. Returns what is noted.';

create function mashup.jobs_that_may_wait() returns uuid[]
  language plpgsql stable set search_path = ''
  as $$
begin
  -- Most jobs have a task that runs or may run, and are not said to wait.
  return array(
    select j.id from public.mashup_jobs j
    where j.admitted_at is not null
      and (j.waiting_on is not null
        or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running'))));
end
$$;
comment on function mashup.jobs_that_may_wait() is 'Returns the jobs with a slot whose waiting_on may have to change.';

create function mashup.waiting_step(p_job public.mashup_jobs) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_away text[];
begin
  v_away := array(
    select distinct mashup.name_for_users(h.service)
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = any (mashup.services_of(k))
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'waiting' and h.state <> 'closed' order by 1);
  return case
    when 'storage' = any (v_away) then 'Waiting for the file storage; the time left is known when it is back.'
    when cardinality(v_away) > 1 then format('Waiting for the %s services; the time left is known when they are back.', array_to_string(v_away, ' and '))
    when cardinality(v_away) = 1 then format('Waiting for the %s service; the time left is known when it is back.', v_away[1])
    else 'Waiting for a service; the time left is known when it is back.'
  end;
end
$$;
comment on function mashup.waiting_step(public.mashup_jobs) is 'Returns which unavailable services a job waits for, as its user reads it.';

create function mashup.refresh_waiting_on(p_job_ids uuid[]) returns void
  language plpgsql set search_path = '' set lock_timeout = '10ms'
  as $$
declare
  v_ids uuid[] := coalesce(p_job_ids, mashup.jobs_that_may_wait());
  v_paused boolean := exists (select from mashup.pauses);
  v_paused_kinds text[] := '{}';
  v_open_kinds text[];
begin
  -- Most jobs of a transaction have a task that runs or may run, and are not said to wait.
  if cardinality(v_ids) = 0 or not exists (
    select from unnest(v_ids) as i (id) join public.mashup_jobs j on j.id = i.id
    where j.admitted_at is not null and (j.waiting_on is not null
      or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running') offset 0)))
  then
    return;
  end if;
  if v_paused then
    v_paused_kinds := array(select k.kind from mashup.task_kinds k where mashup.is_kind_paused(k));
  end if;
  v_open_kinds := array(select k.kind from mashup.service_health h join mashup.task_kinds k on h.service = any (mashup.services_of(k))
    where h.state <> 'closed');
  begin
    with waits as (
      -- Offset 0: the tasks of a job are looked up by index, not hashed with those of all jobs.
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
      where j.admitted_at is not null
    ), changed as (
      select j.id, w.waiting_on, case when w.waiting_on = 'circuit' then mashup.waiting_step(j) end as step
      from waits w join public.mashup_jobs j on j.id = w.id
      where j.admitted_at is not null and (j.waiting_on is distinct from w.waiting_on
        -- Another service has failed since.
        or (w.waiting_on = 'circuit' and j.current_step is distinct from mashup.waiting_step(j)))
      for no key update of j skip locked
    )
    update public.mashup_jobs j set waiting_on = c.waiting_on,
        current_step = case c.waiting_on
          when 'circuit' then c.step
          when 'pause' then 'Paused by the operator'
          else case when j.waiting_on in ('circuit', 'pause') then (select s.step from mashup.stages s where s.stage = j.stage) else j.current_step end
        end
    from changed c where j.id = c.id;
  exception when lock_not_available then
    null;
  end;
end
$$;
comment on function mashup.refresh_waiting_on(uuid[]) is
  'Writes waiting_on of jobs with a slot, and with it current_step; null: of all jobs. Skips locked rows, and all if it would wait: the sweep writes them within a second.';

create function mashup.refresh_estimates() returns void
  language plpgsql set search_path = '' set lock_timeout = '10ms'
  as $$
begin
  -- Mostly nothing is away and no job has a note.
  if not exists (select from mashup.service_health h where h.state <> 'closed' or h.unanswered_since is not null) and not exists (select from mashup.pauses)
    and not exists (select from public.mashup_jobs j
      where j.admitted_at is not null and (j.estimate_note is not null or j.estimated_completion_at is null))
  then
    return;
  end if;
  begin
    with noted as materialized (
      select j.id, mashup.estimate_note(j) as note from public.mashup_jobs j where j.admitted_at is not null
    ), changed as (
      select j.id, n.note from noted n join public.mashup_jobs j on j.id = n.id
      where j.admitted_at is not null and (j.estimate_note is distinct from n.note or (j.estimated_completion_at is null) <> (n.note is not null))
      for no key update of j skip locked
    )
    -- Nobody knows how long a service is going to be away.
    update public.mashup_jobs j set estimate_note = c.note, estimated_completion_at = case when c.note is null then mashup.estimate_completion(j) end
    from changed c where j.id = c.id;
  exception when lock_not_available then
    null;
  end;
end
$$;
comment on function mashup.refresh_estimates() is
  'Writes estimate_note of all jobs with a slot, and with it estimated_completion_at, which is null exactly while there is a note: also of a job that runs while a service of a later stage is away. Skips locked rows, and all if it would wait: the sweep writes them within a second.';

create function mashup.mark_ready_job_stale() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_noted text;
begin
  v_noted := mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$$;
comment on function mashup.mark_ready_job_stale() is 'Trigger: the job of a task that was made ready no longer waits. It need not be the job of the transaction.';
create trigger mark_ready_job_stale after update of state on mashup.tasks for each row
  when (old.state = 'waiting' and new.state = 'ready') execute function mashup.mark_ready_job_stale();

create function mashup.mark_all_jobs_stale() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.mark_waiting_on_stale(null);
  perform mashup.note_schedule('all');
  return null;
end
$$;
comment on function mashup.mark_all_jobs_stale() is 'Trigger: every job may wait for something else now, and tasks of every kind may run.';
create trigger mark_all_jobs_stale after insert or update or delete on mashup.pauses for each statement execute function mashup.mark_all_jobs_stale();
create trigger mark_all_jobs_stale after update of state on mashup.service_health for each row
  when ((old.state = 'closed') <> (new.state = 'closed')) execute function mashup.mark_all_jobs_stale();

revoke execute on all functions in schema mashup from public;
