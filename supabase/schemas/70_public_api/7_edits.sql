-- A user edits the plan of a mashup by hand: a new version.

create function mashup.check_plan_edits(p_edits jsonb) returns void
  language plpgsql immutable set search_path = ''
  as $$
declare
  v_kinds constant text[] := array['move_edge', 'remove_section', 'repeat_section', 'layer_level', 'mute_layer', 'unmute_layer', 'swap_songs', 'roles'];
  v_edits jsonb := case jsonb_typeof(p_edits -> 'edits') when 'array' then p_edits -> 'edits' else '[]' end;
begin
  if jsonb_typeof(p_edits) is distinct from 'object' or coalesce(p_edits ->> 'plan_version', '') !~ '^[1-9][0-9]{0,8}$' then
    perform mashup.raise_error('MB006', 'The edits do not say which plan they are for.', 'Send {plan_version, edits: [{kind, …}]}.', 'invalid_edits');
  elsif jsonb_array_length(v_edits) not between 1 and 40 or octet_length(v_edits::text) > 12000 then
    perform mashup.raise_error('MB006', 'The list of edits is empty or too long.', 'Send 1 to 40 edits at once.', 'invalid_edits');
  elsif exists (select from jsonb_array_elements(v_edits) e where coalesce(e ->> 'kind' = any (v_kinds), false) is false) then
    perform mashup.raise_error('MB006', 'An edit is of an unknown kind.', format('The kinds are %s.', array_to_string(v_kinds, ', ')), 'invalid_edits');
  end if;
end
$$;
comment on function mashup.check_plan_edits(jsonb) is
  'Checks the form of the edits of a plan, {plan_version, edits}. Their values are checked with the plan. Raises MB006 with detail invalid_edits.';

create function public.edit_mashup(p_job_id uuid, p_edits jsonb, p_idempotency_key text default null)
  returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  -- Not locked, as in iterate_mashup.
  v_parent public.mashup_jobs := mashup.require_own_job(p_job_id, false);
  v_hash text := encode(sha256(convert_to(jsonb_build_array('edit', p_job_id, p_edits)::text, 'UTF8')), 'hex');
  v_job public.mashup_jobs;
  v_base jsonb;
begin
  perform mashup.check_plan_edits(p_edits);
  if p_idempotency_key is not null then
    v_job := mashup.find_idempotent_job(v_parent.user_id, p_idempotency_key, v_hash);
    if v_job.id is not null then
      return mashup.describe_submission(v_job, true);
    end if;
  end if;
  perform mashup.require_plan(v_parent, 'edit');
  -- What its user sees and edits is the plan as it was rendered.
  select coalesce((select r.plan from public.mashup_results r where r.job_id = v_parent.id and r.path = v_parent.result_path), p.plan)
    into v_base from public.mashup_plans p
    where p.job_id = v_parent.id and p.version = v_parent.plan_version and p.version = (p_edits ->> 'plan_version')::integer;
  if v_base is null then
    perform mashup.raise_error('MB003', format('These edits are for plan %s of the mashup, which has plan %s now.', p_edits ->> 'plan_version', v_parent.plan_version),
      'Load the mashup again and edit the plan that it has now.', 'plan_outdated');
  end if;
  v_job := mashup.insert_version(v_parent, v_parent.options, p_idempotency_key, v_hash);
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_parent.user_id, p_idempotency_key, v_hash), true);
  end if;
  insert into mashup.plan_edits (job_id, base_version, base, edits) values (v_job.id, v_parent.plan_version, v_base, p_edits -> 'edits');
  return mashup.describe_submission(v_job, false);
end
$$;
comment on function public.edit_mashup(uuid, jsonb, text) is
  'Submits a new version of a mashup from edits of its plan by hand, {plan_version, edits: PlanEdit[]}, 1 to 40: a job that enters at planning with the parent''s songs and scores, whose plan task applies the edits by rules. Returns describe_submission. Raises MB002, MB003 (detail plan_outdated: the mashup has another plan by now), MB004, MB005, MB006 (detail invalid_edits), MB010, MB012, MB015.';
revoke execute on function public.edit_mashup(uuid, jsonb, text) from public, anon, authenticated, service_role;
grant execute on function public.edit_mashup(uuid, jsonb, text) to authenticated;

revoke execute on all functions in schema mashup from public;
