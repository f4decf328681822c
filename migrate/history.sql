-- The record of applied migrations of the Supabase CLI. Our runner writes it too, so that either can continue after the other.
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key,
  statements text[],
  name text
);
