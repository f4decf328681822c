-- Each task that is ready or running holds one place at its service, unless it runs without it, and no other task holds one.
select format('task %s (%s, %s) holds no place at %s', t.id, t.kind, t.state, k.service)
from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
where t.state in ('ready', 'running') and not t.fallback
  and not exists (select from mashup.places p where p.service = k.service and p.n = t.place and p.task_id = t.id)
union all
select format('place %s of %s is held by task %s, which is not ready or running there', p.n, p.service, p.task_id)
from mashup.places p
where p.task_id is not null and not exists (
  select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
  where t.id = p.task_id and t.state in ('ready', 'running') and not t.fallback and t.place = p.n and k.service = p.service)
union all
select format('%s has %s open places instead of %s', l.service, count(p.n), l.at_most)
from mashup.place_limits l left join mashup.places p on p.service = l.service and p.is_open
group by l.service, l.at_most having count(p.n) <> l.at_most
