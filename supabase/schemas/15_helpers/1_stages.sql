-- The order of the stages.

create function mashup.passes(p_from text, p_stage text) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return (select start.position <= wanted.position from mashup.stages start, mashup.stages wanted
    where start.stage = p_from and wanted.stage = p_stage);
end
$$;
comment on function mashup.passes(text, text) is 'Returns whether a run that starts in stage p_from passes p_stage: it is that stage or a later one.';

revoke execute on all functions in schema mashup from public;
