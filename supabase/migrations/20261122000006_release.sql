-- Admission and release: which jobs get a slot, which waiting tasks may run. One function, one advisory lock.

-- Expected end of a job, from measured durations (mashup.stage_stats). Songs of unknown length count with the mean.
create function mashup.estimate_completion(p_job public.mashup_jobs) returns timestamptz
  language plpgsql stable set search_path = ''
  as $$
begin
  return (select mashup.now() + make_interval(secs => coalesce(sum(work.sec), 0))
  from (
    -- Songs are analysed and separated side by side.
    select case when st.kind in ('analyze', 'separate') then song_work.longest * 0.6 + song_work.total * 0.4
      when st.kind = 'render' then st.base_sec + st.per_song_sec * song_work.seconds
      else st.mean_sec end as sec
    from mashup.stage_stats st
    join mashup.task_kinds k on k.kind = st.kind
    join mashup.stages s on s.stage = k.stage
    cross join lateral (
      select coalesce(max(e.sec), 0) as longest, coalesce(sum(e.sec), 0) as total, coalesce(sum(e.len), 0) as seconds
      from (
        select coalesce((song ->> 'duration_sec')::real, 180) as len,
          case when song ->> 'duration_sec' is null then st.mean_sec
            else st.base_sec + st.per_song_sec * (song ->> 'duration_sec')::real end as sec
        from mashup.active_songs(p_job.songs) song
        where not (st.kind = 'analyze' and song ->> 'analysis_id' is not null)
          and not (st.kind = 'separate' and song ->> 'stems_id' is not null)
      ) e
    ) song_work
    where s.position >= (select position from mashup.stages where stage = p_job.stage)
      and (p_job.hold is null or s.position < 3)
  ) work);
end
$$;
comment on function mashup.estimate_completion(public.mashup_jobs) is 'Expected end of a job that holds a slot.';

-- Whether something is paused. scope system pauses everything.
create function mashup.is_paused(p_scope text, p_key text) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from mashup.pauses p
    where ((p.scope = 'system') or (p.scope = p_scope and p.key = p_key)) and (p.until is null or p.until > mashup.now()));
end
$$;
comment on function mashup.is_paused(text, text) is 'Whether a pause of this scope and key (or of the whole system) is in force.';

create function mashup.is_job_paused(p_job_id uuid, p_user_id uuid) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from mashup.pauses) and (mashup.is_paused('job', p_job_id::text) or mashup.is_paused('user', p_user_id::text));
end
$$;
comment on function mashup.is_job_paused(uuid, uuid) is 'Whether a job, its user or the whole system is paused.';

-- The next job to get a slot: of a user with the fewest running jobs, who has waited longest. Two indexes make each look
-- independent of the length of the queue. Locks the row; skips locked ones.
create function mashup.next_admission() returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_busy uuid[];
  v_level uuid[];
  v_count integer;
begin
  if not exists (select from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')) then
    return null;
  end if;
  select coalesce(array_agg(distinct user_id), '{}') into v_busy from public.mashup_jobs
    where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null;
  select * into v_job from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')
      and not (j.user_id = any (v_busy)) and not mashup.is_job_paused(j.id, j.user_id)
    order by j.queued_at, j.id limit 1 for no key update skip locked;
  if found then
    return v_job;
  end if;
  for v_count in 1 .. mashup.setting_number('max_running_jobs_per_user')::integer - 1 loop
    select coalesce(array_agg(user_id), '{}') into v_level from (
      select user_id from public.mashup_jobs
      where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null
      group by user_id having count(*) = v_count) u;
    select j.* into v_job from unnest(v_level) as u (user_id)
      cross join lateral (
        select * from public.mashup_jobs w
        where w.user_id = u.user_id and w.stage not in ('complete', 'failed', 'cancelled') and w.admitted_at is null
          and (w.hold is null or w.stage <> 'planning') and not mashup.is_job_paused(w.id, w.user_id)
        order by w.queued_at, w.id limit 1 for no key update skip locked) j
      order by j.queued_at, j.id limit 1;
    if found then
      return v_job;
    end if;
  end loop;
  return null;
end
$$;
comment on function mashup.next_admission() is 'The next job to get a slot, locked; null if there is none. Caller holds the release lock.';

create function mashup.admit_jobs() returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_free integer;
  v_job public.mashup_jobs;
begin
  if not exists (select from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')) then
    return;
  end if;
  select mashup.setting_number('max_running_jobs')::integer - count(*) into v_free
    from public.mashup_jobs where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null;
  while v_free > 0 loop
    v_job := mashup.next_admission();
    exit when v_job.id is null;
    if v_job.stage = 'queued' then
      perform mashup.transition_job(v_job.id, v_job.entry_stage, 'admit');
    else
      update public.mashup_jobs j set admitted_at = mashup.now(), waiting_on = null, queue_position = null,
          current_step = (select s.step from mashup.stages s where s.stage = j.stage),
          estimated_completion_at = mashup.estimate_completion(v_job)
        where j.id = v_job.id returning * into v_job;
      perform mashup.create_tasks(v_job);
      perform mashup.advance_job(v_job.id);
    end if;
    v_free := v_free - 1;
  end loop;
end
$$;
comment on function mashup.admit_jobs() is 'Gives free slots to waiting jobs. Caller holds the release lock.';

-- How many more tasks of a kind may be made ready now, and whether the next one is a probe of an open circuit.
create function mashup.service_capacity(p_kind mashup.task_kinds, out free integer, out probe boolean)
  language plpgsql stable set search_path = ''
  as $$
declare
  v_health mashup.service_health;
  v_taken integer;
begin
  probe := false;
  select count(*) into v_taken from (
    select t.kind from mashup.tasks t where t.state = 'running' and not t.fallback
    union all select t.kind from mashup.tasks t where t.state = 'ready' and not t.fallback
    union all select t.kind from mashup.tasks t where t.held_until is not null and t.held_until > mashup.now()
  ) busy where busy.kind in (select k.kind from mashup.task_kinds k where k.service = p_kind.service);
  free := coalesce((select (s.value ->> p_kind.service)::integer from mashup.settings s where s.name = 'service_limits'), 1) - v_taken;
  select * into v_health from mashup.service_health h where h.service = p_kind.service;
  if v_health.state = 'open' and v_health.retry_at <= mashup.now() then
    probe := true;
    free := least(free, 1);
  elsif v_health.state in ('open', 'half_open') then
    free := 0;
  end if;
end
$$;
comment on function mashup.service_capacity(mashup.task_kinds) is 'Free places at a kind''s service now; 0 while its circuit is open.';

-- A probe that will never answer (its task was dropped, deleted, paused, handed back, or taken from a lost worker) makes
-- room for the next one. The only place that does: the moves that end tasks touch no other service's row, so that two of
-- them cannot wait for each other.
create function mashup.reset_orphaned_probes() returns void
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.service_health h set state = 'open', probe_task = null, updated_at = mashup.now()
    where h.service in (
      select s.service from mashup.service_health s
      where s.state = 'half_open' and not exists (
        select from mashup.tasks t where t.id = s.probe_task and t.is_probe and t.state in ('ready', 'running'))
      for update skip locked);
end
$$;
comment on function mashup.reset_orphaned_probes() is 'Opens half-open circuits whose probe is gone. Never waits for a row.';

create function mashup.dispatch_tasks() returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_kind mashup.task_kinds;
  v_task mashup.tasks;
  v_free integer;
  v_probe boolean;
  v_spread real;
  v_paused boolean := exists (select from mashup.pauses);
begin
  if exists (select from mashup.service_health h where h.state = 'half_open') then
    perform mashup.reset_orphaned_probes();
  end if;
  if v_paused and mashup.is_paused('system', '') then
    return;
  end if;
  for v_kind in
    select * from mashup.task_kinds k
    where exists (select from mashup.tasks t where t.state = 'waiting' and t.kind = k.kind and t.run_at <= mashup.now())
    order by k.priority, k.kind
  loop
    continue when v_paused and (mashup.is_paused('kind', v_kind.kind) or mashup.is_paused('service', v_kind.service));
    select c.free, c.probe into v_free, v_probe from mashup.service_capacity(v_kind) c;
    -- After an outage the waiting tasks come back spread over a few seconds.
    v_spread := case when exists (select from mashup.service_health h where h.service = v_kind.service and h.state = 'closed'
      and h.failures = 0 and h.last_error is not null and h.updated_at > mashup.now() - interval '10 seconds') then 2 else 0 end;
    for v_task in
      select t.* from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
      where t.state = 'waiting' and t.kind = v_kind.kind and t.run_at <= mashup.now()
        and j.admitted_at is not null and not mashup.is_job_paused(j.id, j.user_id)
      order by t.run_at, t.id limit greatest(v_free, 0) for update of t skip locked
    loop
      if v_probe then
        update mashup.service_health h set state = 'half_open', probe_task = v_task.id, updated_at = mashup.now()
          where h.service = (select hh.service from mashup.service_health hh
            where hh.service = v_kind.service and hh.state = 'open' for update skip locked);
        exit when not found;
      end if;
      perform mashup.dispatch_task(v_task.id, v_probe, v_spread);
    end loop;
    -- Kinds that can do without their service do so when it has been away for longer than their patience.
    if v_free <= 0 and v_kind.fallback_after_sec is not null then
      for v_task in
        select t.* from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
        where t.state = 'waiting' and t.kind = v_kind.kind and t.run_at <= mashup.now()
          and t.created_at < mashup.now() - make_interval(secs => v_kind.fallback_after_sec)
          and j.admitted_at is not null and not mashup.is_job_paused(j.id, j.user_id)
          and exists (select from mashup.service_health h where h.service = v_kind.service and h.state <> 'closed')
        order by t.id for update of t skip locked
      loop
        perform mashup.dispatch_task(v_task.id, false, 0, true);
      end loop;
    end if;
  end loop;
end
$$;
comment on function mashup.dispatch_tasks() is 'Makes waiting tasks ready as far as limits, circuits and pauses allow. Caller holds the release lock.';

-- Makes one waiting task ready and enqueues its wake-up.
create function mashup.dispatch_task(p_task_id bigint, p_probe boolean, p_spread_sec real, p_fallback boolean default false) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  update mashup.tasks t set state = 'ready', attempt = t.attempt + 1, is_probe = p_probe, fallback = p_fallback, held_until = null,
      run_at = mashup.now() + make_interval(secs => random() * p_spread_sec)
    where t.id = p_task_id and t.state = 'waiting' returning * into v_task;
  if found then
    perform mashup.enqueue_task(v_task);
  end if;
end
$$;
comment on function mashup.dispatch_task(bigint, boolean, real, boolean) is
  'Makes a waiting task ready and adds its wake-up. p_fallback: it is to do without its service and takes no place there.';

-- Names what each running job waits for, where nothing of it runs or may run.
create function mashup.refresh_waiting_on() returns void
  language plpgsql set search_path = ''
  as $$
begin
  -- Mostly every job has something that runs or may run, and is not said to wait: a short look tells.
  if not exists (
    select from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
      and (j.waiting_on is not null
        or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running')))) then
    return;
  end if;
  with waits as (
    select j.id,
      case
        when exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running')) then null
        when mashup.is_job_paused(j.id, j.user_id) then 'pause'
        when exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
          where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting'
            and (mashup.is_paused('kind', k.kind) or mashup.is_paused('service', k.service))) then 'pause'
        when exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
          join mashup.service_health h on h.service = k.service
          where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting' and h.state <> 'closed') then 'circuit'
        else 'tasks'
      end as waiting_on
    from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
  ), changed as (
    select j.id, w.waiting_on from public.mashup_jobs j join waits w on w.id = j.id
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
comment on function mashup.refresh_waiting_on() is 'Writes waiting_on of jobs that hold a slot. Skips locked rows: the next round names them.';

-- The one door. Its lock is held until the transaction ends, so it is called last: by the deferred triggers below (at
-- commit) and by sweep. The holder never waits for a row.
create function mashup.schedule_all() returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform pg_advisory_xact_lock(hashtext('mashup.schedule'));
  perform mashup.admit_jobs();
  perform mashup.dispatch_tasks();
  perform mashup.refresh_waiting_on();
  perform set_config('mashup.schedule', '', true);
end
$$;
comment on function mashup.schedule_all() is 'Admits jobs and releases tasks under one advisory lock. Never waits for a row.';

create function mashup.request_schedule() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('mashup.schedule', 'new', true);
  return null;
end
$$;
comment on function mashup.request_schedule() is 'Trigger: notes that schedule_all has something to do at commit.';

create function mashup.schedule_at_commit() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- A transaction that keeps its first snapshot cannot count what others released meanwhile: the sweep does it for it.
  if current_setting('mashup.schedule', true) = 'new' and current_setting('transaction_isolation') = 'read committed' then
    perform mashup.schedule_all();
  end if;
  return null;
end
$$;
comment on function mashup.schedule_at_commit() is 'Deferred trigger: runs schedule_all once for a transaction, at commit, so that an open transaction never holds its lock.';

create trigger mark_new_task after insert on mashup.tasks for each row execute function mashup.request_schedule();
create trigger mark_task after update of state on mashup.tasks for each row
  when (new.state = 'waiting' or (old.state in ('running', 'ready') and new.state not in ('running', 'ready')))
  execute function mashup.request_schedule();
create constraint trigger release_new_task after insert on mashup.tasks deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create constraint trigger release_task after update of state on mashup.tasks deferrable initially deferred for each row
  when (new.state = 'waiting' or (old.state in ('running', 'ready') and new.state not in ('running', 'ready')))
  execute function mashup.schedule_at_commit();

create trigger mark_new_job after insert on public.mashup_jobs for each row execute function mashup.request_schedule();
create trigger mark_job after update on public.mashup_jobs for each row
  when (new.admitted_at is null and (old.admitted_at is not null or old.hold is distinct from new.hold or old.epoch <> new.epoch))
  execute function mashup.request_schedule();
create constraint trigger release_new_job after insert on public.mashup_jobs deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create constraint trigger release_job after update on public.mashup_jobs deferrable initially deferred for each row
  when (new.admitted_at is null and (old.admitted_at is not null or old.hold is distinct from new.hold or old.epoch <> new.epoch))
  execute function mashup.schedule_at_commit();

create trigger mark_pause after insert or update or delete on mashup.pauses for each row execute function mashup.request_schedule();
create constraint trigger release_pause after insert or update or delete on mashup.pauses deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create trigger mark_setting after update on mashup.settings for each row execute function mashup.request_schedule();
create constraint trigger release_setting after update on mashup.settings deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
