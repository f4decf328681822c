-- The library of a user: mashups with their versions, searched, sorted, and read page by page.

create function mashup.library_page(p_user uuid, p_words text[], p_state text, p_sort text, p_after uuid, p_size integer) returns jsonb
  language sql stable security invoker set search_path = ''
  as $$
  with
    own as materialized (
      select j.id, coalesce(j.first_id, j.id) as group_id, j.created_at, (j.result ->> 'duration_sec')::real as duration_sec,
        coalesce(j.title, (select string_agg(s ->> 'name', ' × ') from jsonb_array_elements(j.songs) s)) as title,
        case when j.hold is null then p_state in ('all', j.status)
          else p_state = 'draft' and j.status = 'processing' end
        and not exists (
          select from unnest(p_words) w
          where strpos(lower(normalize(concat_ws(' ', j.title, j.feedback, j.options ->> 'wishes',
            (select string_agg(concat_ws(' ', s ->> 'name', s ->> 'artist'), ' ') from jsonb_array_elements(j.songs) s)))), w) = 0
        ) as is_match
      from public.mashup_jobs j where j.user_id = p_user),
    -- A group has the id of its first mashup, also if that was deleted. The newest match stands for its group.
    groups as (
      select v.group_id, array_agg(v.id) as ids, array_agg(v.id order by v.created_at desc, v.id) filter (where v.is_match) as matched,
        (array_agg(v.title order by v.created_at desc, v.id) filter (where v.is_match))[1] as title,
        (array_agg(v.duration_sec order by v.created_at desc, v.id) filter (where v.is_match))[1] as duration_sec,
        max(v.created_at) filter (where v.is_match) as created_at
      from own v group by v.group_id having bool_or(v.is_match)),
    ordered as (
      select g.*, row_number() over (order by
        case when p_sort = 'title' then lower(g.title) end,
        case when p_sort = 'longest' then g.duration_sec end desc nulls last,
        case when p_sort = 'shortest' then g.duration_sec end nulls last,
        case when p_sort = 'oldest' then g.created_at end,
        g.created_at desc, g.group_id) as place
      from groups g),
    page as (
      select o.* from ordered o
      where o.place > coalesce((select a.place from ordered a where a.group_id = p_after), 0)
      order by o.place limit p_size)
  select jsonb_build_object(
    'groups_found', (select count(*) from groups),
    'mashups_found', (select count(*) from own o where o.is_match),
    'groups', coalesce((
      select jsonb_agg(jsonb_build_object('id', p.group_id, 'matched', to_jsonb(p.matched),
        'mashups', (select jsonb_agg(to_jsonb(j) order by j.created_at, j.id) from public.mashup_jobs j where j.id = any (p.ids)))
        order by p.place)
      from page p), '[]'))
$$;
comment on function mashup.library_page(uuid, text[], text, text, uuid, integer) is
  'Returns a page of list_mashups of a user; p_words: the words of its search in lower case, of composed characters (NFC).';
revoke execute on function mashup.library_page(uuid, text[], text, text, uuid, integer) from public;

create function public.list_mashups(search text default '', state text default 'all', sort text default 'newest', after uuid default null,
    page_size integer default 20) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_user uuid := mashup.caller();
  v_words text[] := array(
    select w from pg_catalog.regexp_split_to_table(lower(normalize(coalesce(list_mashups.search, ''))), '\s+') w where w <> '' limit 20);
begin
  if list_mashups.state not in ('all', 'complete', 'processing', 'failed', 'cancelled', 'draft') then
    perform mashup.raise_error('MB006', 'The state of a list of mashups is not known.',
      'It is "all", "complete", "processing", "failed", "cancelled" or "draft".', 'invalid_request');
  elsif list_mashups.sort not in ('newest', 'oldest', 'title', 'longest', 'shortest') then
    perform mashup.raise_error('MB006', 'The order of a list of mashups is not known.',
      'It is "newest", "oldest", "title", "longest" or "shortest".', 'invalid_request');
  elsif coalesce(list_mashups.page_size, 0) not between 1 and 100 then
    perform mashup.raise_error('MB006', 'A page of a list of mashups has 1 to 100 of them.', 'Read further pages by "after".', 'invalid_request');
  end if;
  return mashup.library_page(v_user, v_words, list_mashups.state, list_mashups.sort, list_mashups.after, list_mashups.page_size);
end
$$;
comment on function public.list_mashups(text, text, text, uuid, integer) is
  'Returns a page of the mashups of the caller, in groups of a first mashup and its versions: {groups_found, mashups_found, groups: [{id, matched: ids of the versions that match, newest first; mashups: all rows, oldest first}]}. search: words that all occur in title, names and artists of songs, wishes or feedback; state: all (without drafts), complete, processing, failed, cancelled or draft; sort: newest, oldest, title, longest or shortest, by the newest match of a group; after: id of the last group of the page before. Raises MB006, MB010.';
revoke execute on function public.list_mashups(text, text, text, uuid, integer) from public, anon, authenticated, service_role;
grant execute on function public.list_mashups(text, text, text, uuid, integer) to authenticated;
