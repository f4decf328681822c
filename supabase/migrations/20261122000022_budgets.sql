-- Budgets for Claude: what plans may cost, by job, by user and day, and by day. Asked before each paid call.

insert into mashup.settings (name, value, description) values
  ('plan_budget_usd_per_job',          '2',    'What planning one job may cost in US dollars, all its plans together; then plans are made by rules. null: no limit.'),
  ('plan_budget_usd_per_user_per_day', 'null', 'What planning all jobs of one user may cost on one day (UTC). null: no limit.'),
  ('plan_budget_usd_per_day',          '50',   'What planning may cost on one day (UTC), all users together. null: no limit.'),
  ('plan_assumed_cost_usd',            '0',    'What an answer counts for that names no cost, as those of services outside do not.');

-- Above what the service itself gives the model (MASHUP_CLAUDE_TIMEOUT_SEC, 180), so that an answer that is paid for is awaited.
insert into mashup.settings (name, value, description) values
  ('plan_call_timeout_sec', '200', 'How long one call to the planning service may take. Keep it above the service''s own limit for the model.');

-- A correction may be asked for twice, and each call may take as long as the service lets Claude think.
update mashup.task_kinds set timeout_sec = 660 where kind = 'plan';

create table mashup.plan_spend (
  day      date not null,
  user_id  uuid not null,
  calls    integer not null,
  cost_usd numeric(12, 5) not null,
  primary key (day, user_id)
);
comment on table mashup.plan_spend is 'What was paid for plans, by day (UTC) and user. Stays when a job is deleted, so that deleting does not refill a budget.';
revoke all on mashup.plan_spend from public, anon, authenticated, service_role;
grant select on mashup.plan_spend to mashup_worker;

-- How long the ledger goes back.
insert into mashup.settings (name, value, description) values
  ('plan_spend_retention_days', '400', 'Days that the ledger of what plans cost goes back.');

create function mashup.count_plan_spend() returns trigger
  language plpgsql set search_path = ''
  as $$
declare
  v_day date := (mashup.now() at time zone 'utc')::date;
begin
  insert into mashup.plan_spend as s (day, user_id, calls, cost_usd)
    select v_day, j.user_id, 1, greatest(coalesce(new.cost_usd, mashup.setting_number('plan_assumed_cost_usd')::numeric, 0), 0)
    from public.mashup_jobs j where j.id = new.job_id
    on conflict (day, user_id) do update set calls = s.calls + 1, cost_usd = s.cost_usd + excluded.cost_usd;
  delete from mashup.plan_spend s where s.day < v_day - mashup.setting_number('plan_spend_retention_days')::integer;
  return null;
end
$$;
comment on function mashup.count_plan_spend() is 'Adds each receipt to the ledger of its day and user.';
create trigger count_plan_spend after insert on mashup.plan_receipts for each row execute function mashup.count_plan_spend();

-- Calls that are on their way are not counted: the overshoot is at most what service_limits lets run at one time.
create function mashup.exhausted_plan_budget(p_job_id uuid) returns text
  language sql stable security definer set search_path = ''
  as $$
  select case
    when (select sum(coalesce(r.cost_usd, mashup.setting_number('plan_assumed_cost_usd')::numeric, 0))
          from mashup.plan_receipts r where r.job_id = j.id) >= mashup.setting_number('plan_budget_usd_per_job')
      or mashup.setting_number('plan_budget_usd_per_job') <= 0 then 'job'
    when coalesce((select s.cost_usd from mashup.plan_spend s where s.day = (mashup.now() at time zone 'utc')::date and s.user_id = j.user_id), 0)
      >= mashup.setting_number('plan_budget_usd_per_user_per_day') then 'user_day'
    when coalesce((select sum(s.cost_usd) from mashup.plan_spend s where s.day = (mashup.now() at time zone 'utc')::date), 0)
      >= mashup.setting_number('plan_budget_usd_per_day') then 'day'
  end
  from public.mashup_jobs j where j.id = p_job_id
$$;
comment on function mashup.exhausted_plan_budget(uuid) is 'Which budget for Claude is used up for a job: job, user_day, day; null while none is.';

revoke execute on function mashup.count_plan_spend(), mashup.exhausted_plan_budget(uuid) from public, anon, authenticated, service_role;
grant execute on function mashup.exhausted_plan_budget(uuid) to mashup_worker;
