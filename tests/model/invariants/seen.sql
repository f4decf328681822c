-- What the invariants keep between two checks: each job as the last check saw it.
create schema model;
grant usage on schema model to public;

create table model.seen (
  job_id uuid primary key, epoch integer, version integer, progress real, digest text, events integer, last_event bigint
);
