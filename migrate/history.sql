-- The Supabase CLI's own record of what has been applied, so that either may go on where the other stopped.
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key,
  statements text[],
  name text
);
