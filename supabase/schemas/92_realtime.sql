-- Realtime: changes of jobs are streamed from the publication supabase_realtime. A project may have given it another form.

do $$
declare
  v_statement text := 'alter publication supabase_realtime add table public.mashup_jobs';
  v_publication pg_catalog.pg_publication;
begin
  select * into v_publication from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime';
  if not found then
    v_statement := 'create publication supabase_realtime for table public.mashup_jobs';
  elsif exists (select from pg_catalog.pg_publication_tables t
                where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename = 'mashup_jobs') then
    -- A publication for all tables, or for all tables of the schema. The first accepts no single table.
    v_statement := null;
  end if;
  if v_statement is not null then
    begin
      execute v_statement;
    exception when insufficient_privilege then
      -- The engine works without it, except that pages poll instead of following. So the installation goes on.
      raise warning 'Changes of jobs are not streamed yet: this role may not change the publication supabase_realtime. As %: %;',
        coalesce(pg_catalog.pg_get_userbyid(v_publication.pubowner), 'the owner of the database'), v_statement;
    end;
  end if;
  if v_publication.oid is not null and not (v_publication.pubinsert and v_publication.pubupdate and v_publication.pubdelete) then
    raise warning 'The publication supabase_realtime leaves out changes. As %: alter publication supabase_realtime set (publish = ''insert, update, delete, truncate'');',
      pg_catalog.pg_get_userbyid(v_publication.pubowner);
  end if;
end
$$;
