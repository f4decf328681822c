-- Finish: the result of a task is recorded and the job advances.

create function mashup.is_same_recording(p_first text, p_second text) returns boolean
  language plpgsql immutable set search_path = ''
  as $$
declare
  v_base64 constant text := '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';
  v_first varbit;
  v_second varbit;
  v_bits integer;
begin
  -- Another analysis service may give a text of its own, which is compared with nothing.
  if (p_first ~ v_base64 and p_second ~ v_base64) is not true then
    return false;
  end if;
  v_first := ('x' || encode(decode(p_first, 'base64'), 'hex'))::varbit;
  v_second := ('x' || encode(decode(p_second, 'base64'), 'hex'))::varbit;
  v_bits := least(length(v_first), length(v_second));
  if v_bits < 128 or greatest(length(v_first), length(v_second)) > v_bits + 32 then
    return false;
  end if;
  return bit_count(substring(v_first for v_bits) # substring(v_second for v_bits)) <= 0.09 * v_bits;
end
$$;
comment on function mashup.is_same_recording(text, text) is
  'Returns whether two fingerprints (base64, see music/theory/fingerprint.ts, which has the same rule) are of one recording in different encodings: at most 9 % of their bits differ.';

create function mashup.find_twin(p_job public.mashup_jobs, p_song_id text, p_result jsonb) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_own text := (select s ->> 'name' from mashup.active_songs(p_job.songs) s where s ->> 'song_id' = p_song_id);
  v_name text;
  v_fingerprint text;
begin
  select s ->> 'name' into v_name from mashup.active_songs(p_job.songs) s
    where s ->> 'song_id' <> p_song_id and s ->> 'hash' = p_result ->> 'content_hash' limit 1;
  if v_name is not null then
    return format('This is the same recording as %s.', coalesce(nullif(v_name, v_own), 'another of the songs'));
  end if;
  v_fingerprint := coalesce(p_result -> 'analysis' ->> 'fingerprint', (
    select a.analysis ->> 'fingerprint' from mashup.analyses a
    where a.id = (p_result ->> 'analysis_id')::bigint and a.user_id = p_job.user_id));
  select s ->> 'name' into v_name from mashup.active_songs(p_job.songs) s
    join mashup.analyses a on a.id = (s ->> 'analysis_id')::bigint
    where s ->> 'song_id' <> p_song_id and mashup.is_same_recording(a.analysis ->> 'fingerprint', v_fingerprint) limit 1;
  if v_name is null then
    return null;
  end if;
  return format('This is the same recording as %s, in another encoding.', coalesce(nullif(v_name, v_own), 'another of the songs'));
end
$$;
comment on function mashup.find_twin(public.mashup_jobs, text, jsonb) is
  'Returns a message that names another active song of a job that is the recording of an analyze result, by its bytes or its fingerprint; null if there is none. Lock: job row held by the caller, so that of two songs that finish together the second is compared with the first.';

create function mashup.record_measurements(
  p_task mashup.tasks, p_kind mashup.task_kinds, p_job public.mashup_jobs, p_result jsonb, p_seconds real
) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_used text[] := mashup.services_of(p_kind);
  v_service text;
begin
  if not coalesce((p_result ->> 'service_used')::boolean, true) then
    v_used := array_remove(v_used, p_kind.service);
  end if;
  for v_service in
    select h.service from mashup.service_health h where h.service = any (v_used) and (h.state <> 'closed' or h.failures > 0 or h.faults > 0 or h.unanswered_since is not null) order by h.service
  loop
    perform mashup.record_service_success(v_service);
  end loop;
  -- The task did without it, and nobody would see that it fails.
  if p_result ->> 'service_fault' is not null then
    perform mashup.record_service_fault(p_kind.service, p_result ->> 'service_fault');
  end if;
  if not coalesce((p_result ->> 'from_cache')::boolean, false) then
    perform mashup.record_duration(p_task.kind, p_seconds,
      case when (select st.is_by_length from mashup.stage_stats st where st.kind = p_task.kind) then mashup.expected_length(p_job)
        else coalesce((
          select sum((s ->> 'duration_sec')::real) from mashup.active_songs(p_job.songs) s
          where p_task.song_id is null or s ->> 'song_id' = p_task.song_id), 0) end,
      p_task.kind = 'separate' and exists (select from mashup.separation_models m where m.neural = mashup.separator_of(p_result ->> 'model')),
      p_task.kind = 'render' and mashup.is_level_edit(p_job));
  end if;
end
$$;
comment on function mashup.record_measurements(mashup.tasks, mashup.task_kinds, public.mashup_jobs, jsonb, real) is
  'Records that the service of a finished task answered, unless {service_used: false}, or what was wrong with its answer ({service_fault}), and Storage if its kind uses it, and how long the task took, unless {from_cache: true}. Lock: service_health rows by name.';

create function mashup.record_finish(p_task mashup.tasks, p_kind mashup.task_kinds, p_job public.mashup_jobs, p_result jsonb) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_seconds real := extract(epoch from mashup.now() - p_task.started_at);
begin
  update mashup.tasks t set state = 'done', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null,
      deadline_at = null, error = null
    where t.id = p_task.id;
  v_job := mashup.record_task(p_job, p_task, p_result);
  perform mashup.record_measurements(p_task, p_kind, v_job, p_result, v_seconds);
  perform mashup.log_event(v_job, 'task', coalesce(p_result ->> 'message', p_task.kind || ' finished'), null, p_task.song_id,
    jsonb_build_object('kind', p_task.kind, 'task', p_task.id, 'attempt', p_task.attempt, 'seconds', round(v_seconds::numeric, 3),
      'from_cache', p_result -> 'from_cache'));
  if p_task.is_studio then
    perform mashup.advance_studio_version(v_job);
  elsif not mashup.advance_job(v_job, true) then
    perform mashup.save_result(v_job);
  end if;
end
$$;
comment on function mashup.record_finish(mashup.tasks, mashup.task_kinds, public.mashup_jobs, jsonb) is
  'Closes a finished task, records its result and measurements, and advances its job. Lock order: job and task (held by the caller), service_health, queue.';

create function mashup.finish_task(p_task_id bigint, p_claim uuid, p_result jsonb) returns text
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_twin text;
  v_context text;
  v_hook text;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  v_context := set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;

  if v_task.kind = 'analyze' then
    v_twin := mashup.find_twin(v_job, v_task.song_id, p_result);
    if v_twin is not null then
      perform mashup.record_service_success(v_kind.service);
      perform mashup.record_service_success('storage');
      return mashup.end_attempt(v_task, v_kind, true, true, 'same_song_twice', v_twin,
        'Choose two different songs.', null);
    end if;
  end if;

  perform mashup.record_finish(v_task, v_kind, v_job, p_result);
  return 'finished';
exception when others then
  get stacked diagnostics v_context = pg_exception_context;
  v_hook := mashup.find_failing_hook(v_context);
  if v_hook is null then
    raise;
  end if;
  -- Nothing of this result is kept, and the locks are released: the same triggers would fail at every repetition.
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform mashup.discard_output(v_task);
  return mashup.end_attempt(v_task, v_kind, true, true, 'hook_failed', left(v_hook || ': ' || sqlerrm, 500), mashup.hook_hint(), null);
end
$$;
comment on function mashup.finish_task(bigint, uuid, jsonb) is
  'Finishes a task with its result (schema/task-results.ts), records it and advances the job: the only way forward for a job. Returns finished; failed or retrying if the song is in the job twice; failed with the error hook_failed if a trigger of an integrator fails; or why the claim is not valid (see claim_status). Lock order: job, task, service_health, queue. Raises MB003, MB006.';
grant execute on function mashup.finish_task(bigint, uuid, jsonb) to mashup_worker;

-- Hand-over: the worker that finished a task goes on with the next one of the same job, in the same transaction. That saves the
-- queue entry, its fetch, its completion and the claim, each with a commit of its own.

create function mashup.may_hand_over(p_task mashup.tasks, p_kind mashup.task_kinds) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_circuit record;
begin
  -- A task that lost a worker is claimed alone; probes and tasks that return after an outage are dispatched.
  if p_task.crashes > 0 then
    return false;
  end if;
  v_circuit := mashup.circuit_of(p_kind);
  if not v_circuit.is_closed or v_circuit.spread_sec > 0 then
    return false;
  end if;
  return p_task.state = 'ready' or not exists (
    select from mashup.tasks t where t.state = 'waiting' and t.kind = p_task.kind and not t.is_studio and (t.run_at, t.id) < (p_task.run_at, p_task.id));
end
$$;
comment on function mashup.may_hand_over(mashup.tasks, mashup.task_kinds) is
  'Returns whether a worker may go on with a task: it never lost a worker, the circuits that it needs are closed and not just closed, and no older task waits for a place.';

create function mashup.hand_over(p_job_id uuid, p_worker_id uuid, p_claim uuid) returns jsonb
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_limits mashup.claim_limits;
  v_place integer;
  v_noted text;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id;
  if v_job.admitted_at is null or exists (select from mashup.pauses)
    or not exists (select from mashup.workers w where w.id = p_worker_id and not w.draining and w.solo_task is null)
  then
    return null;
  end if;
  for v_task in
    select * from mashup.tasks t
    where t.job_id = p_job_id and t.epoch = v_job.epoch and t.run_at <= mashup.now()
      and (t.state = 'waiting' or (t.state = 'ready' and not t.is_probe and not t.fallback))
    order by t.priority, t.id for update skip locked
  loop
    select * into v_kind from mashup.task_kinds where kind = v_task.kind;
    continue when not mashup.may_hand_over(v_task, v_kind);
    v_limits := mashup.read_claim_limits();
    continue when v_task.crashes >= v_limits.max_crashes_before_solo;
    if v_task.state = 'ready' then
      -- Another worker may have fetched the entry. Then the task is its own.
      continue when not mashup.take_entry(v_task.id, v_task.attempt);
    else
      v_place := (mashup.free_places(v_kind.service, 1))[1];
      continue when v_place is null;
      update mashup.places set task_id = v_task.id, held_until = null where service = v_kind.service and n = v_place;
      v_task.place := v_place;
      v_task.attempt := v_task.attempt + 1;
      v_task.is_probe := false;
      v_task.fallback := false;
    end if;
    v_noted := mashup.unmark_waiting_on_stale(p_job_id);
    return mashup.start_task(v_task, v_kind, v_job, p_worker_id, p_claim, v_limits);
  end loop;
  return null;
end
$$;
comment on function mashup.hand_over(uuid, uuid, uuid) is
  'Claims the next task of a job for a worker under the token p_claim. Returns describe_claim; null if there is none, or it is one that has to be dispatched or claimed by itself (probes, tasks after an outage, tasks that lost a worker, while anything is paused), or the worker drains or runs a task alone. Lock: job row held by the caller; skips locked tasks, places and queue entries.';

create function mashup.finish_task_and_claim(p_task_id bigint, p_claim uuid, p_result jsonb, p_next_claim uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_task mashup.tasks;
  v_next mashup.tasks;
  v_status text;
  v_answer jsonb;
begin
  select * into v_task from mashup.tasks where id = p_task_id;
  v_status := mashup.finish_task(p_task_id, p_claim, p_result);
  if v_status = 'finished' then
    begin
      v_answer := mashup.hand_over(v_task.job_id, v_task.worker_id, p_next_claim);
    exception when others then
      -- Such as a trigger of an integrator that fails: what is finished stays finished, and the next task is dispatched.
      v_answer := null;
    end;
  else
    -- A repeated call, because the answer was lost: the first one finished the task and claimed the next under this token.
    select * into v_next from mashup.tasks t where t.job_id = v_task.job_id and t.claim = p_next_claim and t.state = 'running';
    if found then
      v_status := 'finished';
      v_answer := mashup.describe_claim(v_next, k, j, mashup.read_claim_limits())
        from public.mashup_jobs j, mashup.task_kinds k where j.id = v_next.job_id and k.kind = v_next.kind;
    end if;
  end if;
  return jsonb_build_object('status', v_status, 'next', v_answer);
end
$$;
comment on function mashup.finish_task_and_claim(bigint, uuid, jsonb, uuid) is
  'Finishes a task as finish_task does, and claims the next task of its job for the same worker under the token p_next_claim, which the worker chooses. Returns {status: as finish_task, next: as claim_task, or null}. A repeated call returns the claim of the first one. Lock order: as finish_task, then tasks, places and queue entries (skips locked ones). Raises MB003, MB006.';
grant execute on function mashup.finish_task_and_claim(bigint, uuid, jsonb, uuid) to mashup_worker;

create function mashup.return_claims(p_worker_id uuid, p_claims uuid[]) returns integer
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_count integer := 0;
begin
  for v_task in
    select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' and t.claim = any (p_claims) order by t.job_id, t.id
  loop
    v_count := v_count + (mashup.return_task(v_task.id, v_task.claim) = 'returned')::integer;
  end loop;
  return v_count;
end
$$;
comment on function mashup.return_claims(uuid, uuid[]) is
  'Gives back the tasks that a worker claimed under tokens whose answers it never received. Returns how many. Lock order: jobs and tasks by id.';
grant execute on function mashup.return_claims(uuid, uuid[]) to mashup_worker;

revoke execute on all functions in schema mashup from public;
