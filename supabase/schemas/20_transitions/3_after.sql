-- After a transition, in its transaction: the event, the tasks of earlier epochs dropped, the tasks of the new stage created.

create function mashup.after_transition() returns trigger
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_type text := case
    when new.stage = 'cancelled' then 'cancel'
    when new.stage = 'failed' then 'error'
    when new.stage = 'complete' then 'stage'
    when new.epoch > old.epoch then 'replay'
    else 'stage' end;
  v_has_task boolean;
begin
  perform mashup.log_event(new, v_type,
    case v_type
      when 'replay' then format('Replayed from %s', new.stage)
      when 'error' then coalesce(new.error_message, 'Failed')
      else (select s.step from mashup.stages s where s.stage = new.stage) end,
    old.stage, null,
    case when v_type = 'error' then jsonb_build_object('code', new.error_code, 'task', new.failed_task) end);
  if new.stage = 'complete' then
    -- Stems of songs that the plan does not use may still be in the making.
    perform mashup.drop_tasks(new, 'not_needed');
  elsif new.epoch > old.epoch then
    perform mashup.drop_tasks(new, case new.stage when 'cancelled' then 'cancelled' when 'failed' then 'failed' else 'replayed' end);
  end if;
  if new.status = 'processing' then
    v_has_task := mashup.create_tasks(new);
    -- The stage has nothing to do if all of it is cached: the job advances within the same transaction. Only a job with an excluded
    -- song may have to go back.
    if new.admitted_at is not null and (not v_has_task or new.songs @> '[{"state": "excluded"}]') then
      perform mashup.advance_job(new);
    end if;
  else
    perform mashup.enqueue_event(new, 'job.' || new.stage);
    if mashup.is_studio_version_live(new) then
      perform mashup.begin_studio_version(new);
    end if;
  end if;
  return null;
end
$$;
comment on function mashup.after_transition() is 'Trigger after any write of stage: makes what follows from the transition. Lock order: job (held), tasks by id.';
create trigger after_transition after update of stage on public.mashup_jobs for each row execute function mashup.after_transition();

create function mashup.create_tasks(p_job public.mashup_jobs) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_has_task boolean;
begin
  if p_job.admitted_at is null then
    return false;
  end if;
  insert into mashup.tasks (job_id, kind, epoch, priority)
    select p_job.id, k.kind, p_job.epoch, k.priority
    from mashup.task_kinds k
    where k.stage = p_job.stage and k.song_member is null and p_job.hold is distinct from p_job.stage
    on conflict do nothing;
  v_has_task := found and not (select s.ends_early from mashup.stages s where s.stage = p_job.stage);
  if p_job.stage = 'analyzing' then
    perform mashup.create_analysis_tasks(p_job);
  elsif p_job.stage = 'separating' or p_job.stage in ('scoring', 'planning') and mashup.separates_early(p_job) then
    perform mashup.create_separation_tasks(p_job);
  end if;
  return v_has_task;
end
$$;
comment on function mashup.create_tasks(public.mashup_jobs) is
  'Creates the tasks that a job with a slot needs in its stage and does not have yet. They start waiting; dispatch_kind makes them ready. Returns whether it created one that the stage waits for and is not for one song. Lock: job row held by the caller.';

create function mashup.discard_output(p_task mashup.tasks) returns void
  language plpgsql set search_path = ''
  as $$
begin
  if p_task.output_prefix is not null then
    insert into mashup.storage_deletions (path, is_prefix, not_before)
      values (p_task.output_prefix, true, mashup.now() + mashup.setting_interval('discard_after_sec'));
  end if;
end
$$;
comment on function mashup.discard_output(mashup.tasks) is
  'Puts what a claim may have written into the outbox, due when no service can be writing it any more.';

create function mashup.drop_tasks(p_job public.mashup_jobs, p_reason text, p_studio_only boolean default false) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_signal boolean := false;
begin
  for v_task in
    select * from mashup.tasks t
    where t.job_id = p_job.id and t.state in ('waiting', 'ready', 'running')
      and (t.epoch < p_job.epoch or p_reason <> 'replayed') and (t.is_studio or not p_studio_only)
    order by t.id for update
  loop
    if v_task.state = 'running' then
      v_signal := true;
      perform mashup.discard_output(v_task);
    end if;
    if v_task.kind = 'render_stems' then
      update public.mashup_results r set stems = null where r.job_id = v_task.job_id and r.stems ->> 'state' = 'pending';
    end if;
    update mashup.tasks t set
        state = 'dropped', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
        held_until = case when v_task.state = 'running' then mashup.now() + (
          select make_interval(secs => nullif((h.value ->> k.service)::double precision, 0)) from mashup.settings h, mashup.task_kinds k
          where h.name = 'service_abort_hold_sec' and k.kind = t.kind) end,
        error = jsonb_build_object('code', p_reason)
      where t.id = v_task.id;
  end loop;
  if v_signal then
    perform mashup.signal_tasks(p_job.id, p_reason);
  end if;
end
$$;
comment on function mashup.drop_tasks(public.mashup_jobs, text, boolean) is
  'Drops the unfinished tasks of a job: those of earlier epochs if p_reason is replayed, else all; p_studio_only: of these, those of its studio version. Notifies their workers. An aborted call counts against the limit of its service for service_abort_hold_sec. Lock order: job (held by the caller), tasks by id.';

revoke execute on all functions in schema mashup from public;
