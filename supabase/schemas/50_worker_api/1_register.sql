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

create function mashup.check_protocol(p_version text, p_protocol integer) returns void
  language plpgsql stable set search_path = ''
  as $$
begin
  if p_protocol < mashup.min_protocol_version() then
    perform mashup.raise_error('MB013',
      format('This worker (version %s, protocol %s) is too old for the database (version %s, protocol %s or newer).',
        p_version, p_protocol, mashup.engine_version(), mashup.min_protocol_version()),
      format('Start a worker of version %s in its place.', mashup.engine_version()));
  elsif p_protocol > mashup.protocol_version() then
    perform mashup.raise_error('MB014',
      format('This worker (version %s, protocol %s) is too new for the database (version %s, protocol %s).',
        p_version, p_protocol, mashup.engine_version(), mashup.protocol_version()),
      'Run `mashup migrate` of the version of the worker, then start the worker again.');
  end if;
end
$$;
comment on function mashup.check_protocol(text, integer) is
  'Checks that this schema serves workers of a protocol. Raises MB013 for a worker that is too old, MB014 for one that is too new.';

create function mashup.register_worker(
  p_id uuid, p_host text, p_pid integer, p_lock_key bigint, p_version text, p_concurrency integer, p_pool_ids text[], p_services jsonb,
  p_protocol integer default 1
) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.check_protocol(p_version, p_protocol);
  -- First, so that no row of a task is waited for with that of the worker held.
  perform mashup.take_back_crashes(array[p_id]);
  insert into mashup.workers as w (id, host, pid, lock_key, version, protocol, concurrency, pool_ids, services)
  values (p_id, p_host, p_pid, p_lock_key, p_version, p_protocol, p_concurrency, p_pool_ids, p_services)
  on conflict (id) do update set lock_key = excluded.lock_key, pool_ids = excluded.pool_ids,
    services = excluded.services, seen_at = mashup.now(), draining = false;
end
$$;
comment on function mashup.register_worker(uuid, text, integer, bigint, text, integer, text[], jsonb, integer) is
  'Registers a worker, again or for the first time. It must already hold a session advisory lock on p_lock_key. Crashes that were counted for it are taken back. p_protocol: see check_protocol. Lock order: tasks (skips locked ones), worker. Raises MB013, MB014.';
grant execute on function mashup.register_worker(uuid, text, integer, bigint, text, integer, text[], jsonb, integer) to mashup_worker;

create function mashup.heartbeat_worker(p_worker_id uuid) returns boolean
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_protocol integer;
begin
  update mashup.workers w set seen_at = mashup.now(), draining = w.draining or w.protocol < mashup.min_protocol_version()
    where w.id = p_worker_id returning w.protocol into v_protocol;
  return coalesce(v_protocol >= mashup.min_protocol_version(), false);
end
$$;
comment on function mashup.heartbeat_worker(uuid) is
  'Notes that a worker is alive. Returns false if it has to register again: it is not registered any more, or a migration made it too old. It then claims nothing.';
grant execute on function mashup.heartbeat_worker(uuid) to mashup_worker;

create function mashup.deregister_worker(p_worker_id uuid) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_pool_ids text[];
begin
  for v_task in select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' order by t.job_id, t.id loop
    perform mashup.return_task(v_task.id, v_task.claim);
  end loop;
  delete from mashup.workers w where w.id = p_worker_id returning w.pool_ids into v_pool_ids;
  perform mashup.unlock_queue(v_pool_ids);
end
$$;
comment on function mashup.deregister_worker(uuid) is
  'Removes a stopping worker: requeues its tasks and unlocks its queue entries. Lock order: jobs and tasks by id, worker, queue.';
grant execute on function mashup.deregister_worker(uuid) to mashup_worker;

revoke execute on all functions in schema mashup from public;
