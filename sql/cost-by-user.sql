-- Costs of Claude by user, in the last week.
select user_id, sum(calls) as calls, sum(cost_usd) as cost_usd
from mashup.plan_spend where day > (mashup.now() at time zone 'utc')::date - 7 group by user_id order by 3 desc limit 20;
