-- The jobs that cost most.
select r.job_id, j.title, count(*) as calls, sum(r.cost_usd) as cost_usd, max(r.created_at) as last_at
from mashup.plan_receipts r join public.mashup_jobs j on j.id = r.job_id group by r.job_id, j.title order by 4 desc nulls last limit 20;
