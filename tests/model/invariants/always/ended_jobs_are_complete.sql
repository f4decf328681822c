-- A complete job has a current result or has expired. A failed job has code, message and hint. Never both. An ended job has a time of its end.
select format('job %s is %s: result %s, expired %s, error %s, hint %s, finished %s', j.id, j.stage, j.result_path, j.expired_at,
  j.error_code, j.error_hint, j.finished_at)
from public.mashup_jobs j
where (j.stage = 'complete' and j.expired_at is null and not exists (
    select from public.mashup_results r where r.job_id = j.id and r.path = j.result_path
      -- A studio version has an epoch of its own, and a result only if it is ready.
      and r.epoch = j.epoch - (j.studio_version ->> 'state' is distinct from 'ready' and exists (
        select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.is_studio))::integer))
  or (j.stage = 'failed' and (j.error_code is null or j.error_message is null or j.error_hint is null or j.stopped_stage is null))
  or (j.stage <> 'failed' and j.error_code is not null)
  or (j.stage <> 'complete' and j.result_path is not null)
  or (j.stage in ('complete', 'failed', 'cancelled')) <> (j.finished_at is not null)
