-- What separates songs, for the choice at the start of a mashup.

create function public.get_separators() returns jsonb
  language sql stable security definer set search_path = ''
  as $$
  select jsonb_build_object('classical', m.classical, 'neural', m.neural, 'used', m.used,
    'studio_version_by_default', mashup.setting_text('studio_version_by_default') = 'true')
  from (values (1)) as one left join mashup.separation_models m on true
$$;
comment on function public.get_separators() is
  'Returns what separates songs, as workers know it: {classical, neural, used: names of models, null if there is none or the service does not name them; studio_version_by_default: whether mashups have a studio version where their submission does not say it}.';
revoke execute on function public.get_separators() from public, anon, authenticated, service_role;
grant execute on function public.get_separators() to authenticated;

revoke execute on all functions in schema mashup from public;
