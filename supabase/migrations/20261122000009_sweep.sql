-- Upkeep. Every worker calls sweep each second; one at a time does it. Each row is taken with skip locked and judged again
-- under its lock, so sweep never waits for anybody.

-- A worker is dead when the session lock it held is free. Not believed shortly after a restart of Postgres, which frees
-- every lock at once, nor of a worker heard of just now (it may be reconnecting); then only a missed beat counts.
create function mashup.dead_workers() returns setof uuid
  language sql stable set search_path = ''
  as $$
  select w.id from mashup.workers w
  where w.seen_at < mashup.now() - mashup.setting_interval('lease_sec')
    or (w.seen_at < mashup.now() - mashup.setting_interval('crash_grace_sec')
      and pg_catalog.pg_postmaster_start_time() < pg_catalog.now() - mashup.setting_interval('restart_grace_sec')
      and not exists (
        select from pg_catalog.pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
          and l.classid::bigint = (w.lock_key >> 32) & 4294967295 and l.objid::bigint = w.lock_key & 4294967295))
$$;
comment on function mashup.dead_workers() is 'Workers whose process is gone or that have been silent for a lease.';

-- Takes a task from a worker that was lost. After too many losses while it ran alone, the task is to blame and fails.
create function mashup.recover_task(p_task mashup.tasks, p_reason text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks := p_task;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_was_solo boolean := p_task.crashes >= mashup.setting_number('max_crashes_before_solo');
begin
  select * into v_kind from mashup.task_kinds where kind = p_task.kind;
  v_task.crashes := p_task.crashes + 1;
  v_task.solo_crashes := p_task.solo_crashes + v_was_solo::integer;
  perform set_config('mashup.actor', 'sweep', true);
  if v_task.solo_crashes >= mashup.setting_number('max_solo_crashes') then
    perform mashup.discard_output(p_task);
    update mashup.tasks t set crashes = v_task.crashes, solo_crashes = v_task.solo_crashes where t.id = p_task.id;
    perform mashup.end_attempt(v_task, v_kind, true, true, 'task_kills_worker',
      format('Every worker that ran this %s task was lost.', p_task.kind),
      'Look at the workers'' logs and memory, then retry the job. If one song is to blame, leave it out.', null);
    return;
  end if;
  perform mashup.requeue_task(v_task);
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  perform mashup.log_event(v_job, 'retry', format('%s was taken from a lost worker', p_task.kind), null, p_task.song_id,
    jsonb_build_object('task', p_task.id, 'reason', p_reason, 'worker', p_task.worker_id, 'crashes', v_task.crashes));
end
$$;
comment on function mashup.recover_task(mashup.tasks, text) is 'Takes a task from a lost worker. Lock: job and task rows held by the caller.';

-- Locks job and task of a running task without waiting; null if somebody has either, or if the claim has changed.
create function mashup.try_lock_claim(p_task_id bigint, p_claim uuid) returns mashup.tasks
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id)
    for no key update skip locked;
  if not found then
    return null;
  end if;
  select * into v_task from mashup.tasks t where t.id = p_task_id and t.claim = p_claim and t.state = 'running' for update skip locked;
  if not found then
    return null;
  end if;
  return v_task;
end
$$;
comment on function mashup.try_lock_claim(bigint, uuid) is 'As lock_claim, but never waits.';

-- Frees what dead and silent workers hold, and ends attempts that take longer than their kind may. Answers how many.
create function mashup.sweep_workers() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_dead uuid[] := array(select mashup.dead_workers());
  v_row record;
  v_task mashup.tasks;
  v_count integer := 0;
begin
  for v_row in
    select t.id, t.claim, t.worker_id = any (v_dead) or w.id is null as is_dead, t.deadline_at < mashup.now() - interval '10 seconds' as is_late
    from mashup.tasks t left join mashup.workers w on w.id = t.worker_id
    where t.state = 'running'
      and (t.worker_id = any (v_dead) or w.id is null or t.lease_until < mashup.now() or t.deadline_at < mashup.now() - interval '10 seconds')
    order by t.id
  loop
    v_task := mashup.try_lock_claim(v_row.id, v_row.claim);
    continue when v_task.id is null;
    -- One task that cannot be taken must not keep the others from being taken.
    begin
      if v_row.is_dead then
        perform mashup.recover_task(v_task, 'worker_dead');
      elsif v_task.lease_until < mashup.now() then
        perform mashup.recover_task(v_task, 'lease_expired');
      elsif v_row.is_late then
        perform mashup.discard_output(v_task);
        perform mashup.signal_tasks(v_task.job_id, 'lost');
        perform mashup.end_attempt(v_task, k, false, true, 'task_timeout', format('The %s task took longer than it may.', v_task.kind),
          'Try again; if it happens again, use shorter songs.', null) from mashup.task_kinds k where k.kind = v_task.kind;
      end if;
      v_count := v_count + 1;
    exception when others then
      raise warning 'Task % could not be taken: %', v_task.id, sqlerrm;
    end;
  end loop;
  if cardinality(v_dead) > 0 then
    perform mashup.unlock_queue(array(select distinct p from mashup.workers w, unnest(w.pool_ids) p where w.id = any (v_dead)));
    delete from mashup.workers w where w.id in (select d.id from mashup.workers d where d.id = any (v_dead) for update skip locked)
      and not exists (select from mashup.tasks t where t.worker_id = w.id and t.state = 'running');
  end if;
  return v_count;
end
$$;
comment on function mashup.sweep_workers() is 'Frees what lost workers hold. Never waits for a row.';

-- Wake-ups that a dead worker had taken would stay locked for hours. They come free here; being late, they do nothing.
create function mashup.unlock_queue(p_pool_ids text[]) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  if cardinality(p_pool_ids) > 0 and pg_catalog.to_regnamespace('graphile_worker') is not null then
    perform graphile_worker.force_unlock_workers(p_pool_ids);
  end if;
end
$$;
comment on function mashup.unlock_queue(text[]) is 'Unlocks Graphile Worker jobs of dead pools.';

-- Puts back any wake-up that is missing: a ready task, due for a second, whose key is not in the queue, or is there but can
-- never run. Touches no wake-up that will run. Answers how many were put back.
create function mashup.reconcile_queue() returns integer
  language plpgsql security definer set search_path = '' set plan_cache_mode = 'force_custom_plan'
  as $$
declare
  v_task mashup.tasks;
  v_count integer := 0;
begin
  if pg_catalog.to_regclass('graphile_worker.jobs') is null then
    return 0;
  end if;
  if not pg_catalog.has_schema_privilege('mashup_worker', 'graphile_worker', 'usage') then
    perform mashup.grant_queue();
  end if;
  for v_task in
    select t.* from mashup.tasks t
    where t.state = 'ready' and t.run_at < mashup.now() - interval '1 second'
      and not exists (
        select from graphile_worker.jobs q
        where q.key = t.id || ':' || t.attempt and q.attempts < q.max_attempts
          -- Taken from the queue and yet not claimed for so long: its worker never heard that it took it. A claim that
          -- comes even later finds another attempt, and does nothing.
          and (q.locked_at is null or q.locked_at > pg_catalog.now() - interval '15 seconds'))
    order by t.id limit 500 for update skip locked
  loop
    update mashup.tasks t set attempt = t.attempt + 1 where t.id = v_task.id and t.state = 'ready' and t.attempt = v_task.attempt
      returning * into v_task;
    if found and mashup.enqueue_task(v_task) then
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$$;
comment on function mashup.reconcile_queue() is 'Puts back missing wake-ups. Never waits for a row.';

-- The waiting jobs in the order in which slots are given: as many as a user's running jobs and earlier ones, then by age.
create function mashup.queue_order() returns table (id uuid, queue_position integer)
  language sql stable set search_path = ''
  as $$
  with running as (
    select user_id, count(*) as n from public.mashup_jobs
    where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null group by user_id
  ), waiting as (
    select j.id, j.user_id, j.queued_at, row_number() over (partition by j.user_id order by j.queued_at, j.id) as nth
    from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')
  )
  select w.id, (row_number() over (order by coalesce(r.n, 0) + w.nth, w.queued_at, w.id))::integer
  from waiting w left join running r on r.user_id = w.user_id
$$;
comment on function mashup.queue_order() is 'Place of each job that waits for a slot, from 1.';

create function mashup.queue_position(p_job_id uuid) returns integer
  language sql stable set search_path = ''
  as $$
  select q.queue_position from mashup.queue_order() q where q.id = p_job_id
    and exists (select from public.mashup_jobs j where j.id = p_job_id and j.admitted_at is null)
$$;
comment on function mashup.queue_position(uuid) is 'Place of a job in the queue; null if it does not wait for a slot.';

-- Writes the places of the first twenty, so that their watchers see them move.
create function mashup.refresh_queue_positions() returns void
  language sql set search_path = ''
  as $$
  with changed as (
    select j.id, p.queue_position from public.mashup_jobs j
    join (select * from mashup.queue_order() order by queue_position limit 20) p on p.id = j.id
    where j.admitted_at is null and j.queue_position is distinct from p.queue_position for no key update of j skip locked
  )
  update public.mashup_jobs j set queue_position = c.queue_position from changed c where j.id = c.id and j.admitted_at is null
$$;
comment on function mashup.refresh_queue_positions() is 'Writes queue_position of the first twenty waiting jobs.';

-- Retention: small batches, in order of age, skipping what is locked. Files go through the outbox.
create function mashup.purge_expired() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_batch integer := mashup.setting_number('retention_batch')::integer;
  v_job public.mashup_jobs;
  v_count integer := 0;
  v_rows integer;
begin
  for v_job in
    select * from public.mashup_jobs j
    where j.hold = 'planning' and j.stage = 'planning' and j.waiting_on = 'user'
      and j.stage_entered_at < mashup.now() - make_interval(hours => mashup.setting_number('draft_expires_hours')::integer)
    order by j.stage_entered_at limit v_batch for no key update skip locked
  loop
    update public.mashup_jobs set stage = 'cancelled' where id = v_job.id;
    v_count := v_count + 1;
  end loop;

  for v_job in
    select * from public.mashup_jobs j
    where j.stage = 'complete' and j.expired_at is null and j.result_path is not null
      and j.finished_at < mashup.now() - make_interval(days => mashup.setting_number('result_expires_days')::integer)
    order by j.finished_at limit v_batch for no key update skip locked
  loop
    insert into mashup.storage_deletions (path) select r.path from public.mashup_results r where r.job_id = v_job.id;
    update public.mashup_jobs set expired_at = mashup.now(), result_path = null where id = v_job.id returning * into v_job;
    perform mashup.log_event(v_job, 'expired', 'The file has expired');
    v_count := v_count + 1;
  end loop;

  delete from public.mashup_jobs j where j.id in (
    select d.id from public.mashup_jobs d
    where d.finished_at < mashup.now() - make_interval(days => mashup.setting_number('job_retention_days')::integer)
    order by d.finished_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;

  delete from mashup.stems s where s.id in (
    select d.id from mashup.stems d
    where d.used_at < mashup.now() - make_interval(days => mashup.setting_number('stems_retention_days')::integer)
      and not exists (
        select from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.user_id = d.user_id and j.stage not in ('complete', 'failed', 'cancelled') and (s ->> 'stems_id')::bigint = d.id)
    order by d.used_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;

  delete from mashup.analyses a where a.id in (
    select d.id from mashup.analyses d
    where d.used_at < mashup.now() - make_interval(days => mashup.setting_number('analysis_retention_days')::integer)
    order by d.used_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  return v_count + v_rows;
end
$$;
comment on function mashup.purge_expired() is 'One round of retention. Answers how many rows it ended or deleted.';

-- What goes takes its files along.
create function mashup.enqueue_file_deletions() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  if tg_table_name = 'mashup_jobs' then
    insert into mashup.storage_deletions (path, is_prefix) values (format('generated/%s/', old.id), true);
    -- A worker that is not yet told may write for a while.
    perform mashup.discard_output(t) from mashup.tasks t where t.job_id = old.id and t.state = 'running';
  elsif tg_table_name = 'stems' then
    insert into mashup.storage_deletions (path) select p.value from jsonb_each_text(old.paths) p;
  else
    insert into mashup.storage_deletions (path, is_prefix)
      values (format('uploads/%s/', old.id), true), (format('stems/%s/', old.id), true);
  end if;
  return old;
end
$$;
comment on function mashup.enqueue_file_deletions() is 'Trigger: puts the files of a deleted row into the outbox.';
create trigger enqueue_file_deletions before delete on public.mashup_jobs for each row execute function mashup.enqueue_file_deletions();
create trigger enqueue_file_deletions before delete on mashup.stems for each row execute function mashup.enqueue_file_deletions();

-- A job belongs to a user who exists. The user's row is locked against deletion until the job is committed, and only here:
-- nobody who holds a job waits for its user.
create function mashup.check_user() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform from auth.users u where u.id = new.user_id for key share;
  if not found then
    raise exception using errcode = 'foreign_key_violation', message = format('There is no user %s.', new.user_id),
      hint = 'Sign up first.';
  end if;
  return new;
end
$$;
comment on function mashup.check_user() is 'Trigger: refuses a job of a user who does not exist.';
create trigger check_user before insert on public.mashup_jobs for each row execute function mashup.check_user();

-- What a deleted user had. Jobs first, in the order of their ids, as bulk verbs take them; then the caches, to which no job
-- can add any more.
create function mashup.delete_user_data() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform from public.mashup_jobs j where j.user_id = old.id order by j.id for update;
  delete from public.mashup_jobs j where j.user_id = old.id;
  delete from mashup.stems s where s.user_id = old.id;
  delete from mashup.analyses a where a.user_id = old.id;
  return null;
end
$$;
comment on function mashup.delete_user_data() is 'Trigger: deletes a deleted user''s jobs, analyses and stems. Lock order: user, jobs by id.';

create table mashup.maintenance_runs (
  name    text primary key,
  done_at timestamptz not null default '-infinity'
);
comment on table mashup.maintenance_runs is 'When each periodic duty was done last, by whichever worker.';
insert into mashup.maintenance_runs (name) values ('reconcile'), ('purge');

-- One round of upkeep. Answers what it did, or null when another worker is at it.
create function mashup.sweep() returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_freed integer;
  v_restored integer := 0;
  v_retained integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtext('mashup.sweep')) then
    return null;
  end if;
  v_freed := mashup.sweep_workers();
  update mashup.maintenance_runs set done_at = mashup.now()
    where name = 'reconcile' and done_at <= mashup.now() - mashup.setting_interval('reconcile_sec');
  if found then
    v_restored := mashup.reconcile_queue();
    perform mashup.refresh_queue_positions();
    delete from mashup.pauses p using (
      select d.scope, d.key from mashup.pauses d where d.until <= mashup.now() for update skip locked) ended
      where p.scope = ended.scope and p.key = ended.key;
  end if;
  update mashup.maintenance_runs set done_at = mashup.now() where name = 'purge' and done_at <= mashup.now() - interval '1 minute';
  if found then
    v_retained := mashup.purge_expired();
  end if;
  -- Back-offs that ended, circuits due for a probe, pauses that ran out: nothing else would wake them.
  perform mashup.schedule_all();
  return jsonb_build_object('recovered', v_freed, 'enqueued', v_restored, 'purged', v_retained);
end
$$;
comment on function mashup.sweep() is 'One round of upkeep: lost workers, reconcile, retention, release.';

-- Outbox: hands a worker a batch of objects to delete through the Storage API. If they fail they are due again after outbox_retry_sec.
create function mashup.claim_storage_deletions(p_limit integer) returns setof mashup.storage_deletions
  language sql security definer set search_path = ''
  as $$
  update mashup.storage_deletions d set attempts = d.attempts + 1, not_before = mashup.now() + mashup.setting_interval('outbox_retry_sec')
  where d.id in (select s.id from mashup.storage_deletions s where s.not_before <= mashup.now()
    order by s.not_before limit p_limit for update skip locked)
  returning d.*
$$;
comment on function mashup.claim_storage_deletions(integer) is 'Leases due rows of the outbox to a worker.';

create function mashup.complete_storage_deletions(p_ids bigint[]) returns void
  language sql security definer set search_path = ''
  as $$ delete from mashup.storage_deletions where id = any (p_ids) $$;
comment on function mashup.complete_storage_deletions(bigint[]) is 'Removes rows whose objects are gone from the outbox.';
