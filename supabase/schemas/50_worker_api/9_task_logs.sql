-- Log lines of tasks: a worker writes those of all its tasks about once a second, in one statement.

create function mashup.write_task_logs(p_worker_id uuid, p_lines jsonb) returns integer
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_max integer := mashup.setting_number('task_log_max_lines')::integer;
  v_tasks bigint[];
  v_count integer;
begin
  if not exists (select from mashup.workers w where w.id = p_worker_id) then
    return null;
  end if;
  -- Lines that are lost with the server cost less than a flush of the log of Postgres.
  perform pg_catalog.set_config('synchronous_commit', 'off', true);
  -- One writer at a time: ids become visible in their order, so that a reader that follows them misses none.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('mashup.task_logs'));
  with lines as (
    insert into mashup.task_logs (task_id, claim, worker_id, at, level, line, fields)
    select t.id, (l ->> 'claim')::uuid, p_worker_id, mashup.now() - pg_catalog.make_interval(secs => greatest((l ->> 'age_sec')::double precision, 0)),
      l ->> 'level', left(l ->> 'line', 2000),
      case when octet_length((l -> 'fields')::text) <= 4000 then coalesce(l -> 'fields', '{}') else '{}' end
    from pg_catalog.jsonb_array_elements(p_lines) with ordinality e (l, n)
    join mashup.tasks t on t.id = (l ->> 'task')::bigint
    where v_max > 0 order by e.n
    returning task_id)
  select pg_catalog.array_agg(distinct l.task_id), count(*) into v_tasks, v_count from lines l;
  delete from mashup.task_logs l using pg_catalog.unnest(v_tasks) w (task_id)
    cross join lateral (select o.id from mashup.task_logs o where o.task_id = w.task_id order by o.id desc offset v_max limit 1) oldest
    where l.task_id = w.task_id and l.id <= oldest.id;
  return v_count;
end
$$;
comment on function mashup.write_task_logs(uuid, jsonb) is
  'Adds log lines of tasks: [{task, claim, age_sec, level, line, fields}], in order; age_sec: how long ago. Keeps the newest task_log_max_lines of each task. Returns how many were added; null if the worker is not registered, then none. Lines of tasks that do not exist are left out. Locks no row of a task or job. Lock: an advisory lock, alone.';
grant execute on function mashup.write_task_logs(uuid, jsonb) to mashup_worker;

revoke execute on all functions in schema mashup from public;
