-- Recovery: tasks of lost workers are requeued, and attempts that take too long end. Rows are locked without waiting and
-- checked again under their lock.

create function mashup.note_sweep() returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_last timestamptz;
begin
  select done_at into v_last from mashup.maintenance_runs where name = 'sweep';
  if v_last > '-infinity' and v_last < mashup.now() - greatest(mashup.setting_interval('lease_sec') / 2, interval '3 seconds') then
    update mashup.maintenance_runs set done_at = mashup.now() where name = 'interruption';
  end if;
  update mashup.maintenance_runs set done_at = mashup.now() where name = 'sweep';
end
$$;
comment on function mashup.note_sweep() is
  'Notes that the sweep runs, and the end of an interruption if it did not run for half a lease: the database took no writes, its clock was set forward, or no worker ran.';

create function mashup.is_after_interruption() returns boolean
  language sql stable set search_path = ''
  as $$
  select exists (select from mashup.maintenance_runs
    where name = 'interruption' and done_at > mashup.now() - mashup.setting_interval('restart_grace_sec'))
$$;
comment on function mashup.is_after_interruption() is
  'Whether an interruption ended within restart_grace_sec. Until then missed heartbeats and free locks prove nothing: workers may be returning, with finished work.';

create function mashup.dead_workers() returns setof uuid
  language sql stable set search_path = ''
  as $$
  select w.id from mashup.workers w
  where not mashup.is_after_interruption() and (w.seen_at < mashup.now() - mashup.setting_interval('lease_sec')
    or (w.seen_at < mashup.now() - mashup.setting_interval('crash_grace_sec')
      and pg_catalog.pg_postmaster_start_time() < pg_catalog.now() - mashup.setting_interval('restart_grace_sec')
      and not exists (
        select from pg_catalog.pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
          and l.classid::bigint = (w.lock_key >> 32) & 4294967295 and l.objid::bigint = w.lock_key & 4294967295)))
$$;
comment on function mashup.dead_workers() is
  'Returns the lost workers: silent for a lease, or their session lock is free. A free lock proves nothing shortly after a restart of Postgres, which frees all locks at once, nor of a worker that was seen within crash_grace_sec and may be reconnecting. None is lost shortly after an interruption.';

create function mashup.recover_task(p_task mashup.tasks, p_reason text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks := p_task;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_was_solo boolean := p_task.crashes >= mashup.setting_number('max_crashes_before_solo');
  -- The lease of a worker that is alive expires when the database did not take its heartbeats. The task is not to blame.
  v_crashed boolean := p_reason = 'worker_dead';
begin
  select * into v_kind from mashup.task_kinds where kind = p_task.kind;
  v_task.crashes := p_task.crashes + v_crashed::integer;
  v_task.solo_crashes := p_task.solo_crashes + (v_crashed and v_was_solo)::integer;
  v_task.lost_by := case when v_crashed then p_task.worker_id end;
  v_task.lost_at := case when v_crashed then coalesce((select w.seen_at from mashup.workers w where w.id = p_task.worker_id), mashup.now()) end;
  perform set_config('mashup.actor', 'sweep', true);
  if v_crashed and v_task.solo_crashes >= mashup.setting_number('max_solo_crashes') then
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
    jsonb_build_object('task', p_task.id, 'reason', p_reason, 'worker', p_task.worker_id, 'crashes', v_task.crashes,
      'started_at', p_task.started_at));
end
$$;
comment on function mashup.recover_task(mashup.tasks, text) is
  'Takes a task from a lost worker and requeues it. p_reason: worker_dead, which counts as a crash, or lease_expired, where the worker is alive. After max_solo_crashes lost solo runs the task is to blame and fails. Lock: job and task rows held by the caller.';

create function mashup.end_late_attempt(p_task mashup.tasks) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform mashup.discard_output(p_task);
  perform mashup.signal_tasks(p_task.job_id, 'lost');
  perform mashup.end_attempt(p_task, k, false, true, 'task_timeout', format('The %s task took longer than it may.', p_task.kind),
    'Try again; if it happens again, use shorter songs.', null) from mashup.task_kinds k where k.kind = p_task.kind;
end
$$;
comment on function mashup.end_late_attempt(mashup.tasks) is 'Ends an attempt that exceeded timeout_sec of its kind. Lock: job and task rows held by the caller.';

create function mashup.sweep_workers() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_dead uuid[] := array(select mashup.dead_workers());
  v_leases_count boolean := not mashup.is_after_interruption();
  v_row record;
  v_task mashup.tasks;
  v_count integer := 0;
begin
  perform mashup.take_back_crashes(array(
    select t.lost_by from mashup.tasks t join mashup.workers w on w.id = t.lost_by where w.id <> all (v_dead)));
  for v_row in
    select t.id, t.claim, t.worker_id = any (v_dead) or w.id is null as is_dead, t.deadline_at < mashup.now() - interval '10 seconds' as is_late
    from mashup.tasks t left join mashup.workers w on w.id = t.worker_id
    where t.state = 'running'
      and (t.worker_id = any (v_dead) or w.id is null or (v_leases_count and t.lease_until < mashup.now()) or t.deadline_at < mashup.now() - interval '10 seconds')
    order by t.id
  loop
    v_task := mashup.try_lock_claim(v_row.id, v_row.claim);
    continue when v_task.id is null;
    -- An error of one task must not keep the others from being recovered.
    begin
      if v_row.is_dead then
        perform mashup.recover_task(v_task, 'worker_dead');
      elsif v_leases_count and v_task.lease_until < mashup.now() then
        perform mashup.recover_task(v_task, 'lease_expired');
      elsif v_row.is_late then
        perform mashup.end_late_attempt(v_task);
      end if;
      v_count := v_count + 1;
    exception when others then
      raise warning 'Task % could not be recovered: %', v_task.id, sqlerrm;
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
comment on function mashup.sweep_workers() is
  'Recovers the tasks of lost workers and expired leases, ends late attempts and removes lost workers. Returns how many tasks. Never waits for a row.';

revoke execute on all functions in schema mashup from public;
