-- Retention of the log lines of tasks.

create function mashup.purge_task_logs(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_count integer;
begin
  -- Among the oldest lines by id, so that no index by time is needed: lines are added in about the order of their times.
  delete from mashup.task_logs l where l.id in (
    select o.id from mashup.task_logs o
    where o.id <= (select max(b.id) from (select f.id from mashup.task_logs f order by f.id limit p_batch) b)
      and o.at < mashup.now() - make_interval(secs => mashup.setting_number('task_logs_kept_days') * 86400)
    for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function mashup.purge_task_logs(integer) is 'Deletes log lines of tasks after task_logs_kept_days. Returns how many, at most p_batch.';

revoke execute on all functions in schema mashup from public;
