-- Fan-in: a job advances when its stage is done. The order of the stages is that of mashup.transitions.

create function mashup.is_plan_outdated(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return p_job.plan_version is not null and exists (
    select from public.mashup_plans p
    where p.job_id = p_job.id and p.version = p_job.plan_version
      and not p.song_ids <@ array(select s ->> 'song_id' from mashup.active_songs(p_job.songs) s));
end
$$;
comment on function mashup.is_plan_outdated(public.mashup_jobs) is 'Returns whether the current plan uses an excluded song.';

create function mashup.advance_job(p_job public.mashup_jobs, p_is_unsaved boolean default false) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_live integer;
  v_done integer;
  v_ends_early boolean;
begin
  if p_job.admitted_at is null then
    return false;
  end if;
  -- Only a job with an excluded song can have an outdated plan.
  if p_job.songs @> '[{"state": "excluded"}]' and mashup.is_plan_outdated(p_job) then
    perform mashup.transition_job(p_job, 'planning', 'replan', p_is_unsaved);
    return true;
  end if;
  select count(*) filter (where t.state in ('waiting', 'ready', 'running')), count(*) filter (where t.state = 'done')
    into v_live, v_done
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.job_id = p_job.id and t.epoch = p_job.epoch and k.stage = p_job.stage;
  v_ends_early := (select s.ends_early from mashup.stages s where s.stage = p_job.stage);
  if v_live > 0 and not v_ends_early then
    return false;
  end if;
  -- A finished task left its output. A stage without one found all of it in the cache, or ends early.
  if (v_done > 0 and not v_ends_early) or mashup.has_output(p_job, p_job.stage) then
    perform mashup.transition_job(p_job,
      (select t.to_stage from mashup.transitions t where t.from_stage = p_job.stage and t.name = 'advance'), 'advance', p_is_unsaved);
    return true;
  elsif v_live = 0 then
    -- Cached analyses or stems were deleted since the job entered the stage: they are made again.
    perform mashup.create_tasks(p_job);
  end if;
  return false;
end
$$;
comment on function mashup.advance_job(public.mashup_jobs, boolean) is
  'Moves a job with a slot to its next stage if its stage has nothing left to do, or back to planning if its plan uses an excluded song. A stage is done when its tasks are finished; one that ends early, when what it makes is there. Returns whether it moved. p_is_unsaved: the row carries a result that is not written yet; the transition writes it, else the caller has to. Lock: job row held by the caller.';

revoke execute on all functions in schema mashup from public;
