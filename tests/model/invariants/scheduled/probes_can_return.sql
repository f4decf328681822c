-- The probe of a half-open circuit is ready or running.
select format('the probe %s of %s cannot return', h.probe_task, h.service)
from mashup.service_health h
where h.state = 'half_open' and not exists (
  select from mashup.tasks t where t.id = h.probe_task and t.is_probe and t.state in ('ready', 'running'))
