-- What a claim writes carries the claim; only a task that runs has one.
select format('task %s (%s) has claim %s and writes to %s', t.id, t.state, t.claim, t.output_prefix)
from mashup.tasks t
where (t.state = 'running') <> (t.claim is not null)
  or (t.state = 'running' and t.kind in ('separate', 'render') and position(t.claim::text in coalesce(t.output_prefix, '')) = 0)
