-- Faults: another attempt after a back-off, or the end of the task, its song or its job.

create function mashup.fail_task(
  p_task_id bigint, p_claim uuid, p_code text, p_message text, p_hint text, p_class text, p_retry_after_sec real default null,
  p_service text default null, p_spends boolean default true, p_answering boolean default false
) returns text
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_blamed text;
  v_open boolean := false;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  if p_class in ('unavailable', 'overloaded', 'refused') then
    v_blamed := coalesce((select h.service from mashup.service_health h where h.service = p_service), v_kind.service);
    perform mashup.record_service_failure(v_blamed, p_message, p_task_id, p_class = 'refused', p_retry_after_sec, p_class = 'unavailable');
    select state <> 'closed' into v_open from mashup.service_health where service = v_blamed;
  elsif v_task.is_probe then
    perform mashup.record_probe_success(v_kind, p_task_id, null);
  end if;
  -- The service answers, with faults of its own: its circuit stays closed, and operators see it.
  if p_class = 'transient' and p_spends and p_code not in ('internal_error', 'claim_unreadable') then
    perform mashup.record_service_fault(coalesce((select b.service from mashup.service_health b where b.service = p_service), v_kind.service), p_message);
  end if;
  perform mashup.discard_output(v_task);
  -- While its circuit is open, a task loses no attempt by waiting. One that takes down a service that is there each time does.
  return mashup.end_attempt(v_task, v_kind, p_class = 'permanent', p_spends and (p_answering or not v_open), p_code, p_message, p_hint, p_retry_after_sec);
end
$$;
comment on function mashup.fail_task(bigint, uuid, text, text, text, text, real, text, boolean, boolean) is
  'Ends an attempt with a fault. p_class: permanent (no other attempt), transient or overloaded (later), unavailable (later; with overloaded counts for the circuit of p_service), refused (a key was refused: opens that circuit at once). p_service: the service to blame, by default that of the kind. p_spends: whether the fault counts towards max_attempts, though not while that circuit is open, unless p_answering: the service answered a check right before the call. p_retry_after_sec: shortest delay. Returns retrying, failed, or why the claim is not valid (see claim_status). Lock order: job, task, service_health.';
grant execute on function mashup.fail_task(bigint, uuid, text, text, text, text, real, text, boolean, boolean) to mashup_worker;

-- Back-off with full jitter: AWS Architecture Blog, "Exponential Backoff and Jitter" (2015).
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
    perform mashup.end_failed_task(p_task, p_code, p_message, p_hint);
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
  'Ends an attempt: returns retrying (another attempt after a back-off), or failed (the task, and with it its song or job). p_counts: whether the fault counts towards max_attempts. Lock: job and task rows held by the caller.';

create function mashup.end_failed_task(p_task mashup.tasks, p_code text, p_message text, p_hint text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_context text;
  v_hook text;
begin
  if p_task.is_studio then
    perform mashup.end_studio_version(j, 'failed', p_message) from public.mashup_jobs j where j.id = p_task.job_id;
  -- Without the model no song can be separated: none of them is to blame.
  elsif p_task.song_id is not null and not starts_with(p_code, 'model_') then
    perform mashup.exclude_song(p_task, p_code, p_message, p_hint);
  elsif p_task.kind = 'render_stems' then
    perform mashup.fail_mashup_stems(p_task, p_code, p_message, p_hint);
  else
    perform mashup.fail_job(p_task.job_id, p_code, p_message, p_hint, p_task.id);
  end if;
exception when others then
  get stacked diagnostics v_context = pg_exception_context;
  v_hook := mashup.find_failing_hook(v_context);
  if v_hook is null then
    raise;
  end if;
  -- The trigger refuses this change as well, so only the task can record it. mashup.stuck names it.
  update mashup.tasks t set error = jsonb_build_object('code', 'hook_failed', 'message', left(v_hook || ': ' || sqlerrm, 500),
      'hint', mashup.hook_hint())
    where t.id = p_task.id;
end
$$;
comment on function mashup.end_failed_task(mashup.tasks, text, text, text) is
  'Ends the song or the job of a failed task; of a render_stems task only the request, and of a studio version only that. If a trigger of an integrator prevents that, the job keeps its stage and the task the error hook_failed. Lock: job and task rows held by the caller.';

create function mashup.exclude_song(p_task mashup.tasks, p_code text, p_message text, p_hint text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_left integer;
  v_name text;
  v_warning text;
begin
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  select s ->> 'name' into v_name from jsonb_array_elements(v_job.songs) s where s ->> 'song_id' = p_task.song_id;
  select count(*) - 1 into v_left from mashup.active_songs(v_job.songs);
  if v_left < 2 then
    update public.mashup_jobs set songs = mashup.patch_song(songs, p_task.song_id,
      jsonb_build_object('state', 'failed', 'error', left(p_code, 60))) where id = v_job.id;
    perform mashup.fail_job(v_job.id, p_code, format('%s: %s', v_name, p_message), p_hint, p_task.id);
    return;
  end if;
  v_warning := format('%s was left out: %s', v_name, p_message);
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'excluded', 'error', left(p_code, 60))),
      warnings = mashup.add_warning(j.warnings, 'song_excluded', v_warning, 'analyzing')
    where j.id = v_job.id returning * into v_job;
  update mashup.tasks t set state = 'dropped', finished_at = mashup.now(), error = jsonb_build_object('code', 'song_excluded')
    where t.job_id = v_job.id and t.song_id = p_task.song_id and t.state in ('waiting', 'ready');
  perform mashup.log_event(v_job, 'warning', v_warning, null, p_task.song_id, jsonb_build_object('code', p_code));
  perform mashup.advance_job(v_job);
end
$$;
comment on function mashup.exclude_song(mashup.tasks, text, text, text) is
  'Excludes the song of a failed task, with a warning, while two others are left; else fails the job. A plan that uses the song is made again. Lock: job row held by the caller.';

create function mashup.requeue_task(p_task mashup.tasks) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform mashup.discard_output(p_task);
  update mashup.tasks t set state = 'waiting', run_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
      is_probe = false, crashes = p_task.crashes, solo_crashes = p_task.solo_crashes, lost_by = p_task.lost_by,
      lost_at = p_task.lost_at
    where t.id = p_task.id;
end
$$;
comment on function mashup.requeue_task(mashup.tasks) is
  'Makes a running task wait again without counting a failure; its crash counts are those of p_task. Lock: job and task rows held by the caller.';

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
comment on function mashup.return_task(bigint, uuid) is
  'Gives a running task back unharmed, for a worker that stops. Returns returned, or why the claim is not valid (see claim_status). Lock order: job, task.';
grant execute on function mashup.return_task(bigint, uuid) to mashup_worker;

revoke execute on all functions in schema mashup from public;
