-- A worker registers, sends heartbeats for itself, and deregisters.

create function mashup.take_back_crashes(p_worker_ids uuid[]) returns void
  language sql set search_path = ''
  as $$
  update mashup.tasks t set crashes = t.crashes - 1, lost_by = null,
      solo_crashes = t.solo_crashes - (t.crashes > mashup.setting_number('max_crashes_before_solo'))::integer
    where t.id in (select l.id from mashup.tasks l where l.lost_by = any (p_worker_ids) and l.state <> 'failed' for update skip locked)
$$;
comment on function mashup.take_back_crashes(uuid[]) is
  'Takes back the crashes that were counted for workers that returned: each was alive, and could not reach the database or found it read-only. Skips locked tasks: the sweep repeats it.';

create function mashup.register_worker(
  p_id uuid, p_host text, p_pid integer, p_lock_key bigint, p_version text, p_concurrency integer, p_pool_ids text[], p_services jsonb
) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- First, so that no row of a task is waited for with that of the worker held.
  perform mashup.take_back_crashes(array[p_id]);
  insert into mashup.workers as w (id, host, pid, lock_key, version, concurrency, pool_ids, services)
  values (p_id, p_host, p_pid, p_lock_key, p_version, p_concurrency, p_pool_ids, p_services)
  on conflict (id) do update set lock_key = excluded.lock_key, pool_ids = excluded.pool_ids,
    services = excluded.services, seen_at = mashup.now(), draining = false;
end
$$;
comment on function mashup.register_worker(uuid, text, integer, bigint, text, integer, text[], jsonb) is
  'Registers a worker, again or for the first time. It must already hold a session advisory lock on p_lock_key. Crashes that were counted for it are taken back. Lock order: tasks (skips locked ones), worker.';
grant execute on function mashup.register_worker(uuid, text, integer, bigint, text, integer, text[], jsonb) to mashup_worker;

create function mashup.heartbeat_worker(p_worker_id uuid) returns boolean
  language sql security definer set search_path = ''
  as $$
  with seen as (update mashup.workers set seen_at = mashup.now() where id = p_worker_id returning 1)
  select exists (select from seen)
$$;
comment on function mashup.heartbeat_worker(uuid) is 'Notes that a worker is alive. Returns false if it is not registered any more.';
grant execute on function mashup.heartbeat_worker(uuid) to mashup_worker;

create function mashup.deregister_worker(p_worker_id uuid) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  update mashup.workers set draining = true where id = p_worker_id;
  for v_task in select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' order by t.job_id, t.id loop
    perform mashup.return_task(v_task.id, v_task.claim);
  end loop;
  perform mashup.unlock_queue(w.pool_ids) from mashup.workers w where w.id = p_worker_id;
  delete from mashup.workers where id = p_worker_id;
end
$$;
comment on function mashup.deregister_worker(uuid) is
  'Removes a stopping worker: requeues its tasks and unlocks its queue entries. Lock order: worker, then jobs and tasks by id.';
grant execute on function mashup.deregister_worker(uuid) to mashup_worker;

revoke execute on all functions in schema mashup from public;
