-- What is stuck, and why?
-- Empty when all is well. `why` says what to look at next.
select * from mashup.stuck;

-- Ready tasks whose wake-up is not in the queue. The reconcile puts it back within seconds; rows that stay mean that no worker runs.
select t.id, t.kind, t.job_id, t.attempt, mashup.now() - t.run_at as overdue
from mashup.tasks t
where t.state = 'ready'
  and not exists (select from graphile_worker.jobs q where q.key = t.id || ':' || t.attempt);
