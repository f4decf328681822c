-- Parts of songs that a render needs and that were not separated: the plan then names them as well, and they are separated.

create function mashup.report_missing_ranges(p_task_id bigint, p_claim uuid, p_ranges jsonb) returns text
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_known jsonb;
  v_whole boolean;
  v_names text;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  select p.ranges into v_known from public.mashup_plans p where p.job_id = v_job.id and p.version = v_job.plan_version;
  select string_agg(s ->> 'name', ' and ') into v_names from mashup.active_songs(v_job.songs) s where p_ranges ? (s ->> 'song_id');
  -- The event of the run before, if it began with this.
  select (e.detail ->> 'whole')::boolean into v_whole from public.mashup_job_events e
    where e.job_id = v_job.id and e.epoch = v_job.epoch and e.type = 'warning' and e.detail ->> 'code' = 'ranges_missing' limit 1;
  if v_whole or v_job.stage <> 'rendering' or mashup.missing_prerequisite(v_job, 'separating') is not null
     or not exists (select from jsonb_object_keys(p_ranges) song where v_known ? song) then
    perform mashup.discard_output(v_task);
    return mashup.end_attempt(v_task, v_kind, true, true, 'stems_missing',
      format('The stems of %s do not hold what the mashup plays, also after more of them was separated.', coalesce(v_names, 'the songs')),
      'Check the version of the rendering service, or set separate_early to "always" and retry the mashup.', null);
  end if;
  v_whole := v_whole is not null;
  update public.mashup_plans p set ranges = (
      select coalesce(jsonb_object_agg(k.song, k.ranges || coalesce(p_ranges -> k.song, '[]')), '{}')
      from jsonb_each(v_known) k (song, ranges) where not (v_whole and p_ranges ? k.song))
    where p.job_id = v_job.id and p.version = v_job.plan_version;
  perform mashup.transition_job(v_job, 'separating', 'remake');
  select * into v_job from public.mashup_jobs where id = v_job.id;
  perform mashup.log_event(v_job, 'warning', format('More of %s is needed and is separated', v_names), null, null,
    jsonb_build_object('code', 'ranges_missing', 'ranges', p_ranges, 'whole', v_whole, 'task', p_task_id));
  return 'remaking';
end
$$;
comment on function mashup.report_missing_ranges(bigint, uuid, jsonb) is
  'Ends a render that needs parts of songs that were not separated, {song: [[start, end], …]}: adds them to the ranges of the plan and sends the job back to separating. The second time in a row the songs are separated whole, the third time the job fails. Returns remaking, failed, or why the claim is not valid (see claim_status). Lock order: job, task.';
grant execute on function mashup.report_missing_ranges(bigint, uuid, jsonb) to mashup_worker;

revoke execute on all functions in schema mashup from public;
