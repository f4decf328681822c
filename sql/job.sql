-- The history of one job, oldest event first. Replace the zeros by its id.
-- `what` is the kind of event, `detail` has durations, attempts and errors.
select * from mashup.job_history('00000000-0000-0000-0000-000000000000');
