-- The public links that are live or taken down, the newest first. The page of a link is <address of the studio>/s/<token>.
-- `served` is whether it shows the mashup now: not while a replay runs, after the file has expired, or while sharing is off.
-- To take one down: select mashup.take_down_share('<link, token or id of the job>', 'why');
select s.token, s.job_id, j.user_id, j.title, s.created_at, s.taken_down_at, s.reason, (mashup.shared_job(s.token)).id is not null as served
from public.mashup_shares s join public.mashup_jobs j on j.id = s.job_id
where s.revoked_at is null
order by s.created_at desc limit 100;
