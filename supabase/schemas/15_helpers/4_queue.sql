-- The queue of Graphile Worker, in a schema of the engine's own: setting queue_schema. Only these functions and reconcile_queue
-- name that schema. The name is built into them, after the mark /*queue*/, and use_queue_schema replaces it there: a statement
-- that is put together at each call is planned at each call, and then enqueue_task takes 0.56 ms instead of 0.31 ms.
--
-- Task identifiers and job keys begin with mashup:, so that a schema can be shared with another application.

create function mashup.queue_schema() returns text
  language sql stable set search_path = ''
  as $$ select /*queue*/'mashup_queue' $$;
comment on function mashup.queue_schema() is 'Returns the name of the schema of the queue that the functions use.';
grant execute on function mashup.queue_schema() to mashup_worker;

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
  if pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is null then
    return false;
  end if;
  v_job_id := (/*queue*/mashup_queue.add_job(
    identifier => 'mashup:' || p_task.kind,
    payload => pg_catalog.json_build_object('task', p_task.id, 'attempt', p_task.attempt),
    run_at => p_task.run_at,
    max_attempts => 5,
    job_key => 'mashup:' || p_task.id || ':' || p_task.attempt,
    priority => p_task.priority::integer)).id;
  return v_job_id is not null;
end
$$;
comment on function mashup.enqueue_task(mashup.tasks) is
  'Adds the queue entry of a ready task under the key mashup:<task>:<attempt>. Returns false if the schema of the queue is missing or add_job returns null; reconcile_queue then adds the entry.';

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
  execute pg_catalog.format('grant usage on schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant select, insert, update, delete on all tables in schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant usage, select on all sequences in schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant execute on all functions in schema %I to mashup_worker', v_schema);
end
$$;
comment on function mashup.grant_queue() is
  'Grants the role of the workers what the library of Graphile Worker needs. Repeated whenever that schema is made again.';
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
