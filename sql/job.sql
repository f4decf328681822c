-- The history of one job, oldest event first. Replace the zeros by its id.
-- `what` is the kind of event, `detail` has durations, attempts and errors.
select * from mashup.job_history('00000000-0000-0000-0000-000000000000');

-- Its tasks, all epochs.
select id, kind, song_id, epoch, state, attempt, failures, crashes, run_at, started_at, finished_at - started_at as took, error
from mashup.tasks where job_id = '00000000-0000-0000-0000-000000000000' order by id;

-- Its plans and results.
select version, source, model, cost_usd, plan #>> '{masterplan,title}' as title, created_at
from public.mashup_plans where job_id = '00000000-0000-0000-0000-000000000000' order by version;
select epoch, path, quality, created_at
from public.mashup_results where job_id = '00000000-0000-0000-0000-000000000000' order by epoch;
