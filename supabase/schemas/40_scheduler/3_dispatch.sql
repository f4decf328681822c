-- Dispatch: waiting tasks that are due become ready, as far as limits, circuits and pauses allow.

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
  'Makes a waiting task ready, due within p_spread_sec seconds, and adds its queue entry. p_fallback: it runs without its service and takes no place there. Lock: task row.';

create function mashup.start_probe(p_services text[], p_task_id bigint) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_locked integer;
begin
  select count(*) into v_locked from (
    select from mashup.service_health h where h.service = any (p_services) and h.state = 'open'
    order by h.service for update skip locked) l;
  if v_locked < cardinality(p_services) then
    return false;
  end if;
  update mashup.service_health h set state = 'half_open', probe_task = p_task_id, updated_at = mashup.now() where h.service = any (p_services);
  return true;
end
$$;
comment on function mashup.start_probe(text[], bigint) is
  'Makes a task the probe of open circuits. Returns false, and changes nothing, if one of them is locked or no longer open. Never waits for a row.';

create function mashup.dispatch_to_service(p_kind mashup.task_kinds, p_free integer, p_probes text[]) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_spread real;
begin
  -- After an outage the waiting tasks return spread over two seconds.
  v_spread := case when exists (select from mashup.service_health h where h.service = any (mashup.services_of(p_kind)) and h.state = 'closed'
    and h.failures = 0 and h.last_error is not null and h.updated_at > mashup.now() - interval '10 seconds') then 2 else 0 end;
  for v_task in
    select t.* from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
    where t.state = 'waiting' and t.kind = p_kind.kind and t.run_at <= mashup.now()
      and j.admitted_at is not null and not mashup.is_job_paused(j.id, j.user_id)
    order by t.run_at, t.id limit greatest(p_free, 0) for update of t skip locked
  loop
    exit when p_probes <> '{}' and not mashup.start_probe(p_probes, v_task.id);
    perform mashup.dispatch_task(v_task.id, p_probes <> '{}', v_spread);
  end loop;
end
$$;
comment on function mashup.dispatch_to_service(mashup.task_kinds, integer, text[]) is
  'Dispatches up to p_free tasks of a kind, the oldest first; p_probes: the one task is the probe of these open circuits. Skips locked rows.';

create function mashup.dispatch_fallbacks(p_kind mashup.task_kinds) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  for v_task in
    select t.* from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
    where t.state = 'waiting' and t.kind = p_kind.kind and t.run_at <= mashup.now()
      and t.created_at < mashup.now() - make_interval(secs => p_kind.fallback_after_sec)
      and j.admitted_at is not null and not mashup.is_job_paused(j.id, j.user_id)
      and exists (select from mashup.service_health h where h.service = p_kind.service and h.state <> 'closed')
    order by t.id for update of t skip locked
  loop
    perform mashup.dispatch_task(v_task.id, false, 0, true);
  end loop;
end
$$;
comment on function mashup.dispatch_fallbacks(mashup.task_kinds) is
  'Dispatches tasks that have waited fallback_after_sec for an unavailable service, to run without it. Skips locked rows.';

create function mashup.dispatch_tasks() returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_kind mashup.task_kinds;
  v_free integer;
  v_probes text[];
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
    continue when v_paused and mashup.is_kind_paused(v_kind);
    select c.free, c.probes into v_free, v_probes from mashup.service_capacity(v_kind) c;
    if v_free > 0 then
      perform mashup.dispatch_to_service(v_kind, v_free, v_probes);
    elsif v_kind.fallback_after_sec is not null then
      perform mashup.dispatch_fallbacks(v_kind);
    end if;
  end loop;
end
$$;
comment on function mashup.dispatch_tasks() is
  'Makes waiting tasks ready as far as limits, circuits and pauses allow. The caller holds the lock of schedule. Skips locked rows.';

revoke execute on all functions in schema mashup from public;
