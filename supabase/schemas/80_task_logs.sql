-- Log lines of tasks, for operators.

create function mashup.read_task_logs(p_job_id uuid default null, p_task_id bigint default null, p_after bigint default 0, p_limit integer default 200)
  returns table (id bigint, task_id bigint, kind text, song_id text, epoch integer, claim uuid, worker_id uuid, at timestamptz, level text,
    line text, fields jsonb)
  language plpgsql stable set search_path = ''
  as $$
begin
  if p_job_id is null and p_task_id is null then
    perform mashup.raise_error('MB006', 'Log lines are read of a job or of a task.', 'Name one of them.');
  end if;
  return query
    select l.id, l.task_id, t.kind, t.song_id, t.epoch, l.claim, l.worker_id, l.at, l.level, l.line, l.fields
    from mashup.tasks t join mashup.task_logs l on l.task_id = t.id
    where (p_job_id is null or t.job_id = p_job_id) and (p_task_id is null or t.id = p_task_id) and l.id > p_after
    order by l.id limit least(greatest(p_limit, 1), 1000);
end
$$;
comment on function mashup.read_task_logs(uuid, bigint, bigint, integer) is
  'Returns up to p_limit (at most 1000) log lines of a job or a task with ids greater than p_after, in order. To follow them, ask again with the last id. Raises MB006.';

revoke execute on all functions in schema mashup from public;
