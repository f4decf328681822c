-- A clock that was set back leaves times in the future. The engine waits for each of them only as long as it ever would have: the
-- sweep limits every time to now plus the longest wait that the settings allow. Five seconds of tolerance: the time of a transaction is
-- that of its start, so a row may carry a slightly later time than the transaction that reads it.

create function mashup.longest_delay_sec(p_kind mashup.task_kinds) returns double precision
  language plpgsql immutable set search_path = ''
  -- 600: the longest Retry-After that workers accept.
  as $$ begin return greatest(p_kind.backoff_max_sec, 600); end $$;
comment on function mashup.longest_delay_sec(mashup.task_kinds) is 'Returns the longest time, in seconds, for which a task of a kind waits after a fault.';

create function mashup.limit_waiting_tasks() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_count integer := 0;
begin
  for v_task in
    select t.* from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.state = 'waiting'
      and (t.run_at > mashup.now() + make_interval(secs => mashup.longest_delay_sec(k) + 5) or t.created_at > mashup.now() + interval '5 seconds')
    order by t.id limit 500 for update of t skip locked
  loop
    update mashup.tasks t set run_at = least(t.run_at, mashup.now()), created_at = least(t.created_at, mashup.now()) where t.id = v_task.id;
    v_count := v_count + 1;
  end loop;
  -- Ready tasks are due within two seconds. Their queue entries carry the same time, so each gets another one.
  for v_task in
    select t.* from mashup.tasks t
    where t.state = 'ready' and t.run_at > mashup.now() + interval '5 seconds'
    order by t.id limit 500 for update skip locked
  loop
    update mashup.tasks t set run_at = mashup.now(), created_at = least(t.created_at, mashup.now()), attempt = t.attempt + 1
      where t.id = v_task.id;
    perform mashup.enqueue_tasks(array[v_task.id]);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function mashup.limit_waiting_tasks() is
  'Makes waiting and ready tasks due whose time is further away than any back-off. Returns how many. Lock: task rows by id; never waits for a row.';

create function mashup.limit_running_tasks() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_count integer;
begin
  with far as (
    select t.id, mashup.now() + mashup.setting_interval('lease_sec') as lease, mashup.now() + make_interval(secs => k.timeout_sec) as deadline
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.state = 'running' and (t.started_at > mashup.now() + interval '5 seconds'
      or t.lease_until > mashup.now() + mashup.setting_interval('lease_sec') + interval '5 seconds'
      or t.deadline_at > mashup.now() + make_interval(secs => k.timeout_sec + 5))
    order by t.id for update of t skip locked
  )
  update mashup.tasks t set started_at = least(t.started_at, mashup.now()), heard_at = least(t.heard_at, mashup.now()), lease_until = least(t.lease_until, f.lease),
      deadline_at = least(t.deadline_at, f.deadline)
    from far f where t.id = f.id;
  get diagnostics v_count = row_count;
  with far as (
    select t.id, mashup.now() + make_interval(secs => h.sec) as held_until
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    cross join lateral (select coalesce((s.value ->> k.service)::double precision, 0) as sec
      from mashup.settings s where s.name = 'service_abort_hold_sec') h
    where t.held_until is not null and t.held_until > mashup.now() + make_interval(secs => h.sec + 5)
    order by t.id for update of t skip locked
  )
  update mashup.tasks t set held_until = f.held_until from far f where t.id = f.id;
  with far as (
    select p.service, p.n, mashup.now() + make_interval(secs => h.sec) as held_until
    from mashup.places p
    cross join lateral (select coalesce((s.value ->> p.service)::double precision, 0) as sec
      from mashup.settings s where s.name = 'service_abort_hold_sec') h
    where p.held_until > mashup.now() + make_interval(secs => h.sec + 5)
    for update of p skip locked
  )
  update mashup.places p set held_until = f.held_until from far f where p.service = f.service and p.n = f.n;
  return v_count;
end
$$;
comment on function mashup.limit_running_tasks() is
  'Limits leases to lease_sec, deadlines to timeout_sec of the kind and places held by dropped tasks to service_abort_hold_sec from now. Returns how many running tasks. Lock: task rows by id; never waits for a row.';

create function mashup.limit_future_times() returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_deletion_delay interval := greatest(mashup.setting_interval('discard_after_sec'), mashup.setting_interval('replaced_stems_after_sec'),
    mashup.setting_interval('outbox_retry_sec'), mashup.setting_interval('parts_kept_sec'));
begin
  perform mashup.limit_waiting_tasks();
  perform mashup.limit_running_tasks();
  update mashup.workers w set seen_at = mashup.now(), registered_at = least(w.registered_at, mashup.now())
    where w.id in (select f.id from mashup.workers f where f.seen_at > mashup.now() + interval '5 seconds' for update skip locked);
  update mashup.service_health h set retry_at = mashup.now(), opened_at = least(h.opened_at, mashup.now()), updated_at = mashup.now()
    where h.service in (select f.service from mashup.service_health f
      where f.retry_at > mashup.now() + mashup.setting_interval('circuit_open_max_sec') + interval '5 seconds' for update skip locked);
  update mashup.storage_deletions d set not_before = mashup.now() + v_deletion_delay
    where d.id in (select f.id from mashup.storage_deletions f
      where f.not_before > mashup.now() + v_deletion_delay + interval '5 seconds' order by f.id limit 500 for update skip locked);
  update mashup.outgoing_events e set not_before = mashup.now()
    where e.seq in (select f.seq from mashup.outgoing_events f
      where f.delivered_at is null and f.not_before > mashup.now() + interval '1 hour 5 seconds' order by f.seq limit 500 for update skip locked);
end
$$;
comment on function mashup.limit_future_times() is
  'Limits every time for which the engine waits to now plus the longest wait that the settings allow, after the clock was set back. Pauses keep the time that their operator gave, and count_request limits its own. Never waits for a row.';

revoke execute on all functions in schema mashup from public;
