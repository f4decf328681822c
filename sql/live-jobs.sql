-- The live jobs: tasks by state, and what each job waits for.
select * from mashup.live_jobs;
