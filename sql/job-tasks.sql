-- The tasks of one job, all epochs. Replace the zeros by its id.
select id, kind, song_id, epoch, state, attempt, failures, crashes, run_at, started_at, finished_at - started_at as took, error
from mashup.tasks where job_id = '00000000-0000-0000-0000-000000000000' order by id;
