-- Before a transition: is it legal? check_transition looks it up in mashup.transitions, then changes the row, with the functions of
-- 2_reset.sql.
-- The transition is announced in a setting of the transaction, mashup.transition = '<job> <stage> <name>'. A write of stage that
-- is not announced is an operator's: a cancellation or a replay.

create function mashup.save_result(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
begin
  update public.mashup_jobs j set
      songs = p_job.songs, progress = p_job.progress, score = p_job.score,
      estimated_completion_at = case when p_job.admitted_at is null then p_job.estimated_completion_at else mashup.estimate_completion(p_job) end,
      warnings = p_job.warnings, plan_version = p_job.plan_version, title = p_job.title, concept = p_job.concept,
      result_path = p_job.result_path, result = p_job.result
    where j.id = p_job.id;
end
$$;
comment on function mashup.save_result(public.mashup_jobs) is
  'Writes on a job what record_task changed of its row, and its expected end. Lock: job row held by the caller.';

create function mashup.transition_job(p_job public.mashup_jobs, p_stage text, p_name text, p_is_unsaved boolean default false) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_announced text := set_config('mashup.transition', p_job.id || ' ' || p_stage || ' ' || p_name, true);
begin
  if p_is_unsaved then
    -- The columns are those of save_result. Together with the stage they make one version of the row instead of two.
    update public.mashup_jobs j set stage = p_stage,
        songs = p_job.songs, progress = p_job.progress, score = p_job.score,
        warnings = p_job.warnings, plan_version = p_job.plan_version, title = p_job.title, concept = p_job.concept,
        result_path = p_job.result_path, result = p_job.result
      where j.id = p_job.id;
  else
    update public.mashup_jobs j set stage = p_stage where j.id = p_job.id;
  end if;
  v_announced := set_config('mashup.transition', '', true);
end
$$;
comment on function mashup.transition_job(public.mashup_jobs, text, text, boolean) is
  'Makes a transition of the engine. p_is_unsaved: what record_task changed of the row is written with it. Lock: job row. Raises MB001.';

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
comment on function mashup.fail_job(uuid, text, text, text, bigint) is 'Ends a job as failed, with code, message, hint and the task to blame. Lock: job row.';

create function mashup.refuse_transition(p_job_id uuid, p_from text, p_to text) returns void
  language plpgsql stable set search_path = ''
  as $$
begin
  if not exists (select from mashup.stages s where s.stage = p_to) then
    perform mashup.raise_error('MB001', format('There is no stage "%s".', p_to),
      'The stages are ' || (select string_agg(s.stage, ', ' order by s.position) from mashup.stages s) || '.');
  end if;
  perform mashup.raise_error('MB001',
    format('Job %s is in stage %s and cannot go to %s.', p_job_id, p_from, p_to),
    case p_to
      when 'complete' then
        (select format('A job is complete only when its last stage, %1$s, is done. To repeat that: set stage to %1$s.', t.from_stage)
         from mashup.transitions t where t.to_stage = p_to and t.name = 'advance')
      when 'failed' then 'Only the engine fails a job. To stop it: set stage to cancelled.'
      when 'cancelled' then 'The job has ended. To run it again set stage to the stage to start from.'
      else 'Only finished tasks move a job forward. Allowed from here: ' ||
        (select string_agg(t.to_stage, ', ' order by s.position) from mashup.transitions t
         join mashup.stages s on s.stage = t.to_stage where t.from_stage = p_from and t.made_by = 'operator') || '.'
    end);
end
$$;
comment on function mashup.refuse_transition(uuid, text, text) is 'Raises MB001 for an illegal transition, with what is allowed instead.';

create function mashup.missing_prerequisite(p_job public.mashup_jobs, p_stage text) returns text[]
  language plpgsql stable set search_path = ''
  as $$
declare
  v_earlier mashup.stages;
begin
  for v_earlier in
    select s.* from mashup.stages s
    where s.makes is not null and s.position < (select w.position from mashup.stages w where w.stage = p_stage)
    order by s.position
  loop
    if not mashup.has_output(p_job, v_earlier.stage) then
      return array[v_earlier.makes, v_earlier.stage];
    end if;
  end loop;
  return null;
end
$$;
comment on function mashup.missing_prerequisite(public.mashup_jobs, text) is
  'Returns what an earlier stage should have made and a job lacks to enter p_stage: {what, the stage that makes it}. Null if nothing is missing.';

create function mashup.check_transition() returns trigger
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_announced text := coalesce(current_setting('mashup.transition', true), '');
  v_name text;
  v_to mashup.stages;
begin
  select * into v_to from mashup.stages s where s.stage = new.stage;
  if v_announced like old.id || ' %' then
    v_name := split_part(v_announced, ' ', 3);
  else
    v_name := case new.stage when 'cancelled' then 'cancel' else 'replay' end;
    if old.stage = 'cancelled' and new.stage = 'cancelled' then
      return null;
    end if;
    -- A statement of an operator may carry a whole row, as the table editor sends it. Only stage is taken from it.
    v_announced := new.stage;
    new := old;
    new.stage := v_announced;
  end if;
  if not exists (select from mashup.transitions t where t.from_stage = old.stage and t.to_stage = new.stage and t.name = v_name) then
    perform mashup.refuse_transition(old.id, old.stage, new.stage);
  end if;

  if v_name = 'replay' and old.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', old.id, old.takedown_reason), 'Contact the operator.');
  end if;

  new.stage_entered_at := greatest(mashup.now(), old.stage_entered_at);
  new.status := case when v_to.is_terminal then v_to.stage else 'processing' end;
  new.current_step := v_to.step;
  new.queue_position := null;
  -- The opening is heard while all of the mashup is rendered.
  if v_name <> 'advance' or new.stage <> 'rendering' then
    new.playable := null;
  end if;
  if v_name in ('admit', 'advance') then
    new.progress := greatest(new.progress, v_to.progress_from);
    new.waiting_on := null;
  end if;
  case v_name
    when 'admit' then new.admitted_at := mashup.now();
    when 'advance' then
      if v_to.is_terminal or new.hold = new.stage then
        new := mashup.reset_without_slot(new);
      end if;
      if new.stage = 'complete' then
        new := mashup.reset_for_studio_version(new);
      end if;
    when 'fail' then new := mashup.reset_for_end(new, old.stage);
    when 'cancel' then new := mashup.reset_for_end(new, old.stage);
    when 'replan' then new := mashup.reset_for_rerun(new);
    when 'remake' then new := mashup.reset_for_rerun(new);
    when 'replay' then new := mashup.reset_for_replay(new);
  end case;
  return mashup.reset_estimate(new);
end
$$;
comment on function mashup.check_transition() is
  'Trigger before any write of stage, also of the value it had: refuses a transition that is not in mashup.transitions and resets the row for the new stage. Raises MB001, MB003, MB006, MB015.';

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
    if new.songs is distinct from old.songs and octet_length(new.songs::text) > 3000 then
      perform mashup.raise_error('MB011', 'The songs do not fit into the job''s row.', 'Shorten names and artists.');
    end if;
  end if;
  return new;
end
$$;
comment on function mashup.touch_job() is
  'Trigger before every update: raises version, keeps id and user, and keeps progress from falling within an epoch. Raises MB011.';

create function mashup.explain_status() returns trigger
  language plpgsql stable set search_path = ''
  as $$
begin
  if new.status <> (select case when s.is_terminal then s.stage else 'processing' end from mashup.stages s where s.stage = new.stage) then
    perform mashup.raise_error('MB001', format('The status of job %s follows from its stage and cannot be changed by itself.', old.id),
      'Set stage instead: to "cancelled" to stop the job, to another stage to replay it from there.');
  elsif (new.stage = 'failed') <> (new.error_code is not null) then
    perform mashup.raise_error('MB001',
      format('Job %s is in stage %s: a failed job has an error_code, and no other job has one.', old.id, new.stage),
      case new.stage when 'failed' then 'To run the job again: select mashup.retry(…), or set stage to the stage to start from.'
        else 'Only the engine fails a job. To stop it: set stage to cancelled.' end);
  end if;
  return new;
end
$$;
comment on function mashup.explain_status() is
  'Trigger before a write of status or error_code: says what to write instead, where the rules status_follows_stage and failed_has_an_error would only refuse. Raises MB001.';

-- Triggers of one event run in the order of their names: check_transition, explain_status, touch_job.
create trigger check_transition before update of stage on public.mashup_jobs for each row execute function mashup.check_transition();
create trigger explain_status before update of status, error_code on public.mashup_jobs for each row execute function mashup.explain_status();
create trigger touch_job before update on public.mashup_jobs for each row execute function mashup.touch_job();

revoke execute on all functions in schema mashup from public;
