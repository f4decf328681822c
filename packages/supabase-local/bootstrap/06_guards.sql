-- Statements that hosted Supabase rejects for the role `postgres` fail here as well, or a migration that works on a laptop
-- would break in production. On tables of Auth, Storage and Realtime, `postgres` may only create policies, triggers and
-- foreign keys that refer to them.

create or replace function extensions.guard_managed_schemas() returns event_trigger
language plpgsql
as $$
declare
  v_command record;
begin
  if session_user <> 'postgres' then
    return;
  end if;
  for v_command in select * from pg_event_trigger_ddl_commands()
  loop
    if v_command.schema_name in ('auth', 'storage', 'realtime')
      and v_command.command_tag not in ('CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER', 'GRANT', 'REVOKE')
    then
      raise exception '% on % is not allowed to postgres', lower(v_command.command_tag), v_command.object_identity
        using errcode = '42501', hint = 'Hosted Supabase owns the schemas auth, storage and realtime: only policies and triggers may be added.';
    end if;
  end loop;
end
$$;

drop event trigger if exists guard_managed_schemas;
create event trigger guard_managed_schemas on ddl_command_end execute function extensions.guard_managed_schemas();
