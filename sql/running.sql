-- The running tasks, one row each.
-- heartbeat_age_sec under 6 is healthy; over 30 the sweep recovers the task.
select * from mashup.running_now;
