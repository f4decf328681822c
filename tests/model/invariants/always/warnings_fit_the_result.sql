-- The warnings of a rendering belong to the current result; a result that fails quality checks has one; no warning occurs twice.
select format('job %s has warnings of a result that it does not have', j.id) from public.mashup_jobs j
  where j.warnings @> '[{"stage": "rendering"}]' and j.result_path is null and j.expired_at is null
union all
select format('job %s does not say that its result fails quality checks', j.id) from public.mashup_jobs j
  where j.result_path is not null and j.result #>> '{quality,passed}' = 'false' and not j.warnings @> '[{"code": "quality_check_failed"}]'
union all
select format('job %s does not tell the verdict of its result', j.id) from public.mashup_jobs j
  join public.mashup_results r on r.job_id = j.id and r.path = j.result_path
  where r.quality #> '{quality,passed}' is distinct from j.result #> '{quality,passed}'
union all
select format('job %s has a warning twice', j.id) from public.mashup_jobs j
  where (select count(distinct w ->> 'message') < count(*) from jsonb_array_elements(j.warnings) w)
