-- The schema, the worker's role, the clock and the errors.

create schema mashup;
comment on schema mashup is 'The state machine of the mashup engine. Not exposed by the API.';
revoke all on schema mashup from public, anon, authenticated;

do $$
begin
  if not exists (select from pg_roles where rolname = 'mashup_worker') then
    -- The worker reads the jobs of all users. The operator sets its password: alter role mashup_worker login password '…'.
    create role mashup_worker nologin bypassrls;
  end if;
end
$$;
grant mashup_worker to postgres;
grant usage on schema mashup, public to mashup_worker;

-- Tests replace this function in their own databases. It has no search_path of its own, so that the planner can inline it;
-- the name in its body is qualified.
create function mashup.now() returns timestamptz
  language sql stable
  as $$ select pg_catalog.now() $$;
comment on function mashup.now() is 'Returns the time of the transaction. The only clock of the state machine.';
grant execute on function mashup.now() to authenticated, service_role, mashup_worker;

create function mashup.new_traceparent() returns text
  language plpgsql volatile set search_path = ''
  as $$
begin
  return '00-' || replace(pg_catalog.gen_random_uuid()::text, '-', '') || '-'
    || right(replace(pg_catalog.gen_random_uuid()::text, '-', ''), 16) || '-01';
end
$$;
comment on function mashup.new_traceparent() is 'Returns a new W3C trace context, marked as sampled: the parent of the spans of a job.';

create function mashup.request_traceparent() returns text
  language plpgsql stable set search_path = ''
  as $$
begin
  return substring(pg_catalog.current_setting('request.headers', true)
    from '"traceparent" *: *"(00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"');
end
$$;
comment on function mashup.request_traceparent() is
  'Returns the header traceparent of the API request of this transaction; null if there is none or it is not valid.';

create function mashup.engine_version() returns text
  language sql immutable set search_path = ''
  as $$ select '0.1.0' $$;
comment on function mashup.engine_version() is 'Returns the version of the engine that this schema belongs to, as in package.json.';

create function mashup.protocol_version() returns integer
  language sql immutable set search_path = ''
  as $$ select 3 $$;
comment on function mashup.protocol_version() is
  'Returns the number of the protocol between workers and this schema. A migration raises it if it adds what newer workers need. A worker with a higher number does not start: the database has to be migrated.';
grant execute on function mashup.protocol_version() to mashup_worker;

create function mashup.min_protocol_version() returns integer
  language sql immutable set search_path = ''
  as $$ select 3 $$;
comment on function mashup.min_protocol_version() is
  'Returns the oldest protocol that this schema serves. A migration raises it if it takes away or changes what older workers call, or if older workers would do a task otherwise than it has to be done. Workers with a lower number finish their tasks and end.';
grant execute on function mashup.min_protocol_version() to mashup_worker;

create function mashup.raise_error(p_sqlstate text, p_message text, p_hint text, p_detail text default '') returns void
  language plpgsql set search_path = ''
  as $$
begin
  raise exception using errcode = p_sqlstate, message = p_message, hint = p_hint, detail = p_detail;
end
$$;
comment on function mashup.raise_error(text, text, text, text) is
  'Raises an error of SQLSTATE class MB: message says what is wrong, hint names the next step, detail is for programs.';

revoke execute on all functions in schema mashup from public;
