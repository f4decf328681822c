-- No unfinished task belongs to an earlier epoch of its job, or to an ended job.
select format('task %s (%s, %s) of epoch %s: its job is %s in epoch %s', t.id, t.kind, t.state, t.epoch, j.stage, j.epoch)
from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
where t.state in ('waiting', 'ready', 'running') and (t.epoch <> j.epoch or j.stage in ('complete', 'failed', 'cancelled'))
