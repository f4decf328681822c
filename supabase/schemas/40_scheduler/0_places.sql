-- The places of each service: rows of mashup.places, as many as service_limits says. A task that is ready or running holds one,
-- unless it runs without its service. A place is taken with skip locked, so that no two transactions count the same one and none
-- waits for another. A count of all live tasks under a global lock made a job twice as expensive with 500 live jobs.
--
-- A transaction cannot see a place that another one frees at that moment, nor the waiting task that it leaves. So a transaction
-- that leaves a new task waiting takes the advisory lock of the service, exclusively, and looks again; one that frees a place
-- takes it as shared before it looks for waiting tasks. Neither needs a row afterwards for which it could wait.

create function mashup.sync_places() returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  if not pg_try_advisory_xact_lock(hashtext('mashup.places')) then
    return;
  end if;
  insert into mashup.places (service, n)
    select l.service, n from mashup.place_limits l cross join lateral generate_series(1, l.at_most) n
    where l.at_most > (select count(*) from mashup.places p where p.service = l.service and p.is_open)
    on conflict do nothing;
  -- Taken places stay open before free ones, so that a lower limit closes free ones first.
  update mashup.places p set is_open = w.is_open
    from (
      select c.service, c.n, row_number() over (partition by c.service order by c.task_id is null, c.n) <= l.at_most as is_open
      from mashup.places c join mashup.place_limits l on l.service = c.service
    ) w
    where p.service = w.service and p.n = w.n and p.is_open <> w.is_open
      and (p.service, p.n) in (select k.service, k.n from mashup.places k where k.is_open <> w.is_open for update skip locked);
end
$$;
comment on function mashup.sync_places() is
  'Opens and closes places by the setting service_limits. While a closed place is taken, nothing starts at its service. Skips locked rows: the sweep repeats it.';

create function mashup.sync_places_with_limits() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.sync_places();
  return null;
end
$$;
comment on function mashup.sync_places_with_limits() is 'Trigger: service_limits changed.';
create trigger sync_places after update on mashup.settings for each row when (new.name = 'service_limits')
  execute function mashup.sync_places_with_limits();
select mashup.sync_places();

create function mashup.free_places(p_service text, p_at_most integer) returns integer[]
  language plpgsql set search_path = ''
  as $$
begin
  if exists (select from mashup.places p where p.service = p_service and not p.is_open and p.task_id is not null) then
    return '{}';
  end if;
  return array(
    select p.n from mashup.places p
    where p.service = p_service and p.is_open and p.task_id is null and (p.held_until is null or p.held_until <= mashup.now())
    order by p.n limit p_at_most for update skip locked);
end
$$;
comment on function mashup.free_places(text, integer) is
  'Returns free places of a service, locked, at most p_at_most. Skips those that another transaction takes or frees. None while a place that a lower limit closed is still taken.';

create function mashup.release_place(p_task mashup.tasks, p_held_until timestamptz) returns void
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.places p set task_id = null, held_until = p_held_until
    from mashup.task_kinds k
    where k.kind = p_task.kind and p.service = k.service and p.n = p_task.place and p.task_id = p_task.id;
end
$$;
comment on function mashup.release_place(mashup.tasks, timestamptz) is
  'Frees the place of a task, at the earliest at p_held_until. Lock: place; nobody holds it whom the caller could wait for.';

create function mashup.repair_places() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_place mashup.places;
  v_task record;
  v_count integer := 0;
begin
  for v_place in
    select * from mashup.places p where p.task_id is not null and not exists (
      select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.id = p.task_id and t.state in ('ready', 'running') and not t.fallback and t.place = p.n and k.service = p.service)
  loop
    -- Under the lock of the place its task cannot leave it, and none can take it: what is read now holds.
    perform from mashup.places p where p.service = v_place.service and p.n = v_place.n and p.task_id = v_place.task_id for update skip locked;
    continue when not found;
    update mashup.places p set task_id = null
      where p.service = v_place.service and p.n = v_place.n and not exists (
        select from mashup.tasks t where t.id = v_place.task_id and t.state in ('ready', 'running') and not t.fallback and t.place = v_place.n);
    v_count := v_count + found::integer;
  end loop;
  for v_task in
    select t.id, k.service from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.state in ('ready', 'running') and not t.fallback
      and not exists (select from mashup.places p where p.service = k.service and p.n = t.place and p.task_id = t.id)
    order by t.id for update of t skip locked
  loop
    -- Also beyond the limit: the task runs already, and counts until it ends.
    insert into mashup.places (service, n, task_id, is_open)
      select v_task.service, coalesce(max(p.n), 0) + 1, v_task.id, false from mashup.places p where p.service = v_task.service;
    update mashup.tasks t set place = (select p.n from mashup.places p where p.service = v_task.service and p.task_id = v_task.id)
      where t.id = v_task.id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function mashup.repair_places() is
  'Frees places whose task is not ready or running, and gives a place to each such task that has none. Neither occurs while only the functions of the engine write. Returns how many. Never waits for a row.';

revoke execute on all functions in schema mashup from public;
