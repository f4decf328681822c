-- Each unit of work has one task that is not dropped or failed: nothing is done twice within an epoch.
select format('job %s has %s tasks %s for %s', t.job_id, count(*), t.kind, t.song_id)
from mashup.tasks t where t.state not in ('dropped', 'failed')
group by t.job_id, t.epoch, t.kind, t.song_id having count(*) > 1
