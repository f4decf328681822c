-- A row names playable parts only while its mashup is rendered, and never those of an earlier claim than the one that renders.
select format('job %s in %s has playable parts', j.id, j.stage) from public.mashup_jobs j
  where j.playable is not null and j.stage <> 'rendering'
union all
select format('job %s names the parts %s while %s renders', j.id, j.playable ->> 'path', t.output_prefix)
  from public.mashup_jobs j join mashup.tasks t on t.job_id = j.id and t.kind = 'render' and t.state = 'running'
  where not starts_with(j.playable ->> 'path', t.output_prefix || '.')
