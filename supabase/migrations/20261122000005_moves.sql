-- Moves of a job: which are legal (check_transition), what each resets, and what follows (after_transition).

-- The engine's own moves announce themselves; any other write of `stage` is an operator's (or a tenant's verb).
create function mashup.transition_job(p_job_id uuid, p_stage text, p_move text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform set_config('mashup.transition', p_job_id || ' ' || p_stage || ' ' || p_move, true);
  update public.mashup_jobs j set stage = p_stage where j.id = p_job_id;
  perform set_config('mashup.transition', '', true);
end
$$;
comment on function mashup.transition_job(uuid, text, text) is 'Makes a move as the engine. Lock: job row.';

-- What a stage needs before a replay may enter it. Answers null, or what is missing and the stage to reset to instead.
create function mashup.missing_prerequisite(p_job public.mashup_jobs, p_stage text) returns text[]
  language plpgsql stable set search_path = ''
  as $$
declare
  v_position smallint := (select position from mashup.stages where stage = p_stage);
begin
  if v_position >= 2 and (
    exists (select from mashup.active_songs(p_job.songs) s
            where not exists (select from mashup.analyses a where a.id = (s ->> 'analysis_id')::bigint))) then
    return array['the analysis of a song', 'analyzing'];
  end if;
  if v_position >= 3 and not exists (select from mashup.scores s where s.job_id = p_job.id) then
    return array['the scores', 'scoring'];
  end if;
  if v_position >= 4 and not exists (
    select from public.mashup_plans p where p.job_id = p_job.id and p.version = p_job.plan_version) then
    return array['a current plan', 'planning'];
  end if;
  if v_position >= 5 and not mashup.has_stems(p_job) then
    return array['the stems of a song in the plan', 'separating'];
  end if;
  return null;
end
$$;
comment on function mashup.missing_prerequisite(public.mashup_jobs, text) is 'Null, or {what is missing, the stage to reset to}.';

-- Whether every song of the current plan has its stems.
create function mashup.has_stems(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return not exists (
    select from public.mashup_plans p, unnest(p.song_ids) as used (song_id)
    where p.job_id = p_job.id and p.version = p_job.plan_version
      and not exists (
        select from mashup.active_songs(p_job.songs) s
        join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
        where s ->> 'song_id' = used.song_id));
end
$$;
comment on function mashup.has_stems(public.mashup_jobs) is 'Whether every song of the current plan has its stems.';

-- Runs before any update that writes `stage`, also to the value it had.
create function mashup.check_transition() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_to mashup.stages;
  v_move text := 'replay';
  v_announced text := coalesce(current_setting('mashup.transition', true), '');
  v_transition mashup.transitions;
  v_missing text[];
  v_keep boolean := coalesce(current_setting('mashup.keep_songs', true), '') = 'yes';
begin
  -- GUARD: is there such a stage, and such a move?
  select * into v_to from mashup.stages where stage = new.stage;
  if v_to.stage is null then
    perform mashup.raise_error('MB001', format('There is no stage "%s".', new.stage),
      'The stages are ' || (select string_agg(stage, ', ' order by position) from mashup.stages) || '.');
  end if;

  if v_announced like old.id || ' %' then
    v_move := split_part(v_announced, ' ', 3);
  else
    -- An operator's statement may carry a whole row (as the table editor sends it): only `stage` is taken from it.
    new := old;
    new.stage := v_to.stage;
    if v_to.stage = 'cancelled' then
      v_move := 'cancel';
      if old.stage = 'cancelled' then
        return null;
      end if;
    end if;
  end if;

  select * into v_transition from mashup.transitions t
    where t.from_stage = old.stage and t.to_stage = new.stage and t.name = v_move;
  if v_transition.name is null then
    perform mashup.raise_error('MB001',
      format('Job %s is in stage %s and cannot go to %s.', old.id, old.stage, new.stage),
      case
        when v_to.stage = 'complete' then 'A job is complete only when its render task finishes. To render again: set stage to rendering.'
        when v_to.stage = 'failed' then 'Only the engine fails a job. To stop it: set stage to cancelled.'
        when v_to.stage = 'cancelled' then 'The job has ended. To run it again set stage to the stage to start from.'
        else 'Only finished tasks move a job forward. Allowed from here: ' ||
          (select string_agg(t.to_stage, ', ' order by s.position) from mashup.transitions t
           join mashup.stages s on s.stage = t.to_stage where t.from_stage = old.stage and t.made_by = 'operator') || '.'
      end);
  end if;

  -- What the move changes on the row.
  new.stage_entered_at := greatest(mashup.now(), old.stage_entered_at);
  new.status := case when v_to.is_terminal then v_to.stage else 'processing' end;
  new.current_step := v_to.step;
  new.queue_position := null;

  if v_move = 'admit' then
    new.admitted_at := mashup.now();
    new.waiting_on := null;
    new.progress := greatest(new.progress, v_to.progress_from);
  elsif v_move = 'advance' then
    new.progress := greatest(new.progress, v_to.progress_from);
    if v_to.is_terminal then
      new.admitted_at := null;
      new.finished_at := mashup.now();
      new.waiting_on := null;
      new.estimated_completion_at := null;
    elsif v_to.stage = 'planning' and new.hold = 'planning' then
      -- A draft gives its slot back while it waits for its user.
      new.admitted_at := null;
      new.waiting_on := 'user';
      new.current_step := 'Ready when you are';
      new.estimated_completion_at := null;
    else
      new.waiting_on := null;
    end if;
  elsif v_move in ('fail', 'cancel') then
    new.epoch := old.epoch + 1;
    new.stopped_stage := old.stage;
    new.admitted_at := null;
    new.finished_at := mashup.now();
    new.waiting_on := null;
    new.estimated_completion_at := null;
    new.hold := null;
  else
    -- REPLAY (and replan, the engine's own): what this stage and later ones made is un-pointed, not deleted.
    if v_move = 'replay' then
      new.fresh := coalesce(current_setting('mashup.fresh', true), '') = 'yes';
      new.hold := null;
    end if;
    new.epoch := old.epoch + 1;
    new.progress := v_to.progress_from;
    new.error_code := null; new.error_message := null; new.error_hint := null; new.failed_task := null;
    new.stopped_stage := null; new.finished_at := null; new.expired_at := null;
    new.result_path := null; new.result := null; new.estimated_completion_at := null;
    if v_to.position <= 3 then
      new.plan_version := null; new.title := null; new.concept := null;
    end if;
    if v_to.position <= 2 then
      new.score := null;
    end if;
    if v_to.position <= 1 and not v_keep then
      new.songs := (select jsonb_agg(jsonb_build_object('song_id', s.song -> 'song_id', 'name', s.song -> 'name',
          'artist', s.song -> 'artist', 'path', s.song -> 'path', 'state', 'pending') order by s.n)
        from jsonb_array_elements(old.songs) with ordinality as s (song, n));
    elsif v_to.position <= 1 then
      -- A retry analyses a song that was left out once more; what is analysed is kept.
      new.songs := (select jsonb_agg(case when s.song ->> 'state' = 'excluded'
          then jsonb_build_object('song_id', s.song -> 'song_id', 'name', s.song -> 'name', 'artist', s.song -> 'artist',
            'path', s.song -> 'path', 'state', 'pending') else s.song end order by s.n)
        from jsonb_array_elements(old.songs) with ordinality as s (song, n));
    end if;
    if v_to.position <= 4 and new.fresh then
      new.songs := (select jsonb_agg(s.song - 'stems_id' order by s.n)
        from jsonb_array_elements(new.songs) with ordinality as s (song, n));
    end if;
    new.warnings := coalesce((select jsonb_agg(w.warning order by w.n)
      from jsonb_array_elements(old.warnings) with ordinality as w (warning, n)
      join mashup.stages s on s.stage = w.warning ->> 'stage' where s.position < v_to.position), '[]');
    -- A draft of one song stays one, however it is run again.
    if jsonb_array_length(new.songs) < 2 then
      if v_to.position >= 3 then
        perform mashup.raise_error('MB006', 'A mashup needs at least two songs.', 'Submit the songs together.');
      end if;
      new.hold := 'planning';
    end if;
    v_missing := mashup.missing_prerequisite(new, v_to.stage);
    if v_missing is not null then
      perform mashup.raise_error('MB003',
        format('Job %s cannot go to %s: %s is missing.', old.id, v_to.stage, v_missing[1]),
        format('Set stage to %s instead.', v_missing[2]));
    end if;
    if v_to.stage = 'queued' then
      new.admitted_at := null;
      new.entry_stage := 'analyzing';
    end if;
    if new.admitted_at is null then
      -- A replay takes a slot like any other run.
      new.waiting_on := 'slot';
      new.queued_at := mashup.now();
      new.current_step := 'Waiting for a free slot';
    else
      new.waiting_on := null;
    end if;
  end if;
  if new.admitted_at is not null then
    new.estimated_completion_at := mashup.estimate_completion(new);
  end if;
  return new;
end
$$;
comment on function mashup.check_transition() is 'Trigger: judges a move by mashup.transitions and resets what it must. Raises MB001, MB003, MB006.';

-- Every visible change raises the version: it alone orders what a client applies.
create function mashup.touch_job() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  if new is distinct from old then
    new.id := old.id;
    new.user_id := old.user_id;
    new.version := old.version + 1;
    new.updated_at := greatest(mashup.now(), old.updated_at);
    if new.epoch = old.epoch then
      new.progress := greatest(new.progress, old.progress);
    end if;
    if octet_length(new.songs::text) > 3000 then
      perform mashup.raise_error('MB011', 'The songs do not fit into the job''s row.', 'Shorten names and artists.');
    end if;
  end if;
  return new;
end
$$;
comment on function mashup.touch_job() is 'Trigger: raises version, keeps progress from falling within an epoch.';

-- After a move: the event, the old epoch's tasks dropped, the new stage's tasks made. Same transaction, so all or nothing.
create function mashup.after_transition() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_type text;
begin
  v_type := case
    when new.stage = 'cancelled' then 'cancel'
    when new.stage = 'failed' then 'error'
    when new.epoch > old.epoch then 'replay'
    else 'stage' end;
  perform mashup.log_event(new, v_type,
    case v_type
      when 'replay' then format('Replayed from %s', new.stage)
      when 'error' then coalesce(new.error_message, 'Failed')
      else (select step from mashup.stages where stage = new.stage) end,
    old.stage, null,
    case when v_type = 'error' then jsonb_build_object('code', new.error_code, 'task', new.failed_task) end);
  if new.epoch > old.epoch then
    perform mashup.drop_tasks(new, case new.stage when 'cancelled' then 'cancelled' when 'failed' then 'failed' else 'replayed' end);
  elsif new.stage = 'complete' then
    -- Songs that the plan does without may still be on their way to their stems.
    perform mashup.drop_tasks(new, 'not_needed');
  end if;
  if not (select is_terminal from mashup.stages where stage = new.stage) then
    perform mashup.create_tasks(new);
    -- Nothing to do in this stage (all in the cache): on to the next within the same transaction.
    if new.admitted_at is not null then
      perform mashup.advance_job(new.id);
    end if;
  end if;
  return null;
end
$$;
comment on function mashup.after_transition() is 'Trigger: what follows a move, in its transaction.';

-- Fan-in: moves a job on when its stage has nothing left to do. The job row is locked by the caller.
create function mashup.advance_job(p_job_id uuid) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id for no key update;
  if v_job.admitted_at is null or v_job.stage in ('queued', 'complete', 'failed', 'cancelled') then
    return;
  end if;
  if v_job.stage = 'separating' then
    if mashup.has_stems(v_job) then
      perform mashup.transition_job(p_job_id, 'rendering', 'advance');
    elsif not exists (select from mashup.tasks t where t.job_id = p_job_id and t.epoch = v_job.epoch and t.kind = 'separate'
                      and t.state in ('waiting', 'ready', 'running')) then
      -- Stems that were there went meanwhile: they are made again.
      perform mashup.create_tasks(v_job);
    end if;
    return;
  end if;
  if exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
             where t.job_id = p_job_id and t.epoch = v_job.epoch and k.stage = v_job.stage
               and t.state in ('waiting', 'ready', 'running')) then
    return;
  end if;
  if v_job.stage = 'analyzing' then
    perform mashup.transition_job(p_job_id, 'scoring', 'advance');
  elsif not exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
             where t.job_id = p_job_id and t.epoch = v_job.epoch and k.stage = v_job.stage and t.state = 'done') then
    return;
  elsif v_job.stage = 'scoring' then
    perform mashup.transition_job(p_job_id, 'planning', 'advance');
  elsif v_job.stage = 'planning' then
    perform mashup.transition_job(p_job_id, 'separating', 'advance');
  elsif v_job.stage = 'rendering' then
    perform mashup.transition_job(p_job_id, 'complete', 'advance');
  end if;
end
$$;
comment on function mashup.advance_job(uuid) is 'Moves a job on when its stage has nothing left to do. Lock: job row.';

-- Ends a job with a typed error.
create function mashup.fail_job(p_job_id uuid, p_code text, p_message text, p_hint text, p_task bigint) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform set_config('mashup.transition', p_job_id || ' failed fail', true);
  update public.mashup_jobs j set stage = 'failed', error_code = left(p_code, 60), error_message = left(p_message, 500),
      error_hint = left(p_hint, 300), failed_task = p_task
    where j.id = p_job_id;
  perform set_config('mashup.transition', '', true);
end
$$;
comment on function mashup.fail_job(uuid, text, text, text, bigint) is 'Ends a job as failed with code, message and hint. Lock: job row.';

create trigger check_transition before update of stage on public.mashup_jobs for each row execute function mashup.check_transition();
create trigger touch_job before update on public.mashup_jobs for each row execute function mashup.touch_job();
create trigger after_transition after update of stage on public.mashup_jobs for each row execute function mashup.after_transition();
