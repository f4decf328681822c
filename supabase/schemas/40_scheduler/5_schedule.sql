-- Scheduling: admission, dispatch and waiting_on under one advisory lock, held until the transaction ends. It therefore comes
-- last in a transaction: in deferred triggers at commit, and in the sweep. Its holder never waits for a row.
-- Triggers note in the setting mashup.schedule that there is something to do.

create function mashup.schedule(p_all boolean) returns void
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_noted text;
begin
  perform pg_advisory_xact_lock(hashtext('mashup.schedule'));
  perform mashup.admit_jobs();
  perform mashup.dispatch_tasks();
  v_noted := coalesce(current_setting('mashup.stale_jobs', true), '');
  perform mashup.refresh_waiting_on(case when not p_all and v_noted <> 'all' then string_to_array(rtrim(v_noted), ' ')::uuid[] end);
  perform set_config('mashup.stale_jobs', '', true);
  perform set_config('mashup.schedule', '', true);
end
$$;
comment on function mashup.schedule(boolean) is
  'Admits jobs, dispatches tasks and refreshes waiting_on of all jobs, or of those noted in this transaction. Takes the advisory lock of scheduling until the transaction ends; never waits for a row.';

create function mashup.schedule_all() returns void
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
begin
  perform mashup.schedule(true);
end
$$;
comment on function mashup.schedule_all() is 'Schedules and refreshes waiting_on of all jobs with a slot.';

create function mashup.request_schedule() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('mashup.schedule', 'requested', true);
  return null;
end
$$;
comment on function mashup.request_schedule() is 'Trigger: notes that schedule has something to do at commit.';

create function mashup.request_schedule_for_task() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform set_config('mashup.schedule', 'requested', true);
  perform mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$$;
comment on function mashup.request_schedule_for_task() is 'Trigger: notes that schedule has something to do at commit, and for which job.';

create function mashup.schedule_at_commit() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- A transaction that keeps its first snapshot cannot count what others dispatched meanwhile. The sweep does it instead.
  if current_setting('mashup.schedule', true) = 'requested' and current_setting('transaction_isolation') = 'read committed' then
    perform mashup.schedule(false);
  end if;
  return null;
end
$$;
comment on function mashup.schedule_at_commit() is
  'Deferred trigger: schedules once for a transaction, at commit, so that an open transaction never holds the lock of scheduling.';

-- A task is new, waits again, or freed a place at its service.
create trigger request_schedule_new after insert on mashup.tasks for each row execute function mashup.request_schedule_for_task();
create trigger request_schedule after update of state on mashup.tasks for each row
  when (new.state = 'waiting' or (old.state in ('running', 'ready') and new.state not in ('running', 'ready')))
  execute function mashup.request_schedule_for_task();
create constraint trigger schedule_new after insert on mashup.tasks deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create constraint trigger schedule after update of state on mashup.tasks deferrable initially deferred for each row
  when (new.state = 'waiting' or (old.state in ('running', 'ready') and new.state not in ('running', 'ready')))
  execute function mashup.schedule_at_commit();

-- A job is new, freed its slot, or waits for a slot again.
create trigger request_schedule_new after insert on public.mashup_jobs for each row execute function mashup.request_schedule();
create trigger request_schedule after update on public.mashup_jobs for each row
  when (new.admitted_at is null and (old.admitted_at is not null or old.hold is distinct from new.hold or old.epoch <> new.epoch))
  execute function mashup.request_schedule();
create constraint trigger schedule_new after insert on public.mashup_jobs deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create constraint trigger schedule after update on public.mashup_jobs deferrable initially deferred for each row
  when (new.admitted_at is null and (old.admitted_at is not null or old.hold is distinct from new.hold or old.epoch <> new.epoch))
  execute function mashup.schedule_at_commit();

-- What is allowed has changed.
create trigger request_schedule after insert or update or delete on mashup.pauses for each row execute function mashup.request_schedule();
create constraint trigger schedule after insert or update or delete on mashup.pauses deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create trigger request_schedule after update on mashup.settings for each row execute function mashup.request_schedule();
create constraint trigger schedule after update on mashup.settings deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();

revoke execute on all functions in schema mashup from public;
