-- Stems whose files are missing from Storage, as after a restore of the database without files: they are made again.

create function mashup.report_missing_stems(p_task_id bigint, p_claim uuid, p_stems_ids bigint[]) returns text
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off' set jit = 'off'
  as $$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_names text;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  select string_agg(s ->> 'name', ' and ') into v_names
    from mashup.active_songs(v_job.songs) s where (s ->> 'stems_id')::bigint = any (p_stems_ids);
  -- The rows go in any case: nobody can use them. Their trigger deletes what is left of the files.
  delete from mashup.stems s where s.id = any (p_stems_ids) and s.user_id = v_job.user_id;
  if mashup.remade_stems(v_job) or v_job.stage <> 'rendering' or mashup.missing_prerequisite(v_job, 'separating') is not null then
    perform mashup.discard_output(v_task);
    return mashup.end_attempt(v_task, v_kind, true, true, 'stems_gone',
      format('The stems of %s are missing from Storage, also after they were made again.', v_names),
      'Check that the separation service and the workers use the same Storage, then retry the mashup.', null);
  end if;
  update public.mashup_jobs j set songs = (
      select jsonb_agg(case when (s.song ->> 'stems_id')::bigint = any (p_stems_ids)
        then s.song - 'stems_id' || '{"state": "analyzed"}' else s.song end order by s.n)
      from jsonb_array_elements(j.songs) with ordinality as s (song, n))
    where j.id = v_job.id;
  perform mashup.transition_job(v_job, 'separating', 'remake');
  select * into v_job from public.mashup_jobs where id = v_job.id;
  perform mashup.log_event(v_job, 'warning', format('The stems of %s are missing from Storage and are made again', v_names), null, null,
    jsonb_build_object('code', 'stems_gone', 'stems', to_jsonb(p_stems_ids), 'task', p_task_id));
  return 'remaking';
end
$$;
comment on function mashup.report_missing_stems(bigint, uuid, bigint[]) is
  'Ends a render that found the files of stems missing: deletes the rows of the cache and sends the job back to separating, once in a run; the second time the job fails. Returns remaking, failed, or why the claim is not valid (see claim_status). Lock order: job, task, stems.';
grant execute on function mashup.report_missing_stems(bigint, uuid, bigint[]) to mashup_worker;

create function mashup.remade_stems(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from public.mashup_job_events e
    where e.job_id = p_job.id and e.epoch = p_job.epoch and e.type = 'warning' and e.detail ->> 'code' = 'stems_gone');
end
$$;
comment on function mashup.remade_stems(public.mashup_jobs) is 'Returns whether the current run of a job began because stems were missing.';

revoke execute on all functions in schema mashup from public;
