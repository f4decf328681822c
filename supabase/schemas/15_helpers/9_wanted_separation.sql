-- What is to separate the songs of a job, and whether stems are of it.

create function mashup.wanted_separation(p_job public.mashup_jobs, out method text, out models text[], out classical text)
  language plpgsql stable set search_path = ''
  as $$
declare
  v_models mashup.separation_models;
begin
  select * into v_models from mashup.separation_models;
  method := coalesce(p_job.options ->> 'separation', 'auto');
  classical := v_models.classical;
  if mashup.is_studio_version_live(p_job) then
    method := 'neural';
    models := array[v_models.neural];
  elsif v_models.neural is not null and mashup.wants_studio_version(p_job) then
    -- Stems of the model that are there already make a studio version of the first result.
    method := 'classical';
    models := array[v_models.neural, v_models.classical];
  elsif v_models.classical is not null then
    models := array[case method when 'classical' then v_models.classical when 'neural' then v_models.neural else v_models.used end];
  end if;
end
$$;
comment on function mashup.wanted_separation(public.mashup_jobs) is
  'Returns how the songs of a job are to be separated: method (auto, classical or neural); models whose stems the job uses, the preferred one first ({null}: it wants one, and there is none; null: stems of any model, because the service does not name its models); and the model of the classical method.';

create function mashup.uses_model(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
declare
  v_neural text := (select m.neural from mashup.separation_models m);
  v_wanted record;
begin
  if v_neural is null then
    return false;
  end if;
  v_wanted := mashup.wanted_separation(p_job);
  return v_wanted.method <> 'classical' and v_wanted.models[1] = v_neural;
end
$$;
comment on function mashup.uses_model(public.mashup_jobs) is 'Returns whether the model of the separation service separates the songs of a job.';

create function mashup.separator_of(p_model text) returns text
  language plpgsql immutable set search_path = ''
  as $$
begin
  return case when starts_with(p_model, 'own+') then substr(p_model, 5) else p_model end;
end
$$;
comment on function mashup.separator_of(text) is
  'Returns what has separated a song whose stems have a model: of own+dsp-4, of which the user gave some of the stems, dsp-4; own if the user gave all.';

create function mashup.are_usable(p_stems mashup.stems, p_card jsonb, p_models text[]) returns boolean
  language plpgsql immutable set search_path = ''
  as $$
begin
  return p_models is null or coalesce(mashup.separator_of(p_stems.model) = any (p_models), false) or p_stems.model = 'own'
    or coalesce(p_card ->> 'instead_of' = coalesce(p_models[1], 'none'), false);
end
$$;
comment on function mashup.are_usable(mashup.stems, jsonb, text[]) is
  'Returns whether a job that wants p_models (see wanted_separation) uses stems: those of such a model, those that its user gave all, and those that its song was given instead, as the member instead_of of its card says.';

revoke execute on all functions in schema mashup from public;
