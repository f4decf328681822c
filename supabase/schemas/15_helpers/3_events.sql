-- The history of a job, and the notification of workers.

create function mashup.actor() returns text
  language plpgsql stable set search_path = ''
  as $$
begin
  return coalesce(
    nullif(current_setting('mashup.actor', true), ''),
    'user:' || nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', ''),
    'role:' || (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'),
    'sql:' || session_user);
end
$$;
comment on function mashup.actor() is
  'Returns who is acting, for the history: the setting mashup.actor of the transaction, else the signed-in user, else the role of the request, else the database role.';

create function mashup.log_event(
  p_job public.mashup_jobs, p_type text, p_message text,
  p_from_stage text default null, p_song_id text default null, p_detail jsonb default null
) returns void
  language plpgsql set search_path = ''
  as $$
begin
  -- A transaction that waited for the job carries the time of its own start. The history does not run backwards for that.
  insert into public.mashup_job_events (job_id, epoch, type, stage, from_stage, song_id, message, actor, detail, created_at)
  values (p_job.id, p_job.epoch, p_type, p_job.stage, p_from_stage, p_song_id, left(p_message, 500), mashup.actor(), p_detail,
    greatest(mashup.now(), (select e.created_at from public.mashup_job_events e where e.job_id = p_job.id order by e.id desc limit 1)));
end
$$;
comment on function mashup.log_event(public.mashup_jobs, text, text, text, text, jsonb) is 'Appends one event to the history of a job.';

create function mashup.signal_tasks(p_job_id uuid, p_status text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform pg_catalog.pg_notify('mashup_tasks', pg_catalog.json_build_object('job', p_job_id, 'status', p_status)::text);
end
$$;
comment on function mashup.signal_tasks(uuid, text) is
  'Notifies workers on channel mashup_tasks that tasks of a job are no longer theirs: {job, status}. A hint only; the next heartbeat returns the same.';

revoke execute on all functions in schema mashup from public;
