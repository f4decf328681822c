-- Stage rendering: one task that renders the plan.

create function mashup.has_result(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return p_job.result_path is not null;
end
$$;
comment on function mashup.has_result(public.mashup_jobs) is 'Returns whether a job has a current result.';

create function mashup.record_result(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
begin
  if not starts_with(p_result ->> 'path', p_task.output_prefix) then
    perform mashup.raise_error('MB006', 'The result was written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  if starts_with(p_result ->> 'parts', p_task.output_prefix || '.') then
    perform mashup.keep_parts(p_result ->> 'parts');
  end if;
  insert into public.mashup_results as r (job_id, epoch, path, quality, plan_version, sources, separation, plan, changes)
    values (p_job.id, p_job.epoch, p_result ->> 'path', p_result -> 'quality', p_job.plan_version, p_result -> 'sources', p_result -> 'separation',
      p_result -> 'plan', p_result ->> 'changes')
    on conflict (job_id, epoch) do update set path = excluded.path, quality = excluded.quality, plan_version = excluded.plan_version,
      sources = excluded.sources, separation = excluded.separation, plan = excluded.plan, changes = excluded.changes, stems = null;
  p_job.result_path := p_result ->> 'path';
  p_job.title := coalesce(mashup.truncate_bytes(p_result ->> 'title', 200), p_job.title);
  p_job.concept := coalesce(mashup.truncate_bytes(p_result ->> 'concept', 600), p_job.concept);
  p_job.result := jsonb_strip_nulls(jsonb_build_object(
    'duration_sec', p_result #> '{quality,duration_sec}', 'loudness_lufs', p_result #> '{quality,loudness_lufs}',
    'true_peak_dbtp', p_result #> '{quality,true_peak_dbtp}', 'format', p_result #> '{quality,format}',
    'bytes', p_result #> '{quality,bytes}', 'bpm', p_result #> '{quality,bpm}', 'key', p_result #> '{quality,key}',
    'quality', case when jsonb_typeof(p_result #> '{quality,quality,passed}') = 'boolean'
      then jsonb_build_object('passed', p_result #> '{quality,quality,passed}') end, 'separation', p_result -> 'separation'));
  -- Recording a result again replaces its warnings.
  p_job.warnings := mashup.add_warnings(mashup.warnings_outside(p_job.warnings, array['rendering']), coalesce(p_result -> 'warnings', '[]'), 'rendering');
  return p_job;
end
$$;
comment on function mashup.record_result(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of a render task and returns the job that points to it, not written yet: {path below the claim''s own prefix, quality: RenderResult, warnings: [{code, message}], title and concept as they fit what is heard, plan: the plan as it was rendered, if it differs, changes: what differs from the parent, parts: folder of the playable parts, sources: the stems that were rendered, separation: what separated each song}. Raises MB006.';

revoke execute on all functions in schema mashup from public;
