-- What tasks have made, kept for later runs: analyses, stems, scores, answers of the orchestrator and their costs.

create table mashup.analyses (
  id           bigint generated always as identity primary key,
  user_id      uuid not null,
  content_hash text not null,
  version      text not null,
  analysis     jsonb not null,
  created_at   timestamptz not null default mashup.now(),
  used_at      timestamptz not null default mashup.now(),
  unique (user_id, content_hash, version)
);
revoke all on mashup.analyses from public, anon, authenticated, service_role;
grant select on mashup.analyses to mashup_worker;
comment on table mashup.analyses is 'Cache of analyses by owner, content and version of the analyser. Not shared between users.';
comment on column mashup.analyses.content_hash is 'SHA-256 of the bytes of the file, hex.';
create index analyses_by_use on mashup.analyses (used_at);

create table mashup.stems (
  id           bigint generated always as identity primary key,
  user_id      uuid not null,
  content_hash text not null,
  model        text not null,
  method       text not null default 'service' check (method in ('classical', 'neural', 'own', 'service')),
  layout       text not null default 'four_stems' check (layout in ('four_stems', 'voices_only', 'no_drums')),
  paths        jsonb not null,
  created_at   timestamptz not null default mashup.now(),
  used_at      timestamptz not null default mashup.now(),
  unique (user_id, content_hash, model, layout)
);
revoke all on mashup.stems from public, anon, authenticated, service_role;
grant select on mashup.stems to mashup_worker;
comment on table mashup.stems is 'Cache of stems by owner, content, separation model and layout.';
comment on column mashup.stems.model is 'What separated the song, with its version: dsp-4, htdemucs-da9e5101; own: its user gave all stems; own+dsp-4: some, and dsp-4 separated the others.';
comment on column mashup.stems.method is 'classical, neural, own (uploaded by the user), or service: a separation service that does not name its models.';
comment on column mashup.stems.layout is 'voices_only: all of the sound is vocals. no_drums: what would be drums and bass is other. The name of a song decides it together with its analysis.';
comment on column mashup.stems.paths is 'By stem (vocals, drums, bass, other): its path in bucket mashups, or an array of the paths of its parts in order. Of a song in pieces: {pieces: [{start_sec, end_sec, and by stem its path or paths}]}, ascending.';
create index stems_by_use on mashup.stems (used_at);

create table mashup.scores (
  job_id     uuid not null references public.mashup_jobs (id) on delete cascade,
  epoch      integer not null,
  pairs      jsonb not null,
  created_at timestamptz not null default mashup.now(),
  primary key (job_id, epoch)
);
revoke all on mashup.scores from public, anon, authenticated, service_role;
grant select on mashup.scores to mashup_worker;
comment on table mashup.scores is 'Pair scores of a job, one row for each run of its score task. The newest is used.';
comment on column mashup.scores.pairs is 'PairScore[].';

create table mashup.plan_receipts (
  id           bigint generated always as identity primary key,
  job_id       uuid not null references public.mashup_jobs (id) on delete cascade,
  request_hash text not null,
  answer       jsonb not null,
  tokens       jsonb,
  cost_usd     numeric(10, 5),
  created_at   timestamptz not null default mashup.now()
);
revoke all on mashup.plan_receipts from public, anon, authenticated, service_role;
grant select on mashup.plan_receipts to mashup_worker;
comment on table mashup.plan_receipts is
  'Paid answers of the orchestrator. Append-only and not fenced: the answer of a late worker is kept and used as well.';
comment on column mashup.plan_receipts.request_hash is 'SHA-256 of the request, hex. An equal request reuses the answer.';
create index plan_receipts_by_request on mashup.plan_receipts (job_id, request_hash);

create table mashup.plan_spend (
  day      date not null,
  user_id  uuid not null,
  calls    integer not null,
  cost_usd numeric(12, 5) not null,
  primary key (day, user_id)
);
revoke all on mashup.plan_spend from public, anon, authenticated, service_role;
grant select on mashup.plan_spend to mashup_worker;
comment on table mashup.plan_spend is
  'Costs of plans by day (UTC) and user. A row stays when a job is deleted, so that a deletion does not restore a budget.';

create function mashup.count_plan_spend() returns trigger
  language plpgsql set search_path = ''
  as $$
declare
  v_day date := (mashup.now() at time zone 'utc')::date;
begin
  insert into mashup.plan_spend as s (day, user_id, calls, cost_usd)
    select v_day, j.user_id, 1, greatest(coalesce(new.cost_usd, mashup.setting_number('plan_assumed_cost_usd')::numeric, 0), 0)
    from public.mashup_jobs j where j.id = new.job_id
    on conflict (day, user_id) do update set calls = s.calls + 1, cost_usd = s.cost_usd + excluded.cost_usd;
  delete from mashup.plan_spend s where s.day < v_day - mashup.setting_number('plan_spend_retention_days')::integer;
  return null;
end
$$;
comment on function mashup.count_plan_spend() is 'Trigger: adds a receipt to the ledger of its day and user.';
create trigger count_plan_spend after insert on mashup.plan_receipts for each row execute function mashup.count_plan_spend();

revoke execute on all functions in schema mashup from public;
