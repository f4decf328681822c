-- No task waits that may run: due, not paused, its circuit closed (or due for a probe), and a free place at its service. The tasks of studio versions wait for the sweep.
select format('task %s (%s) waits while it may run', t.id, t.kind)
from mashup.tasks t
join mashup.task_kinds k on k.kind = t.kind
join public.mashup_jobs j on j.id = t.job_id
cross join lateral mashup.service_capacity(k) c
where t.state = 'waiting' and t.run_at <= mashup.now() and c.free > 0 and not mashup.is_job_paused(j.id, j.user_id)
  and not mashup.is_kind_paused(k)
  and not t.is_studio
