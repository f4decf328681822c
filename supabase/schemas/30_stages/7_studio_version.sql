-- The studio version: the first result of a job is made with classical stems. Then the job, which is complete and stays so, has its
-- songs separated by the model and the same plan rendered again; that result replaces the first one. It is a run with an epoch of its
-- own, whose tasks have is_studio. Whatever ends it leaves the job as it was.

create function mashup.is_studio_version_live(p_job public.mashup_jobs) returns boolean
  language plpgsql immutable set search_path = ''
  as $$
begin
  return coalesce(p_job.studio_version ->> 'state' in ('separating', 'rendering'), false);
end
$$;
comment on function mashup.is_studio_version_live(public.mashup_jobs) is 'Returns whether the studio version of a job is being made.';

create function mashup.wants_studio_version(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return p_job.options ->> 'separation' is distinct from 'classical'
    and coalesce((p_job.options ->> 'studio_version')::boolean, mashup.setting_text('studio_version_by_default') = 'true');
end
$$;
comment on function mashup.wants_studio_version(public.mashup_jobs) is
  'Returns whether a job is to have a studio version if there is a model: by its options, otherwise by the setting studio_version_by_default.';

create function mashup.reset_for_studio_version(p_job public.mashup_jobs) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
declare
  v_models mashup.separation_models;
begin
  if p_job.result -> 'separation' is null or not mashup.wants_studio_version(p_job) then
    return p_job;
  end if;
  select * into v_models from mashup.separation_models;
  if not exists (select from jsonb_each(p_job.result -> 'separation') s
      where s.value ->> 'method' = 'classical' or mashup.separator_of(s.value ->> 'model') = v_models.classical) then
    return p_job;
  elsif v_models.neural is not null then
    p_job.epoch := p_job.epoch + 1;
    p_job.studio_version := jsonb_build_object('state', 'separating', 'progress', 0, 'step', 'Separating the stems with the model');
    p_job.songs := (select jsonb_agg(s.song - 'instead_of' order by s.n) from jsonb_array_elements(p_job.songs) with ordinality as s (song, n));
  elsif (p_job.options ->> 'studio_version')::boolean then
    -- Whoever did not ask for it misses nothing.
    p_job.studio_version := '{"state": "failed"}';
    p_job.warnings := mashup.add_warning(p_job.warnings, 'studio_version_failed',
      'There is no studio version: there is no separation model. Install one with `mashup models install`.', 'rendering');
  end if;
  return p_job;
end
$$;
comment on function mashup.reset_for_studio_version(public.mashup_jobs) is
  'The job has just become complete: its studio version begins, with a new epoch, if it wants one, there is a model, and its result has classical stems. In the version of the row that says complete, so that nobody who follows it takes that for the end. Returns the job changed, not written.';

create function mashup.separate_for_studio_version(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform mashup.create_separation_tasks(p_job);
  if not exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.is_studio and t.state = 'waiting') then
    perform mashup.end_studio_version(p_job, 'failed', 'A song cannot be separated again.');
  end if;
end
$$;
comment on function mashup.separate_for_studio_version(public.mashup_jobs) is
  'Creates the missing separate tasks of a studio version, and ends it if none can be created. Lock: job row held by the caller.';

create function mashup.begin_studio_version(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform mashup.log_event(p_job, 'stage', 'The studio version is being made');
  perform mashup.separate_for_studio_version(p_job);
end
$$;
comment on function mashup.begin_studio_version(public.mashup_jobs) is
  'Creates the first tasks of a studio version that has just begun. Lock: job row held by the caller.';

create function mashup.advance_studio_version(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_state text := p_job.studio_version ->> 'state';
  v_songs text[];
  v_job public.mashup_jobs;
begin
  if exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.is_studio and t.state in ('waiting', 'ready', 'running')) then
    v_state := 'going_on';
  elsif v_state = 'rendering' then
    v_state := 'ready';
  else
    v_songs := array(select mashup.songs_without_stems(p_job));
    v_state := case when v_songs = '{}' then 'rendering'
      -- Each song is separated once: what a second time would change is not known.
      when exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.is_studio and t.song_id = any (v_songs)) then 'failed'
      else 'separating' end;
  end if;
  update public.mashup_jobs j set songs = p_job.songs, warnings = p_job.warnings,
      title = p_job.title, concept = p_job.concept, result_path = p_job.result_path, result = p_job.result,
      expired_at = case when v_state = 'ready' then null else j.expired_at end,
      studio_version = case v_state when 'ready' then '{"state": "ready"}'
        when 'rendering' then jsonb_build_object('state', 'rendering', 'progress', 85, 'step', 'Rendering the studio version') else j.studio_version end
    where j.id = p_job.id returning * into v_job;
  case v_state
    when 'separating' then perform mashup.separate_for_studio_version(v_job);
    when 'rendering' then
      insert into mashup.tasks (job_id, kind, epoch, priority, is_studio)
        select v_job.id, k.kind, v_job.epoch, k.priority + 40, true from mashup.task_kinds k where k.kind = 'render';
    when 'failed' then
      perform mashup.end_studio_version(v_job, 'failed', 'The separation service did not use its model.');
    when 'ready' then
      perform mashup.move_mashup_stems(v_job);
      perform mashup.log_event(v_job, 'stage', 'The studio version is ready');
      perform mashup.enqueue_event(v_job, 'job.studio_version');
    else null;
  end case;
end
$$;
comment on function mashup.advance_studio_version(public.mashup_jobs) is
  'Writes what a task of the studio version changed on its job, and begins the next step when none is left of the last one: songs are separated, then the plan is rendered, then the result is the current one. Lock: job row held by the caller.';

create function mashup.end_studio_version(p_job public.mashup_jobs, p_state text, p_message text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.drop_tasks(p_job, p_state, true);
  update public.mashup_jobs j set studio_version = jsonb_build_object('state', p_state),
      warnings = case when p_state = 'failed'
        then mashup.add_warning(j.warnings, 'studio_version_failed', 'There is no studio version: ' || p_message, 'rendering') else j.warnings end
    where j.id = p_job.id returning * into v_job;
  perform mashup.log_event(v_job, 'warning', left(case p_state when 'failed' then 'The studio version has failed: ' || p_message
    else 'The studio version was cancelled' end, 500));
end
$$;
comment on function mashup.end_studio_version(public.mashup_jobs, text, text) is
  'Ends the studio version of a job as failed, with a warning, or cancelled. The job keeps its result. Lock order: job row held by the caller, tasks by id.';

create function mashup.show_studio_version(p_job public.mashup_jobs, p_kind text, p_progress real, p_step text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_shown real := coalesce((p_job.studio_version ->> 'progress')::real, 0);
  v_progress real := greatest(coalesce(p_progress, 0), 0);
  v_version jsonb;
begin
  if p_kind = 'separate' then
    v_progress := 85 * least(1, (v_progress + count(*) filter (where t.state = 'done')) / count(*)) from mashup.tasks t
      where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = p_kind and t.is_studio;
  else
    v_progress := 85 + 15 * v_progress;
  end if;
  v_progress := greatest(v_shown, least(99, round(v_progress)));
  v_version := p_job.studio_version || jsonb_build_object('progress', v_progress,
    'step', left(coalesce(nullif(p_step, ''), p_job.studio_version ->> 'step'), 150));
  if v_version <> p_job.studio_version and (v_progress >= v_shown + mashup.setting_number('progress_min_step')
      or p_job.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
      or p_job.updated_at > mashup.now() + interval '5 seconds') then
    update public.mashup_jobs j set studio_version = v_version where j.id = p_job.id;
  end if;
end
$$;
comment on function mashup.show_studio_version(public.mashup_jobs, text, real, text) is
  'Writes progress (0 to 1 of a task) and step of the studio version on its job, in per cent of the whole version, at most every progress_min_interval_sec unless it rose by progress_min_step. Lock: job row held by the caller.';

revoke execute on all functions in schema mashup from public;
