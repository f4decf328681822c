-- Ready tasks without a queue entry. Reconciliation enqueues them within seconds; rows that stay mean that no worker runs.
select t.id, t.kind, t.job_id, t.attempt, mashup.now() - t.run_at as overdue
from mashup.tasks t
where t.state = 'ready'
  and not exists (select from mashup.queue_entries() q where q.key = 'mashup:' || t.id || ':' || t.attempt);
