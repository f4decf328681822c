-- No job waits for a slot that is free for it.
select format('job %s waits for a slot while one is free', j.id)
from public.mashup_jobs j
where j.waiting_on = 'slot' and not mashup.is_job_paused(j.id, j.user_id)
  and (select count(*) from public.mashup_jobs r where r.admitted_at is not null) < mashup.setting_number('max_running_jobs')
  and (select count(*) from public.mashup_jobs r where r.admitted_at is not null and r.user_id = j.user_id)
    < mashup.setting_number('max_running_jobs_per_user')
