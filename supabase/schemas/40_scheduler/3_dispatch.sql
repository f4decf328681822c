-- Dispatch: waiting tasks that are due become ready, as far as limits, circuits and pauses allow.

create function mashup.dispatch_tasks_to(p_service text, p_ids bigint[], p_places integer[], p_probe boolean, p_spread_sec real) returns void
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.tasks t set state = 'ready', attempt = t.attempt + 1, is_probe = p_probe, fallback = p_places is null, held_until = null,
      run_at = mashup.now() + make_interval(secs => random() * p_spread_sec), place = coalesce(d.place, t.place)
    from unnest(p_ids, p_places) as d (id, place) where t.id = d.id and t.state = 'waiting';
  if p_places is not null then
    update mashup.places p set task_id = d.id, held_until = null
      from unnest(p_ids, p_places) as d (id, place) where p.service = p_service and p.n = d.place;
  end if;
  perform mashup.enqueue_tasks(p_ids);
end
$$;
comment on function mashup.dispatch_tasks_to(text, bigint[], integer[], boolean, real) is
  'Makes waiting tasks ready, each at one of the places of a service, due within p_spread_sec seconds, and adds their queue entries. p_places null: they run without their service and take no place there. Lock: task and place rows held by the caller.';

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

create function mashup.spare_places(p_kind mashup.task_kinds, p_at_most integer) returns integer[]
  language plpgsql set search_path = ''
  as $$
declare
  v_places integer[];
begin
  if exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.state = 'waiting' and not t.is_studio and k.service = p_kind.service and t.run_at <= mashup.now()) then
    return '{}';
  end if;
  v_places := mashup.free_places(p_kind.service, 1000);
  return v_places[:least(p_at_most, cardinality(v_places)
    - ((select count(*) from mashup.places p where p.service = p_kind.service and p.is_open) > 1)::integer)];
end
$$;
comment on function mashup.spare_places(mashup.task_kinds, integer) is
  'Returns free places of the service of a kind for tasks of studio versions, locked, at most p_at_most: none while another task waits there, and one less than there are, unless the service has only one.';

create function mashup.dispatch_kind(p_kind mashup.task_kinds, p_studio boolean default false) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_circuit record;
  v_due integer;
  v_places integer[];
  v_ids bigint[];
  v_paused boolean;
begin
  select count(*) into v_due from (
    -- In the order of the index of waiting tasks, so that no other one is read.
    select from mashup.tasks t where t.state = 'waiting' and t.kind = p_kind.kind and t.is_studio = p_studio and t.run_at <= mashup.now()
    order by t.run_at, t.id limit 50) d;
  if v_due = 0 then
    return false;
  end if;
  v_paused := exists (select from mashup.pauses);
  if v_paused and mashup.is_kind_paused(p_kind) then
    return false;
  end if;
  v_circuit := mashup.circuit_of(p_kind);
  if not v_circuit.is_closed and v_circuit.probes = '{}' then
    perform mashup.dispatch_fallbacks(p_kind);
    return false;
  end if;
  v_places := case when p_studio then mashup.spare_places(p_kind, case when v_circuit.is_closed then v_due else 1 end)
    else mashup.free_places(p_kind.service, case when v_circuit.is_closed then v_due else 1 end) end;
  if v_places = '{}' then
    return true;
  end if;
  v_ids := array(
    select t.id from mashup.tasks t
    where t.state = 'waiting' and t.kind = p_kind.kind and t.is_studio = p_studio and t.run_at <= mashup.now()
      and (not v_paused or exists (select from public.mashup_jobs j where j.id = t.job_id and not mashup.is_job_paused(j.id, j.user_id)))
    order by t.run_at, t.id limit cardinality(v_places) for update of t skip locked);
  if v_ids <> '{}' and (v_circuit.is_closed or mashup.start_probe(v_circuit.probes, v_ids[1])) then
    perform mashup.dispatch_tasks_to(p_kind.service, v_ids, v_places[:cardinality(v_ids)], not v_circuit.is_closed, v_circuit.spread_sec);
  end if;
  return v_circuit.is_closed and v_due > cardinality(v_ids);
end
$$;
comment on function mashup.dispatch_kind(mashup.task_kinds, boolean) is
  'Dispatches the waiting tasks of a kind that may run, the oldest first, or the probe of an open circuit: those of studio versions if p_studio, else the others. Returns whether some are left that wait for a place. Skips locked rows.';

create function mashup.dispatch_fallbacks(p_kind mashup.task_kinds) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_ids bigint[];
begin
  if p_kind.fallback_after_sec is null then
    return;
  end if;
  v_ids := array(
    select t.id from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
    where t.state = 'waiting' and t.kind = p_kind.kind and t.run_at <= mashup.now()
      and t.created_at < mashup.now() - make_interval(secs => p_kind.fallback_after_sec)
      and not mashup.is_job_paused(j.id, j.user_id)
      and exists (select from mashup.service_health h where h.service = p_kind.service and h.state <> 'closed')
    order by t.id for update of t skip locked);
  if v_ids <> '{}' then
    perform mashup.dispatch_tasks_to(p_kind.service, v_ids, null, false, 0);
  end if;
end
$$;
comment on function mashup.dispatch_fallbacks(mashup.task_kinds) is
  'Dispatches tasks that have waited fallback_after_sec for an unavailable service, to run without it. Skips locked rows.';

revoke execute on all functions in schema mashup from public;
