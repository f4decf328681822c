-- The plans and results of one job, oldest first. Replace the zeros by its id.
select 'plan' as what, p.epoch, p.created_at, p.plan #>> '{masterplan,title}' as title, p.source, p.model, p.cost_usd, null as path, null::jsonb as quality
from public.mashup_plans p where p.job_id = '00000000-0000-0000-0000-000000000000'
union all
select 'result', r.epoch, r.created_at, null, null, null, null, r.path, r.quality
from public.mashup_results r where r.job_id = '00000000-0000-0000-0000-000000000000'
order by created_at;
