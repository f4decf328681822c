-- Stems of a finished mashup: a task of a complete job. Its user asks for it; the job does not wait for it, and no end of it changes the job's stage.

create function mashup.mashup_stem_files(p_stems jsonb) returns setof text
  language sql immutable set search_path = ''
  as $$
  select format('%s/%s.flac', f ->> 'path', i)
  from jsonb_array_elements(p_stems -> 'files') f, generate_series(0, jsonb_array_length(p_stems -> 'ends') - 1) i
$$;
comment on function mashup.mashup_stem_files(jsonb) is 'Returns the paths of the files of MashupStems: the parts of each stem. None if they are not ready.';

create function mashup.save_mashup_stems(p_job public.mashup_jobs, p_path text, p_stems jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
begin
  update public.mashup_results r set stems = p_stems where r.job_id = p_job.id and r.path = p_path;
  if p_job.result_path = p_path then
    p_job.result := p_job.result - 'stems' || case when p_stems is null then '{}' else jsonb_build_object('stems', jsonb_strip_nulls(jsonb_build_object(
      'state', p_stems -> 'state', 'bytes', (select sum((f ->> 'bytes')::bigint) from jsonb_array_elements(p_stems -> 'files') f),
      'message', mashup.truncate_bytes(p_stems ->> 'message', 250), 'hint', mashup.truncate_bytes(p_stems ->> 'hint', 200)))) end;
  end if;
  return p_job;
end
$$;
comment on function mashup.save_mashup_stems(public.mashup_jobs, text, jsonb) is
  'Writes MashupStems, or null, on the result with this path. Returns the job with a summary of them, not written yet. Lock: job row held by the caller.';

create function mashup.begin_mashup_stems(p_job public.mashup_jobs) returns jsonb
  language plpgsql set search_path = ''
  as $$
declare
  v_stems jsonb := jsonb_build_object('state', 'pending', 'requested_at', mashup.now());
  v_job public.mashup_jobs;
begin
  -- Stems that were made before have been deleted: their task stands for nothing any more.
  update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'not_needed')
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'render_stems' and t.state = 'done';
  insert into mashup.tasks (job_id, kind, epoch, priority)
    select p_job.id, k.kind, p_job.epoch, k.priority from mashup.task_kinds k where k.kind = 'render_stems'
    on conflict do nothing;
  v_job := mashup.save_mashup_stems(p_job, p_job.result_path, v_stems);
  update public.mashup_jobs j set result = v_job.result where j.id = v_job.id;
  return v_stems;
end
$$;
comment on function mashup.begin_mashup_stems(public.mashup_jobs) is
  'Creates the task that makes the stems of the current result of a job, and notes that they are pending. Returns MashupStems. Lock order: job row held by the caller, tasks.';

create function mashup.move_mashup_stems(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
begin
  if exists (select from mashup.tasks t where t.job_id = p_job.id and t.kind = 'render_stems' and t.state in ('waiting', 'ready', 'running')) then
    perform mashup.drop_tasks(p_job, 'not_needed');
    perform mashup.begin_mashup_stems(p_job);
  end if;
end
$$;
comment on function mashup.move_mashup_stems(public.mashup_jobs) is
  'The result of a complete job was replaced, and it has no other unfinished tasks: stems that are being made of the old result are made of the new one instead. Lock order: job row held by the caller, tasks by id.';

create function mashup.show_mashup_stems(p_job public.mashup_jobs, p_progress real) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_shown real := coalesce((p_job.result #>> '{stems,progress}')::real, 0);
  -- Whole per cents, which do not fall when another attempt begins.
  v_progress integer := least(99, round(greatest(coalesce(p_progress, 0), 0) * 100));
begin
  if p_job.result #>> '{stems,state}' = 'pending' and v_progress > v_shown
    and (v_progress >= v_shown + mashup.setting_number('progress_min_step') * 5
      or p_job.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
      or p_job.updated_at > mashup.now() + interval '5 seconds')
  then
    update public.mashup_jobs j set result = jsonb_set(j.result, '{stems,progress}', to_jsonb(v_progress)) where j.id = p_job.id;
  end if;
end
$$;
comment on function mashup.show_mashup_stems(public.mashup_jobs, real) is
  'Writes the progress of the stems of a mashup (0 to 1) on its job, in per cent, at most every progress_min_interval_sec unless it rose by five times progress_min_step. Lock: job row held by the caller.';

create function mashup.record_mashup_stems(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
begin
  if exists (select from jsonb_array_elements(p_result #> '{stems,files}') f where not starts_with(f ->> 'path', p_task.output_prefix || '.stems/')) then
    perform mashup.raise_error('MB006', 'A stem was written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  if p_job.result_path is distinct from p_result ->> 'result_path' then
    -- The mashup has expired, was taken down or was replaced in the meantime.
    perform mashup.discard_output(p_task);
    return p_job;
  end if;
  return mashup.save_mashup_stems(p_job, p_job.result_path,
    jsonb_build_object('state', 'ready', 'made_at', mashup.now()) || (p_result -> 'stems'));
end
$$;
comment on function mashup.record_mashup_stems(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of a render_stems task: {result_path: the mashup, stems: RenderedStems below the claim''s own prefix}. Returns the job, not written yet. Stems of a result that is no longer current are discarded. Raises MB006.';

create function mashup.fail_mashup_stems(p_task mashup.tasks, p_code text, p_message text, p_hint text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  if v_job.result_path is null then
    return;
  end if;
  v_job := mashup.save_mashup_stems(v_job, v_job.result_path, jsonb_build_object('state', 'failed', 'code', left(p_code, 60),
    'message', left(p_message, 500), 'hint', left(p_hint, 300)));
  update public.mashup_jobs j set result = v_job.result where j.id = v_job.id;
  perform mashup.log_event(v_job, 'warning', left('The stems of the mashup could not be made: ' || p_message, 500), null, null,
    jsonb_build_object('code', p_code, 'task', p_task.id));
end
$$;
comment on function mashup.fail_mashup_stems(mashup.tasks, text, text, text) is
  'Notes on a result that its stems could not be made. The job stays complete, and its user may ask again. Lock: job row held by the caller.';

create function mashup.delete_mashup_stems(p_result public.mashup_results) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  insert into mashup.storage_deletions (path) select f from mashup.mashup_stem_files(p_result.stems) f;
  select * into v_job from public.mashup_jobs where id = p_result.job_id;
  v_job := mashup.save_mashup_stems(v_job, p_result.path, null);
  update public.mashup_jobs j set result = v_job.result where j.id = v_job.id and j.result is distinct from v_job.result;
end
$$;
comment on function mashup.delete_mashup_stems(public.mashup_results) is
  'Puts the files of the stems of a mashup into the outbox and forgets them. Lock: job row held by the caller.';

revoke execute on all functions in schema mashup from public;
