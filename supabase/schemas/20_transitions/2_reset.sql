-- What a transition changes on the row. Each function takes the row with the new stage and returns it changed; none writes.

create function mashup.reset_without_slot(p_job public.mashup_jobs) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
begin
  p_job.admitted_at := null;
  p_job.estimated_completion_at := null;
  if p_job.status = 'processing' then
    -- A draft gives its slot back while it waits for its user.
    p_job.waiting_on := 'user';
    p_job.current_step := 'Ready when you are';
  else
    p_job.finished_at := mashup.now();
  end if;
  return p_job;
end
$$;
comment on function mashup.reset_without_slot(public.mashup_jobs) is 'The job advanced to its end, or to the stage before which it waits for its user.';

create function mashup.reset_estimate(p_job public.mashup_jobs) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
begin
  p_job.estimate_note := null;
  if p_job.admitted_at is not null then
    p_job.estimated_completion_at := mashup.estimate_completion(p_job);
    if p_job.estimated_completion_at is null then
      p_job.estimate_note := mashup.estimate_note(p_job);
    end if;
  end if;
  return p_job;
end
$$;
comment on function mashup.reset_estimate(public.mashup_jobs) is 'Every transition: the expected end of a job with a slot, or why it is not known.';

create function mashup.reset_for_end(p_job public.mashup_jobs, p_stopped_stage text) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
begin
  p_job.epoch := p_job.epoch + 1;
  p_job.stopped_stage := p_stopped_stage;
  p_job.admitted_at := null;
  p_job.finished_at := mashup.now();
  p_job.waiting_on := null;
  p_job.estimated_completion_at := null;
  p_job.hold := null;
  return p_job;
end
$$;
comment on function mashup.reset_for_end(public.mashup_jobs, text) is 'The job failed or was cancelled.';

create function mashup.reset_for_replay(p_job public.mashup_jobs) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
begin
  p_job.fresh := coalesce(current_setting('mashup.fresh', true), '') = 'yes';
  p_job.hold := null;
  return mashup.reset_for_rerun(p_job);
end
$$;
comment on function mashup.reset_for_replay(public.mashup_jobs) is 'An operator or user runs the job again: it is no draft, and caches are bypassed if the setting mashup.fresh says so. Raises MB003, MB006.';

create function mashup.reset_for_rerun(p_job public.mashup_jobs) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
declare
  v_again text[] := mashup.stages_from(p_job.stage);
  v_missing text[];
begin
  p_job.epoch := p_job.epoch + 1;
  p_job.progress := (select s.progress_from from mashup.stages s where s.stage = p_job.stage);
  p_job := mashup.detach_outputs(p_job, v_again);
  -- A draft of one song stays a draft, however it is run again.
  if jsonb_array_length(p_job.songs) < 2 then
    if 'scoring' <> all (v_again) then
      perform mashup.raise_error('MB006', 'A mashup needs at least two songs.', 'Submit the songs together.');
    end if;
    p_job.hold := 'planning';
  end if;
  v_missing := mashup.missing_prerequisite(p_job, p_job.stage);
  if v_missing is not null then
    perform mashup.raise_error('MB003',
      format('Job %s cannot go to %s: %s is missing.', p_job.id, p_job.stage, v_missing[1]),
      format('Set stage to %s instead.', v_missing[2]));
  end if;
  if p_job.stage = 'queued' then
    p_job.admitted_at := null;
    p_job.entry_stage := 'analyzing';
  end if;
  p_job.waiting_on := null;
  if p_job.admitted_at is null then
    -- A replay takes a slot like any other run.
    p_job.waiting_on := 'slot';
    p_job.queued_at := mashup.now();
    p_job.current_step := (select s.step from mashup.stages s where s.stage = 'queued');
  end if;
  return p_job;
end
$$;
comment on function mashup.reset_for_rerun(public.mashup_jobs) is 'The job runs again from its stage, with a new epoch. Raises MB003, MB006.';

create function mashup.detach_outputs(p_job public.mashup_jobs, p_again text[]) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
begin
  p_job.error_code := null; p_job.error_message := null; p_job.error_hint := null; p_job.failed_task := null;
  p_job.stopped_stage := null; p_job.finished_at := null; p_job.expired_at := null;
  p_job.estimated_completion_at := null;
  if 'rendering' = any (p_again) then
    p_job.result_path := null; p_job.result := null; p_job.studio_version := null;
  end if;
  if 'planning' = any (p_again) then
    p_job.plan_version := null; p_job.concept := null;
    -- Once a mashup was finished it keeps its name.
    if not exists (select from public.mashup_results r where r.job_id = p_job.id) then
      p_job.title := null;
    end if;
  end if;
  if 'scoring' = any (p_again) then
    p_job.score := null;
  end if;
  if 'analyzing' = any (p_again) then
    p_job.songs := mashup.reset_songs(p_job.songs);
  end if;
  if 'separating' = any (p_again) then
    -- A model that could not be used may be there again.
    p_job.songs := (select jsonb_agg(case when p_job.fresh then s.song - 'stems_id' else s.song end - 'instead_of' order by s.n)
      from jsonb_array_elements(p_job.songs) with ordinality as s (song, n));
  end if;
  p_job.warnings := mashup.warnings_outside(p_job.warnings, p_again);
  return p_job;
end
$$;
comment on function mashup.detach_outputs(public.mashup_jobs, text[]) is
  'Removes the pointers to what the stages p_again made. The plans, scores, stems and results themselves stay.';

create function mashup.reset_songs(p_songs jsonb) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
declare
  -- A retry analyses excluded songs again and keeps what is analysed.
  v_keep boolean := coalesce(current_setting('mashup.keep_songs', true), '') = 'yes';
begin
  return (select jsonb_agg(case when v_keep and s.song ->> 'state' <> 'excluded' then s.song
      else jsonb_build_object('song_id', s.song -> 'song_id', 'name', s.song -> 'name', 'artist', s.song -> 'artist',
        'path', s.song -> 'path', 'state', 'pending') end order by s.n)
    from jsonb_array_elements(p_songs) with ordinality as s (song, n));
end
$$;
comment on function mashup.reset_songs(jsonb) is
  'Returns the cards as they were submitted: of all songs, or of the excluded ones only if the setting mashup.keep_songs says so.';

revoke execute on all functions in schema mashup from public;
