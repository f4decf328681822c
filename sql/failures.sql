-- What fails, and for what reason? Seven days, most frequent first.
-- error_code is the typed reason; last_job is one to look at with job.sql.
select * from mashup.failures;
