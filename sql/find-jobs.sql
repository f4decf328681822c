-- The latest jobs of a filter: all members must match, and each may be left out. mashup.check_job_filter names them: stage (or live,
-- ended), stopped, error, user (id or e-mail), service, text, hours, since, until.
select id, stage, coalesce(finished_at, created_at) as at, user_id, title, error_code, left(error_message, 80) as error
from mashup.find_jobs('{"stage": "failed", "hours": 24}', p_limit => 50);
