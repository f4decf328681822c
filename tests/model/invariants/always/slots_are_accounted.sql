-- Only live jobs that are no waiting drafts hold a slot. A job that waits for a slot or its user says so, or that it is paused. An ended job waits for nothing. Without a slot only songs of a draft are separated, and the tasks of a complete job run: its studio version and its stems.
select format('job %s is %s: admitted %s, waits on %s', j.id, j.stage, j.admitted_at, j.waiting_on)
from public.mashup_jobs j
where (j.admitted_at is not null and (j.stage in ('queued', 'complete', 'failed', 'cancelled') or j.waiting_on in ('slot', 'user')))
  or (j.admitted_at is null and j.stage not in ('complete', 'failed', 'cancelled')
    and not coalesce(j.waiting_on = any (case when j.hold is not null and j.stage = 'planning' then array['user'] else array['slot', 'pause'] end), false))
  or (j.stage in ('complete', 'failed', 'cancelled') and j.waiting_on is not null)
  or (j.admitted_at is null and exists (select from mashup.tasks t where t.job_id = j.id and t.state in ('waiting', 'ready', 'running')
    and not (t.kind = 'separate' and j.stage = 'planning') and not t.is_studio and t.kind <> 'render_stems'))
