-- The order of the stages, and what a kind of task needs.

create function mashup.passes(p_from text, p_stage text) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return (select start.position <= wanted.position from mashup.stages start, mashup.stages wanted
    where start.stage = p_from and wanted.stage = p_stage);
end
$$;
comment on function mashup.passes(text, text) is 'Returns whether a run that starts in stage p_from passes p_stage: it is that stage or a later one.';

create function mashup.services_of(p_kind mashup.task_kinds) returns text[]
  language plpgsql immutable set search_path = ''
  as $$
begin
  return case when p_kind.uses_storage then array[p_kind.service, 'storage'] else array[p_kind.service] end;
end
$$;
comment on function mashup.services_of(mashup.task_kinds) is
  'Returns what has a circuit breaker and is needed by tasks of a kind: its service, and storage if it uses files. The order is that in which rows of service_health are locked.';

revoke execute on all functions in schema mashup from public;
