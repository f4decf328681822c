-- waiting_on of a job with a slot is exact: nothing while a task of it is ready or running; else pause before circuit before tasks.
select format('job %s in %s waits on %s instead of %s', j.id, j.stage, coalesce(j.waiting_on, 'nothing'), coalesce(e.waits_on, 'nothing'))
from public.mashup_jobs j
cross join lateral (
  select case
    when exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running')) then null
    when mashup.is_job_paused(j.id, j.user_id) then 'pause'
    when exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting'
        and mashup.is_kind_paused(k)) then 'pause'
    when exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = any (mashup.services_of(k))
      where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting' and h.state <> 'closed') then 'circuit'
    else 'tasks' end as waits_on) e
where j.admitted_at is not null and j.waiting_on is distinct from e.waits_on
