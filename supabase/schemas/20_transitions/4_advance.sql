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

create function mashup.advance_job(p_job_id uuid) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_live integer;
  v_done integer;
  v_ends_early boolean;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id for no key update;
  if v_job.admitted_at is null then
    return;
  end if;
  -- Only a job with an excluded song can have an outdated plan.
  if v_job.songs @> '[{"state": "excluded"}]' and mashup.is_plan_outdated(v_job) then
    perform mashup.transition_job(p_job_id, 'planning', 'replan');
    return;
  end if;
  select count(*) filter (where t.state in ('waiting', 'ready', 'running')), count(*) filter (where t.state = 'done')
    into v_live, v_done
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.job_id = p_job_id and t.epoch = v_job.epoch and k.stage = v_job.stage;
  v_ends_early := (select s.ends_early from mashup.stages s where s.stage = v_job.stage);
  if v_live > 0 and not v_ends_early then
    return;
  end if;
  -- A finished task left its output. A stage without one found all of it in the cache, or ends early.
  if (v_done > 0 and not v_ends_early) or mashup.has_output(v_job, v_job.stage) then
    perform mashup.transition_job(p_job_id,
      (select t.to_stage from mashup.transitions t where t.from_stage = v_job.stage and t.name = 'advance'), 'advance');
  elsif v_live = 0 then
    -- Cached analyses or stems were deleted since the job entered the stage: they are made again.
    perform mashup.create_tasks(v_job);
  end if;
end
$$;
comment on function mashup.advance_job(uuid) is
  'Moves a job with a slot to its next stage if its stage has nothing left to do, or back to planning if its plan uses an excluded song. A stage is done when its tasks are finished; one that ends early, when what it makes is there. Lock: job row.';

revoke execute on all functions in schema mashup from public;
