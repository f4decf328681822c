-- No unfinished task belongs to an earlier epoch of its job, or to an ended job, unless it is one of a complete job: of its live studio version, or for its stems.
select format('task %s (%s, %s) of epoch %s: its job is %s in epoch %s', t.id, t.kind, t.state, t.epoch, j.stage, j.epoch)
from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
where t.state in ('waiting', 'ready', 'running') and (t.epoch <> j.epoch or j.stage in ('failed', 'cancelled')
  or (j.stage = 'complete' and t.kind <> 'render_stems' and not (t.is_studio and mashup.is_studio_version_live(j))))
