-- A running task is held by a registered worker under a valid lease.
select format('task %s is held by worker %s until %s', t.id, t.worker_id, t.lease_until)
from mashup.tasks t
where t.state = 'running'
  and (t.lease_until < mashup.now() or not exists (select from mashup.workers w where w.id = t.worker_id)
    or t.worker_id in (select mashup.dead_workers()))
