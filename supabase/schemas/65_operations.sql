-- Operations on jobs, for operators: SQL console and CLI. Users reach their own jobs by the functions in schema public.

create function mashup.require_job(p_job_id uuid) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id for no key update;
  if not found then
    perform mashup.raise_error('MB002', format('There is no job %s.', p_job_id), 'List the jobs to find its id.');
  end if;
  return v_job;
end
$$;
comment on function mashup.require_job(uuid) is 'Returns a job, locked. Raises MB002 if there is none.';

create function mashup.replay(p_job_id uuid, p_stage text, fresh boolean default false) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  v_job := mashup.require_job(p_job_id);
  if not exists (select from mashup.transitions t where t.to_stage = p_stage and t.name = 'replay') then
    perform mashup.raise_error('MB001', format('A job cannot be replayed from "%s".', p_stage),
      'Replay from ' || (select string_agg(s.stage, ', ' order by s.position) from mashup.stages s where not s.is_terminal) || '.');
  end if;
  perform set_config('mashup.fresh', case when fresh then 'yes' else '' end, true);
  update public.mashup_jobs j set stage = p_stage where j.id = p_job_id returning * into v_job;
  perform set_config('mashup.fresh', '', true);
  return v_job;
end
$$;
comment on function mashup.replay(uuid, text, boolean) is
  'Replays a job from a stage, as `update … set stage` does; fresh: bypasses the caches of analyses and stems. Returns the job. Lock: job row. Raises MB001, MB002, MB003, MB006, MB015.';

create function mashup.retry(p_job_id uuid) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_stage text;
  v_missing text[];
begin
  v_job := mashup.require_job(p_job_id);
  if v_job.stage not in ('failed', 'cancelled') then
    perform mashup.raise_error('MB001', format('Job %s is in stage %s: there is nothing to retry.', p_job_id, v_job.stage),
      'Retry a failed or cancelled job; to run another from a stage, replay it.');
  end if;
  v_stage := coalesce(nullif(v_job.stopped_stage, 'queued'), 'analyzing');
  v_missing := mashup.missing_prerequisite(v_job, v_stage);
  perform set_config('mashup.keep_songs', 'yes', true);
  update public.mashup_jobs j set stage = coalesce(v_missing[2], v_stage) where j.id = p_job_id returning * into v_job;
  perform set_config('mashup.keep_songs', '', true);
  return v_job;
end
$$;
comment on function mashup.retry(uuid) is
  'Resumes a failed or cancelled job in the stage where it stopped, or in the first one whose output is missing; what was made is kept. Returns the job. Lock: job row. Raises MB001, MB002, MB006, MB015.';

create function mashup.cancel(p_job_id uuid) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  v_job := mashup.require_job(p_job_id);
  if mashup.is_studio_version_live(v_job) then
    perform mashup.end_studio_version(v_job, 'cancelled', null);
    select * into v_job from public.mashup_jobs j where j.id = p_job_id;
  elsif v_job.stage <> 'cancelled' then
    update public.mashup_jobs j set stage = 'cancelled' where j.id = p_job_id returning * into v_job;
  end if;
  return v_job;
end
$$;
comment on function mashup.cancel(uuid) is
  'Cancels a live job, or the studio version of a complete one, which keeps its result; its workers abort within a second. Returns the job. Lock order: job, tasks by id. Raises MB001, MB002.';

create function mashup.take_down(p_job_id uuid, p_reason text) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_job(p_job_id);
  v_reason text := trim(p_reason);
begin
  if coalesce(length(v_reason), 0) not between 1 and 300 then
    perform mashup.raise_error('MB006', 'A take-down needs a reason of up to 300 characters, which the user reads.', 'Give the reason.');
  end if;
  if v_job.status = 'processing' or mashup.is_studio_version_live(v_job) then
    v_job := mashup.cancel(p_job_id);
  end if;
  -- The deletion of the files ends every link to them.
  insert into mashup.storage_deletions (path, is_prefix) values (format('generated/%s/', p_job_id), true);
  update public.mashup_results r set stems = null where r.job_id = p_job_id and r.stems is not null;
  update public.mashup_jobs j set takedown_reason = v_reason, result_path = null, result = j.result - 'stems', current_step = 'Taken down',
      expired_at = case when j.stage = 'complete' then coalesce(j.expired_at, mashup.now()) else j.expired_at end
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'takedown', 'Taken down: ' || v_reason);
  perform mashup.end_share(v_job, v_reason);
  perform mashup.enqueue_event(v_job, 'job.taken_down');
  return v_job;
end
$$;
comment on function mashup.take_down(uuid, text) is
  'Takes a mashup down: cancels it if it is live, deletes the files of its results, ends its public link, and keeps it from being replayed, retried and iterated. Its user reads the reason. Returns the job. Lock order: job, tasks by id. Raises MB002, MB006.';

create function mashup.lift_take_down(p_job_id uuid) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_job(p_job_id);
begin
  if v_job.takedown_reason is null then
    perform mashup.raise_error('MB006', format('Job %s was not taken down.', p_job_id), 'Nothing has to be done.');
  end if;
  update public.mashup_jobs j set takedown_reason = null, current_step = (select s.step from mashup.stages s where s.stage = j.stage)
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'takedown', 'The take-down was lifted');
  delete from public.mashup_shares s where s.job_id = v_job.id and s.taken_down_at is not null;
  return v_job;
end
$$;
comment on function mashup.lift_take_down(uuid) is
  'Lets a mashup that was taken down run again. Its file stays deleted: a replay from rendering makes it again. It can be shared again, by a new link. Returns the job. Lock: job row. Raises MB002, MB006.';

create function mashup.start(p_job_id uuid, p_options jsonb default null) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  v_job := mashup.require_job(p_job_id);
  if v_job.hold is null then
    perform mashup.raise_error('MB009', format('Job %s is not a draft.', p_job_id), 'Only a job submitted with hold "planning" is started.');
  end if;
  if (select count(*) from mashup.active_songs(v_job.songs)) < 2 then
    perform mashup.raise_error('MB006', 'A mashup needs at least two songs.', 'Submit the songs together.');
  end if;
  update public.mashup_jobs j set hold = null, options = mashup.check_options(j.options || mashup.check_options(p_options)),
      waiting_on = case when j.stage = j.hold then 'slot' else j.waiting_on end,
      current_step = case when j.stage = j.hold then (select s.step from mashup.stages s where s.stage = 'queued') else j.current_step end,
      queued_at = case when j.stage = j.hold then mashup.now() else j.queued_at end
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'release', 'Started by its user');
  return v_job;
end
$$;
comment on function mashup.start(uuid, jsonb) is
  'Starts a draft, with p_options merged into its options. It takes a slot like any other run. Returns the job. Lock: job row. Raises MB002, MB006, MB009.';

create function mashup.pause(p_scope text, p_key text default '', p_reason text default 'Paused by the operator', p_until timestamptz default null)
  returns mashup.pauses
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_pause mashup.pauses;
begin
  if p_scope not in ('system', 'user', 'job', 'kind', 'service') then
    perform mashup.raise_error('MB006', format('There is no scope "%s".', p_scope), 'Pause system, user, job, kind or service.');
  end if;
  if (p_scope = 'kind' and not exists (select from mashup.task_kinds where kind = p_key))
     or (p_scope = 'service' and not exists (select from mashup.service_health where service = p_key)) then
    perform mashup.raise_error('MB006', format('There is no %s "%s".', p_scope, p_key),
      'Kinds and services are listed in mashup.task_kinds.');
  end if;
  insert into mashup.pauses as p (scope, key, reason, until, actor)
    values (p_scope, case when p_scope = 'system' then '' else p_key end, p_reason, p_until, mashup.actor())
    on conflict (scope, key) do update set reason = excluded.reason, until = excluded.until, actor = excluded.actor
    returning * into v_pause;
  return v_pause;
end
$$;
comment on function mashup.pause(text, text, text, timestamptz) is
  'Pauses the system, a user, a job, a kind of task or a service, for ever or until a time. Running tasks finish; nothing new starts. Returns the pause. Raises MB006.';

create function mashup.resume(p_scope text, p_key text default '') returns boolean
  language plpgsql security definer set search_path = ''
  as $$
begin
  delete from mashup.pauses where scope = p_scope and key = case when p_scope = 'system' then '' else p_key end;
  return found;
end
$$;
comment on function mashup.resume(text, text) is 'Ends a pause. Returns false if there was none.';

revoke execute on all functions in schema mashup from public;
