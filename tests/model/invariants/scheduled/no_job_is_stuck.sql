-- A job with a slot has a task that is ready or running, or waits for something that exists.
select format('job %s in %s waits on %s, which is not true', j.id, j.stage, j.waiting_on)
from public.mashup_jobs j
where j.admitted_at is not null
  and not exists (select from mashup.tasks t where t.job_id = j.id and t.state in ('ready', 'running'))
  and not case j.waiting_on
    when 'pause' then mashup.is_job_paused(j.id, j.user_id) or exists (
      select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind where t.job_id = j.id and t.state = 'waiting'
        and mashup.is_kind_paused(k))
    when 'circuit' then exists (
      select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = any (mashup.services_of(k))
      where t.job_id = j.id and t.state = 'waiting' and h.state <> 'closed')
    when 'tasks' then exists (select from mashup.tasks t where t.job_id = j.id and t.state = 'waiting')
    else false end
