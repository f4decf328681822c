-- Admission: free slots go to waiting jobs, of users with the fewest running jobs first, then by age. It has an advisory lock of
-- its own, which is held until the transaction ends and is never waited for by a transaction that holds rows: whoever finds it
-- taken asks the workers to admit after the commit (notification {"admit": true} on channel mashup_tasks).

create function mashup.next_admission() returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_busy uuid[];
  v_level uuid[];
  v_count integer;
begin
  -- Two indexes make each look-up independent of the length of the queue.
  select coalesce(array_agg(distinct user_id), '{}') into v_busy from public.mashup_jobs where admitted_at is not null;
  select * into v_job from mashup.waiting_jobs j
    where not (j.user_id = any (v_busy)) and not mashup.is_job_paused(j.id, j.user_id)
    order by j.queued_at, j.id limit 1 for no key update skip locked;
  if found then
    return v_job;
  end if;
  for v_count in 1 .. mashup.setting_number('max_running_jobs_per_user')::integer - 1 loop
    select coalesce(array_agg(user_id), '{}') into v_level from (
      select user_id from public.mashup_jobs where admitted_at is not null
      group by user_id having count(*) = v_count) u;
    select j.* into v_job from unnest(v_level) as u (user_id)
      cross join lateral (
        select * from mashup.waiting_jobs w
        where w.user_id = u.user_id and not mashup.is_job_paused(w.id, w.user_id)
        order by w.queued_at, w.id limit 1 for no key update skip locked) j
      order by j.queued_at, j.id limit 1;
    if found then
      return v_job;
    end if;
  end loop;
  return null;
end
$$;
comment on function mashup.next_admission() is
  'Returns the next job to get a slot, locked; null if there is none. Skips locked rows. The caller holds the lock of admission.';

create function mashup.admit_jobs() returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_free integer;
  v_job public.mashup_jobs;
begin
  if not exists (select from mashup.waiting_jobs) then
    return;
  end if;
  select mashup.setting_number('max_running_jobs')::integer - count(*) into v_free from public.mashup_jobs where admitted_at is not null;
  while v_free > 0 loop
    exit when not exists (select from mashup.waiting_jobs);
    v_job := mashup.next_admission();
    exit when v_job.id is null;
    if v_job.stage = 'queued' then
      perform mashup.transition_job(v_job, v_job.entry_stage, 'admit');
    else
      -- A started draft or a replay: its stage stays.
      update public.mashup_jobs j set admitted_at = mashup.now(), waiting_on = null, queue_position = null,
          current_step = (select s.step from mashup.stages s where s.stage = j.stage),
          estimated_completion_at = mashup.estimate_completion(v_job)
        where j.id = v_job.id returning * into v_job;
      perform mashup.create_tasks(v_job);
      perform mashup.advance_job(v_job);
    end if;
    v_free := v_free - 1;
  end loop;
end
$$;
comment on function mashup.admit_jobs() is 'Gives free slots to waiting jobs. The caller holds the lock of admission.';

create function mashup.try_to_admit() returns void
  language plpgsql set search_path = ''
  as $$
begin
  if pg_try_advisory_xact_lock(hashtext('mashup.admit')) then
    perform mashup.admit_jobs();
  else
    -- Its holder does not see what this transaction did, and this one does not see what its holder does.
    perform pg_notify('mashup_tasks', '{"admit": true}');
  end if;
end
$$;
comment on function mashup.try_to_admit() is
  'Admits jobs if no other transaction is admitting; else lets the workers call admit_waiting after the commit. Never waits.';

create function mashup.admit_waiting() returns void
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
begin
  perform pg_advisory_xact_lock(hashtext('mashup.admit'));
  perform mashup.admit_jobs();
end
$$;
comment on function mashup.admit_waiting() is
  'Admits waiting jobs. Called by workers when a transaction found another one admitting. The only function that waits for the lock of admission: it holds no row then.';
grant execute on function mashup.admit_waiting() to mashup_worker;

revoke execute on all functions in schema mashup from public;
