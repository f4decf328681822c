-- The tables. Tenants see the four in public (rows by policy, columns by grant); schema mashup is not exposed.

create table mashup.stages (
  stage         text primary key,
  position      smallint not null unique,
  is_terminal   boolean not null,
  progress_from real not null,
  progress_to   real not null,
  step          text not null
);
comment on table mashup.stages is 'The states of a job, in order, with the band of progress that each covers and what the user reads on entry.';

insert into mashup.stages values
  ('queued',     0, false,   0,   0, 'Waiting for a free slot'),
  ('analyzing',  1, false,   0,  50, 'Analysing the songs'),
  ('scoring',    2, false,  50,  60, 'Comparing the songs'),
  ('planning',   3, false,  60,  75, 'Planning the mashup'),
  ('separating', 4, false,  75,  80, 'Separating the stems'),
  ('rendering',  5, false,  80, 100, 'Rendering the mashup'),
  ('complete',   6, true,  100, 100, 'Done'),
  ('failed',     7, true,    0, 100, 'Failed'),
  ('cancelled',  8, true,    0, 100, 'Cancelled');

create table mashup.transitions (
  from_stage text not null references mashup.stages,
  to_stage   text not null references mashup.stages,
  name       text not null check (name in ('admit', 'advance', 'fail', 'replan', 'cancel', 'replay')),
  made_by    text not null check (made_by in ('engine', 'operator')),
  needs      text check (needs in ('analyses', 'scores', 'plan', 'stems')),
  primary key (from_stage, to_stage, name)
);
comment on table mashup.transitions is 'The legal moves: who makes them, and what must be there first. Read by check_transition, by the tests and by the diagram in docs/explanation/architecture.md.';

insert into mashup.transitions (from_stage, to_stage, name, made_by) values
  ('queued', 'analyzing', 'admit', 'engine'),
  ('queued', 'planning', 'admit', 'engine'),
  ('analyzing', 'scoring', 'advance', 'engine'),
  ('scoring', 'planning', 'advance', 'engine'),
  ('planning', 'separating', 'advance', 'engine'),
  ('separating', 'rendering', 'advance', 'engine'),
  ('rendering', 'complete', 'advance', 'engine'),
  ('planning', 'planning', 'replan', 'engine'),
  ('separating', 'planning', 'replan', 'engine'),
  ('rendering', 'planning', 'replan', 'engine');
insert into mashup.transitions (from_stage, to_stage, name, made_by)
  select stage, 'failed', 'fail', 'engine' from mashup.stages where not is_terminal
  union all
  select stage, 'cancelled', 'cancel', 'operator' from mashup.stages where not is_terminal;
-- A replay goes to the same or an earlier stage from a running one, and to any stage with work from a terminal one.
insert into mashup.transitions (from_stage, to_stage, name, made_by, needs)
  select f.stage, t.stage, 'replay', 'operator',
         case t.stage when 'scoring' then 'analyses' when 'planning' then 'scores'
                      when 'separating' then 'plan' when 'rendering' then 'stems' end
  from mashup.stages f, mashup.stages t
  where not t.is_terminal and t.position <= f.position;

create table mashup.task_kinds (
  kind         text primary key,
  stage        text not null references mashup.stages,
  service      text not null,
  priority     smallint not null,
  max_attempts smallint not null check (max_attempts > 0),
  backoff_sec  real not null,
  backoff_max_sec real not null,
  timeout_sec  real not null,
  -- For kinds that can do without their service: how long to wait for it before doing so.
  fallback_after_sec real
);
comment on table mashup.task_kinds is 'What each kind of task needs and how it is retried. priority: lower runs first. timeout_sec: longest time one attempt may take.';

insert into mashup.task_kinds values
  ('analyze',  'analyzing',  'analysis',     0,  4, 1, 30,  300, null),
  ('score',    'scoring',    'scoring',     -10, 4, 1, 30,   60, 20),
  ('plan',     'planning',   'orchestrator',-10, 3, 2, 60,  420, 60),
  ('separate', 'separating', 'separation',   10, 4, 2, 60,  1800, null),
  ('render',   'rendering',  'processing',  -5,  3, 2, 60,  1800, null);

-- No foreign keys to users and parents: a row that is updated twice in one transaction has its references checked, and the
-- check would wait, with the job in hand, for a user or a parent who is being deleted and whose deletion waits for the job.
-- check_user takes their place on insert, delete_user_data on delete.
create table public.mashup_jobs (
  id                      uuid primary key default gen_random_uuid(),
  user_id                 uuid not null,
  stage                   text not null default 'queued' references mashup.stages,
  -- A plain column kept by the trigger: generated columns are not carried by logical replication.
  status                  text not null default 'processing' check (status in ('processing', 'complete', 'failed', 'cancelled')),
  waiting_on              text check (waiting_on in ('slot', 'tasks', 'circuit', 'pause', 'user')),
  queue_position          integer,
  progress                real not null default 0 check (progress between 0 and 100),
  current_step            text not null default '' check (length(current_step) <= 200),
  epoch                   integer not null default 1,
  version                 integer not null default 1,
  entry_stage             text not null default 'analyzing' references mashup.stages,
  songs                   jsonb not null check (jsonb_typeof(songs) = 'array' and jsonb_array_length(songs) between 1 and 3),
  options                 jsonb not null default '{}',
  score                   real,
  title                   text check (length(title) <= 200),
  concept                 text check (length(concept) <= 600),
  plan_version            integer,
  result_path             text check (length(result_path) <= 300),
  result                  jsonb,
  error_code              text check (length(error_code) <= 60),
  error_message           text check (length(error_message) <= 500),
  error_hint              text check (length(error_hint) <= 300),
  failed_task             bigint,
  stopped_stage           text references mashup.stages,
  warnings                jsonb not null default '[]' check (jsonb_typeof(warnings) = 'array'),
  estimated_completion_at timestamptz,
  -- The mashup that this one is a new version of; it may have been deleted.
  parent_id               uuid,
  feedback                text check (length(feedback) <= 1000),
  hold                    text check (hold = 'planning'),
  fresh                   boolean not null default false,
  admitted_at             timestamptz,
  idempotency_key         text check (length(idempotency_key) between 1 and 200),
  request_hash            text,
  created_at              timestamptz not null default mashup.now(),
  queued_at               timestamptz not null default mashup.now(),
  stage_entered_at        timestamptz not null default mashup.now(),
  updated_at              timestamptz not null default mashup.now(),
  finished_at             timestamptz,
  expired_at              timestamptz,
  constraint row_is_slim check (octet_length(songs::text) <= 3000 and octet_length(options::text) <= 900
    and octet_length(coalesce(result::text, '')) <= 1000 and octet_length(warnings::text) <= 1500),
  constraint complete_has_a_result check (stage <> 'complete' or result_path is not null or expired_at is not null),
  constraint failed_has_an_error check ((stage = 'failed') = (error_code is not null)),
  constraint status_follows_stage check (status = case when stage in ('complete', 'failed', 'cancelled') then stage else 'processing' end)
) with (fillfactor = 70, toast_tuple_target = 8160);
comment on table public.mashup_jobs is 'One row a job. `update … set stage = …` replays it from there. Slim: each change carries the whole row to its watchers.';
do $$
declare v_column text;
begin
  -- Inline storage: an unchanged out-of-line value would be missing from a Realtime change.
  foreach v_column in array array['songs', 'options', 'result', 'warnings', 'concept', 'error_message', 'feedback', 'title', 'current_step', 'error_hint'] loop
    execute format('alter table public.mashup_jobs alter column %I set storage main', v_column);
  end loop;
end
$$;

create unique index mashup_jobs_idempotency on public.mashup_jobs (user_id, idempotency_key) where idempotency_key is not null;
create index mashup_jobs_by_user on public.mashup_jobs (user_id, created_at desc);
create index mashup_jobs_live on public.mashup_jobs (user_id) where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null;
-- Two orders of the jobs that wait for a slot (drafts wait for their user instead): first come, and first of each user.
create index mashup_jobs_waiting on public.mashup_jobs (queued_at, id)
  where stage not in ('complete', 'failed', 'cancelled') and admitted_at is null and (hold is null or stage <> 'planning');
create index mashup_jobs_waiting_of_user on public.mashup_jobs (user_id, queued_at, id)
  where stage not in ('complete', 'failed', 'cancelled') and admitted_at is null and (hold is null or stage <> 'planning');
create index mashup_jobs_drafts on public.mashup_jobs (stage_entered_at) where hold = 'planning' and stage = 'planning';
create index mashup_jobs_finished on public.mashup_jobs (finished_at) where finished_at is not null;
create index mashup_jobs_failed on public.mashup_jobs (error_code, finished_at) where stage = 'failed';
create index mashup_jobs_children on public.mashup_jobs (parent_id) where parent_id is not null;

create table public.mashup_plans (
  job_id     uuid not null references public.mashup_jobs (id) on delete cascade,
  version    integer not null,
  epoch      integer not null,
  source     text not null check (source in ('claude', 'rules')),
  plan       jsonb not null,
  song_ids   text[] not null,
  model      text,
  tokens     jsonb,
  cost_usd   numeric(10, 5),
  changes    text,
  created_at timestamptz not null default mashup.now(),
  primary key (job_id, version)
);
comment on table public.mashup_plans is 'Every plan that was made for a job; mashup_jobs.plan_version points to the current one.';

create table public.mashup_results (
  job_id     uuid not null references public.mashup_jobs (id) on delete cascade,
  epoch      integer not null,
  path       text not null,
  quality    jsonb not null,
  plan_version integer,
  created_at timestamptz not null default mashup.now(),
  primary key (job_id, epoch)
);
comment on table public.mashup_results is 'Every result that was rendered; mashup_jobs.result_path points to the current one.';

create table public.mashup_job_events (
  id         bigint generated always as identity primary key,
  job_id     uuid not null references public.mashup_jobs (id) on delete cascade,
  epoch      integer not null,
  type       text not null check (type in ('submitted', 'stage', 'task', 'retry', 'warning', 'error', 'replay', 'cancel', 'pause', 'resume', 'release', 'expired')),
  stage      text not null,
  from_stage text,
  song_id    text,
  message    text not null check (length(message) <= 500),
  actor      text,
  detail     jsonb,
  created_at timestamptz not null default mashup.now()
);
comment on table public.mashup_job_events is 'Append-only history of a job. actor and detail are for operators: tenants have no right to those columns.';
create index mashup_job_events_by_job on public.mashup_job_events (job_id, id);

create table mashup.workers (
  id            uuid primary key,
  host          text not null,
  pid           integer not null,
  pool_ids      text[] not null default '{}',
  lock_key      bigint not null unique,
  version       text not null,
  concurrency   integer not null default 1,
  services      jsonb not null default '{}',
  solo_task     bigint,
  registered_at timestamptz not null default mashup.now(),
  seen_at       timestamptz not null default mashup.now(),
  draining      boolean not null default false
);
comment on table mashup.workers is 'Worker processes. Each holds a session advisory lock on lock_key: the lock is gone as soon as the process is.';

create table mashup.tasks (
  id            bigint generated always as identity primary key,
  job_id        uuid not null references public.mashup_jobs (id) on delete cascade,
  kind          text not null references mashup.task_kinds,
  song_id       text,
  epoch         integer not null,
  state         text not null default 'waiting' check (state in ('waiting', 'ready', 'running', 'done', 'failed', 'dropped')),
  priority      smallint not null,
  run_at        timestamptz not null default mashup.now(),
  -- Wake-ups handed out so far; with the id it is the wake-up's key.
  attempt       integer not null default 0,
  -- Attempts that ended in a fault that counts.
  failures      integer not null default 0,
  crashes       integer not null default 0,
  solo_crashes  integer not null default 0,
  is_probe      boolean not null default false,
  -- Released to do without its service, which is away.
  fallback      boolean not null default false,
  claim         uuid,
  worker_id     uuid,
  started_at    timestamptz,
  lease_until   timestamptz,
  deadline_at   timestamptz,
  held_until    timestamptz,
  output_prefix text,
  error         jsonb,
  created_at    timestamptz not null default mashup.now(),
  finished_at   timestamptz,
  constraint running_is_held check ((state = 'running') = (claim is not null)),
  constraint claim_is_whole check ((claim is null) = (worker_id is null) and (claim is null) = (lease_until is null))
) with (fillfactor = 80);
comment on table mashup.tasks is 'One row a unit of work. waiting: not yet allowed; ready: has a wake-up; running: held by a worker under a claim.';
create unique index tasks_one_live on mashup.tasks (job_id, epoch, kind, song_id) nulls not distinct where state not in ('dropped', 'failed');
create index tasks_by_job on mashup.tasks (job_id, epoch);
create index tasks_waiting on mashup.tasks (kind, run_at, id) where state = 'waiting';
create index tasks_ready on mashup.tasks (run_at) where state = 'ready';
create index tasks_running on mashup.tasks (worker_id) where state = 'running';
create index tasks_holding on mashup.tasks (held_until) where held_until is not null;

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
comment on table mashup.analyses is 'Cache of analyses by owner, content and analyser. Never shared between users.';

create table mashup.stems (
  id           bigint generated always as identity primary key,
  user_id      uuid not null,
  content_hash text not null,
  model        text not null,
  paths        jsonb not null,
  created_at   timestamptz not null default mashup.now(),
  used_at      timestamptz not null default mashup.now(),
  unique (user_id, content_hash, model)
);
comment on table mashup.stems is 'Cache of stems by owner, content and model. paths: stem name to object path.';

create table mashup.scores (
  job_id     uuid not null references public.mashup_jobs (id) on delete cascade,
  epoch      integer not null,
  pairs      jsonb not null,
  created_at timestamptz not null default mashup.now(),
  primary key (job_id, epoch)
);
comment on table mashup.scores is 'Pair scores of a job, one row for each time they were worked out; the newest counts.';

create table mashup.plan_receipts (
  id           bigint generated always as identity primary key,
  job_id       uuid not null references public.mashup_jobs (id) on delete cascade,
  request_hash text not null,
  answer       jsonb not null,
  tokens       jsonb,
  cost_usd     numeric(10, 5),
  created_at   timestamptz not null default mashup.now()
);
comment on table mashup.plan_receipts is 'Answers that were paid for. Append-only and not fenced: even a late worker''s answer is kept and used.';
create index plan_receipts_by_request on mashup.plan_receipts (job_id, request_hash);

create table mashup.stage_stats (
  kind         text primary key references mashup.task_kinds,
  samples      integer not null default 0,
  base_sec     real not null,
  -- Seconds of work for each second of song (analyze, separate: of that song; render: of all songs).
  per_song_sec real not null,
  mean_sec     real not null
);
comment on table mashup.stage_stats is 'Measured durations by kind of task: the source of estimates. Starts with guesses, corrected as tasks end.';
insert into mashup.stage_stats (kind, base_sec, per_song_sec, mean_sec) values
  ('analyze', 0.5, 0.03, 5), ('score', 0.2, 0, 0.2), ('plan', 1, 0, 3), ('separate', 1, 0.15, 20), ('render', 3, 0.1, 25);

create table mashup.service_health (
  service     text primary key,
  state       text not null default 'closed' check (state in ('closed', 'open', 'half_open')),
  failures    integer not null default 0,
  opens       integer not null default 0,
  opened_at   timestamptz,
  retry_at    timestamptz,
  probe_task  bigint,
  last_error  text,
  updated_at  timestamptz not null default mashup.now()
);
comment on table mashup.service_health is 'One circuit breaker a service. open: its tasks wait; half_open: one probe is on its way.';
insert into mashup.service_health (service) select distinct service from mashup.task_kinds;

create table mashup.pauses (
  scope      text not null check (scope in ('system', 'user', 'job', 'kind', 'service')),
  key        text not null default '',
  reason     text not null,
  until      timestamptz,
  actor      text not null,
  created_at timestamptz not null default mashup.now(),
  primary key (scope, key)
);
comment on table mashup.pauses is 'What an operator has paused. A paused task finishes what it is doing; nothing new starts.';

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
comment on table mashup.storage_deletions is 'Outbox: objects that a worker deletes through the Storage API. Rows of storage.objects are never deleted by SQL.';
create index storage_deletions_due on mashup.storage_deletions (not_before);
