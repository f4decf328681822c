-- A row names playable parts only while its mashup is rendered, or its opening while its songs are separated, and never those of an
-- earlier claim than the one that renders.
select format('job %s in %s has playable parts', j.id, j.stage) from public.mashup_jobs j
  where j.playable is not null and j.stage <> 'rendering' and not (j.stage = 'separating' and mashup.is_opening(j.playable))
union all
select format('job %s names the parts %s while %s renders', j.id, j.playable ->> 'path', t.output_prefix)
  from public.mashup_jobs j join mashup.tasks t on t.job_id = j.id and t.kind = 'render' and t.state = 'running'
  where not starts_with(j.playable ->> 'path', t.output_prefix || '.') and not mashup.is_opening(j.playable)
union all
select format('the opening %s of job %s is not in the outbox', j.playable ->> 'path', j.id) from public.mashup_jobs j
  where mashup.is_opening(j.playable) and not exists (
    select from mashup.storage_deletions d where d.is_prefix and d.path = (j.playable ->> 'path') || '/')
