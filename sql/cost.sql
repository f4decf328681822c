-- Costs of Claude by day, in the last month.
select day, sum(calls) as calls, sum(cost_usd) as cost_usd from mashup.plan_spend group by day order by day desc limit 30;

-- Budgets are settings; null is no limit. A change applies from the next call:
--   update mashup.settings set value = '100' where name = 'plan_budget_usd_per_day';
