-- The cards of the songs in a job's row, and its warnings.

create function mashup.patch_song(p_songs jsonb, p_song_id text, p_patch jsonb) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  return (
    select coalesce(jsonb_agg(case when s.song ->> 'song_id' = p_song_id then s.song || p_patch else s.song end order by s.n), '[]')
    from jsonb_array_elements(p_songs) with ordinality as s (song, n));
end
$$;
comment on function mashup.patch_song(jsonb, text, jsonb) is 'Returns the songs with p_patch merged into the card of one song.';

create function mashup.active_songs(p_songs jsonb) returns setof jsonb
  language plpgsql immutable rows 3 set search_path = ''
  as $$
begin
  return query select s.song from jsonb_array_elements(p_songs) with ordinality as s (song, n)
    where s.song ->> 'state' is distinct from 'excluded' order by s.n;
end
$$;
comment on function mashup.active_songs(jsonb) is 'Returns the cards of the songs that are not excluded, in order.';

create function mashup.truncate_bytes(p_text text, p_octets integer) returns text
  language plpgsql immutable set search_path = ''
  as $$
declare
  v_text text := left(p_text, p_octets);
begin
  -- A character may take four bytes, and an escaped one six.
  while octet_length(to_jsonb(v_text)::text) - 2 > p_octets loop
    v_text := left(v_text, least(length(v_text) - 1, length(v_text) * p_octets / octet_length(to_jsonb(v_text)::text)));
  end loop;
  return v_text;
end
$$;
comment on function mashup.truncate_bytes(text, integer) is 'Returns the beginning of a text that takes at most p_octets bytes in a jsonb value.';

create function mashup.warning_rank(p_code text) returns integer
  language plpgsql immutable set search_path = ''
  as $$
begin
  return case p_code
    when 'quality_check_failed' then 1
    when 'song_excluded' then 2 when 'rule_based_plan' then 2 when 'other_format' then 2 when 'other_length' then 2 when 'length_note' then 2
    when 'wish_not_understood' then 2 when 'wish_not_possible' then 2
    when 'scored_locally' then 3
    else 4 end;
end
$$;
comment on function mashup.warning_rank(text) is 'Returns the importance of a warning by its code; 1 is the most important.';

create function mashup.warnings_outside(p_warnings jsonb, p_stages text[]) returns jsonb
  language sql immutable set search_path = ''
  as $$
  select coalesce(jsonb_agg(w.warning order by w.n), '[]')
  from jsonb_array_elements(p_warnings) with ordinality as w (warning, n) where w.warning ->> 'stage' <> all (p_stages)
$$;
comment on function mashup.warnings_outside(jsonb, text[]) is 'Returns the warnings of all stages but p_stages, in order.';

create function mashup.add_warnings(p_warnings jsonb, p_new jsonb, p_stage text) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  -- At most ten, so that the row stays small.
  return (
    with given as (
      select w.warning, w.n from jsonb_array_elements(p_warnings) with ordinality as w (warning, n)
      union all
      select jsonb_build_object('code', left(w.warning ->> 'code', 40), 'message', mashup.truncate_bytes(w.warning ->> 'message', 180), 'stage', p_stage),
        w.n + jsonb_array_length(p_warnings)
      from jsonb_array_elements(p_new) with ordinality as w (warning, n)
    ), distinct_ones as (
      select distinct on (g.warning ->> 'message') g.warning, g.n, mashup.warning_rank(g.warning ->> 'code') as rank
      from given g order by g.warning ->> 'message', 3, g.n
    ), kept as (
      select d.warning, d.rank, d.n from distinct_ones d order by d.rank, d.n limit 10
    )
    select coalesce(jsonb_agg(k.warning order by k.rank, k.n), '[]') from kept k);
end
$$;
comment on function mashup.add_warnings(jsonb, jsonb, text) is
  'Returns the warnings with the new ones {code, message}: the ten most important, without duplicates, most important first.';

create function mashup.add_warning(p_warnings jsonb, p_code text, p_message text, p_stage text) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  return mashup.add_warnings(p_warnings, jsonb_build_array(jsonb_build_object('code', p_code, 'message', p_message)), p_stage);
end
$$;
comment on function mashup.add_warning(jsonb, text, text, text) is 'Returns the warnings with one more, as add_warnings does.';

revoke execute on all functions in schema mashup from public;
