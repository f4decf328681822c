-- The value of mashup.stems.paths: stems of a whole song, or of pieces of it.

create function mashup.stem_files(p_paths jsonb) returns setof text
  language plpgsql immutable set search_path = ''
  as $$
begin
  return query select f.path
    from jsonb_array_elements(coalesce(p_paths -> 'pieces', jsonb_build_array(p_paths))) piece
    cross join lateral jsonb_each(piece - 'start_sec' - 'end_sec') p
    cross join lateral jsonb_array_elements_text(case jsonb_typeof(p.value) when 'array' then p.value else jsonb_build_array(p.value) end) f (path);
end
$$;
comment on function mashup.stem_files(jsonb) is 'Returns the files of stems, given the value of stems.paths.';

create function mashup.stems_cover(p_paths jsonb, p_ranges jsonb) returns boolean
  language plpgsql immutable set search_path = ''
  as $$
begin
  if p_paths is null or not p_paths ? 'pieces' then
    return p_paths is not null;
  end if;
  return coalesce(
    (select range_agg(numrange((r ->> 0)::numeric, (r ->> 1)::numeric)) from jsonb_array_elements(p_ranges) r)
    <@ (select range_agg(numrange((p ->> 'start_sec')::numeric, (p ->> 'end_sec')::numeric)) from jsonb_array_elements(p_paths -> 'pieces') p),
    false);
end
$$;
comment on function mashup.stems_cover(jsonb, jsonb) is
  'Returns whether stems, given the value of stems.paths, hold the ranges [[start, end], …] of their song; null: all of it.';

create function mashup.merge_stems(p_old jsonb, p_new jsonb) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  if not p_new ? 'pieces' then
    return p_new;
  elsif not p_old ? 'pieces' then
    return p_old;
  end if;
  return jsonb_build_object('pieces', (
    with piece as (
      select p.value, p.is_new, numrange((p.value ->> 'start_sec')::numeric, (p.value ->> 'end_sec')::numeric) as span
      from (
        select o.value, false from jsonb_array_elements(p_old -> 'pieces') o
        union all select n.value, true from jsonb_array_elements(p_new -> 'pieces') n
      ) p (value, is_new)
    )
    -- A piece that another one contains is not needed. Of two equal ones the new one stays.
    select jsonb_agg(a.value order by lower(a.span), upper(a.span)) from piece a
    where not exists (select from piece b where a.span <@ b.span and (a.span <> b.span or b.is_new and not a.is_new))));
end
$$;
comment on function mashup.merge_stems(jsonb, jsonb) is
  'Returns the value of stems.paths with which a song has what it had and what was separated: whole stems, or the pieces of both.';

revoke execute on all functions in schema mashup from public;
