-- Failed jobs of the last seven days by reason, most frequent first.
-- error_code is the reason; last_job is an example for job.sql.
select * from mashup.failures;
