-- Only a running task has a claim. The path that it writes to contains the claim token.
select format('task %s (%s) has claim %s and writes to %s', t.id, t.state, t.claim, t.output_prefix)
from mashup.tasks t
where (t.state = 'running') <> (t.claim is not null)
  or (t.state = 'running' and t.kind in ('separate', 'render') and position(t.claim::text in coalesce(t.output_prefix, '')) = 0)
