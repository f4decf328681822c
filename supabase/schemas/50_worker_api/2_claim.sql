-- Claim: a worker takes a ready task. Every later write of the worker names the task and the claim token, so that a late or
-- repeated write changes nothing.

create function mashup.claim_status(p_task_id bigint, p_claim uuid) returns text
  language plpgsql stable set search_path = ''
  as $$
begin
  return coalesce((
    select case when t.state = 'running' and t.claim = p_claim then 'held'
                when t.state = 'dropped' and t.error ->> 'code' in ('replayed', 'cancelled', 'failed') then t.error ->> 'code'
                else 'lost' end
    from mashup.tasks t where t.id = p_task_id), 'lost');
end
$$;
comment on function mashup.claim_status(bigint, uuid) is
  'Returns held while a claim is valid; else why it is not: replayed, cancelled or failed (the job), or lost (the task was taken from a silent worker).';

create function mashup.lock_claim(p_task_id bigint, p_claim uuid) returns mashup.tasks
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id) for no key update;
  select * into v_task from mashup.tasks t where t.id = p_task_id and t.claim = p_claim and t.state = 'running' for update;
  if not found then
    return null;
  end if;
  return v_task;
end
$$;
comment on function mashup.lock_claim(bigint, uuid) is
  'Returns the task of a valid claim, locked; null if the claim is not valid. The guard of every write of a worker. Lock order: job, task.';

create function mashup.try_lock_claim(p_task_id bigint, p_claim uuid) returns mashup.tasks
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id)
    for no key update skip locked;
  if not found then
    return null;
  end if;
  select * into v_task from mashup.tasks t where t.id = p_task_id and t.claim = p_claim and t.state = 'running' for update skip locked;
  if not found then
    return null;
  end if;
  return v_task;
end
$$;
comment on function mashup.try_lock_claim(bigint, uuid) is
  'As lock_claim, without waiting: returns null if another transaction has locked the job or the task. Lock order: job, task.';

create function mashup.defer_solo(p_task mashup.tasks, p_worker_id uuid, p_max_crashes double precision) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  -- A task that has lost workers runs alone, so that only it can be to blame the next time.
  v_solo boolean := p_task.crashes >= p_max_crashes;
begin
  if (v_solo and exists (select from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running'))
    or exists (select from mashup.workers w join mashup.tasks s on s.id = w.solo_task
      where w.id = p_worker_id and s.id <> p_task.id and (s.state = 'ready' or s.worker_id = p_worker_id))
  then
    if v_solo then
      update mashup.workers set solo_task = coalesce(solo_task, p_task.id) where id = p_worker_id;
    end if;
    update mashup.tasks t set attempt = t.attempt + 1, run_at = mashup.now() + interval '500 milliseconds'
      where t.id = p_task.id;
    perform mashup.enqueue_tasks(array[p_task.id]);
    return true;
  end if;
  update mashup.workers w set solo_task = case when v_solo then p_task.id end
    where w.id = p_worker_id and w.solo_task is distinct from case when v_solo then p_task.id end;
  return false;
end
$$;
comment on function mashup.defer_solo(mashup.tasks, uuid, double precision) is
  'Returns whether a task cannot start on a worker because it, or another task there, has to run alone. It then has another queue entry, due in half a second. Else notes on the worker whether the task runs alone. Lock order: task (held by the caller), worker.';

create function mashup.show_start(p_job public.mashup_jobs, p_kind mashup.task_kinds, p_song_id text) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := p_job;
begin
  if mashup.is_studio_version_live(p_job) then
    return p_job;
  end if;
  -- A draft waits for its user, also while its songs are separated.
  if p_job.admitted_at is not null then
    v_job.waiting_on := null;
    -- A service that was unavailable is back.
    if p_job.estimated_completion_at is null then
      v_job.estimated_completion_at := mashup.estimate_completion(p_job);
      v_job.estimate_note := case when v_job.estimated_completion_at is null then p_job.estimate_note end;
    end if;
  end if;
  if p_kind.song_state is not null then
    v_job.songs := mashup.patch_song(p_job.songs, p_song_id, jsonb_build_object('state', p_kind.song_state));
  end if;
  if p_kind.stage = p_job.stage then
    -- It named the parts of an earlier claim. Those of the opening stay.
    if p_job.playable is not null and not mashup.is_opening(p_job.playable) then
      v_job.playable := null;
    end if;
    v_job.current_step := coalesce(
      (select left(p_kind.song_step || ' ' || (s ->> 'name'), 200) from jsonb_array_elements(p_job.songs) s where s ->> 'song_id' = p_song_id),
      (select s.step from mashup.stages s where s.stage = p_kind.stage));
  end if;
  -- The transition to the stage has mostly written all of it: then the row has no new version.
  if v_job is distinct from p_job then
    update public.mashup_jobs j set waiting_on = v_job.waiting_on, estimated_completion_at = v_job.estimated_completion_at, estimate_note = v_job.estimate_note, playable = v_job.playable, songs = v_job.songs, current_step = v_job.current_step
      where j.id = p_job.id returning * into v_job;
  end if;
  return v_job;
end
$$;
comment on function mashup.show_start(public.mashup_jobs, mashup.task_kinds, text) is
  'Writes on the job that a task started: state of the song''s card, current_step, an estimate where there was none, and playable (null, unless it names the opening), unless the task is ahead of the stage. A studio version shows its own progress. Returns the job. Lock: job row held by the caller.';

create function mashup.start_task(
  p_task mashup.tasks, p_kind mashup.task_kinds, p_job public.mashup_jobs, p_worker_id uuid, p_claim uuid, p_limits mashup.claim_limits
) returns jsonb
  language plpgsql set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  update mashup.tasks t set
      state = 'running', attempt = p_task.attempt, place = p_task.place, is_probe = p_task.is_probe, fallback = p_task.fallback, held_until = null,
      claim = p_claim, lost_at = null, worker_id = p_worker_id, started_at = mashup.now(),
      lease_until = mashup.now() + make_interval(secs => p_limits.lease_sec),
      deadline_at = mashup.now() + make_interval(secs => p_kind.timeout_sec),
      heard_at = mashup.now(), silence_sec = mashup.silence_limit(p_kind, p_job, p_task.song_id, p_limits),
      output_prefix = replace(replace(replace(replace(replace(p_kind.output_path, '{user}', p_job.user_id::text), '{job}', p_job.id::text),
        '{song}', coalesce(t.song_id, '')), '{epoch}', p_job.epoch::text), '{claim}', p_claim::text)
    where t.id = p_task.id returning * into v_task;
  v_task.lost_at := p_task.lost_at;
  return mashup.describe_claim(v_task, p_kind, mashup.show_start(p_job, p_kind, v_task.song_id), p_limits);
end
$$;
comment on function mashup.start_task(mashup.tasks, mashup.task_kinds, public.mashup_jobs, uuid, uuid, mashup.claim_limits) is
  'Makes a task running under the claim token p_claim. Returns describe_claim. Lock: job and task rows held by the caller.';

create function mashup.claim_task(p_task_id bigint, p_attempt integer, p_worker_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_task mashup.tasks;
  v_job public.mashup_jobs;
  v_kind mashup.task_kinds;
  v_limits mashup.claim_limits;
  v_solo_task bigint;
begin
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  select w.solo_task into v_solo_task from mashup.workers w where w.id = p_worker_id and not w.draining;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  -- The job is locked before the task; then the task is checked again.
  select * into v_job from public.mashup_jobs where id = v_task.job_id for no key update;
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt and epoch = v_job.epoch for update;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;

  if exists (select from mashup.pauses) and (mashup.is_job_paused(v_job.id, v_job.user_id) or mashup.is_kind_paused(v_kind)) then
    update mashup.tasks set state = 'waiting' where id = p_task_id;
    return jsonb_build_object('status', 'deferred', 'reason', 'paused');
  end if;
  -- It was dispatched before Storage failed. The call would only show again that Storage is not available.
  if v_kind.uses_storage and exists (select from mashup.service_health h
      where h.service = 'storage' and h.state <> 'closed' and h.probe_task is distinct from p_task_id) then
    update mashup.tasks set state = 'waiting', is_probe = false where id = p_task_id;
    return jsonb_build_object('status', 'deferred', 'reason', 'circuit');
  end if;
  v_limits := mashup.read_claim_limits();
  if (v_solo_task is not null or v_task.crashes >= v_limits.max_crashes_before_solo) and mashup.defer_solo(v_task, p_worker_id, v_limits.max_crashes_before_solo) then
    return jsonb_build_object('status', 'deferred', 'reason', 'must_run_alone');
  end if;
  return mashup.start_task(v_task, v_kind, v_job, p_worker_id, gen_random_uuid(), v_limits);
end
$$;
comment on function mashup.claim_task(bigint, integer, uuid) is
  'Claims a ready task for a worker. Returns {status}: claimed, with all that the worker needs (see describe_claim); gone: the queue entry is late or repeated; deferred, with reason paused, circuit (Storage is not available) or must_run_alone: the task runs later. Lock order: job, task, worker, queue.';
grant execute on function mashup.claim_task(bigint, integer, uuid) to mashup_worker;

create function mashup.describe_claim(p_task mashup.tasks, p_kind mashup.task_kinds, p_job public.mashup_jobs, p_limits mashup.claim_limits) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
begin
  return jsonb_build_object(
    'status', 'claimed', 'task_id', p_task.id, 'claim', p_task.claim, 'kind', p_task.kind, 'job_id', p_job.id,
    'user_id', p_job.user_id, 'epoch', p_job.epoch, 'song_id', p_task.song_id, 'songs', p_job.songs, 'options', p_job.options,
    'fresh', p_job.fresh, 'parent_id', p_job.parent_id, 'feedback', p_job.feedback, 'plan_version', p_job.plan_version,
    'failures', p_task.failures, 'max_attempts', p_kind.max_attempts, 'timeout_sec', p_kind.timeout_sec,
    'heartbeat_sec', p_limits.heartbeat_sec, 'lease_sec', p_limits.lease_sec,
    'fallback', p_task.fallback or (p_kind.fallback_after_sec is not null and p_task.failures + 1 >= p_kind.max_attempts),
    'service', p_kind.service, 'output_prefix', p_task.output_prefix, 'silence_sec', p_task.silence_sec,
    'traceparent', p_job.traceparent, 'settings', p_limits.of_worker, 'waited_sec', greatest(extract(epoch from mashup.now() - p_task.run_at), 0),
    'lost_for_sec', extract(epoch from mashup.now() - p_task.lost_at),
    'separation', case when p_task.kind = 'separate' then to_jsonb(mashup.wanted_separation(p_job)) end,
    'is_studio', p_task.is_studio, 'is_probe', p_task.is_probe, 'last_error', p_task.error ->> 'code');
end
$$;
comment on function mashup.describe_claim(mashup.tasks, mashup.task_kinds, public.mashup_jobs, mashup.claim_limits) is
  'Returns what a worker needs of a claimed task. fallback: the task does without its service, because it was dispatched so or has its last attempt. waited_sec: since it was due. settings: those that a worker may need, by name. lost_for_sec: since the lost worker that ran it before was last seen; null if none was lost. separation: of a separate task, as wanted_separation. is_studio: the task is one of a studio version. is_probe: it is the probe of an open circuit. last_error: code of the fault of the attempt before.';

revoke execute on all functions in schema mashup from public;
