-- The queue of Graphile Worker, in a schema of the engine's own: setting queue_schema. Only these functions and reconcile_queue
-- name that schema. The name is built into them, after the mark /*queue*/, and use_queue_schema replaces it there: a statement
-- that is put together at each call is planned at each call, and then adding one entry takes 0.56 ms instead of 0.31 ms.
--
-- Task identifiers and job keys begin with mashup:, so that a schema can be shared with another application.

create function mashup.queue_schema() returns text
  language sql stable set search_path = ''
  as $$ select /*queue*/'mashup_queue' $$;
comment on function mashup.queue_schema() is 'Returns the name of the schema of the queue that the functions use.';
grant execute on function mashup.queue_schema() to mashup_worker;

-- A session that planned add_jobs while the queue was small would keep a plan that is linear in the queue, and planning it
-- takes longer than running it. So it is planned once, with only look-ups by index to choose from.
create function mashup.enqueue_tasks(p_ids bigint[]) returns integer
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off'
  set enable_hashjoin = 'off' set enable_mergejoin = 'off' set jit = 'off'
  as $$
begin
  if pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is null then
    return 0;
  end if;
  return (select pg_catalog.count(*) from /*queue*/mashup_queue.add_jobs(array(
    select ('mashup:' || t.kind, pg_catalog.json_build_object('task', t.id, 'attempt', t.attempt), null, t.run_at, 5::smallint,
      'mashup:' || t.id || ':' || t.attempt, t.priority, null)::/*queue*/mashup_queue.job_spec
    from mashup.tasks t where t.id = any (p_ids) order by t.priority, t.id)));
end
$$;
comment on function mashup.enqueue_tasks(bigint[]) is
  'Adds the queue entries of ready tasks, under the keys mashup:<task>:<attempt>, by one call. Returns how many were added: 0 if the schema of the queue is missing; reconcile_queue then adds them.';

create function mashup.take_entry(p_task_id bigint, p_attempt integer) returns boolean
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
begin
  if pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is null then
    return false;
  end if;
  delete from /*queue*/mashup_queue._private_jobs j where j.id in (
    select q.id from /*queue*/mashup_queue._private_jobs q
    where q.key = 'mashup:' || p_task_id || ':' || p_attempt and q.locked_at is null for update skip locked);
  return found;
end
$$;
comment on function mashup.take_entry(bigint, integer) is
  'Removes the queue entry of a ready task that is claimed without it. Returns false if a worker has fetched it, or it is missing. Never waits for a row.';

create function mashup.unlock_queue(p_pool_ids text[]) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  if cardinality(p_pool_ids) > 0 and pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is not null then
    perform /*queue*/mashup_queue.force_unlock_workers(p_pool_ids);
  end if;
end
$$;
comment on function mashup.unlock_queue(text[]) is
  'Unlocks queue entries that pools of lost workers had taken; they would stay locked for hours. A late entry claims nothing.';
grant execute on function mashup.unlock_queue(text[]) to mashup_worker;

create function mashup.queue_entries() returns table (key text, task_identifier text, attempts integer, max_attempts integer,
    run_at timestamptz, locked_at timestamptz, locked_by text)
  language plpgsql stable security definer set search_path = ''
  as $$
begin
  if pg_catalog.to_regclass(/*queue*/'mashup_queue' || '.jobs') is not null then
    return query select q.key, q.task_identifier, q.attempts::integer, q.max_attempts::integer, q.run_at, q.locked_at, q.locked_by
      from /*queue*/mashup_queue.jobs q where q.task_identifier like 'mashup:%';
  end if;
end
$$;
comment on function mashup.queue_entries() is 'Returns the queue entries of the engine; none if the schema of the queue is missing. For operators.';

create function mashup.grant_queue() returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_schema text := mashup.queue_schema();
begin
  if pg_catalog.to_regnamespace(v_schema) is null then
    return;
  end if;
  -- Two transactions that grant on one object at the same time: the second fails with "tuple concurrently updated".
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('mashup.grant_queue'));
  execute pg_catalog.format('grant usage on schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant select, insert, update, delete on all tables in schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant usage, select on all sequences in schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant execute on all functions in schema %I to mashup_worker', v_schema);
end
$$;
comment on function mashup.grant_queue() is
  'Grants the role of the workers what the library of Graphile Worker needs. Repeated whenever that schema is made again. Lock: an advisory one, until the transaction ends.';
grant execute on function mashup.grant_queue() to mashup_worker;

create function mashup.use_queue_schema(p_name text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_definition text;
  v_changed text;
begin
  if p_name !~ '^[a-z_][a-z0-9_]{0,62}$' or p_name ~ '^(pg_.*|mashup|public|information_schema)$' or quote_ident(p_name) <> p_name then
    perform mashup.raise_error('MB006', format('"%s" cannot be the schema of the queue.', p_name),
      'Choose a name of small letters, digits and underscores that no other schema of the database has, such as mashup_queue.');
  end if;
  for v_definition in
    select pg_get_functiondef(p.oid) from pg_proc p
    where p.pronamespace = 'mashup'::regnamespace and position('/*' || 'queue*/' in p.prosrc) > 0
  loop
    v_changed := regexp_replace(v_definition, '(/[*]queue[*]/''?)[a-z0-9_]+', '\1' || p_name, 'g');
    if v_changed <> v_definition then
      execute v_changed;
    end if;
  end loop;
  update mashup.settings set value = to_jsonb(p_name) where name = 'queue_schema' and value <> to_jsonb(p_name);
  perform mashup.grant_queue();
end
$$;
comment on function mashup.use_queue_schema(text) is
  'Makes the functions use another schema for the queue, and grants the workers what they need there. Called by `mashup migrate`, as the owner of the functions; workers follow within a second. Raises MB006.';

revoke execute on all functions in schema mashup from public;
