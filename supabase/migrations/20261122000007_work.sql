-- What a worker may do: register, claim, beat, finish, fail, hand back, leave. Every write after the claim is guarded by
-- (task, claim): a late or doubled worker changes nothing.

create function mashup.register_worker(
  p_id uuid, p_host text, p_pid integer, p_lock_key bigint, p_version text, p_concurrency integer, p_pool_ids text[], p_services jsonb
) returns void
  language sql security definer set search_path = ''
  as $$
  insert into mashup.workers as w (id, host, pid, lock_key, version, concurrency, pool_ids, services)
  values (p_id, p_host, p_pid, p_lock_key, p_version, p_concurrency, p_pool_ids, p_services)
  on conflict (id) do update set lock_key = excluded.lock_key, pool_ids = excluded.pool_ids,
    services = excluded.services, seen_at = mashup.now(), draining = false
$$;
comment on function mashup.register_worker(uuid, text, integer, bigint, text, integer, text[], jsonb) is
  'Makes a worker known. It must already hold a session advisory lock on p_lock_key.';

-- Claims a ready task. The answer is a document with `verdict`:
--   claimed   the task and all a handler needs to start
--   gone      the wake-up is late or doubled: nothing to do
--   deferred  not now (paused, or the worker must be alone): the task has another wake-up
create function mashup.claim_task(p_task_id bigint, p_attempt integer, p_worker_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_job public.mashup_jobs;
  v_kind mashup.task_kinds;
  v_claim uuid := gen_random_uuid();
  v_others integer;
  v_solo boolean;
  v_song jsonb;
begin
  -- GUARD
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt;
  if not found or not exists (select from mashup.workers w where w.id = p_worker_id and not w.draining) then
    return jsonb_build_object('status', 'gone');
  end if;
  -- LOCK: job, then task; then all is judged again.
  select * into v_job from public.mashup_jobs where id = v_task.job_id for no key update;
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt and epoch = v_job.epoch for update;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;

  if exists (select from mashup.pauses) and (mashup.is_job_paused(v_job.id, v_job.user_id)
      or mashup.is_paused('kind', v_kind.kind) or mashup.is_paused('service', v_kind.service)) then
    update mashup.tasks set state = 'waiting' where id = p_task_id;
    return jsonb_build_object('status', 'deferred', 'reason', 'paused');
  end if;

  -- A task that has cost workers their lives runs alone, so that only it can be to blame the next time.
  v_solo := v_task.crashes >= mashup.setting_number('max_crashes_before_solo');
  select count(*) into v_others from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running';
  if (v_solo and v_others > 0) or exists (select from mashup.workers w join mashup.tasks s on s.id = w.solo_task
      where w.id = p_worker_id and s.id <> p_task_id and (s.state = 'ready' or s.worker_id = p_worker_id)) then
    if v_solo then
      update mashup.workers set solo_task = coalesce(solo_task, p_task_id) where id = p_worker_id;
    end if;
    update mashup.tasks t set attempt = t.attempt + 1, run_at = mashup.now() + interval '500 milliseconds'
      where t.id = p_task_id returning * into v_task;
    perform mashup.enqueue_task(v_task);
    return jsonb_build_object('status', 'deferred', 'reason', 'must_run_alone');
  end if;
  update mashup.workers w set solo_task = case when v_solo then p_task_id end
    where w.id = p_worker_id and w.solo_task is distinct from case when v_solo then p_task_id end;

  update mashup.tasks t set
      state = 'running', claim = v_claim, worker_id = p_worker_id, started_at = mashup.now(),
      lease_until = mashup.now() + mashup.setting_interval('lease_sec'),
      deadline_at = mashup.now() + make_interval(secs => v_kind.timeout_sec),
      output_prefix = case v_task.kind
        when 'separate' then format('stems/%s/%s/%s/%s', v_job.user_id, v_job.id, v_task.song_id, v_claim)
        when 'render' then format('generated/%s/%s-%s', v_job.id, v_job.epoch, v_claim) end
    where t.id = p_task_id returning * into v_task;

  select s into v_song from jsonb_array_elements(v_job.songs) s where s ->> 'song_id' = v_task.song_id;
  update public.mashup_jobs j set
      waiting_on = null,
      songs = case v_task.kind
        when 'analyze' then mashup.patch_song(j.songs, v_task.song_id, '{"state": "analyzing"}')
        when 'separate' then mashup.patch_song(j.songs, v_task.song_id, '{"state": "separating"}') else j.songs end,
      current_step = case
        when v_task.kind = 'analyze' then left('Analysing ' || (v_song ->> 'name'), 200)
        when v_task.kind = 'separate' and j.stage <> 'separating' then j.current_step
        when v_task.kind = 'separate' then left('Separating ' || (v_song ->> 'name'), 200)
        else (select s.step from mashup.stages s where s.stage = v_kind.stage) end
    where j.id = v_job.id returning * into v_job;

  return jsonb_build_object(
    'status', 'claimed', 'task_id', v_task.id, 'claim', v_claim, 'kind', v_task.kind, 'job_id', v_job.id,
    'user_id', v_job.user_id, 'epoch', v_job.epoch, 'song_id', v_task.song_id, 'songs', v_job.songs, 'options', v_job.options,
    'fresh', v_job.fresh, 'parent_id', v_job.parent_id, 'feedback', v_job.feedback, 'plan_version', v_job.plan_version,
    'failures', v_task.failures, 'max_attempts', v_kind.max_attempts, 'timeout_sec', v_kind.timeout_sec,
    'heartbeat_sec', mashup.setting_number('heartbeat_sec'), 'lease_sec', mashup.setting_number('lease_sec'),
    'fallback', v_task.fallback or (v_kind.fallback_after_sec is not null and v_task.failures + 1 >= v_kind.max_attempts),
    'service', v_kind.service, 'output_prefix', v_task.output_prefix);
end
$$;
comment on function mashup.claim_task(bigint, integer, uuid) is 'Claims a ready task for a worker. Lock order: job, task. Answers claimed, gone or deferred.';

-- Why a claim no longer holds: replayed, cancelled, failed (the job), or lost (taken because the worker was silent).
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
comment on function mashup.claim_status(bigint, uuid) is 'held, replayed, cancelled, failed or lost.';

-- One beat: keeps the lease and, with news, writes progress (0..1 of the task) and what is being done.
create function mashup.heartbeat_task(p_task_id bigint, p_claim uuid, p_progress real default null, p_step text default null) returns text
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_stage mashup.stages;
  v_progress real;
begin
  if p_progress is not null or p_step is not null then
    -- News: the job row first, so that beat and replay lock in one order.
    select j.* into v_job from public.mashup_jobs j join mashup.tasks t on t.job_id = j.id
      where t.id = p_task_id and t.claim = p_claim for no key update of j;
  end if;
  update mashup.tasks t set lease_until = mashup.now() + mashup.setting_interval('lease_sec')
    where t.id = p_task_id and t.claim = p_claim and t.state = 'running';
  if not found then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  if v_job.id is not null then
    select s.* into v_stage from mashup.stages s join mashup.task_kinds k on k.stage = s.stage
      join mashup.tasks t on t.kind = k.kind where t.id = p_task_id;
    if v_stage.stage = v_job.stage and v_stage.stage in ('planning', 'rendering') then
      v_progress := least(v_stage.progress_from + greatest(coalesce(p_progress, 0), 0) * (v_stage.progress_to - v_stage.progress_from),
        v_stage.progress_to - 0.1);
    end if;
    update public.mashup_jobs j set progress = greatest(j.progress, coalesce(v_progress, 0)),
        current_step = coalesce(left(nullif(p_step, ''), 200), j.current_step)
      where j.id = v_job.id and v_stage.stage = v_job.stage
        and (v_progress >= j.progress + mashup.setting_number('progress_min_step')
          or (j.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
            and (v_progress > j.progress or p_step is distinct from j.current_step)));
  end if;
  return 'held';
end
$$;
comment on function mashup.heartbeat_task(bigint, uuid, real, text) is 'Extends a claim''s lease; with news writes progress. Lock order: job (only with news), task.';

-- A worker's own beat.
create function mashup.heartbeat_worker(p_worker_id uuid) returns boolean
  language sql security definer set search_path = ''
  as $$
  with seen as (update mashup.workers set seen_at = mashup.now() where id = p_worker_id returning 1)
  select exists (select from seen)
$$;
comment on function mashup.heartbeat_worker(uuid) is 'Notes that a worker is alive; false if it is no longer known and must register again.';

-- Corrects the measured durations by one more sample (exponentially weighted). Skips a locked row: one sample less.
create function mashup.record_duration(p_kind text, p_seconds real, p_song_seconds real) returns void
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.stage_stats s set
      samples = s.samples + 1,
      mean_sec = s.mean_sec + (p_seconds - s.mean_sec) * greatest(0.1, 1.0 / (s.samples + 1)),
      base_sec = s.base_sec * f.factor, per_song_sec = s.per_song_sec * f.factor
    from (select l.kind, (1 + (least(greatest(p_seconds / greatest(l.base_sec + l.per_song_sec * p_song_seconds, 0.01), 0.2), 5) - 1)
            * greatest(0.1, 1.0 / (l.samples + 1)))::real as factor
          from mashup.stage_stats l where l.kind = p_kind for update skip locked) f
    where s.kind = f.kind;
end
$$;
comment on function mashup.record_duration(text, real, real) is 'Takes one measured duration into mashup.stage_stats.';

-- A service answered: its failures are forgotten and an open circuit closes.
create function mashup.record_service_success(p_service text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  update mashup.service_health h set state = 'closed', failures = 0, opens = 0, opened_at = null, retry_at = null, probe_task = null,
      -- What is left of it says that the circuit was open: dispatch_tasks then brings tasks back with spread.
      last_error = case when h.state <> 'closed' then h.last_error end, updated_at = mashup.now()
    where h.service = p_service and (h.state <> 'closed' or h.failures > 0);
end
$$;
comment on function mashup.record_service_success(text) is 'Closes a service''s circuit.';

-- A service was not available. Opens its circuit after circuit_failures in a row, or when its probe failed. Calls that
-- were on their way when it opened only count: they neither end the probe nor wait for another one.
create function mashup.record_service_failure(p_service text, p_error text, p_task_id bigint) returns void
  language sql set search_path = ''
  as $$
  update mashup.service_health h set
      failures = h.failures + 1, last_error = left(p_error, 300), updated_at = mashup.now(),
      state = case when o.opens_now then 'open' else h.state end,
      opens = h.opens + o.opens_now::integer,
      opened_at = case when h.state = 'closed' and o.opens_now then mashup.now() else h.opened_at end,
      probe_task = case when o.opens_now then null else h.probe_task end,
      retry_at = case when o.opens_now
        then mashup.now() + make_interval(secs => least(mashup.setting_number('circuit_open_sec') * 2 ^ least(h.opens, 10),
          mashup.setting_number('circuit_open_max_sec'))) else h.retry_at end
    from (select c.service, c.probe_task is not distinct from p_task_id
            or (c.state = 'closed' and c.failures + 1 >= mashup.setting_number('circuit_failures')) as opens_now
          from mashup.service_health c where c.service = p_service for update) o
    where h.service = o.service
$$;
comment on function mashup.record_service_failure(text, text, bigint) is 'Counts an availability fault and opens the circuit when there were too many.';

-- Locks job and task and says whether the claim still holds. null: it does not.
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
comment on function mashup.lock_claim(bigint, uuid) is 'The guard of every write by a worker. Lock order: job, task.';

-- Finishes a task with its result, records what it made and moves the job on. Answers finished, or why the claim is void.
create function mashup.finish_task(p_task_id bigint, p_claim uuid, p_result jsonb) returns text
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_job public.mashup_jobs;
  v_seconds real;
  v_twin text;
  v_replan boolean := false;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_job from public.mashup_jobs where id = v_task.job_id;

  select s ->> 'name' into v_twin from mashup.active_songs(v_job.songs) s
    where v_task.kind = 'analyze' and s ->> 'song_id' <> v_task.song_id and s ->> 'hash' = p_result ->> 'content_hash';
  if v_twin is not null then
    perform mashup.record_service_success(k.service) from mashup.task_kinds k where k.kind = v_task.kind;
    return mashup.end_attempt(v_task, k, true, true, 'same_song_twice', format('This is the same recording as %s.', v_twin),
      'Choose two different songs.', null) from mashup.task_kinds k where k.kind = v_task.kind;
  end if;

  v_seconds := extract(epoch from mashup.now() - v_task.started_at);
  update mashup.tasks t set state = 'done', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null,
      deadline_at = null, error = null
    where t.id = p_task_id;

  case v_task.kind
    when 'analyze' then perform mashup.record_analysis(v_job, v_task, p_result);
    when 'score' then perform mashup.record_scores(v_job, p_result);
    when 'plan' then v_replan := mashup.record_plan(v_job, p_result);
    when 'separate' then perform mashup.record_stems(v_job, v_task, p_result);
    when 'render' then perform mashup.record_result(v_job, v_task, p_result);
  end case;

  if coalesce((p_result ->> 'service_used')::boolean, true) then
    perform mashup.record_service_success((select k.service from mashup.task_kinds k where k.kind = v_task.kind));
  end if;
  if not coalesce((p_result ->> 'from_cache')::boolean, false) then
    perform mashup.record_duration(v_task.kind, v_seconds, coalesce(case when v_task.song_id is not null
      then (select (s ->> 'duration_sec')::real from public.mashup_jobs j, jsonb_array_elements(j.songs) s
            where j.id = v_job.id and s ->> 'song_id' = v_task.song_id)
      else (select sum((s ->> 'duration_sec')::real) from mashup.active_songs(v_job.songs) s) end, 0));
  end if;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  perform mashup.log_event(v_job, 'task', coalesce(p_result ->> 'message', v_task.kind || ' finished'), null, v_task.song_id,
    jsonb_build_object('kind', v_task.kind, 'task', v_task.id, 'attempt', v_task.attempt, 'seconds', round(v_seconds::numeric, 3),
      'from_cache', p_result -> 'from_cache'));
  if v_replan then
    perform mashup.transition_job(v_job.id, 'planning', 'replan');
  else
    perform mashup.advance_job(v_job.id);
  end if;
  return 'finished';
end
$$;
comment on function mashup.finish_task(bigint, uuid, jsonb) is 'The only way forward for a job. Guarded by the claim. Lock order: job, task, queue.';

-- Takes a song out of a job, with a warning while enough good songs are left; otherwise the job fails.
create function mashup.exclude_song(p_task mashup.tasks, p_code text, p_message text, p_hint text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_song jsonb;
  v_good integer;
  v_name text;
begin
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  select s into v_song from jsonb_array_elements(v_job.songs) s where s ->> 'song_id' = p_task.song_id;
  v_name := v_song ->> 'name';
  select count(*) - 1 into v_good from mashup.active_songs(v_job.songs);
  if v_good < 2 then
    update public.mashup_jobs set songs = mashup.patch_song(songs, p_task.song_id,
      jsonb_build_object('state', 'failed', 'error', left(p_code, 60))) where id = v_job.id;
    perform mashup.fail_job(v_job.id, p_code, format('%s: %s', v_name, p_message), p_hint, p_task.id);
    return;
  end if;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'excluded', 'error', left(p_code, 60))),
      warnings = mashup.add_warning(j.warnings, 'song_excluded', format('%s was left out: %s', v_name, p_message), 'analyzing')
    where j.id = v_job.id returning * into v_job;
  update mashup.tasks t set state = 'dropped', finished_at = mashup.now(), error = jsonb_build_object('code', 'song_excluded')
    where t.job_id = v_job.id and t.song_id = p_task.song_id and t.state in ('waiting', 'ready');
  perform mashup.log_event(v_job, 'warning', format('%s was left out: %s', v_name, p_message), null, p_task.song_id,
    jsonb_build_object('code', p_code));
  -- A plan that uses the song is of no use any more.
  if exists (select from public.mashup_plans p where p.job_id = v_job.id and p.version = v_job.plan_version
             and p_task.song_id = any (p.song_ids)) then
    perform mashup.transition_job(v_job.id, 'planning', 'replan');
  else
    perform mashup.advance_job(v_job.id);
  end if;
end
$$;
comment on function mashup.exclude_song(mashup.tasks, text, text, text) is 'Drops a song or fails its job. Lock: job row held by the caller.';

-- A task ended in a fault. p_class: permanent (never again), transient or overloaded (later), unavailable (the service is
-- away: counts for its circuit). Answers retrying, failed, or why the claim is void.
create function mashup.fail_task(
  p_task_id bigint, p_claim uuid, p_code text, p_message text, p_hint text, p_class text, p_retry_after_sec real default null
) returns text
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_open boolean;
  v_counts boolean;
  v_wait real;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  if p_class in ('unavailable', 'overloaded') then
    perform mashup.record_service_failure(v_kind.service, p_message, p_task_id);
  elsif v_task.is_probe then
    perform mashup.record_service_success(v_kind.service);
  end if;
  select state <> 'closed' into v_open from mashup.service_health where service = v_kind.service;
  -- While its circuit is open, waiting costs a task no attempt.
  v_counts := not (p_class in ('unavailable', 'overloaded') and coalesce(v_open, false));
  perform mashup.discard_output(v_task);
  return mashup.end_attempt(v_task, v_kind, p_class = 'permanent', v_counts, p_code, p_message, p_hint, p_retry_after_sec);
end
$$;
comment on function mashup.fail_task(bigint, uuid, text, text, text, text, real) is 'Ends an attempt with a fault. Guarded by the claim. Lock order: job, task.';

-- What an ended attempt leads to: another one after a back-off with full jitter, or the end of task, song or job.
-- Back-off: AWS Architecture Blog, "Exponential Backoff and Jitter" (2015).
create function mashup.end_attempt(
  p_task mashup.tasks, p_kind mashup.task_kinds, p_permanent boolean, p_counts boolean,
  p_code text, p_message text, p_hint text, p_retry_after_sec real
) returns text
  language plpgsql set search_path = ''
  as $$
declare
  v_failures integer := p_task.failures + p_counts::integer;
  v_wait real;
  v_job public.mashup_jobs;
  v_error jsonb := jsonb_build_object('code', p_code, 'message', left(p_message, 500), 'hint', left(p_hint, 300));
begin
  if p_permanent or v_failures >= p_kind.max_attempts then
    update mashup.tasks t set state = 'failed', failures = v_failures, finished_at = mashup.now(), claim = null, worker_id = null,
        lease_until = null, deadline_at = null, error = v_error
      where t.id = p_task.id;
    if p_task.song_id is not null then
      perform mashup.exclude_song(p_task, p_code, p_message, p_hint);
    else
      perform mashup.fail_job(p_task.job_id, p_code, p_message, p_hint, p_task.id);
    end if;
    return 'failed';
  end if;
  v_wait := greatest(random() * least(p_kind.backoff_max_sec, p_kind.backoff_sec * 2 ^ least(v_failures, 16)), coalesce(p_retry_after_sec, 0));
  update mashup.tasks t set state = 'waiting', failures = v_failures, run_at = mashup.now() + make_interval(secs => v_wait), claim = null,
      worker_id = null, lease_until = null, deadline_at = null, is_probe = false, error = v_error
    where t.id = p_task.id;
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  perform mashup.log_event(v_job, 'retry', format('%s will be tried again: %s', p_kind.kind, p_message), null, p_task.song_id,
    v_error || jsonb_build_object('task', p_task.id, 'failures', v_failures, 'wait_sec', round(v_wait::numeric, 2)));
  return 'retrying';
end
$$;
comment on function mashup.end_attempt(mashup.tasks, mashup.task_kinds, boolean, boolean, text, text, text, real) is
  'Retry or end. Lock: job and task rows held by the caller.';

-- Gives a running task back unharmed (the worker is stopping). Counts nothing.
create function mashup.return_task(p_task_id bigint, p_claim uuid) returns text
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform mashup.requeue_task(v_task);
  return 'returned';
end
$$;
comment on function mashup.return_task(bigint, uuid) is 'Gives a running task back. Guarded by the claim.';

create function mashup.requeue_task(p_task mashup.tasks) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform mashup.discard_output(p_task);
  update mashup.tasks t set state = 'waiting', run_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
      is_probe = false, crashes = p_task.crashes, solo_crashes = p_task.solo_crashes
    where t.id = p_task.id;
end
$$;
comment on function mashup.requeue_task(mashup.tasks) is 'Makes a running task wait again. Lock: job and task rows held by the caller.';

create function mashup.deregister_worker(p_worker_id uuid) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  update mashup.workers set draining = true where id = p_worker_id;
  for v_task in select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' order by t.job_id, t.id loop
    perform mashup.return_task(v_task.id, v_task.claim);
  end loop;
  perform mashup.unlock_queue(w.pool_ids) from mashup.workers w where w.id = p_worker_id;
  delete from mashup.workers where id = p_worker_id;
end
$$;
comment on function mashup.deregister_worker(uuid) is 'A worker says goodbye: what it still holds is handed back, wake-ups too.';

-- Keeps an answer that was paid for, before anything else is done with it. Not fenced, on purpose.
create function mashup.save_receipt(p_job_id uuid, p_request_hash text, p_answer jsonb, p_tokens jsonb, p_cost_usd numeric) returns void
  language sql security definer set search_path = ''
  as $$
  insert into mashup.plan_receipts (job_id, request_hash, answer, tokens, cost_usd)
  select p_job_id, p_request_hash, p_answer, p_tokens, p_cost_usd
  where exists (select from public.mashup_jobs where id = p_job_id)
$$;
comment on function mashup.save_receipt(uuid, text, jsonb, jsonb, numeric) is 'Appends a paid answer to plan_receipts.';
