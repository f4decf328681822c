-- The queue of Graphile Worker. Only these functions and reconcile_queue name its schema.

-- A session that planned add_job while the queue was small would keep a plan that is linear in the queue, and planning it
-- takes longer than running it. So it is planned once, with only look-ups by index to choose from.
create function mashup.enqueue_task(p_task mashup.tasks) returns boolean
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off'
  set enable_hashjoin = 'off' set enable_mergejoin = 'off' set jit = 'off'
  as $$
declare
  v_job_id bigint;
begin
  if pg_catalog.to_regnamespace('graphile_worker') is null then
    return false;
  end if;
  v_job_id := (graphile_worker.add_job(
    identifier => p_task.kind,
    payload => pg_catalog.json_build_object('task', p_task.id, 'attempt', p_task.attempt),
    run_at => p_task.run_at,
    max_attempts => 5,
    job_key => p_task.id || ':' || p_task.attempt,
    priority => p_task.priority::integer)).id;
  return v_job_id is not null;
end
$$;
comment on function mashup.enqueue_task(mashup.tasks) is
  'Adds the queue entry of a ready task under the key <task>:<attempt>. Returns false if the schema of Graphile Worker is missing or add_job returns null; reconcile_queue then adds the entry.';

create function mashup.unlock_queue(p_pool_ids text[]) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  if cardinality(p_pool_ids) > 0 and pg_catalog.to_regnamespace('graphile_worker') is not null then
    perform graphile_worker.force_unlock_workers(p_pool_ids);
  end if;
end
$$;
comment on function mashup.unlock_queue(text[]) is
  'Unlocks queue entries that pools of lost workers had taken; they would stay locked for hours. A late entry claims nothing.';

create function mashup.grant_queue() returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  if pg_catalog.to_regnamespace('graphile_worker') is null then
    return;
  end if;
  grant usage on schema graphile_worker to mashup_worker;
  grant select, insert, update, delete on all tables in schema graphile_worker to mashup_worker;
  grant usage, select on all sequences in schema graphile_worker to mashup_worker;
  grant execute on all functions in schema graphile_worker to mashup_worker;
end
$$;
comment on function mashup.grant_queue() is
  'Grants the role of the workers what the library of Graphile Worker needs. Repeated whenever that schema is made again.';
grant execute on function mashup.grant_queue() to mashup_worker;
select mashup.grant_queue();

revoke execute on all functions in schema mashup from public;
