-- A half-open circuit names its only probe. An open circuit has a time for its next probe.
select format('circuit of %s is %s: probe %s, retry at %s, failures %s', h.service, h.state, h.probe_task, h.retry_at, h.failures)
from mashup.service_health h
where (h.state = 'half_open') <> (h.probe_task is not null)
  or (h.state = 'open' and (h.retry_at is null or h.failures = 0 or h.opens = 0))
  or (h.state = 'closed' and h.retry_at is not null)
union all
select format('task %s is a second probe of %s', t.id, h.service)
from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = k.service
-- A task that uses files may be the probe of Storage alone.
where t.is_probe and not k.uses_storage and t.state in ('ready', 'running') and h.state = 'half_open' and t.id <> h.probe_task
