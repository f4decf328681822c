-- Edits of a plan by hand. Kept beside the jobs, because they would not fit into a row of a job.

create table mashup.plan_edits (
  job_id       uuid primary key references public.mashup_jobs (id) on delete cascade,
  base_version integer not null,
  base         jsonb not null,
  edits        jsonb not null check (jsonb_typeof(edits) = 'array' and octet_length(edits::text) <= 12000),
  created_at   timestamptz not null default mashup.now()
);
revoke all on mashup.plan_edits from public, anon, authenticated, service_role;
grant select on mashup.plan_edits to mashup_worker;
comment on table mashup.plan_edits is
  'The edits of a job that edit_mashup made: its plan task applies them to a copy of the parent''s plan, so that a replay gives the same plan when the parent is changed or deleted.';
comment on column mashup.plan_edits.base_version is 'Version of the plan in the parent.';
comment on column mashup.plan_edits.base is 'The plan that is edited.';
comment on column mashup.plan_edits.edits is 'PlanEdit[] of schema/edits.ts, in the order in which they are applied.';
