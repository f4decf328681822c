-- The order of the stages.

create function mashup.stages_from(p_stage text) returns text[]
  language plpgsql stable set search_path = ''
  as $$
begin
  return array(select s.stage from mashup.stages s where s.position >= (select f.position from mashup.stages f where f.stage = p_stage));
end
$$;
comment on function mashup.stages_from(text) is 'Returns a stage and all later ones: those that a run from it passes.';

revoke execute on all functions in schema mashup from public;
