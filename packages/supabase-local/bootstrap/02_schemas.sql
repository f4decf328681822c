-- The database itself, its schemas and what the API roles may reach by default.

do $$
begin
  execute format('alter database %I owner to postgres', current_database());
end
$$;

create schema if not exists extensions;
create schema if not exists auth authorization supabase_auth_admin;
create schema if not exists storage authorization supabase_storage_admin;
create schema if not exists realtime authorization supabase_realtime_admin;

grant usage on schema public, extensions, auth, storage, realtime to anon, authenticated, service_role;
grant usage, create on schema public to postgres;
grant all on schema extensions to postgres with grant option;
grant usage on schema auth to postgres;
grant all on schema storage to postgres with grant option;
grant usage on schema realtime to postgres;

create extension if not exists pgcrypto with schema extensions;
create extension if not exists "uuid-ossp" with schema extensions;
grant execute on all functions in schema extensions to public;

-- New functions in public can be called by the API roles; new tables and sequences are not exposed: every grant on them
-- is written out in the migration that makes them.
alter default privileges for role postgres in schema public
  grant execute on functions to anon, authenticated, service_role;

-- Realtime reads the changes of the tables in this publication; migrations add theirs.
do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  alter publication supabase_realtime owner to postgres;
end
$$;
