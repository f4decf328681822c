-- Which users wait, and for how long?
select * from mashup.queue_by_user;

-- The queue in the order in which slots are given.
select q.queue_position, j.id, j.user_id, j.stage, mashup.now() - j.queued_at as waiting_for
from mashup.queue_order() q join public.mashup_jobs j on j.id = q.id order by q.queue_position limit 50;
