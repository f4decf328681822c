-- The outbox of Storage deletions, the times of periodic maintenance, and the rate limits of users.

create table mashup.storage_deletions (
  id         bigint generated always as identity primary key,
  bucket     text not null default 'mashups',
  path       text not null,
  is_prefix  boolean not null default false,
  not_before timestamptz not null default mashup.now(),
  attempts   integer not null default 0,
  last_error text,
  created_at timestamptz not null default mashup.now()
);
revoke all on mashup.storage_deletions from public, anon, authenticated, service_role;
comment on table mashup.storage_deletions is
  'Outbox: objects that a worker deletes through the Storage API. SQL never deletes rows of storage.objects.';
comment on column mashup.storage_deletions.is_prefix is 'Whether everything below path is deleted.';
comment on column mashup.storage_deletions.not_before is 'When the deletion is due, or due again.';
create index storage_deletions_due on mashup.storage_deletions (not_before);

create table mashup.maintenance_runs (
  name    text primary key,
  done_at timestamptz not null default '-infinity'
);
revoke all on mashup.maintenance_runs from public, anon, authenticated, service_role;
comment on table mashup.maintenance_runs is
  'When the sweep and each periodic part of it were last done, by any worker. The row interruption says when the sweep last ran again after a time without it.';
insert into mashup.maintenance_runs (name) values ('sweep'), ('interruption'), ('reconcile'), ('purge');

create table mashup.call_counts (
  user_id uuid not null references auth.users (id) on delete cascade,
  action  text not null,
  since   timestamptz not null,
  calls   integer not null,
  primary key (user_id, action)
);
revoke all on mashup.call_counts from public, anon, authenticated, service_role;
comment on table mashup.call_counts is
  'Requests of a user in the minute that began at since. Jobs cannot be counted instead: a deletion would undo a submission, and a replay makes no row.';
comment on column mashup.call_counts.action is 'run, upload, stems or share.';
