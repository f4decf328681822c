-- The order of the stages, and what a kind of task needs.

create function mashup.stages_from(p_stage text) returns text[]
  language plpgsql stable set search_path = ''
  as $$
begin
  return array(select s.stage from mashup.stages s where s.position >= (select f.position from mashup.stages f where f.stage = p_stage));
end
$$;
comment on function mashup.stages_from(text) is 'Returns a stage and all later ones: those that a run from it passes.';

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
