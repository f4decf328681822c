-- Roles as on hosted Supabase. They belong to the cluster, not to one database, so this file runs again for each database
-- and after each upgrade. Passwords come from the setting `supabase_local.role_password`.
--
--   postgres                 runs migrations: no superuser, may create roles and databases, bypasses RLS
--   authenticator            connects for the API and takes one of the next three roles for each request
--   anon, authenticated      API roles that are subject to RLS
--   service_role             API role that bypasses RLS
--   supabase_*_admin         owners of the schemas of Auth, Storage and Realtime

do $$
declare
  v_password text := current_setting('supabase_local.role_password');
  v_role record;
begin
  for v_role in
    select *
    from (values
      ('anon', 'nologin noinherit', false),
      ('authenticated', 'nologin noinherit', false),
      ('service_role', 'nologin noinherit bypassrls', false),
      ('authenticator', 'login noinherit', true),
      ('postgres', 'login inherit createdb createrole replication bypassrls', true),
      ('supabase_auth_admin', 'login noinherit createrole', true),
      ('supabase_storage_admin', 'login noinherit createrole', true),
      ('supabase_realtime_admin', 'nologin noinherit', false),
      ('supabase_replication_admin', 'login replication', true),
      ('dashboard_user', 'nologin createdb createrole replication', false)
    ) as r (name, attributes, has_password)
  loop
    if not exists (select from pg_roles where rolname = v_role.name) then
      execute format('create role %I %s', v_role.name, v_role.attributes);
    end if;
    if v_role.has_password then
      execute format('alter role %I password %L', v_role.name, v_password);
    end if;
  end loop;
end
$$;

grant anon, authenticated, service_role to authenticator;
-- Storage runs statements under the caller's role, so that RLS applies.
grant authenticator to supabase_storage_admin;
grant anon, authenticated, service_role to supabase_storage_admin;

grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;

-- On hosted Supabase an extension lets `postgres` write policies on tables of Storage and Realtime that it does not own.
-- Without the extension, membership in the owner allows it. 06_guards.sql rejects all other changes.
grant supabase_storage_admin, supabase_realtime_admin to postgres;

alter role postgres set search_path = "$user", public, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_storage_admin set search_path = storage;

-- PostgREST and the gateway apply these when they take the role for a request.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
