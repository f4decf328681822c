-- The models of the separation service: workers ask it for them and report changes.

create function mashup.report_separation_models(p_classical text, p_neural text, p_used text) returns boolean
  language plpgsql security definer set search_path = ''
  as $$
begin
  if p_classical is null then
    delete from mashup.separation_models;
    return found;
  end if;
  insert into mashup.separation_models as m (classical, neural, used) values (left(p_classical, 100), left(p_neural, 100), left(p_used, 100))
    on conflict (only_row) do update set classical = excluded.classical, neural = excluded.neural, used = excluded.used, seen_at = mashup.now()
    where (m.classical, m.neural, m.used) is distinct from (excluded.classical, excluded.neural, excluded.used);
  return found;
end
$$;
comment on function mashup.report_separation_models(text, text, text) is
  'Notes the models of the separation service; p_classical null: it does not name them. From then on jobs want stems of these models. Returns whether they changed.';
grant execute on function mashup.report_separation_models(text, text, text) to mashup_worker;

revoke execute on all functions in schema mashup from public;
