-- The owner of the database, its schemas and the default privileges of the API roles.

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

-- The API roles can call new functions in public. New tables and sequences are not exposed: the migration that creates them
-- grants privileges explicitly.
alter default privileges for role postgres in schema public
  grant execute on functions to anon, authenticated, service_role;

-- Realtime reads the changes of the tables in this publication. Migrations add tables to it.
do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  alter publication supabase_realtime owner to postgres;
end
$$;
