-- Workers and their tasks, and what limits them: services, circuits, pauses, measured durations.

create table mashup.workers (
  id            uuid primary key,
  host          text not null,
  pid           integer not null,
  pool_ids      text[] not null default '{}',
  lock_key      bigint not null unique,
  version       text not null,
  protocol      integer not null default 1,
  concurrency   integer not null default 1,
  services      jsonb not null default '{}',
  solo_task     bigint,
  registered_at timestamptz not null default mashup.now(),
  seen_at       timestamptz not null default mashup.now(),
  draining      boolean not null default false
);
revoke all on mashup.workers from public, anon, authenticated, service_role;
grant select on mashup.workers to mashup_worker;
comment on table mashup.workers is 'Worker processes. Each holds a session advisory lock on lock_key, which is free as soon as the process has ended.';
comment on column mashup.workers.pool_ids is 'Graphile Worker pools of the process. Their queue entries are unlocked when the worker is lost.';
comment on column mashup.workers.protocol is 'Number of the protocol that the worker speaks; see mashup.protocol_version.';
comment on column mashup.workers.concurrency is 'Tasks that the worker runs at one time.';
comment on column mashup.workers.services is 'Version of each service, by name.';
comment on column mashup.workers.solo_task is 'The task that the worker runs alone or waits to run alone. It claims no other one.';
comment on column mashup.workers.draining is 'Whether the worker is stopping, or too old for this schema. It claims nothing.';

create table mashup.tasks (
  id            bigint generated always as identity primary key,
  job_id        uuid not null references public.mashup_jobs (id) on delete cascade,
  kind          text not null references mashup.task_kinds,
  song_id       text,
  epoch         integer not null,
  state         text not null default 'waiting' check (state in ('waiting', 'ready', 'running', 'done', 'failed', 'dropped')),
  priority      smallint not null,
  run_at        timestamptz not null default mashup.now(),
  attempt       integer not null default 0,
  failures      integer not null default 0,
  crashes       integer not null default 0,
  solo_crashes  integer not null default 0,
  lost_by       uuid,
  lost_at       timestamptz,
  is_probe      boolean not null default false,
  fallback      boolean not null default false,
  is_studio     boolean not null default false,
  claim         uuid,
  worker_id     uuid,
  started_at    timestamptz,
  lease_until   timestamptz,
  deadline_at   timestamptz,
  held_until    timestamptz,
  heard_at      timestamptz,
  silence_sec   real,
  place         integer,
  output_prefix text,
  opening       jsonb,
  error         jsonb,
  created_at    timestamptz not null default mashup.now(),
  finished_at   timestamptz,
  constraint running_is_held check ((state = 'running') = (claim is not null)),
  constraint claim_is_whole check ((claim is null) = (worker_id is null) and (claim is null) = (lease_until is null))
) with (fillfactor = 80);
revoke all on mashup.tasks from public, anon, authenticated, service_role;
grant select on mashup.tasks to mashup_worker;
comment on table mashup.tasks is 'One row for each unit of work. Attempts, back-off and leases are counted here; the queue is only a cache.';
comment on column mashup.tasks.state is
  'waiting: may not run yet. ready: has a queue entry. running: claimed by a worker. done, failed, dropped (no longer needed): finished.';
comment on column mashup.tasks.run_at is 'When a waiting task is due, or a ready task may be claimed.';
comment on column mashup.tasks.attempt is 'Queue entries made so far. mashup:<id>:<attempt> is the key of the entry.';
comment on column mashup.tasks.failures is 'Attempts that ended in a fault that counts towards max_attempts.';
comment on column mashup.tasks.crashes is 'Worker processes that ended while they ran the task.';
comment on column mashup.tasks.solo_crashes is 'Workers that were lost while they ran the task alone.';
comment on column mashup.tasks.lost_by is 'The worker that the last crash was counted for. If it returns, it was alive, and the crash is taken back.';
comment on column mashup.tasks.lost_at is 'When the lost worker was last seen. Null once the task is claimed again.';
comment on column mashup.tasks.is_probe is 'Whether the task tests a service, or Storage, while the circuit breaker is half-open.';
comment on column mashup.tasks.fallback is 'Whether the task was dispatched to run without its unavailable service. It takes no place there.';
comment on column mashup.tasks.is_studio is 'Whether the task is one of a studio version: it waits until no other task of its kind does, and leaves a place at its service free.';
comment on column mashup.tasks.claim is 'The claim token. Every write of a worker names it.';
comment on column mashup.tasks.lease_until is 'Until when the claim is valid without a heartbeat.';
comment on column mashup.tasks.deadline_at is 'When the attempt exceeds timeout_sec of its kind.';
comment on column mashup.tasks.held_until is 'Until when a dropped task counts against the limit of its service.';
comment on column mashup.tasks.heard_at is 'When the attempt began, or its service last sent an event.';
comment on column mashup.tasks.silence_sec is 'Seconds after heard_at at which the call ends as unanswered.';
comment on column mashup.tasks.place is 'Number of the place at its service that a ready or running task holds, and later held.';
comment on column mashup.tasks.output_prefix is 'Where the claim may write in Storage.';
comment on column mashup.tasks.opening is 'Stems of what the opening plays of a song, which a separate task reported while it separates the rest: {claim, paths: as in stems.paths, model, folder: of the parts, if the claim renders the opening}. Valid while that claim is.';
comment on column mashup.tasks.error is 'Why the last attempt failed or the task was dropped: {code, message, hint}.';
create unique index tasks_one_live on mashup.tasks (job_id, epoch, kind, song_id) nulls not distinct where state not in ('dropped', 'failed');
create index tasks_by_job on mashup.tasks (job_id, epoch);
create index tasks_waiting on mashup.tasks (kind, is_studio, run_at, id) where state = 'waiting';
create index tasks_ready on mashup.tasks (run_at) where state = 'ready';
create index tasks_lost on mashup.tasks (lost_by) where lost_by is not null;
create index tasks_running on mashup.tasks (worker_id) where state = 'running';
create index tasks_holding on mashup.tasks (held_until) where held_until is not null;

create table mashup.places (
  service    text not null,
  n          integer not null,
  task_id    bigint,
  held_until timestamptz,
  is_open    boolean not null default true,
  primary key (service, n)
) with (fillfactor = 20);
revoke all on mashup.places from public, anon, authenticated, service_role;
comment on table mashup.places is 'The places of each service, as many as service_limits says: a task that is ready or running holds one.';
comment on column mashup.places.task_id is 'The task that holds the place; null: it is free.';
comment on column mashup.places.held_until is 'Until when a free place counts as taken, because the call of a dropped task may go on.';
comment on column mashup.places.is_open is 'Whether the limit allows the place. A closed one is not taken again.';

create view mashup.place_limits as
  select k.service, coalesce((select (s.value ->> k.service)::integer from mashup.settings s where s.name = 'service_limits'), 1) as at_most
  from (select distinct service from mashup.task_kinds) k;
revoke all on mashup.place_limits from public, anon, authenticated, service_role;
comment on view mashup.place_limits is 'How many places each service has.';

create table mashup.stage_stats (
  kind         text primary key references mashup.task_kinds,
  samples      integer not null default 0,
  base_sec     real not null,
  per_song_sec real not null,
  mean_sec     real not null,
  model_factor real not null default 10,
  edit_factor  real not null default 0.4,
  is_by_length boolean not null default false
);
revoke all on mashup.stage_stats from public, anon, authenticated, service_role;
comment on table mashup.stage_stats is 'Durations by kind of task, the source of estimates. Starts with guesses; each finished task corrects it.';
comment on column mashup.stage_stats.samples is 'Durations measured so far.';
comment on column mashup.stage_stats.base_sec is 'Seconds that do not depend on the songs.';
comment on column mashup.stage_stats.per_song_sec is
  'Seconds of work for each second of song: of its own song, or of all songs for kinds with one task for the job. For each second of the mashup where is_by_length.';
comment on column mashup.stage_stats.mean_sec is 'Mean duration in seconds, exponentially weighted.';
comment on column mashup.stage_stats.is_by_length is 'Whether the work depends on the length of the mashup, not on that of its songs.';
comment on column mashup.stage_stats.edit_factor is
  'Of render: the part of the usual time that a version takes of which only levels were edited: what did not change comes from the cache.';
comment on column mashup.stage_stats.model_factor is 'Of separate: how many times as long a task takes if the model separates.';

create table mashup.service_health (
  service    text primary key,
  state      text not null default 'closed' check (state in ('closed', 'open', 'half_open')),
  failures   integer not null default 0,
  opens      integer not null default 0,
  opened_at  timestamptz,
  retry_at   timestamptz,
  probe_task bigint,
  last_error text,
  faults     integer not null default 0,
  last_fault text,
  fault_at   timestamptz,
  checked_at timestamptz,
  heard_at   timestamptz,
  unanswered_since timestamptz,
  updated_at timestamptz not null default mashup.now()
);
revoke all on mashup.service_health from public, anon, authenticated, service_role;
grant select on mashup.service_health to mashup_worker;
comment on table mashup.service_health is 'The circuit breaker of each service, and of Storage.';
comment on column mashup.service_health.state is 'closed: calls pass. open: tasks wait. half_open: one probe is running.';
comment on column mashup.service_health.failures is 'Consecutive availability faults.';
comment on column mashup.service_health.faults is 'Consecutive calls that the service answered with a fault of its own, such as status 500. They count towards the attempts of the task and do not open the circuit.';
comment on column mashup.service_health.opens is 'How often the circuit opened since it was last closed: the exponent of its wait.';
comment on column mashup.service_health.retry_at is 'When an open circuit is due for a probe.';
comment on column mashup.service_health.probe_task is 'The task that is the probe.';
comment on column mashup.service_health.checked_at is 'When a worker last began to ask the service for its health.';
comment on column mashup.service_health.heard_at is 'When a worker last had an answer to that.';
comment on column mashup.service_health.unanswered_since is 'Since when calls and checks have had no answer of the service; null: the last one had.';
comment on column mashup.service_health.last_error is 'Kept for a while after the circuit closed: waiting tasks then return spread over some seconds.';

create table mashup.separation_models (
  only_row  boolean primary key default true check (only_row),
  classical text not null,
  neural    text,
  used      text not null,
  seen_at   timestamptz not null default mashup.now()
);
revoke all on mashup.separation_models from public, anon, authenticated, service_role;
grant select on mashup.separation_models to mashup_worker;
comment on table mashup.separation_models is
  'The models of the separation service, as workers last saw them. One row; none: the service does not name its models, and stems of any model are used.';
comment on column mashup.separation_models.classical is 'Model of separations with method classical.';
comment on column mashup.separation_models.neural is 'Model of separations with method neural; null: there is none.';
comment on column mashup.separation_models.used is 'Model of separations with method auto: one of the two.';
comment on column mashup.separation_models.seen_at is 'When the models last changed.';

create table mashup.pauses (
  scope      text not null check (scope in ('system', 'user', 'job', 'kind', 'service')),
  key        text not null default '',
  reason     text not null,
  until      timestamptz,
  actor      text not null,
  created_at timestamptz not null default mashup.now(),
  primary key (scope, key)
);
revoke all on mashup.pauses from public, anon, authenticated, service_role;
grant select on mashup.pauses to mashup_worker;
comment on table mashup.pauses is 'What operators have paused. Running tasks finish; nothing new starts.';
comment on column mashup.pauses.key is 'The user or job id, the kind or the service; empty for the system.';
comment on column mashup.pauses.until is 'When the pause ends by itself; null: never.';
