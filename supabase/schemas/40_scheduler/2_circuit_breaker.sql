-- The circuit breaker of each service, and of Storage: closed, open, or half-open while one probe is running.

create function mashup.record_service_success(p_service text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.service_health h set state = 'closed', failures = 0, opens = 0, opened_at = null, retry_at = null, probe_task = null,
      -- What is kept of it shows that the circuit was open: dispatch_kind then spreads the tasks that return.
      last_error = case when h.state <> 'closed' then h.last_error end, faults = 0, unanswered_since = null,
      updated_at = case when h.state <> 'closed' or h.failures > 0 then mashup.now() else h.updated_at end
    where h.service = p_service and (h.state <> 'closed' or h.failures > 0 or h.faults > 0 or h.unanswered_since is not null);
end
$$;
comment on function mashup.record_service_success(text) is 'Closes the circuit of a service and clears its failures. Lock: service_health row.';

-- Language sql, since one statement does all.
create function mashup.record_probe_success(p_kind mashup.task_kinds, p_task_id bigint, p_blamed text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_service text;
begin
  for v_service in
    select h.service from mashup.service_health h
    where h.service = any (mashup.services_of(p_kind)) and h.service is distinct from p_blamed and h.probe_task = p_task_id
    order by h.service
  loop
    perform mashup.record_service_success(v_service);
  end loop;
end
$$;
comment on function mashup.record_probe_success(mashup.task_kinds, bigint, text) is
  'Closes the circuits that the task p_task_id is the probe of, except that of p_blamed. Lock: service_health rows by name.';

create function mashup.record_service_failure(p_service text, p_error text, p_task_id bigint, p_opens boolean default false, p_retry_after_sec real default null, p_unanswered boolean default false) returns void
  language sql set search_path = ''
  as $$
  update mashup.service_health h set
      failures = h.failures + 1, last_error = left(p_error, 300), updated_at = mashup.now(),
      unanswered_since = case when p_unanswered then coalesce(h.unanswered_since, mashup.now()) else h.unanswered_since end,
      state = case when o.opens_now then 'open' else h.state end,
      opens = h.opens + o.opens_now::integer,
      opened_at = case when h.state = 'closed' and o.opens_now then mashup.now() else h.opened_at end,
      probe_task = case when o.opens_now then null else h.probe_task end,
      retry_at = case when o.opens_now
        then mashup.now() + make_interval(secs => greatest(p_retry_after_sec, least(mashup.setting_number('circuit_open_sec') * 2 ^ least(h.opens, 10),
          mashup.setting_number('circuit_open_max_sec')))) else h.retry_at end
    from (select c.service, c.probe_task is not distinct from p_task_id
            or (c.state = 'closed' and (p_opens or c.failures + 1 >= mashup.setting_number('circuit_failures'))) as opens_now
          from mashup.service_health c where c.service = p_service for update) o
    where h.service = o.service
$$;
comment on function mashup.record_service_failure(text, text, bigint, boolean, real, boolean) is
  'Counts an availability fault. Opens the circuit after circuit_failures in a row, at once if p_opens, or when the probe p_task_id failed. Calls that were running when it opened only count: they neither end the probe nor prolong the wait. It waits at least p_retry_after_sec. p_unanswered: the service gave no answer. Lock: service_health row.';

create function mashup.record_service_fault(p_service text, p_message text) returns void
  language sql set search_path = ''
  as $$
  update mashup.service_health h set faults = h.faults + 1, last_fault = left(p_message, 300), fault_at = mashup.now() where h.service = p_service
$$;
comment on function mashup.record_service_fault(text, text) is
  'Counts a call that a service answered with a fault of its own: its circuit stays as it is, and operators see it. Lock: service_health row.';

create function mashup.reset_orphaned_probes() returns boolean
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.service_health h set state = 'open', probe_task = null, updated_at = mashup.now()
    where h.service in (
      select s.service from mashup.service_health s
      where s.state = 'half_open' and not exists (
        select from mashup.tasks t where t.id = s.probe_task and t.is_probe and t.state in ('ready', 'running'))
      for update skip locked);
  return found;
end
$$;
comment on function mashup.reset_orphaned_probes() is
  'Makes room for another probe where the probe cannot return: its task was dropped, deleted, paused, returned or taken from a lost worker. Only this function does so: the transitions that end tasks touch no row of another service, so that two of them cannot wait for each other. Returns whether there was one. Never waits for a row.';

create function mashup.circuit_of(p_kind mashup.task_kinds, out is_closed boolean, out probes text[], out spread_sec real)
  language plpgsql stable set search_path = ''
  as $$
declare
  v_blocked boolean;
begin
  if not exists (select from mashup.service_health h where h.state <> 'closed' or h.updated_at > mashup.now() - interval '10 seconds') then
    is_closed := true; probes := '{}'; spread_sec := 0;
    return;
  end if;
  select coalesce(bool_or(h.state = 'half_open' or (h.state = 'open' and h.retry_at > mashup.now())), false),
      coalesce(array_agg(h.service order by h.service) filter (where h.state = 'open' and h.retry_at <= mashup.now()), '{}'),
      -- After an outage the waiting tasks return spread over two seconds.
      case when bool_or(h.state = 'closed' and h.failures = 0 and h.last_error is not null
        and h.updated_at > mashup.now() - interval '10 seconds') then 2 else 0 end
    into v_blocked, probes, spread_sec
    from mashup.service_health h where h.service = any (mashup.services_of(p_kind));
  if v_blocked then
    probes := '{}';
  end if;
  is_closed := not v_blocked and probes = '{}';
end
$$;
comment on function mashup.circuit_of(mashup.task_kinds) is
  'Returns whether the circuits that a kind of task needs are all closed; if not, those of which its next task would be the probe (none while one of them is half-open, or not due for a probe); and over how many seconds its tasks return after an outage.';

create function mashup.service_capacity(p_kind mashup.task_kinds, out free integer, out probes text[])
  language plpgsql stable set search_path = ''
  as $$
declare
  v_is_closed boolean;
begin
  select c.is_closed, c.probes into v_is_closed, probes from mashup.circuit_of(p_kind) c;
  select case when bool_or(p.task_id is not null and not p.is_open) then 0
      else count(*) filter (where p.is_open and p.task_id is null and (p.held_until is null or p.held_until <= mashup.now())) end
    into free from mashup.places p where p.service = p_kind.service;
  free := case when v_is_closed then coalesce(free, 0) when probes <> '{}' then least(coalesce(free, 0), 1) else 0 end;
end
$$;
comment on function mashup.service_capacity(mashup.task_kinds) is
  'Returns how many more tasks of a kind may be dispatched now, and the services whose open circuit the next one is a probe of. 0 while the circuit of its service, or of Storage for a kind that uses it, is open.';

revoke execute on all functions in schema mashup from public;
