-- Costs of Claude: by day, by user in the last week, and the most expensive jobs. Budgets are settings; null is no limit.
select name, value from mashup.settings where name like 'plan_budget%' or name = 'plan_assumed_cost_usd' order by name;

select day, sum(calls) as calls, sum(cost_usd) as cost_usd from mashup.plan_spend group by day order by day desc limit 30;

select user_id, sum(calls) as calls, sum(cost_usd) as cost_usd
from mashup.plan_spend where day > (mashup.now() at time zone 'utc')::date - 7 group by user_id order by 3 desc limit 20;

select r.job_id, j.title, count(*) as calls, sum(r.cost_usd) as cost_usd, max(r.created_at) as last_at
from mashup.plan_receipts r join public.mashup_jobs j on j.id = r.job_id group by r.job_id, j.title order by 4 desc nulls last limit 20;

-- A budget is changed like any setting and applies from the next call:
--   update mashup.settings set value = '100' where name = 'plan_budget_usd_per_day';
