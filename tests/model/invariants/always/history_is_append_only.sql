-- No event is moved or deleted. Times and epochs do not run backwards. The last event has the stage and epoch of the job.
select format('job %s had %s events up to %s', s.job_id, s.events, s.last_event)
from model.seen s join public.mashup_jobs j on j.id = s.job_id
where s.events <> (select count(*) from public.mashup_job_events e where e.job_id = s.job_id and e.id <= s.last_event)
union all
select format('event %s of job %s is out of order', e.id, e.job_id)
from (select id, job_id, epoch, created_at, lag(epoch) over w as epoch_before, lag(created_at) over w as before
  from public.mashup_job_events window w as (partition by job_id order by id)) e
where e.epoch < e.epoch_before or e.created_at < e.before
union all
select format('job %s is %s in epoch %s; its history ends at %s in %s', j.id, j.stage, j.epoch, e.stage, e.epoch)
from public.mashup_jobs j
cross join lateral (select * from public.mashup_job_events e where e.job_id = j.id order by e.id desc limit 1) e
where (e.stage, e.epoch) is distinct from (j.stage, j.epoch)
