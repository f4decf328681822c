-- What runs now?
-- One row a task that a worker holds. heartbeat_age_sec under 6 is healthy; over 30 the sweep takes the task away.
select * from mashup.running_now;

-- The jobs around them: tasks by state, what each waits for.
select * from mashup.live_jobs;
