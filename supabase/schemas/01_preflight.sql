-- Before anything is created: are the names free? In a project with objects of its own this reports which name is taken, and
-- changes nothing. The table mashup_jobs of the earlier product is renamed to mashup_jobs_legacy, with its rows, indexes,
-- policies and references; API roles lose their rights on it, since its rows have no owner that a policy could check.
-- Does nothing where the engine is already installed.

do $$
declare
  v_taken text;
  v_owner name;
  v_index name;
begin
  if to_regclass('mashup.transitions') is not null then
    return;
  end if;

  if exists (select from pg_namespace where nspname = 'mashup') then
    raise exception 'The schema "mashup" exists already and is not the mashup engine''s. Rename it first: alter schema mashup rename to mashup_other;'
      using errcode = 'duplicate_schema', hint = 'Nothing was changed.';
  end if;

  select string_agg(c.relname, ', ' order by c.relname) into v_taken
    from pg_class c where c.relnamespace = 'public'::regnamespace
      and c.relname in ('mashup_plans', 'mashup_results', 'mashup_job_events');
  if v_taken is not null then
    raise exception 'The mashup engine needs names in schema public that are taken: %. Rename them first, for example: alter table public.% rename to other_%;',
      v_taken, split_part(v_taken, ', ', 1), split_part(v_taken, ', ', 1)
      using errcode = 'duplicate_table', hint = 'Nothing was changed.';
  end if;

  select string_agg(distinct p.proname, ', ') into v_taken
    from pg_proc p where p.pronamespace = 'public'::regnamespace
      and p.proname in ('submit_mashup', 'iterate_mashup', 'edit_mashup', 'start_mashup', 'cancel_mashup', 'retry_mashup', 'replay_mashup',
                        'delete_mashup', 'get_mashup', 'get_mashup_analyses', 'get_mashup_stems', 'begin_upload');
  if v_taken is not null then
    raise exception 'The mashup engine needs names of functions in schema public that are taken: %. Rename or drop them first.', v_taken
      using errcode = 'duplicate_function', hint = 'Nothing was changed.';
  end if;

  if to_regclass('public.mashup_jobs') is null then
    return;
  end if;

  -- The table of the earlier product has id, status, error_message and result_url, and no stage.
  if (select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.oid = 'public.mashup_jobs'::regclass and c.relkind = 'r' and not a.attisdropped
          and a.attname in ('id', 'status', 'error_message', 'result_url')) <> 4
     or exists (select from pg_attribute where attrelid = 'public.mashup_jobs'::regclass and attname = 'stage' and not attisdropped) then
    raise exception 'public.mashup_jobs exists already and is not the table of the earlier product (id, status, result_url, error_message). Rename it first: alter table public.mashup_jobs rename to mashup_jobs_other;'
      using errcode = 'duplicate_table', hint = 'Nothing was changed.';
  end if;
  if to_regclass('public.mashup_jobs_legacy') is not null then
    raise exception 'The earlier public.mashup_jobs would be renamed to mashup_jobs_legacy, but that name is taken too. Rename one of them first.'
      using errcode = 'duplicate_table', hint = 'Nothing was changed.';
  end if;
  select pg_get_userbyid(relowner) into v_owner from pg_class where oid = 'public.mashup_jobs'::regclass;
  if not pg_has_role(v_owner, 'usage') then
    raise exception 'The earlier public.mashup_jobs belongs to %, so this role cannot rename it. As its owner: alter table public.mashup_jobs rename to mashup_jobs_legacy;', v_owner
      using errcode = 'insufficient_privilege', hint = 'Nothing was changed.';
  end if;

  alter table public.mashup_jobs rename to mashup_jobs_legacy;
  -- Index names are relation names: those that the new table needs are freed as well.
  for v_index in
    select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'public.mashup_jobs_legacy'::regclass and c.relname like 'mashup\_jobs\_%' and c.relname not like 'mashup\_jobs\_legacy%'
  loop
    execute format('alter index public.%I rename to %I', v_index, left('mashup_jobs_legacy_' || substr(v_index, length('mashup_jobs_') + 1), 63));
  end loop;
  revoke all on public.mashup_jobs_legacy from public, anon, authenticated;
  -- Not where the publication is of all tables or of a schema: the API roles have no right on the table any more.
  if exists (select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
             where p.pubname = 'supabase_realtime' and r.prrelid = 'public.mashup_jobs_legacy'::regclass
               and pg_has_role(p.pubowner, 'usage')) then
    alter publication supabase_realtime drop table public.mashup_jobs_legacy;
  end if;
  raise notice 'The earlier public.mashup_jobs is now public.mashup_jobs_legacy: its rows are kept, API roles cannot read it any more.';
end
$$;
