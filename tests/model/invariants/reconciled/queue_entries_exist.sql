-- Each ready task that is due has its queue entry.
select format('task %s, attempt %s, has no queue entry', t.id, t.attempt)
from mashup.tasks t
where t.state = 'ready' and t.run_at < mashup.now() - interval '1 second'
  and not exists (select from mashup_queue.jobs q where q.key = 'mashup:' || t.id || ':' || t.attempt and q.attempts < q.max_attempts)
