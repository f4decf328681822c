-- Heartbeat of a task: keeps its lease and carries progress.

create function mashup.show_progress(p_job public.mashup_jobs, p_kind text, p_progress real, p_step text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_stage mashup.stages;
  v_kind mashup.task_kinds;
  v_progress real;
begin
  if p_kind = 'render_stems' then
    perform mashup.show_mashup_stems(p_job, p_progress);
    return;
  end if;
  if mashup.is_studio_version_live(p_job) then
    perform mashup.show_studio_version(p_job, p_kind, p_progress, p_step);
    return;
  end if;
  select * into v_kind from mashup.task_kinds k where k.kind = p_kind and k.stage = p_job.stage;
  if not found then
    return;
  end if;
  if v_kind.reports_progress then
    select * into v_stage from mashup.stages s where s.stage = p_job.stage;
    if v_kind.song_member is not null then
      p_progress := (p_progress + (select count(*) filter (where t.state = 'done') from mashup.tasks t
          where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = p_kind))
        / (select count(*) from mashup.tasks t
          where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = p_kind and t.state in ('waiting', 'ready', 'running', 'done'));
    end if;
    v_progress := least(v_stage.progress_from + greatest(coalesce(p_progress, 0), 0) * (v_stage.progress_to - v_stage.progress_from),
      v_stage.progress_to - 0.1);
  end if;
  update public.mashup_jobs j set progress = greatest(j.progress, coalesce(v_progress, 0)),
      current_step = coalesce(left(nullif(p_step, ''), 200), j.current_step)
    where j.id = p_job.id
      and (v_progress >= j.progress + mashup.setting_number('progress_min_step')
        -- A row from the future was written before the clock was set back.
        or ((j.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
            or j.updated_at > mashup.now() + interval '5 seconds')
          and (v_progress > j.progress or p_step is distinct from j.current_step)));
end
$$;
comment on function mashup.show_progress(public.mashup_jobs, text, real, text) is
  'Writes progress (0 to 1 of the task) and step on the job, at most every progress_min_interval_sec unless progress rose by progress_min_step. Of tasks for single songs, finished ones count as a whole and the others not at all. Nothing if the task is ahead of the stage. Lock: job row held by the caller.';

create function mashup.heartbeat_task(p_task_id bigint, p_claim uuid, p_progress real default null, p_step text default null) returns text
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_job public.mashup_jobs;
  v_kind text;
begin
  if p_progress is not null or p_step is not null then
    -- The job is locked first, so that a heartbeat and a replay lock in one order.
    select j.* into v_job from public.mashup_jobs j join mashup.tasks t on t.job_id = j.id
      where t.id = p_task_id and t.claim = p_claim for no key update of j;
  end if;
  update mashup.tasks t set lease_until = mashup.now() + mashup.setting_interval('lease_sec'),
      heard_at = case when p_progress is null and p_step is null then t.heard_at else mashup.now() end
    where t.id = p_task_id and t.claim = p_claim and t.state = 'running' returning t.kind into v_kind;
  if not found then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  if v_job.id is not null then
    perform mashup.show_progress(v_job, v_kind, p_progress, p_step);
  end if;
  return 'held';
end
$$;
comment on function mashup.heartbeat_task(bigint, uuid, real, text) is
  'Extends the lease of a claim; with progress (0 to 1 of the task) or a step writes these on the job. Returns held, or why the claim is not valid (see claim_status). Lock order: job (only with progress or step), task.';
grant execute on function mashup.heartbeat_task(bigint, uuid, real, text) to mashup_worker;

revoke execute on all functions in schema mashup from public;
