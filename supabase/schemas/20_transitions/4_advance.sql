-- Fan-in: a job advances when its stage is done. The order of the stages is that of mashup.transitions.

create function mashup.has_unfinished_tasks(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (
    select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.job_id = p_job.id and t.epoch = p_job.epoch and k.stage = p_job.stage and t.state in ('waiting', 'ready', 'running'));
end
$$;
comment on function mashup.has_unfinished_tasks(public.mashup_jobs) is 'Returns whether tasks of the job''s stage are not finished.';

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
  v_unfinished boolean;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id for no key update;
  if v_job.admitted_at is null then
    return;
  end if;
  if mashup.is_plan_outdated(v_job) then
    perform mashup.transition_job(p_job_id, 'planning', 'replan');
    return;
  end if;
  v_unfinished := mashup.has_unfinished_tasks(v_job);
  if v_unfinished and not (select s.ends_early from mashup.stages s where s.stage = v_job.stage) then
    return;
  end if;
  if mashup.has_output(v_job, v_job.stage) then
    perform mashup.transition_job(p_job_id,
      (select t.to_stage from mashup.transitions t where t.from_stage = v_job.stage and t.name = 'advance'), 'advance');
  elsif not v_unfinished then
    -- Cached analyses or stems may have been deleted since the job entered the stage: they are made again.
    perform mashup.create_tasks(v_job);
  end if;
end
$$;
comment on function mashup.advance_job(uuid) is
  'Moves a job with a slot to its next stage if its stage has nothing left to do, or back to planning if its plan uses an excluded song. A stage is done when its tasks are finished, unless it ends early, and what it makes is there. Lock: job row.';

revoke execute on all functions in schema mashup from public;
