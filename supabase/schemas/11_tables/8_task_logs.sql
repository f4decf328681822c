-- Log lines of tasks, written by workers in batches and kept for some days.

create table mashup.task_logs (
  id        bigint generated always as identity primary key,
  task_id   bigint not null,
  claim     uuid not null,
  worker_id uuid not null,
  at        timestamptz not null,
  level     text not null check (level in ('debug', 'info', 'warn', 'error')),
  line      text not null check (length(line) <= 2000),
  fields    jsonb not null default '{}' check (octet_length(fields::text) <= 4000)
);
revoke all on mashup.task_logs from public, anon, authenticated, service_role;
comment on table mashup.task_logs is
  'Log lines of tasks, without secrets and paths. At most task_log_max_lines of each task, the newest ones, for task_logs_kept_days. Without a foreign key: a line never locks its task.';
comment on column mashup.task_logs.id is 'Rises in the order in which lines become visible: a reader asks for the lines after an id.';
comment on column mashup.task_logs.claim is 'The claim token of the attempt that wrote the line.';
comment on column mashup.task_logs.at is 'When the line was written, by the clock of the database.';
comment on column mashup.task_logs.level is 'debug: calls and steps, which are not on the output of the worker.';
comment on column mashup.task_logs.fields is 'Further members of the line: code, seconds, ….';
create index task_logs_by_task on mashup.task_logs (task_id, id);

create function mashup.delete_task_logs() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  delete from mashup.task_logs l where l.task_id in (select t.id from mashup.tasks t where t.job_id = old.id);
  return old;
end
$$;
comment on function mashup.delete_task_logs() is 'Trigger: deletes the log lines of a deleted job.';
create trigger delete_task_logs before delete on public.mashup_jobs for each row execute function mashup.delete_task_logs();

revoke execute on all functions in schema mashup from public;
