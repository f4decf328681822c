-- Stage planning: one task that makes the plan, and what planning may cost.

create function mashup.has_plan(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from public.mashup_plans p where p.job_id = p_job.id and p.version = p_job.plan_version);
end
$$;
comment on function mashup.has_plan(public.mashup_jobs) is 'Returns whether a job has a current plan.';

create function mashup.wish_warnings(p_wishes jsonb) returns jsonb
  language sql immutable set search_path = ''
  as $$
  select coalesce(jsonb_agg(jsonb_build_object('code', w.code, 'message', w.message) order by w.code, w.n), '[]')
  from (
    select 'wish_not_understood' as code, pg_catalog.format('Not understood: "%s"', q.text) as message, q.n
    from jsonb_array_elements_text(coalesce(p_wishes -> 'not_understood', '[]')) with ordinality as q (text, n)
    union all
    select 'wish_not_possible', c.text, c.n
    from jsonb_array_elements_text(coalesce(p_wishes -> 'cannot', '[]')) with ordinality as c (text, n)
  ) w
  where w.n <= 3
$$;
comment on function mashup.wish_warnings(jsonb) is
  'Returns the warnings {code, message} about wishes that were not understood or are not in the plan, three of each at most.';

create function mashup.record_plan(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_version integer;
  v_songs text[] := array(select jsonb_array_elements_text(p_result -> 'song_ids'));
begin
  if cardinality(v_songs) = 0
     or not v_songs <@ array(select s ->> 'song_id' from jsonb_array_elements(p_job.songs) s) then
    perform mashup.raise_error('MB006', 'The plan uses songs that are not in the job, or none.', 'Plan with the songs of the job.');
  end if;
  select coalesce(max(version), 0) + 1 into v_version from public.mashup_plans where job_id = p_job.id;
  insert into public.mashup_plans (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes, wishes, edits, wording, ranges, opening)
    values (p_job.id, v_version, p_job.epoch, p_result ->> 'source', p_result -> 'plan',
      v_songs, p_result ->> 'model', p_result -> 'tokens',
      (p_result ->> 'cost_usd')::numeric, p_result ->> 'changes', p_result -> 'wishes', p_result -> 'edits', (p_result ->> 'wording')::integer,
      -- An external renderer reads whole stems.
      case when mashup.setting_text('separate_early') <> 'always' then p_result -> 'ranges' end,
      case when mashup.setting_text('separate_early') <> 'always' and mashup.setting_number('openings_in_spare_places') > 0 then p_result -> 'opening' end);
  p_job.plan_version := v_version;
  p_job.title := mashup.truncate_bytes(p_result #>> '{plan,masterplan,title}', 200);
  p_job.concept := mashup.truncate_bytes(p_result #>> '{plan,creative_vision}', 600);
  if p_result ->> 'warning' is not null then
    p_job.warnings := mashup.add_warning(p_job.warnings, 'rule_based_plan', p_result ->> 'warning', 'planning');
  end if;
  if p_result ->> 'length_note' is not null then
    p_job.warnings := mashup.add_warning(p_job.warnings, 'length_note', p_result ->> 'length_note', 'planning');
  end if;
  p_job.warnings := mashup.add_warnings(p_job.warnings, mashup.wish_warnings(p_result -> 'wishes'), 'planning');
  return p_job;
end
$$;
comment on function mashup.record_plan(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of a plan task as the next version and returns the job that points to it, not written yet: {plan, source, song_ids, ranges?, opening?, model?, tokens?, cost_usd?, changes?, wishes?, edits?, wording?, warning?, length_note?}. A song may have been excluded meanwhile: advance_job then plans again. Raises MB006.';

create function mashup.save_receipt(p_job_id uuid, p_request_hash text, p_answer jsonb, p_tokens jsonb, p_cost_usd numeric) returns void
  language sql security definer set search_path = ''
  as $$
  insert into mashup.plan_receipts (job_id, request_hash, answer, tokens, cost_usd)
  select p_job_id, p_request_hash, p_answer, p_tokens, p_cost_usd
  where exists (select from public.mashup_jobs where id = p_job_id)
$$;
comment on function mashup.save_receipt(uuid, text, jsonb, jsonb, numeric) is
  'Appends a paid answer to plan_receipts, before anything else is done with it. Not fenced: the answer of a late worker is kept.';
grant execute on function mashup.save_receipt(uuid, text, jsonb, jsonb, numeric) to mashup_worker;

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
comment on function mashup.exhausted_plan_budget(uuid) is
  'Returns which budget for Claude a job has used up: job, user_day or day; null while none is. Calls in progress are not counted: the excess is at most what service_limits lets run at one time.';
grant execute on function mashup.exhausted_plan_budget(uuid) to mashup_worker;

revoke execute on all functions in schema mashup from public;
