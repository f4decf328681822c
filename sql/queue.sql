-- Who waits, and for how long?
select * from mashup.queue_by_user;

-- The queue in the order in which slots are given.
select q.place, j.id, j.user_id, j.stage, mashup.now() - j.queued_at as waiting_for
from mashup.queue_places() q join mashup_jobs j on j.id = q.id order by q.place limit 50;
