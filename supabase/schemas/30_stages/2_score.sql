-- Stage scoring: one task that compares the songs in pairs.

create function mashup.has_scores(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from mashup.scores s where s.job_id = p_job.id);
end
$$;
comment on function mashup.has_scores(public.mashup_jobs) is 'Returns whether a job has pair scores, of any epoch.';

create function mashup.record_scores(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
begin
  insert into mashup.scores as s (job_id, epoch, pairs) values (p_job.id, p_job.epoch, p_result -> 'pairs')
    on conflict (job_id, epoch) do update set pairs = excluded.pairs, created_at = mashup.now();
  p_job.score := (select round(avg((p ->> 'score')::numeric), 1) from jsonb_array_elements(p_result -> 'pairs') p);
  if p_result ->> 'warning' is not null then
    p_job.warnings := mashup.add_warning(p_job.warnings, 'scored_locally', p_result ->> 'warning', 'scoring');
  end if;
  return p_job;
end
$$;
comment on function mashup.record_scores(public.mashup_jobs, mashup.tasks, jsonb) is 'Stores the result of a score task and returns the job with its score, not written yet: {pairs: PairScore[], warning?}.';

revoke execute on all functions in schema mashup from public;
