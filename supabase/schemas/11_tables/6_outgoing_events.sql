-- What other programs learn when a job ends, or has a studio version: one row for each, written in its transaction.

create table mashup.outgoing_events (
  seq          bigint generated always as identity primary key,
  id           uuid not null unique default gen_random_uuid(),
  job_id       uuid not null,
  type         text not null check (type in ('job.complete', 'job.failed', 'job.cancelled', 'job.expired', 'job.taken_down', 'job.studio_version')),
  payload      jsonb not null,
  not_before   timestamptz not null default mashup.now(),
  attempts     integer not null default 0,
  last_error   text,
  created_at   timestamptz not null default mashup.now(),
  delivered_at timestamptz
);
revoke all on mashup.outgoing_events from public, anon, authenticated, service_role;
grant select on mashup.outgoing_events to mashup_worker;
comment on table mashup.outgoing_events is
  'Outbox of events for other programs. Workers deliver them at least once, those of one job in order: as notification on channel mashup_events, and to the webhook. Kept for a week.';
comment on column mashup.outgoing_events.id is 'The same in every delivery: receivers drop what they know. Header webhook-id.';
comment on column mashup.outgoing_events.job_id is 'The job, which may have been deleted since.';
comment on column mashup.outgoing_events.payload is '{type, timestamp, data}: the body of the webhook, and the notification with its id.';
comment on column mashup.outgoing_events.not_before is 'When the event is due, or due again.';
create index outgoing_events_due on mashup.outgoing_events (not_before) where delivered_at is null;
create index outgoing_events_by_job on mashup.outgoing_events (job_id, seq) where delivered_at is null;
