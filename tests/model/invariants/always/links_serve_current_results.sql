-- A job that is marked as shared has exactly one live link. It serves the current result of a complete job, and nothing else; a link
-- that was revoked or taken down serves nothing.
select format('job %s is shared since %s and has %s live links', j.id, j.shared_at, s.live)
from public.mashup_jobs j
cross join lateral (select count(*) as live from public.mashup_shares s
  where s.job_id = j.id and s.revoked_at is null and s.taken_down_at is null) s
where s.live <> (j.shared_at is not null)::integer
union all
select format('link %s of job %s (%s) serves %s', s.token, j.id, j.stage, served.result_path)
from public.mashup_shares s join public.mashup_jobs j on j.id = s.job_id
cross join lateral mashup.shared_job(s.token) served
where served.result_path is distinct from case
  when j.shared_at is not null and s.revoked_at is null and s.taken_down_at is null and j.stage = 'complete' then j.result_path end
