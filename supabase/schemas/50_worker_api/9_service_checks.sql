-- Checks of services: workers ask them for their health, so that one that nobody calls is not taken to be there.

create function mashup.services_to_check() returns text[]
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_services text[];
begin
  with due as (
    select h.service from mashup.service_health h
    -- Also one that was checked in the future: the clock was set back.
    where h.checked_at is null or h.checked_at > mashup.now() or h.checked_at <= mashup.now()
      - case when h.unanswered_since is null then mashup.setting_interval('service_check_sec') else mashup.setting_interval('service_recheck_sec') end
    for update skip locked
  ), checked as (
    update mashup.service_health h set checked_at = mashup.now() from due where h.service = due.service returning h.service
  )
  select array_agg(c.service order by c.service) into v_services from checked c;
  return coalesce(v_services, '{}');
end
$$;
comment on function mashup.services_to_check() is
  'Returns the services, and Storage, whose check is due, for the worker that asks: it is the only one to check them. Never waits for a row.';
grant execute on function mashup.services_to_check() to mashup_worker;

create function mashup.report_service_check(p_service text, p_error text default null) returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  update mashup.service_health h set
      heard_at = case when p_error is null then mashup.now() else h.heard_at end,
      unanswered_since = case when p_error is not null then coalesce(h.unanswered_since, mashup.now()) end,
      last_error = coalesce(left(p_error, 300), h.last_error),
      -- It is back: its tasks need not wait for the time of the next probe.
      retry_at = case when p_error is null and h.unanswered_since is not null and h.state = 'open' then least(h.retry_at, mashup.now()) else h.retry_at end
    where h.service = p_service
      -- A service may answer nothing else while it works.
      and (p_error is null or not exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
        where t.state = 'running' and p_service = any (mashup.services_of(k))));
end
$$;
comment on function mashup.report_service_check(text, text) is
  'Notes that a service, or Storage, answered a check, or why it did not, unless a task of it runs. An open circuit is due for its probe as soon as its service answers again. Lock: service_health row.';
grant execute on function mashup.report_service_check(text, text) to mashup_worker;

revoke execute on all functions in schema mashup from public;
