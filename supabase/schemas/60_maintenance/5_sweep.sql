-- The sweep: every worker calls it each second, one at a time runs it. It never waits for a row.

create function mashup.sweep() returns jsonb
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_recovered integer;
  v_enqueued integer := 0;
  v_purged integer := 0;
  v_clock_went_back boolean;
begin
  if not pg_try_advisory_xact_lock(hashtext('mashup.sweep')) then
    return null;
  end if;
  -- The clock was set back since these were written.
  update mashup.maintenance_runs set done_at = '-infinity' where done_at > mashup.now() + interval '5 seconds';
  v_clock_went_back := found;
  if v_clock_went_back then
    perform mashup.limit_future_times();
  end if;
  perform mashup.note_sweep();
  v_recovered := mashup.sweep_workers();
  update mashup.maintenance_runs set done_at = mashup.now()
    where name = 'reconcile' and done_at <= mashup.now() - mashup.setting_interval('reconcile_sec');
  if found then
    -- Again here: rows that were locked at that moment, and times written by transactions that began before it.
    if not v_clock_went_back then
      perform mashup.limit_future_times();
    end if;
    perform mashup.sync_places();
    perform mashup.repair_places();
    v_enqueued := mashup.reconcile_queue();
    perform mashup.refresh_queue_positions();
    perform mashup.show_silence();
    delete from mashup.pauses p using (
      select d.scope, d.key from mashup.pauses d where d.until <= mashup.now() for update skip locked) ended
      where p.scope = ended.scope and p.key = ended.key;
  end if;
  update mashup.maintenance_runs set done_at = mashup.now() where name = 'purge' and done_at <= mashup.now() - interval '1 minute';
  if found then
    v_purged := mashup.purge_expired();
  end if;
  -- Back-offs that ended, circuits due for a probe, pauses that ran out: no transaction would schedule for them.
  perform mashup.schedule_all();
  return jsonb_build_object('recovered', v_recovered, 'enqueued', v_enqueued, 'purged', v_purged);
end
$$;
comment on function mashup.sweep() is
  'One run of maintenance: recovery, then as due reconciliation and retention, then scheduling. Returns the counts {recovered, enqueued, purged}, or null when another worker runs it. Never waits for a row.';
grant execute on function mashup.sweep() to mashup_worker;

revoke execute on all functions in schema mashup from public;
