-- Scheduling: admission, dispatch and waiting_on. It comes last in a transaction: in deferred triggers at commit, and in the sweep.
-- Its locks (1_admission.sql, 0_places.sql) are held until the transaction ends, and their holder never waits for a row. Triggers
-- note in the setting mashup.schedule what there is to do: "jobs" (a slot is free, or a job waits for one), "new:<kind>" (a task
-- waits), "freed:<kind>" (a place is free), "probe" (a probe ended), "all" (what is allowed has changed).

create function mashup.schedule(p_all boolean) returns void
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_noted text := coalesce(current_setting('mashup.schedule', true), '');
  v_all boolean := p_all or position('all ' in v_noted) > 0;
  v_kind mashup.task_kinds;
begin
  -- A circuit whose probe cannot return is due for another one, also of other kinds.
  if (v_all or position('probe ' in v_noted) > 0) and mashup.reset_orphaned_probes() then
    v_all := true;
  end if;
  if v_all or position('jobs ' in v_noted) > 0 then
    perform mashup.try_to_admit();
    v_noted := coalesce(current_setting('mashup.schedule', true), '');
  end if;
  -- In one order, since the locks of services may be waited for.
  for v_kind in
    select * from mashup.task_kinds k where v_all or position(':' || k.kind || ' ' in v_noted) > 0 order by k.service, k.kind
  loop
    if p_all then
      perform mashup.dispatch_kind(v_kind);
      -- The tasks of studio versions are in no hurry, and a place that is free in the sweep is one that no other task takes.
      perform mashup.dispatch_kind(v_kind, true);
    elsif position('new:' || v_kind.kind || ' ' in v_noted) > 0 then
      if mashup.dispatch_kind(v_kind) then
        perform pg_advisory_xact_lock(hashtext('mashup.places of ' || v_kind.service));
        perform mashup.dispatch_kind(v_kind);
      end if;
    else
      perform pg_advisory_xact_lock_shared(hashtext('mashup.places of ' || v_kind.service));
      perform mashup.dispatch_kind(v_kind);
    end if;
  end loop;
  v_noted := coalesce(current_setting('mashup.stale_jobs', true), '');
  if p_all or v_noted <> '' then
    perform mashup.refresh_waiting_on(case when not p_all and v_noted <> 'all' then string_to_array(rtrim(v_noted), ' ')::uuid[] end);
  end if;
  if p_all or v_noted = 'all' then
    perform mashup.refresh_estimates();
  end if;
  v_noted := set_config('mashup.stale_jobs', '', true);
  v_noted := set_config('mashup.schedule', '', true);
end
$$;
comment on function mashup.schedule(boolean) is
  'Admits jobs, dispatches tasks and refreshes waiting_on: of all jobs, or as far as this transaction noted. May wait for the locks of services, which are held until the transaction ends; never waits for a row.';

create function mashup.schedule_all() returns void
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
begin
  perform mashup.schedule(true);
end
$$;
comment on function mashup.schedule_all() is 'Schedules and refreshes waiting_on of all jobs with a slot.';

-- Called as an expression (v_noted := …), which costs a tenth of a statement (perform …).
create function mashup.note_schedule(p_what text) returns text
  language plpgsql set search_path = ''
  as $$
declare
  v_noted text := coalesce(current_setting('mashup.schedule', true), '');
begin
  if position(p_what || ' ' in v_noted) = 0 then
    v_noted := set_config('mashup.schedule', v_noted || p_what || ' ', true);
  end if;
  return v_noted;
end
$$;
comment on function mashup.note_schedule(text) is 'Notes for the end of this transaction what schedule has to do: jobs, all, probe, new:<kind> or freed:<kind>. Returns what is noted.';

create function mashup.request_schedule() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_noted text;
begin
  v_noted := mashup.note_schedule(tg_argv[0]);
  return null;
end
$$;
comment on function mashup.request_schedule() is 'Trigger: notes what schedule has to do at commit, its argument.';

create function mashup.request_schedule_for_task() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_noted text;
begin
  if tg_op = 'UPDATE' and old.state in ('ready', 'running') then
    perform mashup.release_place(old, new.held_until);
    v_noted := mashup.note_schedule('freed:' || new.kind);
    if old.is_probe then
      v_noted := mashup.note_schedule('probe');
    end if;
  end if;
  if new.state = 'waiting' then
    v_noted := mashup.note_schedule('new:' || new.kind);
  end if;
  v_noted := mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$$;
comment on function mashup.request_schedule_for_task() is
  'Trigger: frees the place of a task that is not ready or running any more, and notes what schedule has to do at commit, and for which job.';

create function mashup.release_place_of_deleted() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  perform mashup.release_place(old, null);
  return null;
end
$$;
comment on function mashup.release_place_of_deleted() is 'Trigger: frees the place of a task that was deleted with its job. The sweep dispatches.';
create trigger release_place after delete on mashup.tasks for each row when (old.state in ('ready', 'running'))
  execute function mashup.release_place_of_deleted();

create function mashup.schedule_at_commit() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- A transaction that keeps its first snapshot cannot see what others dispatched meanwhile. The sweep does it instead.
  if current_setting('mashup.schedule', true) <> '' and current_setting('transaction_isolation') = 'read committed' then
    perform mashup.schedule(false);
  end if;
  return null;
end
$$;
comment on function mashup.schedule_at_commit() is
  'Deferred trigger: schedules once for a transaction, at commit, so that an open transaction never holds a lock of scheduling.';

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
create trigger request_schedule_new after insert on public.mashup_jobs for each row execute function mashup.request_schedule('jobs');
create trigger request_schedule after update on public.mashup_jobs for each row
  when (new.admitted_at is null and (old.admitted_at is not null or old.hold is distinct from new.hold or old.epoch <> new.epoch))
  execute function mashup.request_schedule('jobs');
create constraint trigger schedule_new after insert on public.mashup_jobs deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create constraint trigger schedule after update on public.mashup_jobs deferrable initially deferred for each row
  when (new.admitted_at is null and (old.admitted_at is not null or old.hold is distinct from new.hold or old.epoch <> new.epoch))
  execute function mashup.schedule_at_commit();

-- What is allowed has changed.
create trigger request_schedule after insert or update or delete on mashup.pauses for each row execute function mashup.request_schedule('all');
create constraint trigger schedule after insert or update or delete on mashup.pauses deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();
create trigger request_schedule after update on mashup.settings for each row execute function mashup.request_schedule('all');
create constraint trigger schedule after update on mashup.settings deferrable initially deferred
  for each row execute function mashup.schedule_at_commit();

revoke execute on all functions in schema mashup from public;
