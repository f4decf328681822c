-- A snapshot of the database schema, read from the catalog after all migrations. Do not edit and do not run it.
-- Sources: supabase/schemas/. Update with: npm run schema:snapshot

create schema mashup;
comment on schema mashup is 'The state machine of the mashup engine. Not exposed by the API.';
grant usage on schema mashup to authenticated;
grant usage on schema mashup to mashup_worker;
grant usage on schema mashup to service_role;

create role mashup_worker bypassrls;

create table mashup.analyses (
  id bigint generated always as identity not null,
  user_id uuid not null,
  content_hash text not null,
  version text not null,
  analysis jsonb not null,
  created_at timestamp with time zone default mashup.now() not null,
  used_at timestamp with time zone default mashup.now() not null,
  constraint analyses_pkey PRIMARY KEY (id),
  constraint analyses_user_id_content_hash_version_key UNIQUE (user_id, content_hash, version)
);
comment on table mashup.analyses is 'Cache of analyses by owner, content and version of the analyser. Not shared between users.';
comment on column mashup.analyses.content_hash is 'SHA-256 of the bytes of the file, hex.';
CREATE INDEX analyses_by_use ON mashup.analyses USING btree (used_at);
grant select on mashup.analyses to mashup_worker;

create table mashup.call_counts (
  user_id uuid not null,
  action text not null,
  since timestamp with time zone not null,
  calls integer not null,
  constraint call_counts_pkey PRIMARY KEY (user_id, action),
  constraint call_counts_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE
);
comment on table mashup.call_counts is 'Requests of a user in the minute that began at since. Jobs cannot be counted instead: a deletion would undo a submission, and a replay makes no row.';
comment on column mashup.call_counts.action is 'run, upload, stems or share.';

create table mashup.maintenance_runs (
  name text not null,
  done_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  constraint maintenance_runs_pkey PRIMARY KEY (name)
);
comment on table mashup.maintenance_runs is 'When the sweep and each periodic part of it were last done, by any worker. The row interruption says when the sweep last ran again after a time without it.';

create table mashup.outgoing_events (
  seq bigint generated always as identity not null,
  id uuid default gen_random_uuid() not null,
  job_id uuid not null,
  type text not null,
  payload jsonb not null,
  not_before timestamp with time zone default mashup.now() not null,
  attempts integer default 0 not null,
  last_error text,
  created_at timestamp with time zone default mashup.now() not null,
  delivered_at timestamp with time zone,
  constraint outgoing_events_id_key UNIQUE (id),
  constraint outgoing_events_pkey PRIMARY KEY (seq),
  constraint outgoing_events_type_check CHECK ((type = ANY (ARRAY['job.complete'::text, 'job.failed'::text, 'job.cancelled'::text, 'job.expired'::text, 'job.taken_down'::text, 'job.studio_version'::text])))
);
comment on table mashup.outgoing_events is 'Outbox of events for other programs. Workers deliver them at least once, those of one job in order: as notification on channel mashup_events, and to the webhook. Kept for a week.';
comment on column mashup.outgoing_events.id is 'The same in every delivery: receivers drop what they know. Header webhook-id.';
comment on column mashup.outgoing_events.job_id is 'The job, which may have been deleted since.';
comment on column mashup.outgoing_events.payload is '{type, timestamp, data}: the body of the webhook, and the notification with its id.';
comment on column mashup.outgoing_events.not_before is 'When the event is due, or due again.';
CREATE INDEX outgoing_events_by_job ON mashup.outgoing_events USING btree (job_id, seq) WHERE (delivered_at IS NULL);
CREATE INDEX outgoing_events_due ON mashup.outgoing_events USING btree (not_before) WHERE (delivered_at IS NULL);
grant select on mashup.outgoing_events to mashup_worker;

create table mashup.own_stems (
  id bigint generated always as identity not null,
  user_id uuid not null,
  files jsonb not null,
  has_song boolean not null,
  created_at timestamp with time zone default mashup.now() not null,
  constraint own_stems_files_check CHECK (((jsonb_typeof(files) = 'object'::text) AND (octet_length((files)::text) <= 2000))),
  constraint own_stems_pkey PRIMARY KEY (id)
);
comment on table mashup.own_stems is 'Stems that users gave with a song. The card of the song has the id as own_stems_id.';
comment on column mashup.own_stems.files is 'By stem (vocals, drums, bass, other, instrumental): its path in bucket mashups, below the uploads of the user.';
comment on column mashup.own_stems.has_song is 'Whether the song was given as well. If not, it is the sum of the stems.';
CREATE INDEX own_stems_by_age ON mashup.own_stems USING btree (created_at);
CREATE INDEX own_stems_by_user ON mashup.own_stems USING btree (user_id);
grant select on mashup.own_stems to mashup_worker;

create table mashup.pauses (
  scope text not null,
  key text default ''::text not null,
  reason text not null,
  until timestamp with time zone,
  actor text not null,
  created_at timestamp with time zone default mashup.now() not null,
  constraint pauses_pkey PRIMARY KEY (scope, key),
  constraint pauses_scope_check CHECK ((scope = ANY (ARRAY['system'::text, 'user'::text, 'job'::text, 'kind'::text, 'service'::text])))
);
comment on table mashup.pauses is 'What operators have paused. Running tasks finish; nothing new starts.';
comment on column mashup.pauses.key is 'The user or job id, the kind or the service; empty for the system.';
comment on column mashup.pauses.until is 'When the pause ends by itself; null: never.';
grant select on mashup.pauses to mashup_worker;
CREATE TRIGGER mark_all_jobs_stale AFTER INSERT OR DELETE OR UPDATE ON mashup.pauses FOR EACH STATEMENT EXECUTE FUNCTION mashup.mark_all_jobs_stale();
CREATE TRIGGER request_schedule AFTER INSERT OR DELETE OR UPDATE ON mashup.pauses FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule('all');
CREATE CONSTRAINT TRIGGER schedule AFTER INSERT OR DELETE OR UPDATE ON mashup.pauses DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();

create table mashup.places (
  service text not null,
  n integer not null,
  task_id bigint,
  held_until timestamp with time zone,
  is_open boolean default true not null,
  constraint places_pkey PRIMARY KEY (service, n)
) with (fillfactor=20);
comment on table mashup.places is 'The places of each service, as many as service_limits says: a task that is ready or running holds one.';
comment on column mashup.places.task_id is 'The task that holds the place; null: it is free.';
comment on column mashup.places.held_until is 'Until when a free place counts as taken, because the call of a dropped task may go on.';
comment on column mashup.places.is_open is 'Whether the limit allows the place. A closed one is not taken again.';

create table mashup.plan_edits (
  job_id uuid not null,
  base_version integer not null,
  base jsonb not null,
  edits jsonb not null,
  created_at timestamp with time zone default mashup.now() not null,
  constraint plan_edits_edits_check CHECK (((jsonb_typeof(edits) = 'array'::text) AND (octet_length((edits)::text) <= 12000))),
  constraint plan_edits_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint plan_edits_pkey PRIMARY KEY (job_id)
);
comment on table mashup.plan_edits is 'The edits of a job that edit_mashup made: its plan task applies them to a copy of the parent''s plan, so that a replay gives the same plan when the parent is changed or deleted.';
comment on column mashup.plan_edits.base_version is 'Version of the plan in the parent.';
comment on column mashup.plan_edits.base is 'The plan that is edited.';
comment on column mashup.plan_edits.edits is 'PlanEdit[] of schema/edits.ts, in the order in which they are applied.';
grant select on mashup.plan_edits to mashup_worker;

create table mashup.plan_receipts (
  id bigint generated always as identity not null,
  job_id uuid not null,
  request_hash text not null,
  answer jsonb not null,
  tokens jsonb,
  cost_usd numeric(10,5),
  created_at timestamp with time zone default mashup.now() not null,
  constraint plan_receipts_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint plan_receipts_pkey PRIMARY KEY (id)
);
comment on table mashup.plan_receipts is 'Paid answers of the orchestrator. Append-only and not fenced: the answer of a late worker is kept and used as well.';
comment on column mashup.plan_receipts.request_hash is 'SHA-256 of the request, hex. An equal request reuses the answer.';
CREATE INDEX plan_receipts_by_request ON mashup.plan_receipts USING btree (job_id, request_hash);
grant select on mashup.plan_receipts to mashup_worker;
CREATE TRIGGER count_plan_spend AFTER INSERT ON mashup.plan_receipts FOR EACH ROW EXECUTE FUNCTION mashup.count_plan_spend();

create table mashup.plan_spend (
  day date not null,
  user_id uuid not null,
  calls integer not null,
  cost_usd numeric(12,5) not null,
  constraint plan_spend_pkey PRIMARY KEY (day, user_id)
);
comment on table mashup.plan_spend is 'Costs of plans by day (UTC) and user. A row stays when a job is deleted, so that a deletion does not restore a budget.';
grant select on mashup.plan_spend to mashup_worker;

create table mashup.scores (
  job_id uuid not null,
  epoch integer not null,
  pairs jsonb not null,
  created_at timestamp with time zone default mashup.now() not null,
  constraint scores_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint scores_pkey PRIMARY KEY (job_id, epoch)
);
comment on table mashup.scores is 'Pair scores of a job, one row for each run of its score task. The newest is used.';
comment on column mashup.scores.pairs is 'PairScore[].';
grant select on mashup.scores to mashup_worker;

create table mashup.separation_models (
  only_row boolean default true not null,
  classical text not null,
  neural text,
  used text not null,
  seen_at timestamp with time zone default mashup.now() not null,
  constraint separation_models_only_row_check CHECK (only_row),
  constraint separation_models_pkey PRIMARY KEY (only_row)
);
comment on table mashup.separation_models is 'The models of the separation service, as workers last saw them. One row; none: the service does not name its models, and stems of any model are used.';
comment on column mashup.separation_models.classical is 'Model of separations with method classical.';
comment on column mashup.separation_models.neural is 'Model of separations with method neural; null: there is none.';
comment on column mashup.separation_models.used is 'Model of separations with method auto: one of the two.';
comment on column mashup.separation_models.seen_at is 'When the models last changed.';
grant select on mashup.separation_models to mashup_worker;

create table mashup.service_health (
  service text not null,
  state text default 'closed'::text not null,
  failures integer default 0 not null,
  opens integer default 0 not null,
  opened_at timestamp with time zone,
  retry_at timestamp with time zone,
  probe_task bigint,
  last_error text,
  faults integer default 0 not null,
  last_fault text,
  fault_at timestamp with time zone,
  checked_at timestamp with time zone,
  heard_at timestamp with time zone,
  unanswered_since timestamp with time zone,
  updated_at timestamp with time zone default mashup.now() not null,
  constraint service_health_pkey PRIMARY KEY (service),
  constraint service_health_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])))
);
comment on table mashup.service_health is 'The circuit breaker of each service, and of Storage.';
comment on column mashup.service_health.state is 'closed: calls pass. open: tasks wait. half_open: one probe is running.';
comment on column mashup.service_health.failures is 'Consecutive availability faults.';
comment on column mashup.service_health.opens is 'How often the circuit opened since it was last closed: the exponent of its wait.';
comment on column mashup.service_health.retry_at is 'When an open circuit is due for a probe.';
comment on column mashup.service_health.probe_task is 'The task that is the probe.';
comment on column mashup.service_health.last_error is 'Kept for a while after the circuit closed: waiting tasks then return spread over some seconds.';
comment on column mashup.service_health.faults is 'Consecutive calls that the service answered with a fault of its own, such as status 500. They count towards the attempts of the task and do not open the circuit.';
comment on column mashup.service_health.checked_at is 'When a worker last began to ask the service for its health.';
comment on column mashup.service_health.heard_at is 'When a worker last had an answer to that.';
comment on column mashup.service_health.unanswered_since is 'Since when calls and checks have had no answer of the service; null: the last one had.';
grant select on mashup.service_health to mashup_worker;
CREATE TRIGGER mark_all_jobs_stale AFTER UPDATE OF state ON mashup.service_health FOR EACH ROW WHEN (((old.state = 'closed'::text) <> (new.state = 'closed'::text))) EXECUTE FUNCTION mashup.mark_all_jobs_stale();

create table mashup.settings (
  name text not null,
  value jsonb not null,
  description text not null,
  type text default 'number'::text not null,
  unit text,
  min numeric default 0 not null,
  max numeric,
  is_optional boolean default false not null,
  constraint settings_pkey PRIMARY KEY (name),
  constraint settings_type_check CHECK ((type = ANY (ARRAY['number'::text, 'integer'::text, 'boolean'::text, 'name'::text, 'time_of_separation'::text, 'numbers_by_service'::text])))
);
comment on table mashup.settings is 'Every limit, time and budget by name. An update applies to the next transaction.';
comment on column mashup.settings.value is 'A number, a name, an object of numbers by service, or null for a budget without a limit.';
comment on column mashup.settings.description is 'What the setting limits, and its unit.';
comment on column mashup.settings.type is 'What the value is: checked by check_setting.';
comment on column mashup.settings.unit is 'Unit of the number; null: a count.';
comment on column mashup.settings.min is 'Least number that is allowed.';
comment on column mashup.settings.max is 'Greatest number that is allowed; null: none.';
comment on column mashup.settings.is_optional is 'Whether the value may be null.';
grant select on mashup.settings to mashup_worker;
CREATE TRIGGER check_setting BEFORE INSERT OR UPDATE ON mashup.settings FOR EACH ROW EXECUTE FUNCTION mashup.check_setting();
CREATE TRIGGER keep_setting BEFORE DELETE OR UPDATE OF name ON mashup.settings FOR EACH ROW EXECUTE FUNCTION mashup.keep_setting();
CREATE TRIGGER request_schedule AFTER UPDATE ON mashup.settings FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule('all');
CREATE CONSTRAINT TRIGGER schedule AFTER UPDATE ON mashup.settings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();
CREATE TRIGGER sync_places AFTER UPDATE ON mashup.settings FOR EACH ROW WHEN ((new.name = 'service_limits'::text)) EXECUTE FUNCTION mashup.sync_places_with_limits();

create table mashup.share_counts (
  counter text not null,
  since timestamp with time zone not null,
  calls integer not null,
  constraint share_counts_pkey PRIMARY KEY (counter)
) with (fillfactor=50);
comment on table mashup.share_counts is 'Requests for public links in the minute that began at since. At most one row for each live link and 4,098 others, and no row is older than some minutes.';
comment on column mashup.share_counts.counter is 'all; link and its token; unknown: all tokens without a mashup; client and the number of a group of addresses, 0 to 4095, which changes every day.';

create table mashup.share_salt (
  only_row boolean default true not null,
  day date not null,
  salt uuid not null,
  constraint share_salt_only_row_check CHECK (only_row),
  constraint share_salt_pkey PRIMARY KEY (only_row)
);
comment on table mashup.share_salt is 'What addresses are hashed with on a day (UTC). Its loss makes their groups meaningless.';

create table mashup.stage_stats (
  kind text not null,
  samples integer default 0 not null,
  base_sec real not null,
  per_song_sec real not null,
  mean_sec real not null,
  model_factor real default 10 not null,
  edit_factor real default 0.4 not null,
  is_by_length boolean default false not null,
  constraint stage_stats_kind_fkey FOREIGN KEY (kind) REFERENCES mashup.task_kinds(kind),
  constraint stage_stats_pkey PRIMARY KEY (kind)
);
comment on table mashup.stage_stats is 'Durations by kind of task, the source of estimates. Starts with guesses; each finished task corrects it.';
comment on column mashup.stage_stats.samples is 'Durations measured so far.';
comment on column mashup.stage_stats.base_sec is 'Seconds that do not depend on the songs.';
comment on column mashup.stage_stats.per_song_sec is 'Seconds of work for each second of song: of its own song, or of all songs for kinds with one task for the job. For each second of the mashup where is_by_length.';
comment on column mashup.stage_stats.mean_sec is 'Mean duration in seconds, exponentially weighted.';
comment on column mashup.stage_stats.model_factor is 'Of separate: how many times as long a task takes if the model separates.';
comment on column mashup.stage_stats.edit_factor is 'Of render: the part of the usual time that a version takes of which only levels were edited: what did not change comes from the cache.';
comment on column mashup.stage_stats.is_by_length is 'Whether the work depends on the length of the mashup, not on that of its songs.';

create table mashup.stages (
  stage text not null,
  "position" smallint not null,
  is_terminal boolean not null,
  progress_from real not null,
  progress_to real not null,
  step text not null,
  makes text,
  ends_early boolean not null,
  constraint stages_pkey PRIMARY KEY (stage),
  constraint stages_position_key UNIQUE ("position")
);
comment on table mashup.stages is 'The stages of a job, in order.';
comment on column mashup.stages."position" is 'The order of the stages. Compared, never written in code: see mashup.stages_from.';
comment on column mashup.stages.is_terminal is 'Whether a job ends in this stage.';
comment on column mashup.stages.progress_from is 'Progress of a job on entry, in per cent.';
comment on column mashup.stages.progress_to is 'Progress of a job at the end of the stage, in per cent.';
comment on column mashup.stages.step is 'The text that users read on entry.';
comment on column mashup.stages.makes is 'What the stage makes, as error messages name it. A later stage cannot be entered without it.';
comment on column mashup.stages.ends_early is 'Whether the stage ends as soon as what it makes is there, even if tasks of it are not finished.';
grant select on mashup.stages to mashup_worker;

create table mashup.stems (
  id bigint generated always as identity not null,
  user_id uuid not null,
  content_hash text not null,
  model text not null,
  method text default 'service'::text not null,
  layout text default 'four_stems'::text not null,
  paths jsonb not null,
  created_at timestamp with time zone default mashup.now() not null,
  used_at timestamp with time zone default mashup.now() not null,
  constraint stems_layout_check CHECK ((layout = ANY (ARRAY['four_stems'::text, 'voices_only'::text, 'no_drums'::text]))),
  constraint stems_method_check CHECK ((method = ANY (ARRAY['classical'::text, 'neural'::text, 'own'::text, 'service'::text]))),
  constraint stems_pkey PRIMARY KEY (id),
  constraint stems_user_id_content_hash_model_layout_key UNIQUE (user_id, content_hash, model, layout)
);
comment on table mashup.stems is 'Cache of stems by owner, content, separation model and layout.';
comment on column mashup.stems.model is 'What separated the song, with its version: dsp-4, htdemucs-da9e5101; own: its user gave all stems; own+dsp-4: some, and dsp-4 separated the others.';
comment on column mashup.stems.method is 'classical, neural, own (uploaded by the user), or service: a separation service that does not name its models.';
comment on column mashup.stems.layout is 'voices_only: all of the sound is vocals. no_drums: what would be drums and bass is other. The name of a song decides it together with its analysis.';
comment on column mashup.stems.paths is 'By stem (vocals, drums, bass, other): its path in bucket mashups, or an array of the paths of its parts in order. Of a song in pieces: {pieces: [{start_sec, end_sec, and by stem its path or paths}]}, ascending.';
CREATE INDEX stems_by_use ON mashup.stems USING btree (used_at);
grant select on mashup.stems to mashup_worker;
CREATE TRIGGER enqueue_file_deletions BEFORE DELETE ON mashup.stems FOR EACH ROW EXECUTE FUNCTION mashup.enqueue_file_deletions();

create table mashup.storage_deletions (
  id bigint generated always as identity not null,
  bucket text default 'mashups'::text not null,
  path text not null,
  is_prefix boolean default false not null,
  not_before timestamp with time zone default mashup.now() not null,
  attempts integer default 0 not null,
  last_error text,
  created_at timestamp with time zone default mashup.now() not null,
  constraint storage_deletions_pkey PRIMARY KEY (id)
);
comment on table mashup.storage_deletions is 'Outbox: objects that a worker deletes through the Storage API. SQL never deletes rows of storage.objects.';
comment on column mashup.storage_deletions.is_prefix is 'Whether everything below path is deleted.';
comment on column mashup.storage_deletions.not_before is 'When the deletion is due, or due again.';
CREATE INDEX storage_deletions_due ON mashup.storage_deletions USING btree (not_before);

create table mashup.task_kinds (
  kind text not null,
  stage text not null,
  service text not null,
  priority smallint not null,
  max_attempts smallint not null,
  backoff_sec real not null,
  backoff_max_sec real not null,
  timeout_sec real not null,
  fallback_after_sec real,
  song_member text,
  song_state text,
  song_step text,
  output_path text,
  reports_progress boolean not null,
  uses_storage boolean not null,
  constraint task_kinds_max_attempts_check CHECK ((max_attempts > 0)),
  constraint task_kinds_pkey PRIMARY KEY (kind),
  constraint task_kinds_stage_fkey FOREIGN KEY (stage) REFERENCES mashup.stages(stage)
);
comment on table mashup.task_kinds is 'The kinds of tasks: which stage and service each belongs to, and how it is retried.';
comment on column mashup.task_kinds.priority is 'Lower runs first.';
comment on column mashup.task_kinds.backoff_sec is 'Base of the back-off, in seconds: the delay after n failures is random, up to backoff_sec * 2^n.';
comment on column mashup.task_kinds.backoff_max_sec is 'Upper bound of the back-off, in seconds.';
comment on column mashup.task_kinds.timeout_sec is 'Longest time that one attempt may take, in seconds.';
comment on column mashup.task_kinds.fallback_after_sec is 'Seconds for which a task waits for its unavailable service before it runs without it; null: the kind cannot run without its service.';
comment on column mashup.task_kinds.song_member is 'Kinds with one task for each song: the member of the song''s card that points to the result. Null: one task for the job.';
comment on column mashup.task_kinds.song_state is 'State of the song''s card while its task runs.';
comment on column mashup.task_kinds.song_step is 'The text that users read while the task of a song runs; the song''s name follows.';
comment on column mashup.task_kinds.output_path is 'Where a claim may write in Storage: a path with {user}, {job}, {song}, {epoch} and {claim}. Null: nowhere.';
comment on column mashup.task_kinds.reports_progress is 'Whether heartbeats of a task move the progress of its job.';
comment on column mashup.task_kinds.uses_storage is 'Whether a task reads or writes files: it waits while the circuit of Storage is not closed.';
grant select on mashup.task_kinds to mashup_worker;

create table mashup.task_logs (
  id bigint generated always as identity not null,
  task_id bigint not null,
  claim uuid not null,
  worker_id uuid not null,
  at timestamp with time zone not null,
  level text not null,
  line text not null,
  fields jsonb default '{}'::jsonb not null,
  constraint task_logs_fields_check CHECK ((octet_length((fields)::text) <= 4000)),
  constraint task_logs_level_check CHECK ((level = ANY (ARRAY['debug'::text, 'info'::text, 'warn'::text, 'error'::text]))),
  constraint task_logs_line_check CHECK ((length(line) <= 2000)),
  constraint task_logs_pkey PRIMARY KEY (id)
);
comment on table mashup.task_logs is 'Log lines of tasks, without secrets and paths. At most task_log_max_lines of each task, the newest ones, for task_logs_kept_days. Without a foreign key: a line never locks its task.';
comment on column mashup.task_logs.id is 'Rises in the order in which lines become visible: a reader asks for the lines after an id.';
comment on column mashup.task_logs.claim is 'The claim token of the attempt that wrote the line.';
comment on column mashup.task_logs.at is 'When the line was written, by the clock of the database.';
comment on column mashup.task_logs.level is 'debug: calls and steps, which are not on the output of the worker.';
comment on column mashup.task_logs.fields is 'Further members of the line: code, seconds, ….';
CREATE INDEX task_logs_by_task ON mashup.task_logs USING btree (task_id, id);

create table mashup.tasks (
  id bigint generated always as identity not null,
  job_id uuid not null,
  kind text not null,
  song_id text,
  epoch integer not null,
  state text default 'waiting'::text not null,
  priority smallint not null,
  run_at timestamp with time zone default mashup.now() not null,
  attempt integer default 0 not null,
  failures integer default 0 not null,
  crashes integer default 0 not null,
  solo_crashes integer default 0 not null,
  lost_by uuid,
  lost_at timestamp with time zone,
  is_probe boolean default false not null,
  fallback boolean default false not null,
  is_studio boolean default false not null,
  claim uuid,
  worker_id uuid,
  started_at timestamp with time zone,
  lease_until timestamp with time zone,
  deadline_at timestamp with time zone,
  held_until timestamp with time zone,
  heard_at timestamp with time zone,
  silence_sec real,
  place integer,
  output_prefix text,
  opening jsonb,
  error jsonb,
  created_at timestamp with time zone default mashup.now() not null,
  finished_at timestamp with time zone,
  constraint claim_is_whole CHECK ((((claim IS NULL) = (worker_id IS NULL)) AND ((claim IS NULL) = (lease_until IS NULL)))),
  constraint running_is_held CHECK (((state = 'running'::text) = (claim IS NOT NULL))),
  constraint tasks_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint tasks_kind_fkey FOREIGN KEY (kind) REFERENCES mashup.task_kinds(kind),
  constraint tasks_pkey PRIMARY KEY (id),
  constraint tasks_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'ready'::text, 'running'::text, 'done'::text, 'failed'::text, 'dropped'::text])))
) with (fillfactor=80);
comment on table mashup.tasks is 'One row for each unit of work. Attempts, back-off and leases are counted here; the queue is only a cache.';
comment on column mashup.tasks.state is 'waiting: may not run yet. ready: has a queue entry. running: claimed by a worker. done, failed, dropped (no longer needed): finished.';
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
CREATE INDEX tasks_by_job ON mashup.tasks USING btree (job_id, epoch);
CREATE INDEX tasks_holding ON mashup.tasks USING btree (held_until) WHERE (held_until IS NOT NULL);
CREATE INDEX tasks_lost ON mashup.tasks USING btree (lost_by) WHERE (lost_by IS NOT NULL);
CREATE INDEX tasks_ready ON mashup.tasks USING btree (run_at) WHERE (state = 'ready'::text);
CREATE INDEX tasks_running ON mashup.tasks USING btree (worker_id) WHERE (state = 'running'::text);
CREATE INDEX tasks_waiting ON mashup.tasks USING btree (kind, is_studio, run_at, id) WHERE (state = 'waiting'::text);
CREATE UNIQUE INDEX tasks_one_live ON mashup.tasks USING btree (job_id, epoch, kind, song_id) NULLS NOT DISTINCT WHERE (state <> ALL (ARRAY['dropped'::text, 'failed'::text]));
grant select on mashup.tasks to mashup_worker;
CREATE TRIGGER mark_ready_job_stale AFTER UPDATE OF state ON mashup.tasks FOR EACH ROW WHEN (((old.state = 'waiting'::text) AND (new.state = 'ready'::text))) EXECUTE FUNCTION mashup.mark_ready_job_stale();
CREATE TRIGGER release_place AFTER DELETE ON mashup.tasks FOR EACH ROW WHEN ((old.state = ANY (ARRAY['ready'::text, 'running'::text]))) EXECUTE FUNCTION mashup.release_place_of_deleted();
CREATE TRIGGER request_schedule AFTER UPDATE OF state ON mashup.tasks FOR EACH ROW WHEN (((new.state = 'waiting'::text) OR ((old.state = ANY (ARRAY['running'::text, 'ready'::text])) AND (new.state <> ALL (ARRAY['running'::text, 'ready'::text]))))) EXECUTE FUNCTION mashup.request_schedule_for_task();
CREATE TRIGGER request_schedule_new AFTER INSERT ON mashup.tasks FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule_for_task();
CREATE CONSTRAINT TRIGGER schedule AFTER UPDATE OF state ON mashup.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.state = 'waiting'::text) OR ((old.state = ANY (ARRAY['running'::text, 'ready'::text])) AND (new.state <> ALL (ARRAY['running'::text, 'ready'::text]))))) EXECUTE FUNCTION mashup.schedule_at_commit();
CREATE CONSTRAINT TRIGGER schedule_new AFTER INSERT ON mashup.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();

create table mashup.transitions (
  from_stage text not null,
  to_stage text not null,
  name text not null,
  made_by text not null,
  constraint transitions_from_stage_fkey FOREIGN KEY (from_stage) REFERENCES mashup.stages(stage),
  constraint transitions_made_by_check CHECK ((made_by = ANY (ARRAY['engine'::text, 'operator'::text]))),
  constraint transitions_name_check CHECK ((name = ANY (ARRAY['admit'::text, 'advance'::text, 'fail'::text, 'replan'::text, 'remake'::text, 'cancel'::text, 'replay'::text]))),
  constraint transitions_pkey PRIMARY KEY (from_stage, to_stage, name),
  constraint transitions_to_stage_fkey FOREIGN KEY (to_stage) REFERENCES mashup.stages(stage)
);
comment on table mashup.transitions is 'The legal transitions. Read by check_transition and advance_job, by the tests and by the diagram in docs/explanation/architecture.md.';
comment on column mashup.transitions.made_by is 'engine: announced by transition_job or fail_job. operator: any other write of mashup_jobs.stage.';

create table mashup.workers (
  id uuid not null,
  host text not null,
  pid integer not null,
  pool_ids text[] default '{}'::text[] not null,
  lock_key bigint not null,
  version text not null,
  protocol integer default 1 not null,
  concurrency integer default 1 not null,
  services jsonb default '{}'::jsonb not null,
  solo_task bigint,
  registered_at timestamp with time zone default mashup.now() not null,
  seen_at timestamp with time zone default mashup.now() not null,
  draining boolean default false not null,
  constraint workers_lock_key_key UNIQUE (lock_key),
  constraint workers_pkey PRIMARY KEY (id)
);
comment on table mashup.workers is 'Worker processes. Each holds a session advisory lock on lock_key, which is free as soon as the process has ended.';
comment on column mashup.workers.pool_ids is 'Graphile Worker pools of the process. Their queue entries are unlocked when the worker is lost.';
comment on column mashup.workers.protocol is 'Number of the protocol that the worker speaks; see mashup.protocol_version.';
comment on column mashup.workers.concurrency is 'Tasks that the worker runs at one time.';
comment on column mashup.workers.services is 'Version of each service, by name.';
comment on column mashup.workers.solo_task is 'The task that the worker runs alone or waits to run alone. It claims no other one.';
comment on column mashup.workers.draining is 'Whether the worker is stopping, or too old for this schema. It claims nothing.';
grant select on mashup.workers to mashup_worker;

create table public.mashup_job_events (
  id bigint generated always as identity not null,
  job_id uuid not null,
  epoch integer not null,
  type text not null,
  stage text not null,
  from_stage text,
  song_id text,
  message text not null,
  actor text,
  detail jsonb,
  created_at timestamp with time zone default mashup.now() not null,
  constraint mashup_job_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint mashup_job_events_message_check CHECK ((length(message) <= 500)),
  constraint mashup_job_events_pkey PRIMARY KEY (id),
  constraint mashup_job_events_type_check CHECK ((type = ANY (ARRAY['submitted'::text, 'stage'::text, 'task'::text, 'retry'::text, 'warning'::text, 'error'::text, 'replay'::text, 'cancel'::text, 'pause'::text, 'resume'::text, 'release'::text, 'expired'::text, 'takedown'::text, 'share'::text])))
);
comment on table public.mashup_job_events is 'Append-only history of a job.';
comment on column public.mashup_job_events.actor is 'Who acted: user:…, worker:…, role:…, sql:… or sweep. For operators only.';
comment on column public.mashup_job_events.detail is 'Durations, attempts and errors. For operators only.';
CREATE INDEX mashup_job_events_by_job ON public.mashup_job_events USING btree (job_id, id);
alter table public.mashup_job_events enable row level security;
create policy "events of own jobs" on mashup_job_events as permissive for select to authenticated
  using (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.id = mashup_job_events.job_id) AND (j.user_id = ( SELECT auth.uid() AS uid)))));
grant select on public.mashup_job_events to service_role;
grant select (id, job_id, epoch, type, stage, from_stage, song_id, message, created_at) on public.mashup_job_events to authenticated;

create table public.mashup_jobs (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  stage text default 'queued'::text not null,
  status text default 'processing'::text not null,
  waiting_on text,
  queue_position integer,
  progress real default 0 not null,
  current_step text storage main default ''::text not null,
  epoch integer default 1 not null,
  version integer default 1 not null,
  entry_stage text default 'analyzing'::text not null,
  songs jsonb storage main not null,
  options jsonb storage main default '{}'::jsonb not null,
  score real,
  title text storage main,
  concept text storage main,
  plan_version integer,
  result_path text,
  result jsonb storage main,
  playable jsonb storage main,
  studio_version jsonb storage main,
  error_code text,
  error_message text storage main,
  error_hint text storage main,
  failed_task bigint,
  stopped_stage text,
  warnings jsonb storage main default '[]'::jsonb not null,
  estimated_completion_at timestamp with time zone,
  estimate_note text storage main,
  parent_id uuid,
  first_id uuid,
  feedback text storage main,
  hold text,
  fresh boolean default false not null,
  admitted_at timestamp with time zone,
  idempotency_key text,
  request_hash text,
  traceparent text default mashup.new_traceparent() not null,
  created_at timestamp with time zone default mashup.now() not null,
  queued_at timestamp with time zone default mashup.now() not null,
  stage_entered_at timestamp with time zone default mashup.now() not null,
  updated_at timestamp with time zone default mashup.now() not null,
  finished_at timestamp with time zone,
  expired_at timestamp with time zone,
  takedown_reason text storage main,
  shared_at timestamp with time zone,
  constraint job_is_sound CHECK (mashup.is_sound_job(mashup_jobs.*)),
  constraint mashup_jobs_entry_stage_fkey FOREIGN KEY (entry_stage) REFERENCES mashup.stages(stage),
  constraint mashup_jobs_pkey PRIMARY KEY (id),
  constraint mashup_jobs_stage_fkey FOREIGN KEY (stage) REFERENCES mashup.stages(stage),
  constraint mashup_jobs_stopped_stage_fkey FOREIGN KEY (stopped_stage) REFERENCES mashup.stages(stage)
) with (fillfactor=70, toast_tuple_target=8160);
comment on table public.mashup_jobs is 'One row for each job. `update … set stage = …` replays it from there. The row is small: each change carries all of it to its subscribers.';
comment on column public.mashup_jobs.stage is 'The state of the job. A write is checked against mashup.transitions.';
comment on column public.mashup_jobs.status is 'processing while the job is live, else its terminal stage.';
comment on column public.mashup_jobs.waiting_on is 'What a live job waits for: slot, tasks (a free place at a service), circuit, pause or user. Null: it runs.';
comment on column public.mashup_jobs.queue_position is 'Position among the jobs that wait for a slot, from 1; written for the first twenty.';
comment on column public.mashup_jobs.progress is 'Per cent. Does not fall within an epoch.';
comment on column public.mashup_jobs.current_step is 'What happens now, as users read it.';
comment on column public.mashup_jobs.epoch is 'Counts the runs of the job. Raised by replay, retry, cancellation and failure.';
comment on column public.mashup_jobs.version is 'Counts the visible changes of the row. Clients apply changes in this order.';
comment on column public.mashup_jobs.entry_stage is 'The stage that the job enters on admission: analyzing, or planning for an iteration.';
comment on column public.mashup_jobs.songs is 'The cards of the songs: ids, names, paths, state, figures for the track card, pointers to analyses and stems.';
comment on column public.mashup_jobs.options is 'MashupOptions, at most 900 bytes.';
comment on column public.mashup_jobs.score is 'Mean of the pair scores, 0 to 100.';
comment on column public.mashup_jobs.plan_version is 'Version of the current plan in mashup_plans.';
comment on column public.mashup_jobs.result_path is 'Path of the current result in bucket mashups.';
comment on column public.mashup_jobs.result is 'Summary of the result: duration_sec, loudness_lufs, true_peak_dbtp, format, bytes, bpm, key, quality {passed}, separation (see mashup_results), stems {state, progress, bytes, message, hint}.';
comment on column public.mashup_jobs.playable is 'PlayableAudio: the uploaded beginning of the mashup while it is rendered, or its opening while the rest of its songs is separated. Null in every other stage. From another claim of the render task until its first part it names the opening, or is null.';
comment on column public.mashup_jobs.studio_version is 'The studio version of a complete job, which replaces its result: {state: separating, rendering, ready, failed or cancelled; progress in per cent and step, while it is being made}. Null: there is none.';
comment on column public.mashup_jobs.failed_task is 'The task that ended the job.';
comment on column public.mashup_jobs.stopped_stage is 'The stage in which the job failed or was cancelled. A retry resumes there.';
comment on column public.mashup_jobs.warnings is 'At most ten warnings {code, message, stage}, most important first.';
comment on column public.mashup_jobs.estimated_completion_at is 'Expected end of a job with a slot. Null while nobody knows: see estimate_note.';
comment on column public.mashup_jobs.estimate_note is 'Why the end cannot be estimated, as users read it: a pause, or services that the job still needs and that are unavailable or silent.';
comment on column public.mashup_jobs.parent_id is 'The mashup of which this one is an iteration. It may have been deleted.';
comment on column public.mashup_jobs.first_id is 'The first mashup of whose versions this one is: the same for all versions, also when some of them have been deleted. Null for a first mashup itself.';
comment on column public.mashup_jobs.feedback is 'What the user wants changed in the parent.';
comment on column public.mashup_jobs.hold is 'The stage before which a draft waits for its user; null once it is started.';
comment on column public.mashup_jobs.fresh is 'Whether this run bypasses the caches of analyses and stems.';
comment on column public.mashup_jobs.admitted_at is 'When the job took its slot; null while it holds none.';
comment on column public.mashup_jobs.idempotency_key is 'Key of the submission, unique for each user.';
comment on column public.mashup_jobs.request_hash is 'SHA-256 of the submission, hex: tells a repeated request from another one with the same key.';
comment on column public.mashup_jobs.traceparent is 'W3C trace context of the submission: the parent of the spans of this job. Taken from the header of the request, otherwise made here.';
comment on column public.mashup_jobs.queued_at is 'Since when the job waits or waited for a slot.';
comment on column public.mashup_jobs.expired_at is 'When the file of the result was deleted.';
comment on column public.mashup_jobs.takedown_reason is 'Why an operator took the mashup down, as its user reads it. It is not run again until the take-down is lifted.';
comment on column public.mashup_jobs.shared_at is 'Since when the mashup has a public link (mashup_shares). Null: it has none.';
CREATE INDEX mashup_jobs_admitted ON public.mashup_jobs USING btree (user_id) WHERE (admitted_at IS NOT NULL);
CREATE INDEX mashup_jobs_by_status ON public.mashup_jobs USING btree (status, COALESCE(finished_at, created_at) DESC, id DESC);
CREATE INDEX mashup_jobs_by_time ON public.mashup_jobs USING btree (COALESCE(finished_at, created_at) DESC, id DESC);
CREATE INDEX mashup_jobs_by_user ON public.mashup_jobs USING btree (user_id, created_at DESC);
CREATE INDEX mashup_jobs_drafts ON public.mashup_jobs USING btree (stage_entered_at) WHERE ((hold = 'planning'::text) AND (stage = 'planning'::text));
CREATE INDEX mashup_jobs_expiring ON public.mashup_jobs USING btree (finished_at) WHERE ((stage = 'complete'::text) AND (expired_at IS NULL) AND (result_path IS NOT NULL));
CREATE INDEX mashup_jobs_failed ON public.mashup_jobs USING btree (error_code, finished_at) WHERE (stage = 'failed'::text);
CREATE INDEX mashup_jobs_finished ON public.mashup_jobs USING btree (finished_at) INCLUDE (stage) WHERE (finished_at IS NOT NULL);
CREATE INDEX mashup_jobs_versions ON public.mashup_jobs USING btree (first_id) WHERE (first_id IS NOT NULL);
CREATE INDEX mashup_jobs_waiting ON public.mashup_jobs USING btree (queued_at, id) WHERE ((status = 'processing'::text) AND (admitted_at IS NULL) AND ((hold IS NULL) OR (stage <> 'planning'::text)));
CREATE INDEX mashup_jobs_waiting_of_user ON public.mashup_jobs USING btree (user_id, queued_at, id) WHERE ((status = 'processing'::text) AND (admitted_at IS NULL) AND ((hold IS NULL) OR (stage <> 'planning'::text)));
CREATE INDEX mashup_jobs_words ON public.mashup_jobs USING gin (mashup.job_words(title, songs, error_code, error_message)) WHERE (finished_at IS NOT NULL);
CREATE UNIQUE INDEX mashup_jobs_idempotency ON public.mashup_jobs USING btree (user_id, idempotency_key) WHERE (idempotency_key IS NOT NULL);
alter table public.mashup_jobs enable row level security;
create policy "own jobs" on mashup_jobs as permissive for select to authenticated
  using (user_id = ( SELECT auth.uid() AS uid));
grant select on public.mashup_jobs to authenticated;
grant select on public.mashup_jobs to mashup_worker;
grant select on public.mashup_jobs to service_role;
grant update (stage) on public.mashup_jobs to service_role;
CREATE TRIGGER after_transition AFTER UPDATE OF stage ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.after_transition();
CREATE TRIGGER check_transition BEFORE UPDATE OF stage ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.check_transition();
CREATE TRIGGER check_user BEFORE INSERT ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.check_user();
CREATE TRIGGER delete_task_logs BEFORE DELETE ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.delete_task_logs();
CREATE TRIGGER enqueue_file_deletions BEFORE DELETE ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.enqueue_file_deletions();
CREATE TRIGGER explain_status BEFORE UPDATE OF status, error_code ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.explain_status();
CREATE TRIGGER request_schedule AFTER UPDATE ON public.mashup_jobs FOR EACH ROW WHEN (((new.admitted_at IS NULL) AND ((old.admitted_at IS NOT NULL) OR (old.hold IS DISTINCT FROM new.hold) OR (old.epoch <> new.epoch)))) EXECUTE FUNCTION mashup.request_schedule('jobs');
CREATE TRIGGER request_schedule_new AFTER INSERT ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule('jobs');
CREATE CONSTRAINT TRIGGER schedule AFTER UPDATE ON public.mashup_jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.admitted_at IS NULL) AND ((old.admitted_at IS NOT NULL) OR (old.hold IS DISTINCT FROM new.hold) OR (old.epoch <> new.epoch)))) EXECUTE FUNCTION mashup.schedule_at_commit();
CREATE CONSTRAINT TRIGGER schedule_new AFTER INSERT ON public.mashup_jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();
CREATE TRIGGER touch_job BEFORE UPDATE ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.touch_job();

create table public.mashup_plans (
  job_id uuid not null,
  version integer not null,
  epoch integer not null,
  source text not null,
  plan jsonb not null,
  song_ids text[] not null,
  model text,
  tokens jsonb,
  cost_usd numeric(10,5),
  changes text,
  wishes jsonb,
  edits jsonb,
  ranges jsonb,
  opening jsonb,
  wording integer,
  created_at timestamp with time zone default mashup.now() not null,
  constraint mashup_plans_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint mashup_plans_pkey PRIMARY KEY (job_id, version),
  constraint mashup_plans_source_check CHECK ((source = ANY (ARRAY['claude'::text, 'rules'::text])))
);
comment on table public.mashup_plans is 'Every plan of a job. mashup_jobs.plan_version points to the current one.';
comment on column public.mashup_plans.source is 'claude, or rules for plans without the model.';
comment on column public.mashup_plans.song_ids is 'The songs that the plan uses.';
comment on column public.mashup_plans.changes is 'What is as it was asked for, or what an iteration changed, as users read it.';
comment on column public.mashup_plans.wishes is 'What became of the wishes or the feedback: {understood, not_understood, cannot}. Null: there were none.';
comment on column public.mashup_plans.edits is 'PlanEdit[] of schema/edits.ts: the edits by hand that made this plan of that of the parent. Null: it was not edited.';
comment on column public.mashup_plans.ranges is 'By song, the parts of it that the plan plays, with margins: [[start, end], …] in seconds. A song that is not named is needed whole.';
comment on column public.mashup_plans.opening is '{sections: number of the first sections that can be rendered before the rest, ranges: as ranges, of these sections}. Null: there is no such opening.';
comment on column public.mashup_plans.wording is 'Which wordings its texts have: mashups whose numbers differ modulo 3 share no sentence. Null: an older worker planned it.';
alter table public.mashup_plans enable row level security;
create policy "plans of own jobs" on mashup_plans as permissive for select to authenticated
  using (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.id = mashup_plans.job_id) AND (j.user_id = ( SELECT auth.uid() AS uid)))));
grant select on public.mashup_plans to mashup_worker;
grant select on public.mashup_plans to service_role;
grant select (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes, wishes, edits, created_at) on public.mashup_plans to authenticated;

create table public.mashup_results (
  job_id uuid not null,
  epoch integer not null,
  path text not null,
  quality jsonb not null,
  plan_version integer,
  sources jsonb,
  stems jsonb,
  separation jsonb,
  plan jsonb,
  changes text,
  created_at timestamp with time zone default mashup.now() not null,
  constraint mashup_results_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint mashup_results_pkey PRIMARY KEY (job_id, epoch)
);
comment on table public.mashup_results is 'Every rendered result. mashup_jobs.result_path points to the current one.';
comment on column public.mashup_results.quality is 'RenderResult: the report of the quality checks and measurements.';
comment on column public.mashup_results.sources is 'The stems of each song that were rendered, by song id: {song_id: StoredStems}. Null: the renderer made no use of stems that the engine knows.';
comment on column public.mashup_results.stems is 'MashupStems: the stems of the mashup, aligned with it. Null: nobody asked for them, or they were deleted after mashup_stems_kept_days.';
comment on column public.mashup_results.separation is 'What separated each song that is heard: {song id: {model, method: classical, neural, own or service}}. Null: an older worker rendered it.';
comment on column public.mashup_results.plan is 'The plan as it was rendered, with texts made of it. Null: the mashup plays what its plan in mashup_plans says.';
comment on column public.mashup_results.changes is 'What differs from the parent as it was rendered, as users read it. Null: as mashup_plans.changes says.';
CREATE INDEX mashup_results_with_stems ON public.mashup_results USING btree (job_id) WHERE ((stems ->> 'state'::text) = 'ready'::text);
alter table public.mashup_results enable row level security;
create policy "results of own jobs" on mashup_results as permissive for select to authenticated
  using (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.id = mashup_results.job_id) AND (j.user_id = ( SELECT auth.uid() AS uid)))));
grant select on public.mashup_results to authenticated;
grant select on public.mashup_results to mashup_worker;
grant select on public.mashup_results to service_role;

create table public.mashup_shares (
  token text not null,
  job_id uuid not null,
  created_at timestamp with time zone default mashup.now() not null,
  revoked_at timestamp with time zone,
  taken_down_at timestamp with time zone,
  reason text,
  actor text,
  constraint mashup_shares_check CHECK (((revoked_at IS NULL) OR (taken_down_at IS NULL))),
  constraint mashup_shares_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint mashup_shares_pkey PRIMARY KEY (token),
  constraint mashup_shares_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 300))),
  constraint mashup_shares_token_check CHECK ((token ~ '^[A-Za-z0-9_-]{24}$'::text))
);
comment on table public.mashup_shares is 'The public link of a mashup: whoever has its token may read and hear the mashup, without an account. A live link is neither revoked nor taken down. The last revoked one is kept.';
comment on column public.mashup_shares.token is 'The secret of the link: 144 random bits, base64url.';
comment on column public.mashup_shares.revoked_at is 'When its owner ended the link.';
comment on column public.mashup_shares.taken_down_at is 'When an operator ended the link. The mashup cannot be shared until that is lifted.';
comment on column public.mashup_shares.reason is 'Why an operator ended the link, as its owner reads it.';
comment on column public.mashup_shares.actor is 'Who ended the link: user:…, role:… or sql:…. For operators only.';
CREATE UNIQUE INDEX mashup_shares_current ON public.mashup_shares USING btree (job_id) WHERE (revoked_at IS NULL);
CREATE UNIQUE INDEX mashup_shares_revoked ON public.mashup_shares USING btree (job_id) WHERE (revoked_at IS NOT NULL);
alter table public.mashup_shares enable row level security;
create policy "shares of own jobs" on mashup_shares as permissive for select to authenticated
  using (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.id = mashup_shares.job_id) AND (j.user_id = ( SELECT auth.uid() AS uid)))));
grant select on public.mashup_shares to service_role;
grant select (token, job_id, created_at, revoked_at, taken_down_at, reason) on public.mashup_shares to authenticated;

CREATE OR REPLACE FUNCTION public.begin_upload()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_user uuid := mashup.caller();
begin
  perform mashup.count_request(v_user, 'upload', 'max_uploads_per_minute', 'That was many uploads in one minute.');
  if not mashup.has_upload_quota() then
    perform mashup.raise_error('MB004', 'You have stored as many songs as you may.', 'Delete songs that you no longer need, then try again.', '60');
  end if;
end
$function$;
comment on function begin_upload() is 'Counts an upload of the caller; create-signed-upload calls it before Storage signs a URL. Raises MB004, MB010, MB012.';
grant execute on function begin_upload() to authenticated;

CREATE OR REPLACE FUNCTION public.cancel_mashup(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_own_job(cancel_mashup.job_id);
begin
  return mashup.describe_submission(mashup.cancel(v_job.id), false);
end
$function$;
comment on function cancel_mashup(uuid) is 'Cancels a job of the caller, or its studio version. Returns describe_submission. Raises MB001, MB002, MB010.';
grant execute on function cancel_mashup(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.check_task_upload(task_id bigint, claim uuid, path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select path not like '%..%' and exists (
    select from mashup.tasks t
    where t.id = check_task_upload.task_id and t.claim = check_task_upload.claim and t.state = 'running'
      and (starts_with(path, t.output_prefix || '/') or starts_with(path, t.output_prefix || '.')))
$function$;
comment on function check_task_upload(bigint,uuid,text) is 'Returns whether a claim is held and may write to a path; renew-upload asks before it signs an upload. For the service role.';
grant execute on function check_task_upload(bigint,uuid,text) to service_role;

CREATE OR REPLACE FUNCTION public.delete_mashup(job_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_own_job(delete_mashup.job_id);
begin
  if v_job.status = 'processing' or mashup.is_studio_version_live(v_job) then
    perform mashup.cancel(v_job.id);
  end if;
  delete from public.mashup_jobs j where j.id = v_job.id;
end
$function$;
comment on function delete_mashup(uuid) is 'Deletes a job of the caller with its files; cancels it first if it is live. Raises MB002, MB010.';
grant execute on function delete_mashup(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.edit_mashup(p_job_id uuid, p_edits jsonb, p_idempotency_key text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  -- Not locked, as in iterate_mashup.
  v_parent public.mashup_jobs := mashup.require_own_job(p_job_id, false);
  v_hash text := encode(sha256(convert_to(jsonb_build_array('edit', p_job_id, p_edits)::text, 'UTF8')), 'hex');
  v_job public.mashup_jobs;
  v_base jsonb;
begin
  perform mashup.check_plan_edits(p_edits);
  if p_idempotency_key is not null then
    v_job := mashup.find_idempotent_job(v_parent.user_id, p_idempotency_key, v_hash);
    if v_job.id is not null then
      return mashup.describe_submission(v_job, true);
    end if;
  end if;
  perform mashup.require_plan(v_parent, 'edit');
  -- What its user sees and edits is the plan as it was rendered.
  select coalesce((select r.plan from public.mashup_results r where r.job_id = v_parent.id and r.path = v_parent.result_path), p.plan)
    into v_base from public.mashup_plans p
    where p.job_id = v_parent.id and p.version = v_parent.plan_version and p.version = (p_edits ->> 'plan_version')::integer;
  if v_base is null then
    perform mashup.raise_error('MB003', format('These edits are for plan %s of the mashup, which has plan %s now.', p_edits ->> 'plan_version', v_parent.plan_version),
      'Load the mashup again and edit the plan that it has now.', 'plan_outdated');
  end if;
  v_job := mashup.insert_version(v_parent, v_parent.options, p_idempotency_key, v_hash);
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_parent.user_id, p_idempotency_key, v_hash), true);
  end if;
  insert into mashup.plan_edits (job_id, base_version, base, edits) values (v_job.id, v_parent.plan_version, v_base, p_edits -> 'edits');
  return mashup.describe_submission(v_job, false);
end
$function$;
comment on function edit_mashup(uuid,jsonb,text) is 'Submits a new version of a mashup from edits of its plan by hand, {plan_version, edits: PlanEdit[]}, 1 to 40: a job that enters at planning with the parent''s songs and scores, whose plan task applies the edits by rules. Returns describe_submission. Raises MB002, MB003 (detail plan_outdated: the mashup has another plan by now), MB004, MB005, MB006 (detail invalid_edits), MB010, MB012, MB015.';
grant execute on function edit_mashup(uuid,jsonb,text) to authenticated;

CREATE OR REPLACE FUNCTION public.export_account(after uuid DEFAULT NULL::uuid, page_size integer DEFAULT 20)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_user uuid := mashup.caller();
  v_ids uuid[] := array(
    select j.id from public.mashup_jobs j
    where j.user_id = v_user and (export_account.after is null or j.id > export_account.after)
    order by j.id limit greatest(1, least(coalesce(export_account.page_size, 20), 50)));
begin
  return jsonb_build_object(
    'account', (select jsonb_build_object('id', u.id, 'email', u.email, 'created_at', u.created_at) from auth.users u where u.id = v_user),
    'mashups', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'job', to_jsonb(j) - 'request_hash',
        'own_stems', (select coalesce(jsonb_object_agg(s ->> 'song_id', o.files), '{}') from jsonb_array_elements(j.songs) s
          join mashup.own_stems o on o.id = (s ->> 'own_stems_id')::bigint and o.user_id = v_user),
        'plans', (select coalesce(jsonb_agg(to_jsonb(p) - 'job_id' order by p.version), '[]') from public.mashup_plans p where p.job_id = j.id),
        'results', (select coalesce(jsonb_agg(to_jsonb(r) - 'job_id' order by r.epoch), '[]') from public.mashup_results r where r.job_id = j.id),
        'scores', (select coalesce(jsonb_agg(s.pairs order by s.epoch), '[]') from mashup.scores s where s.job_id = j.id),
        'shares', (select coalesce(jsonb_agg(jsonb_build_object('token', s.token, 'created_at', s.created_at, 'revoked_at', s.revoked_at,
          'taken_down_at', s.taken_down_at, 'reason', s.reason) order by s.created_at), '[]') from public.mashup_shares s where s.job_id = j.id),
        'events', (select coalesce(jsonb_agg(jsonb_build_object('type', e.type, 'stage', e.stage, 'song_id', e.song_id, 'message', e.message,
          'created_at', e.created_at) order by e.id), '[]') from public.mashup_job_events e where e.job_id = j.id)) order by j.id), '[]')
      from public.mashup_jobs j where j.id = any (v_ids)),
    -- With the first page only: they do not belong to one mashup.
    'analyses', case when export_account.after is null then (
      select coalesce(jsonb_agg(jsonb_build_object('content_hash', a.content_hash, 'version', a.version, 'created_at', a.created_at,
        'analysis', a.analysis - 'waveform') order by a.id), '[]') from mashup.analyses a where a.user_id = v_user) else '[]' end,
    'files', case when export_account.after is null then (
      select coalesce(jsonb_agg(to_jsonb(f) order by f.path), '[]') from mashup.account_files(v_user) f) else '[]' end,
    'next', case when cardinality(v_ids) > 0 and exists (
      select from public.mashup_jobs j where j.user_id = v_user and j.id > v_ids[cardinality(v_ids)]) then v_ids[cardinality(v_ids)] end);
end
$function$;
comment on function export_account(uuid,integer) is 'Returns what the engine keeps of the caller, one page of mashups at a time (page_size, 1 to 50): {account, mashups, analyses, files, next}. analyses and files come with the first page; next is the after of the next page, or null. Raises MB010.';
grant execute on function export_account(uuid,integer) to authenticated;

CREATE OR REPLACE FUNCTION public.get_mashup(job_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select to_jsonb(j) || jsonb_build_object(
    'plan', coalesce((select r.plan from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
      (select p.plan from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version)),
    'plan_source', (select p.source from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_changes', coalesce((select r.changes from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
      (select p.changes from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version)),
    'plan_wishes', (select p.wishes from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_edits', (select p.edits from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'quality', (select r.quality from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
    'share', (select jsonb_build_object('token', case when s.taken_down_at is null then s.token end, 'created_at', s.created_at, 'reason', s.reason)
      from public.mashup_shares s where s.job_id = j.id and s.revoked_at is null),
    'server_now', mashup.now())
  from public.mashup_jobs j where j.id = get_mashup.job_id
$function$;
comment on function get_mashup(uuid) is 'Returns one job with its current plan (once there is a result: as it was rendered), quality report and public link (share: {token, created_at, reason}; null if there is none; token is null and reason the operator''s if the link was taken down), under the caller''s row policies; null if it is not theirs.';
grant execute on function get_mashup(uuid) to authenticated;
grant execute on function get_mashup(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.get_mashup_analyses(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs j where j.id = get_mashup_analyses.job_id and j.user_id = mashup.caller();
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', get_mashup_analyses.job_id), 'Open one of your own mashups.');
  end if;
  return jsonb_build_object(
    'analyses', (select jsonb_object_agg(s ->> 'song_id', a.analysis) from jsonb_array_elements(v_job.songs) s
      join mashup.analyses a on a.id = (s ->> 'analysis_id')::bigint and a.user_id = v_job.user_id),
    'scores', (select s.pairs from mashup.scores s where s.job_id = v_job.id order by s.epoch desc limit 1),
    'limits', jsonb_build_object('min_length_sec', mashup.setting_number('plan_min_length_sec'),
      'max_length_sec', mashup.setting_number('plan_max_length_sec')));
end
$function$;
comment on function get_mashup_analyses(uuid) is 'Returns the analyses by song id and the pair scores of a job of the caller, and the limits of its length: {analyses, scores, limits: {min_length_sec, max_length_sec}}. Raises MB002, MB010.';
grant execute on function get_mashup_analyses(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.get_mashup_stems(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_is_service boolean := coalesce(auth.jwt() ->> 'role' = 'service_role', false);
  v_user uuid;
begin
  if not v_is_service then
    v_user := mashup.caller();
  end if;
  select * into v_job from public.mashup_jobs j
    where j.id = get_mashup_stems.job_id and (v_is_service or j.user_id = v_user);
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', get_mashup_stems.job_id), 'Open one of your own mashups.');
  end if;
  return (
    select jsonb_agg(jsonb_build_object('song_id', s.song -> 'song_id', 'path', s.song -> 'path', 'paths', c.paths) order by s.n)
    from jsonb_array_elements(v_job.songs) with ordinality s (song, n)
    left join mashup.stems c on c.id = (s.song ->> 'stems_id')::bigint and c.user_id = v_job.user_id
  );
end
$function$;
comment on function get_mashup_stems(uuid) is 'Returns the songs of a job with the paths of their cached stems: [{song_id, path, paths}]. For an external renderer: the owner''s jobs, or any job for the service role. Raises MB002, MB010.';
grant execute on function get_mashup_stems(uuid) to authenticated;
grant execute on function get_mashup_stems(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.get_separators()
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('classical', m.classical, 'neural', m.neural, 'used', m.used,
    'studio_version_by_default', mashup.setting_text('studio_version_by_default') = 'true')
  from (values (1)) as one left join mashup.separation_models m on true
$function$;
comment on function get_separators() is 'Returns what separates songs, as workers know it: {classical, neural, used: names of models, null if there is none or the service does not name them; studio_version_by_default: whether mashups have a studio version where their submission does not say it}.';
grant execute on function get_separators() to authenticated;

CREATE OR REPLACE FUNCTION public.iterate_mashup(parent_id uuid, feedback text, options jsonb DEFAULT '{}'::jsonb, idempotency_key text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  -- Not locked: the new job waits for its user's row, which nothing may do that has locked a job.
  v_parent public.mashup_jobs := mashup.require_own_job(iterate_mashup.parent_id, false);
  v_hash text := encode(sha256(convert_to(jsonb_build_array(iterate_mashup.parent_id, feedback, options)::text, 'UTF8')), 'hex');
  v_job public.mashup_jobs;
begin
  if length(trim(coalesce(iterate_mashup.feedback, ''))) = 0 or length(iterate_mashup.feedback) > 1000 then
    perform mashup.raise_error('MB006', 'Say in up to 1000 characters what should change.', 'For example: "more energy, and keep the vocals of the first song".');
  end if;
  if iterate_mashup.idempotency_key is not null then
    v_job := mashup.find_idempotent_job(v_parent.user_id, iterate_mashup.idempotency_key, v_hash);
    if v_job.id is not null then
      return mashup.describe_submission(v_job, true);
    end if;
  end if;
  perform mashup.require_plan(v_parent, 'change');
  v_job := mashup.insert_version(v_parent, v_parent.options || mashup.check_options(iterate_mashup.options),
    iterate_mashup.idempotency_key, v_hash, trim(iterate_mashup.feedback));
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_parent.user_id, iterate_mashup.idempotency_key, v_hash), true);
  end if;
  return mashup.describe_submission(v_job, false);
end
$function$;
comment on function iterate_mashup(uuid,text,jsonb,text) is 'Submits a new version of a mashup from feedback of up to 1000 characters: a job that enters at planning with the parent''s songs and scores. Returns describe_submission. Raises MB002, MB003, MB004, MB005, MB006, MB010, MB012, MB015.';
grant execute on function iterate_mashup(uuid,text,jsonb,text) to authenticated;

CREATE OR REPLACE FUNCTION public.list_mashups(search text DEFAULT ''::text, state text DEFAULT 'all'::text, sort text DEFAULT 'newest'::text, after uuid DEFAULT NULL::uuid, page_size integer DEFAULT 20)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_user uuid := mashup.caller();
  v_words text[] := array(
    select w from pg_catalog.regexp_split_to_table(lower(normalize(coalesce(list_mashups.search, ''))), '\s+') w where w <> '' limit 20);
begin
  if list_mashups.state not in ('all', 'complete', 'processing', 'failed', 'cancelled', 'draft') then
    perform mashup.raise_error('MB006', 'The state of a list of mashups is not known.',
      'It is "all", "complete", "processing", "failed", "cancelled" or "draft".', 'invalid_request');
  elsif list_mashups.sort not in ('newest', 'oldest', 'title', 'longest', 'shortest') then
    perform mashup.raise_error('MB006', 'The order of a list of mashups is not known.',
      'It is "newest", "oldest", "title", "longest" or "shortest".', 'invalid_request');
  elsif coalesce(list_mashups.page_size, 0) not between 1 and 100 then
    perform mashup.raise_error('MB006', 'A page of a list of mashups has 1 to 100 of them.', 'Read further pages by "after".', 'invalid_request');
  end if;
  return mashup.library_page(v_user, v_words, list_mashups.state, list_mashups.sort, list_mashups.after, list_mashups.page_size);
end
$function$;
comment on function list_mashups(text,text,text,uuid,integer) is 'Returns a page of the mashups of the caller, in groups of a first mashup and its versions: {groups_found, mashups_found, groups: [{id, matched: ids of the versions that match, newest first; mashups: all rows, oldest first}]}. search: words that all occur in title, names and artists of songs, wishes or feedback; state: all (without drafts), complete, processing, failed, cancelled or draft; sort: newest, oldest, title, longest or shortest, by the newest match of a group; after: id of the last group of the page before. Raises MB006, MB010.';
grant execute on function list_mashups(text,text,text,uuid,integer) to authenticated;

CREATE OR REPLACE FUNCTION mashup.account_files(p_user uuid)
 RETURNS TABLE(path text, bytes bigint, created_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  -- As in has_upload_quota: '0' is the character after '/'.
  select o.name, (o.metadata ->> 'size')::bigint, o.created_at from storage.objects o
    where o.bucket_id = 'mashups' and o.name ~>=~ ('uploads/' || p_user || '/') and o.name ~<~ ('uploads/' || p_user || '0')
  union all
  select o.name, (o.metadata ->> 'size')::bigint, o.created_at from public.mashup_jobs j
    join storage.objects o on o.bucket_id = 'mashups' and o.name = j.result_path
    where j.user_id = p_user
  union all
  select o.name, (o.metadata ->> 'size')::bigint, o.created_at from public.mashup_jobs j
    join public.mashup_results r on r.job_id = j.id and r.path = j.result_path
    cross join lateral mashup.mashup_stem_files(r.stems) f
    join storage.objects o on o.bucket_id = 'mashups' and o.name = f
    where j.user_id = p_user and j.result -> 'stems' ->> 'state' = 'ready'
$function$;
comment on function mashup.account_files(uuid) is 'Returns the files of a user that the user may read: uploads, current results and their stems. Stems of songs are made from the uploads and are not listed.';

CREATE OR REPLACE FUNCTION mashup.active_songs(p_songs jsonb)
 RETURNS SETOF jsonb
 LANGUAGE plpgsql
 IMMUTABLE ROWS 3
 SET search_path TO ''
AS $function$
begin
  return query select s.song from jsonb_array_elements(p_songs) with ordinality as s (song, n)
    where s.song ->> 'state' is distinct from 'excluded' order by s.n;
end
$function$;
comment on function mashup.active_songs(jsonb) is 'Returns the cards of the songs that are not excluded, in order.';

CREATE OR REPLACE FUNCTION mashup.actor()
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return coalesce(
    nullif(current_setting('mashup.actor', true), ''),
    'user:' || nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', ''),
    'role:' || (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'),
    'sql:' || session_user);
end
$function$;
comment on function mashup.actor() is 'Returns who is acting, for the history: the setting mashup.actor of the transaction, else the signed-in user, else the role of the request, else the database role.';

CREATE OR REPLACE FUNCTION mashup.add_warning(p_warnings jsonb, p_code text, p_message text, p_stage text)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return mashup.add_warnings(p_warnings, jsonb_build_array(jsonb_build_object('code', p_code, 'message', p_message)), p_stage);
end
$function$;
comment on function mashup.add_warning(jsonb,text,text,text) is 'Returns the warnings with one more, as add_warnings does.';

CREATE OR REPLACE FUNCTION mashup.add_warnings(p_warnings jsonb, p_new jsonb, p_stage text)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  -- At most ten, so that the row stays small.
  return (
    with given as (
      select w.warning, w.n from jsonb_array_elements(p_warnings) with ordinality as w (warning, n)
      union all
      select jsonb_build_object('code', left(w.warning ->> 'code', 40), 'message', mashup.truncate_bytes(w.warning ->> 'message', 180), 'stage', p_stage),
        w.n + jsonb_array_length(p_warnings)
      from jsonb_array_elements(p_new) with ordinality as w (warning, n)
    ), distinct_ones as (
      select distinct on (g.warning ->> 'message') g.warning, g.n, mashup.warning_rank(g.warning ->> 'code') as rank
      from given g order by g.warning ->> 'message', 3, g.n
    ), kept as (
      select d.warning, d.rank, d.n from distinct_ones d order by d.rank, d.n limit 10
    )
    select coalesce(jsonb_agg(k.warning order by k.rank, k.n), '[]') from kept k);
end
$function$;
comment on function mashup.add_warnings(jsonb,jsonb,text) is 'Returns the warnings with the new ones {code, message}: the ten most important, without duplicates, most important first.';

CREATE OR REPLACE FUNCTION mashup.admit_jobs()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_free integer;
  v_job public.mashup_jobs;
begin
  if not exists (select from mashup.waiting_jobs) then
    return;
  end if;
  select mashup.setting_number('max_running_jobs')::integer - count(*) into v_free from public.mashup_jobs where admitted_at is not null;
  while v_free > 0 loop
    exit when not exists (select from mashup.waiting_jobs);
    v_job := mashup.next_admission();
    exit when v_job.id is null;
    if v_job.stage = 'queued' then
      perform mashup.transition_job(v_job, v_job.entry_stage, 'admit');
    else
      -- A started draft or a replay: its stage stays.
      update public.mashup_jobs j set admitted_at = mashup.now(), waiting_on = null, queue_position = null,
          current_step = (select s.step from mashup.stages s where s.stage = j.stage),
          estimated_completion_at = mashup.estimate_completion(v_job)
        where j.id = v_job.id returning * into v_job;
      perform mashup.create_tasks(v_job);
      perform mashup.advance_job(v_job);
    end if;
    v_free := v_free - 1;
  end loop;
end
$function$;
comment on function mashup.admit_jobs() is 'Gives free slots to waiting jobs. The caller holds the lock of admission.';

CREATE OR REPLACE FUNCTION mashup.admit_waiting()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
begin
  perform pg_advisory_xact_lock(hashtext('mashup.admit'));
  perform mashup.admit_jobs();
end
$function$;
comment on function mashup.admit_waiting() is 'Admits waiting jobs. Called by workers when a transaction found another one admitting. The only function that waits for the lock of admission: it holds no row then.';
grant execute on function mashup.admit_waiting() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.advance_job(p_job mashup_jobs, p_is_unsaved boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_live integer;
  v_done integer;
  v_ends_early boolean;
begin
  if p_job.admitted_at is null then
    return false;
  end if;
  -- Only a job with an excluded song can have an outdated plan.
  if p_job.songs @> '[{"state": "excluded"}]' and mashup.is_plan_outdated(p_job) then
    perform mashup.transition_job(p_job, 'planning', 'replan', p_is_unsaved);
    return true;
  end if;
  select count(*) filter (where t.state in ('waiting', 'ready', 'running')), count(*) filter (where t.state = 'done')
    into v_live, v_done
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.job_id = p_job.id and t.epoch = p_job.epoch and k.stage = p_job.stage;
  v_ends_early := (select s.ends_early from mashup.stages s where s.stage = p_job.stage);
  if v_live > 0 and not v_ends_early then
    return false;
  end if;
  -- A finished task left its output. A stage without one found all of it in the cache, or ends early.
  if (v_done > 0 and not v_ends_early) or mashup.has_output(p_job, p_job.stage) then
    perform mashup.transition_job(p_job,
      (select t.to_stage from mashup.transitions t where t.from_stage = p_job.stage and t.name = 'advance'), 'advance', p_is_unsaved);
    return true;
  elsif v_live = 0 then
    -- Cached analyses or stems were deleted since the job entered the stage: they are made again.
    perform mashup.create_tasks(p_job);
  end if;
  return false;
end
$function$;
comment on function mashup.advance_job(mashup_jobs,boolean) is 'Moves a job with a slot to its next stage if its stage has nothing left to do, or back to planning if its plan uses an excluded song. A stage is done when its tasks are finished; one that ends early, when what it makes is there. Returns whether it moved. p_is_unsaved: the row carries a result that is not written yet; the transition writes it, else the caller has to. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.advance_studio_version(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_state text := p_job.studio_version ->> 'state';
  v_songs text[];
  v_job public.mashup_jobs;
begin
  if exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.is_studio and t.state in ('waiting', 'ready', 'running')) then
    v_state := 'going_on';
  elsif v_state = 'rendering' then
    v_state := 'ready';
  else
    v_songs := array(select mashup.songs_without_stems(p_job));
    v_state := case when v_songs = '{}' then 'rendering'
      -- Each song is separated once: what a second time would change is not known.
      when exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.is_studio and t.song_id = any (v_songs)) then 'failed'
      else 'separating' end;
  end if;
  update public.mashup_jobs j set songs = p_job.songs, warnings = p_job.warnings,
      title = p_job.title, concept = p_job.concept, result_path = p_job.result_path, result = p_job.result,
      expired_at = case when v_state = 'ready' then null else j.expired_at end,
      studio_version = case v_state when 'ready' then '{"state": "ready"}'
        when 'rendering' then jsonb_build_object('state', 'rendering', 'progress', 85, 'step', 'Rendering the studio version') else j.studio_version end
    where j.id = p_job.id returning * into v_job;
  case v_state
    when 'separating' then perform mashup.separate_for_studio_version(v_job);
    when 'rendering' then
      insert into mashup.tasks (job_id, kind, epoch, priority, is_studio)
        select v_job.id, k.kind, v_job.epoch, k.priority + 40, true from mashup.task_kinds k where k.kind = 'render';
    when 'failed' then
      perform mashup.end_studio_version(v_job, 'failed', 'The separation service did not use its model.');
    when 'ready' then
      perform mashup.move_mashup_stems(v_job);
      perform mashup.log_event(v_job, 'stage', 'The studio version is ready');
      perform mashup.enqueue_event(v_job, 'job.studio_version');
    else null;
  end case;
end
$function$;
comment on function mashup.advance_studio_version(mashup_jobs) is 'Writes what a task of the studio version changed on its job, and begins the next step when none is left of the last one: songs are separated, then the plan is rendered, then the result is the current one. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.after_transition()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_type text := case
    when new.stage = 'cancelled' then 'cancel'
    when new.stage = 'failed' then 'error'
    when new.stage = 'complete' then 'stage'
    when new.epoch > old.epoch then 'replay'
    else 'stage' end;
  v_has_task boolean;
begin
  perform mashup.log_event(new, v_type,
    case v_type
      when 'replay' then format('Replayed from %s', new.stage)
      when 'error' then coalesce(new.error_message, 'Failed')
      else (select s.step from mashup.stages s where s.stage = new.stage) end,
    old.stage, null,
    case when v_type = 'error' then jsonb_build_object('code', new.error_code, 'task', new.failed_task) end);
  if new.stage = 'complete' then
    -- Stems of songs that the plan does not use may still be in the making.
    perform mashup.drop_tasks(new, 'not_needed');
  elsif new.epoch > old.epoch then
    perform mashup.drop_tasks(new, case new.stage when 'cancelled' then 'cancelled' when 'failed' then 'failed' else 'replayed' end);
  end if;
  if new.status = 'processing' then
    v_has_task := mashup.create_tasks(new);
    -- The stage has nothing to do if all of it is cached: the job advances within the same transaction. Only a job with an excluded
    -- song may have to go back.
    if new.admitted_at is not null and (not v_has_task or new.songs @> '[{"state": "excluded"}]') then
      perform mashup.advance_job(new);
    end if;
  else
    perform mashup.enqueue_event(new, 'job.' || new.stage);
    if mashup.is_studio_version_live(new) then
      perform mashup.begin_studio_version(new);
    end if;
  end if;
  return null;
end
$function$;
comment on function mashup.after_transition() is 'Trigger after any write of stage: makes what follows from the transition. Lock order: job (held), tasks by id.';

CREATE OR REPLACE FUNCTION mashup.allowed_values(p_setting mashup.settings)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_range text := pg_catalog.format('%s from %s%s', case when p_setting.type = 'integer' then 'a whole number' else 'a number' end
    || coalesce(' of ' || p_setting.unit, ''), pg_catalog.trim_scale(p_setting.min), coalesce(' to ' || pg_catalog.trim_scale(p_setting.max), ''));
begin
  return case p_setting.type
    when 'boolean' then 'true or false'
    when 'time_of_separation' then '"held", "always" or "never"'
    when 'name' then 'a name of small letters, digits and underscores, in double quotes'
    when 'numbers_by_service' then pg_catalog.format('an object with, for each service (%s), %s',
      (select pg_catalog.string_agg(h.service, ', ' order by h.service) from mashup.service_health h), v_range)
    else v_range
  end || case when p_setting.is_optional then ', or null for no limit' else '' end;
end
$function$;
comment on function mashup.allowed_values(mashup.settings) is 'Returns which values a setting may have, as text for messages.';

CREATE OR REPLACE FUNCTION mashup.are_usable(p_stems mashup.stems, p_card jsonb, p_models text[])
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return p_models is null or coalesce(mashup.separator_of(p_stems.model) = any (p_models), false) or p_stems.model = 'own'
    or coalesce(p_card ->> 'instead_of' = coalesce(p_models[1], 'none'), false);
end
$function$;
comment on function mashup.are_usable(mashup.stems,jsonb,text[]) is 'Returns whether a job that wants p_models (see wanted_separation) uses stems: those of such a model, those that its user gave all, and those that its song was given instead, as the member instead_of of its card says.';

CREATE OR REPLACE FUNCTION mashup.begin_mashup_stems(p_job mashup_jobs)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_stems jsonb := jsonb_build_object('state', 'pending', 'requested_at', mashup.now());
  v_job public.mashup_jobs;
begin
  -- Stems that were made before have been deleted: their task stands for nothing any more.
  update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'not_needed')
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'render_stems' and t.state = 'done';
  insert into mashup.tasks (job_id, kind, epoch, priority)
    select p_job.id, k.kind, p_job.epoch, k.priority from mashup.task_kinds k where k.kind = 'render_stems'
    on conflict do nothing;
  v_job := mashup.save_mashup_stems(p_job, p_job.result_path, v_stems);
  update public.mashup_jobs j set result = v_job.result where j.id = v_job.id;
  return v_stems;
end
$function$;
comment on function mashup.begin_mashup_stems(mashup_jobs) is 'Creates the task that makes the stems of the current result of a job, and notes that they are pending. Returns MashupStems. Lock order: job row held by the caller, tasks.';

CREATE OR REPLACE FUNCTION mashup.begin_studio_version(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform mashup.log_event(p_job, 'stage', 'The studio version is being made');
  perform mashup.separate_for_studio_version(p_job);
end
$function$;
comment on function mashup.begin_studio_version(mashup_jobs) is 'Creates the first tasks of a studio version that has just begun. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.bulk(p_operation text, p_stage text DEFAULT NULL::text, p_error_code text DEFAULT NULL::text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_stopped_stage text DEFAULT NULL::text, p_user_id uuid DEFAULT NULL::uuid, p_to_stage text DEFAULT NULL::text, p_limit integer DEFAULT 100, p_after uuid DEFAULT NULL::uuid, p_filter jsonb DEFAULT '{}'::jsonb)
 RETURNS TABLE(job_id uuid, outcome text, message text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_id uuid;
begin
  if p_operation not in ('replay', 'retry', 'cancel') then
    perform mashup.raise_error('MB006', format('There is no bulk operation "%s".', p_operation), 'Use replay, retry or cancel.');
  end if;
  for v_id in select s.id from mashup.select_jobs(p_stage, p_error_code, p_since, p_stopped_stage, p_user_id, p_limit, p_after, p_filter) s loop
    begin
      if p_operation = 'replay' then
        perform mashup.replay(v_id, p_to_stage);
      elsif p_operation = 'retry' then
        perform mashup.retry(v_id);
      else
        perform mashup.cancel(v_id);
      end if;
      job_id := v_id; outcome := 'done'; message := null;
    exception when others then
      job_id := v_id; outcome := 'refused'; message := sqlerrm;
    end;
    return next;
  end loop;
end
$function$;
comment on function mashup.bulk(text,text,text,timestamp with time zone,text,uuid,text,integer,uuid,jsonb) is 'Applies an operation (replay from p_to_stage, retry or cancel) to the jobs that select_jobs returns. Returns the outcome of each, done or refused with its error; a refusal does not stop the others. Repeat until it returns no row. Lock order: jobs by id. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.caller()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_user uuid := auth.uid();
begin
  if v_user is null then
    perform mashup.raise_error('MB010', 'You are not signed in.', 'Sign in, then try again.');
  end if;
  return v_user;
end
$function$;
comment on function mashup.caller() is 'Returns the signed-in user. Raises MB010 if there is none.';

CREATE OR REPLACE FUNCTION mashup.cancel(p_job_id uuid)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  v_job := mashup.require_job(p_job_id);
  if mashup.is_studio_version_live(v_job) then
    perform mashup.end_studio_version(v_job, 'cancelled', null);
    select * into v_job from public.mashup_jobs j where j.id = p_job_id;
  elsif v_job.stage <> 'cancelled' then
    update public.mashup_jobs j set stage = 'cancelled' where j.id = p_job_id returning * into v_job;
  end if;
  return v_job;
end
$function$;
comment on function mashup.cancel(uuid) is 'Cancels a live job, or the studio version of a complete one, which keeps its result; its workers abort within a second. Returns the job. Lock order: job, tasks by id. Raises MB001, MB002.';

CREATE OR REPLACE FUNCTION mashup.cancel_expired_drafts(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_id uuid;
  v_count integer := 0;
begin
  for v_id in
    select j.id from mashup.draft_jobs j
    where j.waiting_on = 'user'
      and j.stage_entered_at < mashup.now() - make_interval(hours => mashup.setting_number('draft_expires_hours')::integer)
    order by j.stage_entered_at limit p_batch for no key update skip locked
  loop
    update public.mashup_jobs set stage = 'cancelled' where id = v_id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.cancel_expired_drafts(integer) is 'Cancels drafts that were not started for draft_expires_hours. Returns how many, at most p_batch.';

CREATE OR REPLACE FUNCTION mashup.check_job_filter(p_filter jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_name text;
  v_value jsonb;
  v_text text;
  v_filter jsonb := '{}';
begin
  if jsonb_typeof(coalesce(p_filter, '{}')) <> 'object' then
    perform mashup.raise_error('MB006', 'A filter of jobs is an object.', 'Name the members to filter by.');
  end if;
  for v_name, v_value in select * from jsonb_each(coalesce(p_filter, '{}')) loop
    v_text := trim(p_filter ->> v_name);
    continue when coalesce(v_text, '') = '';
    begin
      case v_name
        when 'stage', 'stopped' then
          if not exists (select from mashup.stages s where s.stage = v_text) and (v_name = 'stopped' or v_text not in ('live', 'ended')) then
            perform mashup.raise_error('MB006', format('There is no stage "%s".', left(v_text, 60)), 'The stages are '
              || (select string_agg(s.stage, ', ' order by s.position) from mashup.stages s)
              || case v_name when 'stage' then '; live and ended stand for several.' else '.' end);
          end if;
        when 'service' then
          if not exists (select from mashup.service_health h where h.service = v_text) then
            perform mashup.raise_error('MB006', format('There is no service "%s".', left(v_text, 60)), 'The services are '
              || (select string_agg(h.service, ', ' order by h.service) from mashup.service_health h) || '.');
          end if;
        when 'user' then
          if position('@' in v_text) > 0 then
            select u.id::text into v_text from auth.users u where lower(u.email) = lower(trim(p_filter ->> 'user'));
            if v_text is null then
              perform mashup.raise_error('MB006', format('There is no account with the e-mail %s.', left(trim(p_filter ->> 'user'), 100)), 'Correct it, or use the id of the user.');
            end if;
          else
            v_text := v_text::uuid::text;
          end if;
        when 'hours' then
          v_text := v_text::double precision::text;
          if v_text::double precision <= 0 or v_text::double precision > 1000000 then
            raise invalid_parameter_value;
          end if;
        when 'since', 'until' then
          -- As JSON it is ISO 8601 with its offset, under any DateStyle.
          v_text := to_json(v_text::timestamptz) #>> '{}';
        when 'error', 'text' then
          v_text := left(v_text, 200);
        else
          perform mashup.raise_error('MB006', format('Jobs are not filtered by "%s".', left(v_name, 60)),
            'Filter by stage, stopped, error, user, service, text, hours, since or until.');
      end case;
    exception when invalid_text_representation or invalid_parameter_value or datetime_field_overflow or invalid_datetime_format or numeric_value_out_of_range then
      perform mashup.raise_error('MB006', format('The filter %s cannot be "%s".', v_name, left(v_text, 60)),
        case v_name when 'user' then 'Give the id of a user or an e-mail.' when 'hours' then 'Give a positive number of hours.'
          else 'Give a time such as 2026-11-30 12:00 UTC.' end);
    end;
    v_filter := v_filter || jsonb_build_object(v_name, v_text);
  end loop;
  return v_filter;
end
$function$;
comment on function mashup.check_job_filter(jsonb) is 'Returns a filter of jobs with its members as texts, without empty ones. Members, all optional, of which all must match: stage (a stage, live or ended), stopped (the stage in which the job failed or was cancelled), error (code), user (id or e-mail), service (that a task waits for or runs on, or that made the job fail), text (words of title, song names, artists and error, or the start of an id), hours (that the job has ended, or was created if it is live, in the last hours), since and until (the same by time). Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.check_options(p_options jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  if jsonb_typeof(p_options) <> 'object' or octet_length(p_options::text) > 900 then
    perform mashup.raise_error('MB006', 'The options are not an object, or larger than 900 bytes.', 'Send only the options that you want to set.', 'invalid_options');
  end if;
  if p_options ->> 'format' not in ('wav', 'flac', 'mp3') then
    perform mashup.raise_error('MB006', 'The option format is not a format.', 'It is "wav", "flac" or "mp3".', 'invalid_options');
  elsif p_options ->> 'separation' not in ('auto', 'classical', 'neural') then
    perform mashup.raise_error('MB006', 'The option separation is not a method.', 'It is "auto", "classical" or "neural".', 'invalid_options');
  elsif p_options ->> 'length' not in ('short', 'full') then
    perform mashup.raise_error('MB006', 'The option length is not a length.', 'It is "short" or "full"; length_sec is an exact length in seconds.', 'invalid_options');
  elsif p_options -> 'length_sec' not between '20' and '600' and p_options -> 'length_sec' <> 'null' then
    perform mashup.raise_error('MB006', 'The option length_sec is not a length in seconds.', 'It is a number from 20 to 600.', 'invalid_options');
  elsif jsonb_typeof(p_options -> 'wishes') not in ('string', 'null') or char_length(p_options ->> 'wishes') > 500 then
    perform mashup.raise_error('MB006', 'The option wishes is not a text of at most 500 characters.', 'Shorten the wishes.', 'invalid_options');
  elsif jsonb_typeof(p_options -> 'studio_version') not in ('boolean', 'null') then
    perform mashup.raise_error('MB006', 'The option studio_version is not a boolean.', 'It is true or false.', 'invalid_options');
  elsif jsonb_typeof(p_options -> 'roles') not in ('object', 'null') or jsonb_typeof(p_options -> 'roles' -> 'sings') <> 'string'
      or jsonb_typeof(p_options -> 'roles' -> 'plays') <> 'string' or '' in (p_options -> 'roles' ->> 'sings', p_options -> 'roles' ->> 'plays') then
    perform mashup.raise_error('MB006', 'The option roles is not an object of song ids.', 'It is {sings, plays}: ids of songs of the mashup.', 'invalid_options');
  end if;
  return coalesce(p_options, '{}');
end
$function$;
comment on function mashup.check_options(jsonb) is 'Returns the options of a submission, {} for null. Raises MB006 if they are no object or too large, or an option has a value that it cannot have.';

CREATE OR REPLACE FUNCTION mashup.check_own_stems(p_user uuid, p_song jsonb, p_song_tag text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_stem text;
  v_name text;
  v_tag text;
  v_tags text[] := '{}';
begin
  if jsonb_typeof(p_song -> 'stems') <> 'object' or p_song -> 'stems' = '{}' or exists (select from jsonb_each(p_song -> 'stems') s
      where s.key not in ('vocals', 'drums', 'bass', 'other', 'instrumental') or jsonb_typeof(s.value) <> 'string' or octet_length(s.value #>> '{}') > 250) then
    perform mashup.raise_error('MB006', format('The stems of %s are not usable.', p_song ->> 'name'),
      'Give stems as an object with the paths of some of vocals, drums, bass, other, instrumental.', 'invalid_stems');
  elsif p_song -> 'stems' ?& array['instrumental', 'drums', 'bass', 'other'] then
    perform mashup.raise_error('MB006', format('%s has an instrumental beside all of its parts.', p_song ->> 'name'),
      'Leave out the instrumental, or one of drums, bass and other.', 'invalid_stems');
  end if;
  for v_stem in select s.key from jsonb_object_keys(p_song -> 'stems') s (key) order by s.key loop
    v_name := format('the %s of %s', case v_stem when 'other' then 'instruments' else v_stem end, p_song ->> 'name');
    v_tag := mashup.check_upload(p_user, p_song -> 'stems' ->> v_stem, v_name);
    if v_tag = p_song_tag or v_tag = any (v_tags) then
      perform mashup.raise_error('MB006', format('The file of %s is the same as another file of the song.', v_name),
        'Give each stem in a file of its own.', 'invalid_stems');
    end if;
    v_tags := v_tags || v_tag;
  end loop;
  return array_to_string(v_tags, ' ');
end
$function$;
comment on function mashup.check_own_stems(uuid,jsonb,text) is 'Checks the stems that a user gives with a song, and their uploads; p_song_tag is the tag of the song, if it is given. Returns their tags. Raises MB006, MB008.';

CREATE OR REPLACE FUNCTION mashup.check_plan_edits(p_edits jsonb)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  v_kinds constant text[] := array['move_edge', 'remove_section', 'repeat_section', 'layer_level', 'mute_layer', 'unmute_layer', 'swap_songs', 'roles'];
  v_edits jsonb := case jsonb_typeof(p_edits -> 'edits') when 'array' then p_edits -> 'edits' else '[]' end;
begin
  if jsonb_typeof(p_edits) is distinct from 'object' or coalesce(p_edits ->> 'plan_version', '') !~ '^[1-9][0-9]{0,8}$' then
    perform mashup.raise_error('MB006', 'The edits do not say which plan they are for.', 'Send {plan_version, edits: [{kind, …}]}.', 'invalid_edits');
  elsif jsonb_array_length(v_edits) not between 1 and 40 or octet_length(v_edits::text) > 12000 then
    perform mashup.raise_error('MB006', 'The list of edits is empty or too long.', 'Send 1 to 40 edits at once.', 'invalid_edits');
  elsif exists (select from jsonb_array_elements(v_edits) e where coalesce(e ->> 'kind' = any (v_kinds), false) is false) then
    perform mashup.raise_error('MB006', 'An edit is of an unknown kind.', format('The kinds are %s.', array_to_string(v_kinds, ', ')), 'invalid_edits');
  end if;
end
$function$;
comment on function mashup.check_plan_edits(jsonb) is 'Checks the form of the edits of a plan, {plan_version, edits}. Their values are checked with the plan. Raises MB006 with detail invalid_edits.';

CREATE OR REPLACE FUNCTION mashup.check_protocol(p_version text, p_protocol integer)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if p_protocol < mashup.min_protocol_version() then
    perform mashup.raise_error('MB013',
      format('This worker (version %s, protocol %s) is too old for the database (version %s, protocol %s or newer).',
        p_version, p_protocol, mashup.engine_version(), mashup.min_protocol_version()),
      format('Start a worker of version %s in its place.', mashup.engine_version()));
  elsif p_protocol > mashup.protocol_version() then
    perform mashup.raise_error('MB014',
      format('This worker (version %s, protocol %s) is too new for the database (version %s, protocol %s).',
        p_version, p_protocol, mashup.engine_version(), mashup.protocol_version()),
      'Run `mashup migrate` of the version of the worker, then start the worker again.');
  end if;
end
$function$;
comment on function mashup.check_protocol(text,integer) is 'Checks that this schema serves workers of a protocol. Raises MB013 for a worker that is too old, MB014 for one that is too new.';

CREATE OR REPLACE FUNCTION mashup.check_setting()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if not mashup.is_allowed(new) then
    perform mashup.raise_error('MB006', pg_catalog.format('The setting %s cannot be %s: it is %s.', new.name, new.value, mashup.allowed_values(new)),
      pg_catalog.format('Choose such a value. mashup settings get %s explains the setting.', new.name));
  end if;
  return new;
end
$function$;
comment on function mashup.check_setting() is 'Trigger: refuses a value that a setting cannot have. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.check_shared_read(p_link text, p_group integer)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_wait double precision;
begin
  select max(coalesce(60 - extract(epoch from mashup.now() - c.since), 60)) into v_wait
    from mashup.shared_read_limits(p_link, p_group) l
    left join mashup.share_counts c on c.counter = l.counter and c.since between mashup.now() - interval '1 minute' and mashup.now()
    where coalesce(c.calls, 0) >= l.at_most;
  if v_wait is not null then
    perform mashup.raise_error('MB012', 'Too many requests for public links.', 'Wait a minute, then try again.', greatest(1, ceil(v_wait))::text);
  end if;
end
$function$;
comment on function mashup.check_shared_read(text,integer) is 'Refuses a request for a public link whose counters have reached a limit in their minute; detail is the number of seconds to wait. It writes nothing, so that a flood makes no dead rows. Simultaneous requests may pass together. Raises MB012.';

CREATE OR REPLACE FUNCTION mashup.check_song(p_song jsonb, p_cards jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if coalesce(p_song ->> 'song_id', '') !~ '^[A-Za-z0-9_-]{1,64}$' or coalesce(p_song ->> 'name', '') = ''
     or coalesce(p_song ->> 'storage_path', '') = '' and jsonb_typeof(p_song -> 'stems') is distinct from 'object' then
    perform mashup.raise_error('MB006', 'A song is not complete.', 'Each song needs song_id (letters, digits, - and _), name, and storage_path or stems.', 'invalid_song');
  end if;
  if octet_length(p_song ->> 'storage_path') > 250 then
    perform mashup.raise_error('MB006', format('The path of %s is too long.', p_song ->> 'name'), 'Upload it under a shorter name.', 'invalid_song');
  end if;
  if exists (select from jsonb_array_elements(p_cards) c where c ->> 'song_id' = p_song ->> 'song_id' or c ->> 'path' = mashup.path_of_song(p_song)) then
    perform mashup.raise_error('MB006', format('The song %s is given twice.', p_song ->> 'name'), 'Choose two different songs.', 'same_song_twice');
  end if;
end
$function$;
comment on function mashup.check_song(jsonb,jsonb) is 'Checks the members of a submitted song, and that p_cards does not have it already. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.check_songs(p_user uuid, p_songs jsonb, p_least integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_song jsonb;
  v_count integer;
  v_tag text;
  v_stem_tags text;
  v_cards jsonb := '[]';
  v_tags text[] := '{}';
begin
  if jsonb_typeof(p_songs) is distinct from 'array' then
    perform mashup.raise_error('MB006', 'songs must be a list.', 'Send songs as [{song_id, name, artist, storage_path}].');
  end if;
  v_count := jsonb_array_length(p_songs);
  if v_count < p_least then
    perform mashup.raise_error('MB006', format('A mashup needs at least %s songs; %s given.', p_least, v_count), 'Add another song.', 'too_few_songs');
  elsif v_count > 3 then
    perform mashup.raise_error('MB006', format('A mashup takes at most three songs; %s given.', v_count), 'Leave some out.', 'too_many_songs');
  end if;
  for v_song in select * from jsonb_array_elements(p_songs) loop
    perform mashup.check_song(v_song, v_cards);
    v_tag := null;
    v_stem_tags := null;
    if coalesce(v_song ->> 'storage_path', '') <> '' then
      v_tag := mashup.check_upload(p_user, v_song ->> 'storage_path', v_song ->> 'name');
    end if;
    if coalesce(v_song -> 'stems', 'null') <> 'null' then
      v_stem_tags := mashup.check_own_stems(p_user, v_song, v_tag);
    end if;
    v_tag := coalesce(v_tag, v_stem_tags);
    if v_tag = any (v_tags) then
      perform mashup.raise_error('MB006', format('%s is the same recording as another of the songs.', v_song ->> 'name'),
        'Choose two different songs.', 'same_song_twice');
    end if;
    v_tags := v_tags || v_tag;
    v_cards := v_cards || (jsonb_build_object('song_id', v_song ->> 'song_id', 'name', mashup.truncate_bytes(v_song ->> 'name', 120),
      'artist', mashup.truncate_bytes(coalesce(nullif(v_song ->> 'artist', ''), 'Unknown artist'), 110), 'path', mashup.path_of_song(v_song), 'state', 'pending')
      || case when v_stem_tags is null then '{}' else jsonb_build_object('own_stems_id', mashup.save_own_stems(p_user, v_song)) end);
  end loop;
  return v_cards;
end
$function$;
comment on function mashup.check_songs(uuid,jsonb,integer) is 'Checks the songs of a submission against each other and against Storage, before any work is spent on them, and keeps the stems that were given with them. Returns their cards. Raises MB006, MB008; detail is a code.';

CREATE OR REPLACE FUNCTION mashup.check_transition()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_announced text := coalesce(current_setting('mashup.transition', true), '');
  v_name text;
  v_to mashup.stages;
begin
  select * into v_to from mashup.stages s where s.stage = new.stage;
  if v_announced like old.id || ' %' then
    v_name := split_part(v_announced, ' ', 3);
  else
    v_name := case new.stage when 'cancelled' then 'cancel' else 'replay' end;
    if old.stage = 'cancelled' and new.stage = 'cancelled' then
      return null;
    end if;
    -- A statement of an operator may carry a whole row, as the table editor sends it. Only stage is taken from it.
    v_announced := new.stage;
    new := old;
    new.stage := v_announced;
  end if;
  if not exists (select from mashup.transitions t where t.from_stage = old.stage and t.to_stage = new.stage and t.name = v_name) then
    perform mashup.refuse_transition(old.id, old.stage, new.stage);
  end if;

  if v_name = 'replay' and old.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', old.id, old.takedown_reason), 'Contact the operator.');
  end if;

  new.stage_entered_at := greatest(mashup.now(), old.stage_entered_at);
  new.status := case when v_to.is_terminal then v_to.stage else 'processing' end;
  new.current_step := v_to.step;
  new.queue_position := null;
  -- The opening is heard while all of the mashup is rendered.
  if v_name <> 'advance' or new.stage <> 'rendering' then
    new.playable := null;
  end if;
  if v_name in ('admit', 'advance') then
    new.progress := greatest(new.progress, v_to.progress_from);
    new.waiting_on := null;
  end if;
  case v_name
    when 'admit' then new.admitted_at := mashup.now();
    when 'advance' then
      if v_to.is_terminal or new.hold = new.stage then
        new := mashup.reset_without_slot(new);
      end if;
      if new.stage = 'complete' then
        new := mashup.reset_for_studio_version(new);
      end if;
    when 'fail' then new := mashup.reset_for_end(new, old.stage);
    when 'cancel' then new := mashup.reset_for_end(new, old.stage);
    when 'replan' then new := mashup.reset_for_rerun(new);
    when 'remake' then new := mashup.reset_for_rerun(new);
    when 'replay' then new := mashup.reset_for_replay(new);
  end case;
  return mashup.reset_estimate(new);
end
$function$;
comment on function mashup.check_transition() is 'Trigger before any write of stage, also of the value it had: refuses a transition that is not in mashup.transitions and resets the row for the new stage. Raises MB001, MB003, MB006, MB015.';

CREATE OR REPLACE FUNCTION mashup.check_upload(p_user uuid, p_path text, p_name text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_object record;
begin
  select o.name, o.metadata ->> 'size' as size, o.metadata ->> 'eTag' as tag,
      coalesce(o.owner_id, o.owner::text) = p_user::text as is_own into v_object
    from storage.objects o where o.bucket_id = 'mashups' and o.name = p_path;
  -- The file of another user and a missing file give the same error, so that nobody learns what others have.
  if v_object.name is null or not coalesce(v_object.is_own, false) then
    perform mashup.raise_error('MB008', format('There is no upload of yours at the path given for %s.', p_name),
      'Upload the song first and send the path that create-signed-upload gave.', 'upload_missing');
  end if;
  if v_object.size::bigint = 0 then
    perform mashup.raise_error('MB006', format('The file of %s is empty.', p_name), 'Export the song again and upload that.', 'audio_empty');
  elsif v_object.size::bigint > mashup.setting_number('upload_max_bytes') then
    perform mashup.raise_error('MB006', format('The file of %s is larger than %s MB.', p_name,
      round(mashup.setting_number('upload_max_bytes') / 1048576)), 'Upload it as mp3 or ogg, or shorten it.', 'audio_too_large');
  end if;
  return v_object.tag || ' ' || v_object.size;
end
$function$;
comment on function mashup.check_upload(uuid,text,text) is 'Checks an upload of a submission in Storage; p_name is what messages call it. Returns its entity tag and size: equal for equal files. Raises MB006, MB008.';

CREATE OR REPLACE FUNCTION mashup.check_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- The user's row is locked against deletion until the job is committed. Only here: nothing that has locked a job waits for
  -- its user.
  perform from auth.users u where u.id = new.user_id for key share;
  if not found then
    raise exception using errcode = 'foreign_key_violation', message = format('There is no user %s.', new.user_id),
      hint = 'Sign up first.';
  end if;
  return new;
end
$function$;
comment on function mashup.check_user() is 'Trigger: refuses a job of a user who does not exist. Lock: user row, shared.';

CREATE OR REPLACE FUNCTION mashup.circuit_of(p_kind mashup.task_kinds, OUT is_closed boolean, OUT probes text[], OUT spread_sec real)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_blocked boolean;
begin
  if not exists (select from mashup.service_health h where h.state <> 'closed' or h.updated_at > mashup.now() - interval '10 seconds') then
    is_closed := true; probes := '{}'; spread_sec := 0;
    return;
  end if;
  select coalesce(bool_or(h.state = 'half_open' or (h.state = 'open' and h.retry_at > mashup.now())), false),
      coalesce(array_agg(h.service order by h.service) filter (where h.state = 'open' and h.retry_at <= mashup.now()), '{}'),
      -- After an outage the waiting tasks return spread over two seconds.
      case when bool_or(h.state = 'closed' and h.failures = 0 and h.last_error is not null
        and h.updated_at > mashup.now() - interval '10 seconds') then 2 else 0 end
    into v_blocked, probes, spread_sec
    from mashup.service_health h where h.service = any (mashup.services_of(p_kind));
  if v_blocked then
    probes := '{}';
  end if;
  is_closed := not v_blocked and probes = '{}';
end
$function$;
comment on function mashup.circuit_of(mashup.task_kinds) is 'Returns whether the circuits that a kind of task needs are all closed; if not, those of which its next task would be the probe (none while one of them is half-open, or not due for a probe); and over how many seconds its tasks return after an outage.';

CREATE OR REPLACE FUNCTION mashup.claim_outgoing_events(p_limit integer)
 RETURNS SETOF mashup.outgoing_events
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_event mashup.outgoing_events;
begin
  for v_event in
    select e.* from mashup.outgoing_events e
    where e.delivered_at is null and e.not_before <= mashup.now()
      -- One event of a job at a time, so that they arrive in order.
      and not exists (select from mashup.outgoing_events b where b.job_id = e.job_id and b.seq < e.seq and b.delivered_at is null)
    order by e.seq limit p_limit for update skip locked
  loop
    update mashup.outgoing_events e set attempts = e.attempts + 1, not_before = mashup.now() + interval '30 seconds'
      where e.seq = v_event.seq returning * into v_event;
    perform pg_catalog.pg_notify('mashup_events', (jsonb_build_object('id', v_event.id) || v_event.payload)::text);
    return next v_event;
  end loop;
end
$function$;
comment on function mashup.claim_outgoing_events(integer) is 'Leases up to p_limit due events to a worker for half a minute, the oldest of each job, and notifies channel mashup_events of them. Lock: event rows; never waits for a row.';
grant execute on function mashup.claim_outgoing_events(integer) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.claim_status(p_task_id bigint, p_claim uuid)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return coalesce((
    select case when t.state = 'running' and t.claim = p_claim then 'held'
                when t.state = 'dropped' and t.error ->> 'code' in ('replayed', 'cancelled', 'failed') then t.error ->> 'code'
                else 'lost' end
    from mashup.tasks t where t.id = p_task_id), 'lost');
end
$function$;
comment on function mashup.claim_status(bigint,uuid) is 'Returns held while a claim is valid; else why it is not: replayed, cancelled or failed (the job), or lost (the task was taken from a silent worker).';

CREATE OR REPLACE FUNCTION mashup.claim_storage_deletions(p_limit integer)
 RETURNS SETOF mashup.storage_deletions
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update mashup.storage_deletions d set attempts = d.attempts + 1, not_before = mashup.now() + mashup.setting_interval('outbox_retry_sec')
  where d.id in (select s.id from mashup.storage_deletions s where s.not_before <= mashup.now()
    order by s.not_before limit p_limit for update skip locked)
  returning d.*
$function$;
comment on function mashup.claim_storage_deletions(integer) is 'Leases up to p_limit due rows of the outbox to a worker. Rows that it does not complete are due again after outbox_retry_sec.';
grant execute on function mashup.claim_storage_deletions(integer) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.claim_task(p_task_id bigint, p_attempt integer, p_worker_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_task mashup.tasks;
  v_job public.mashup_jobs;
  v_kind mashup.task_kinds;
  v_limits mashup.claim_limits;
  v_solo_task bigint;
begin
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  select w.solo_task into v_solo_task from mashup.workers w where w.id = p_worker_id and not w.draining;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  -- The job is locked before the task; then the task is checked again.
  select * into v_job from public.mashup_jobs where id = v_task.job_id for no key update;
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt and epoch = v_job.epoch for update;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;

  if exists (select from mashup.pauses) and (mashup.is_job_paused(v_job.id, v_job.user_id) or mashup.is_kind_paused(v_kind)) then
    update mashup.tasks set state = 'waiting' where id = p_task_id;
    return jsonb_build_object('status', 'deferred', 'reason', 'paused');
  end if;
  -- It was dispatched before Storage failed. The call would only show again that Storage is not available.
  if v_kind.uses_storage and exists (select from mashup.service_health h
      where h.service = 'storage' and h.state <> 'closed' and h.probe_task is distinct from p_task_id) then
    update mashup.tasks set state = 'waiting', is_probe = false where id = p_task_id;
    return jsonb_build_object('status', 'deferred', 'reason', 'circuit');
  end if;
  v_limits := mashup.read_claim_limits();
  if (v_solo_task is not null or v_task.crashes >= v_limits.max_crashes_before_solo) and mashup.defer_solo(v_task, p_worker_id, v_limits.max_crashes_before_solo) then
    return jsonb_build_object('status', 'deferred', 'reason', 'must_run_alone');
  end if;
  return mashup.start_task(v_task, v_kind, v_job, p_worker_id, gen_random_uuid(), v_limits);
end
$function$;
comment on function mashup.claim_task(bigint,integer,uuid) is 'Claims a ready task for a worker. Returns {status}: claimed, with all that the worker needs (see describe_claim); gone: the queue entry is late or repeated; deferred, with reason paused, circuit (Storage is not available) or must_run_alone: the task runs later. Lock order: job, task, worker, queue.';
grant execute on function mashup.claim_task(bigint,integer,uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.client_group(p_client text)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_today date := (mashup.now() at time zone 'utc')::date;
  v_address inet;
  v_salt uuid;
  v_hash bytea;
begin
  begin
    v_address := p_client::inet;
  exception when invalid_text_representation then
    return null;
  end;
  -- A loopback address is a proxy's. Whoever has an IPv6 address has all that share its first 64 bits.
  if v_address is null or v_address <<= inet '127.0.0.0/8' or v_address = inet '::1' then
    return null;
  elsif family(v_address) = 6 then
    v_address := network(set_masklen(v_address, 64));
  end if;
  select s.salt into v_salt from mashup.share_salt s where s.day = v_today;
  if not found then
    insert into mashup.share_salt as s (day, salt) values (v_today, pg_catalog.gen_random_uuid())
      on conflict (only_row) do update set
        salt = case when s.day = excluded.day then s.salt else excluded.salt end, day = excluded.day
      returning s.salt into v_salt;
  end if;
  v_hash := sha256(convert_to(v_salt || ' ' || host(v_address), 'UTF8'));
  return get_byte(v_hash, 0) * 16 + get_byte(v_hash, 1) / 16;
end
$function$;
comment on function mashup.client_group(text) is 'Returns the group of a network address, 0 to 4095, by a hash whose salt lasts a day; null for what is no address of a client. Lock: the row of share_salt, once a day.';

CREATE OR REPLACE FUNCTION mashup.complete_outgoing_event(p_seq bigint, p_error text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  update mashup.outgoing_events e set last_error = left(p_error, 300),
      delivered_at = case when p_error is null then mashup.now() end,
      -- Full jitter, at least half of the back-off: 1 s, 2 s, 4 s … up to an hour.
      not_before = case when p_error is null then e.not_before
        else mashup.now() + make_interval(secs => least(3600, 2 ^ least(e.attempts, 12)) * (0.5 + random() / 2)) end
    where e.seq = p_seq and e.delivered_at is null
$function$;
comment on function mashup.complete_outgoing_event(bigint,text) is 'Records that an event was delivered, or why not: it is then due again after a back-off of up to an hour.';
grant execute on function mashup.complete_outgoing_event(bigint,text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.complete_storage_deletions(p_ids bigint[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ delete from mashup.storage_deletions where id = any (p_ids) $function$;
comment on function mashup.complete_storage_deletions(bigint[]) is 'Removes rows whose objects are deleted from the outbox.';
grant execute on function mashup.complete_storage_deletions(bigint[]) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.count_plan_spend()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
$function$;
comment on function mashup.count_plan_spend() is 'Trigger: adds a receipt to the ledger of its day and user.';

CREATE OR REPLACE FUNCTION mashup.count_request(p_user uuid, p_action text, p_setting text, p_message text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_calls integer;
begin
  insert into mashup.call_counts as c (user_id, action, since, calls) values (p_user, p_action, mashup.now(), 1)
    on conflict (user_id, action) do update set
      -- A minute that begins in the future was counted before the clock was set back.
      since = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.since else mashup.now() end,
      calls = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.calls + 1 else 1 end
    returning c.calls into v_calls;
  if v_calls > mashup.setting_number(p_setting) then
    perform mashup.raise_error('MB012', p_message, 'Wait a minute, then try again.', '60');
  end if;
end
$function$;
comment on function mashup.count_request(uuid,text,text,text) is 'Counts a request of a user. Raises MB012 beyond the number of the setting in a minute; the error also undoes the count. The row is locked until the transaction ends, so simultaneous requests of a user are counted one after the other.';

CREATE OR REPLACE FUNCTION mashup.count_shared_read(p_link text, p_group integer)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  -- In the order of their names, so that no two requests wait for each other.
  insert into mashup.share_counts as c (counter, since, calls)
    select l.counter, mashup.now(), 1 from mashup.shared_read_limits(p_link, p_group) l order by l.counter
    on conflict (counter) do update set
      -- A minute that begins in the future was counted before the clock was set back.
      since = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.since else mashup.now() end,
      calls = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.calls + 1 else 1 end;
end
$function$;
comment on function mashup.count_shared_read(text,integer) is 'Counts a request for a public link. The last statement of its transaction: the counter of all requests is locked until the end. Lock order: counters by name.';

CREATE OR REPLACE FUNCTION mashup.create_analysis_tasks(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  -- A card may point to an analysis that was deleted since. Its finished task is dropped, so that another one can be made.
  update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'analysis_gone')
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'analyze' and t.state = 'done'
      and not exists (select from mashup.active_songs(p_job.songs) s join mashup.analyses a on a.id = (s ->> 'analysis_id')::bigint
        where s ->> 'song_id' = t.song_id);
  insert into mashup.tasks (job_id, kind, song_id, epoch, priority)
    select p_job.id, k.kind, s ->> 'song_id', p_job.epoch, k.priority
    from mashup.active_songs(p_job.songs) s, mashup.task_kinds k
    where k.kind = 'analyze' and not exists (select from mashup.analyses a where a.id = (s ->> 'analysis_id')::bigint)
    on conflict do nothing;
end
$function$;
comment on function mashup.create_analysis_tasks(mashup_jobs) is 'Creates the missing analyze tasks of a job in stage analyzing. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.create_separation_tasks(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_songs text[] := array(select mashup.songs_without_stems(p_job));
  v_is_studio boolean := mashup.is_studio_version_live(p_job);
begin
  if v_songs = '{}' then
    return;
  end if;
  -- Stems may have been deleted, or more of a song may be needed, since its task finished: it is dropped, so that another one can be made.
  update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'stems_gone')
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'separate' and t.state = 'done' and t.song_id = any (v_songs);
  insert into mashup.tasks (job_id, kind, song_id, epoch, priority, is_studio)
    select p_job.id, k.kind, s ->> 'song_id', p_job.epoch, k.priority + case when v_is_studio then 40 else 0 end, v_is_studio
    from mashup.active_songs(p_job.songs) s, mashup.task_kinds k
    where k.kind = 'separate' and s ->> 'analysis_id' is not null and s ->> 'song_id' = any (v_songs)
    on conflict do nothing;
end
$function$;
comment on function mashup.create_separation_tasks(mashup_jobs) is 'Creates the missing separate tasks of a job. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.create_tasks(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_has_task boolean;
begin
  if p_job.admitted_at is null then
    return false;
  end if;
  insert into mashup.tasks (job_id, kind, epoch, priority)
    select p_job.id, k.kind, p_job.epoch, k.priority
    from mashup.task_kinds k
    where k.stage = p_job.stage and k.song_member is null and p_job.hold is distinct from p_job.stage
    on conflict do nothing;
  v_has_task := found and not (select s.ends_early from mashup.stages s where s.stage = p_job.stage);
  if p_job.stage = 'analyzing' then
    perform mashup.create_analysis_tasks(p_job);
  elsif p_job.stage = 'separating' or p_job.stage in ('scoring', 'planning') and mashup.separates_early(p_job) then
    perform mashup.create_separation_tasks(p_job);
  end if;
  return v_has_task;
end
$function$;
comment on function mashup.create_tasks(mashup_jobs) is 'Creates the tasks that a job with a slot needs in its stage and does not have yet. They start waiting; dispatch_kind makes them ready. Returns whether it created one that the stage waits for and is not for one song. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.dead_workers()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select w.id from mashup.workers w
  where not mashup.is_after_interruption() and (w.seen_at < mashup.now() - mashup.setting_interval('lease_sec')
    or (w.seen_at < mashup.now() - mashup.setting_interval('crash_grace_sec')
      and pg_catalog.pg_postmaster_start_time() < pg_catalog.now() - mashup.setting_interval('restart_grace_sec')
      and not exists (
        select from pg_catalog.pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
          and l.classid::bigint = (w.lock_key >> 32) & 4294967295 and l.objid::bigint = w.lock_key & 4294967295)))
$function$;
comment on function mashup.dead_workers() is 'Returns the lost workers: silent for a lease, or their session lock is free. A free lock proves nothing shortly after a restart of Postgres, which frees all locks at once, nor of a worker that was seen within crash_grace_sec and may be reconnecting. None is lost shortly after an interruption.';

CREATE OR REPLACE FUNCTION mashup.defer_solo(p_task mashup.tasks, p_worker_id uuid, p_max_crashes double precision)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  -- A task that has lost workers runs alone, so that only it can be to blame the next time.
  v_solo boolean := p_task.crashes >= p_max_crashes;
begin
  if (v_solo and exists (select from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running'))
    or exists (select from mashup.workers w join mashup.tasks s on s.id = w.solo_task
      where w.id = p_worker_id and s.id <> p_task.id and (s.state = 'ready' or s.worker_id = p_worker_id))
  then
    if v_solo then
      update mashup.workers set solo_task = coalesce(solo_task, p_task.id) where id = p_worker_id;
    end if;
    update mashup.tasks t set attempt = t.attempt + 1, run_at = mashup.now() + interval '500 milliseconds'
      where t.id = p_task.id;
    perform mashup.enqueue_tasks(array[p_task.id]);
    return true;
  end if;
  update mashup.workers w set solo_task = case when v_solo then p_task.id end
    where w.id = p_worker_id and w.solo_task is distinct from case when v_solo then p_task.id end;
  return false;
end
$function$;
comment on function mashup.defer_solo(mashup.tasks,uuid,double precision) is 'Returns whether a task cannot start on a worker because it, or another task there, has to run alone. It then has another queue entry, due in half a second. Else notes on the worker whether the task runs alone. Lock order: task (held by the caller), worker.';

CREATE OR REPLACE FUNCTION mashup.delete_mashup_stems(p_result mashup_results)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  insert into mashup.storage_deletions (path) select f from mashup.mashup_stem_files(p_result.stems) f;
  select * into v_job from public.mashup_jobs where id = p_result.job_id;
  v_job := mashup.save_mashup_stems(v_job, p_result.path, null);
  update public.mashup_jobs j set result = v_job.result where j.id = v_job.id and j.result is distinct from v_job.result;
end
$function$;
comment on function mashup.delete_mashup_stems(mashup_results) is 'Puts the files of the stems of a mashup into the outbox and forgets them. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.delete_task_logs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  delete from mashup.task_logs l where l.task_id in (select t.id from mashup.tasks t where t.job_id = old.id);
  return old;
end
$function$;
comment on function mashup.delete_task_logs() is 'Trigger: deletes the log lines of a deleted job.';

CREATE OR REPLACE FUNCTION mashup.delete_user_data()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- Jobs first, in the order of bulk; then the caches, to which no job can add any more.
  perform from public.mashup_jobs j where j.user_id = old.id order by j.id for update;
  delete from public.mashup_jobs j where j.user_id = old.id;
  delete from mashup.stems s where s.user_id = old.id;
  delete from mashup.analyses a where a.user_id = old.id;
  delete from mashup.own_stems o where o.user_id = old.id;
  delete from mashup.plan_spend s where s.user_id = old.id;
  delete from mashup.pauses p where p.scope = 'user' and p.key = old.id::text;
  -- What is not delivered yet still tells other programs of the end of a job.
  delete from mashup.outgoing_events e where e.payload #>> '{data,user_id}' = old.id::text and e.delivered_at is not null;
  return null;
end
$function$;
comment on function mashup.delete_user_data() is 'Trigger: deletes the jobs, analyses, stems, costs, pauses and delivered events of a deleted user. Lock order: user, jobs by id.';

CREATE OR REPLACE FUNCTION mashup.deregister_worker(p_worker_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
  v_pool_ids text[];
begin
  for v_task in select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' order by t.job_id, t.id loop
    perform mashup.return_task(v_task.id, v_task.claim);
  end loop;
  delete from mashup.workers w where w.id = p_worker_id returning w.pool_ids into v_pool_ids;
  perform mashup.unlock_queue(v_pool_ids);
end
$function$;
comment on function mashup.deregister_worker(uuid) is 'Removes a stopping worker: requeues its tasks and unlocks its queue entries. Lock order: jobs and tasks by id, worker, queue.';
grant execute on function mashup.deregister_worker(uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.describe_claim(p_task mashup.tasks, p_kind mashup.task_kinds, p_job mashup_jobs, p_limits mashup.claim_limits)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return jsonb_build_object(
    'status', 'claimed', 'task_id', p_task.id, 'claim', p_task.claim, 'kind', p_task.kind, 'job_id', p_job.id,
    'user_id', p_job.user_id, 'epoch', p_job.epoch, 'song_id', p_task.song_id, 'songs', p_job.songs, 'options', p_job.options,
    'fresh', p_job.fresh, 'parent_id', p_job.parent_id, 'feedback', p_job.feedback, 'plan_version', p_job.plan_version,
    'failures', p_task.failures, 'max_attempts', p_kind.max_attempts, 'timeout_sec', p_kind.timeout_sec,
    'heartbeat_sec', p_limits.heartbeat_sec, 'lease_sec', p_limits.lease_sec,
    'fallback', p_task.fallback or (p_kind.fallback_after_sec is not null and p_task.failures + 1 >= p_kind.max_attempts),
    'service', p_kind.service, 'output_prefix', p_task.output_prefix, 'silence_sec', p_task.silence_sec,
    'traceparent', p_job.traceparent, 'settings', p_limits.of_worker, 'waited_sec', greatest(extract(epoch from mashup.now() - p_task.run_at), 0),
    'lost_for_sec', extract(epoch from mashup.now() - p_task.lost_at),
    'separation', case when p_task.kind = 'separate' then to_jsonb(mashup.wanted_separation(p_job)) end,
    'is_studio', p_task.is_studio, 'is_probe', p_task.is_probe, 'last_error', p_task.error ->> 'code');
end
$function$;
comment on function mashup.describe_claim(mashup.tasks,mashup.task_kinds,mashup_jobs,mashup.claim_limits) is 'Returns what a worker needs of a claimed task. fallback: the task does without its service, because it was dispatched so or has its last attempt. waited_sec: since it was due. settings: those that a worker may need, by name. lost_for_sec: since the lost worker that ran it before was last seen; null if none was lost. separation: of a separate task, as wanted_separation. is_studio: the task is one of a studio version. is_probe: it is the probe of an open circuit. last_error: code of the fault of the attempt before.';

CREATE OR REPLACE FUNCTION mashup.describe_for_list(p_job mashup_jobs)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return jsonb_build_object('id', p_job.id, 'stage', p_job.stage, 'status', p_job.status, 'waiting_on', p_job.waiting_on, 'progress', p_job.progress,
    'current_step', p_job.current_step, 'title', p_job.title, 'songs', (select jsonb_agg(s ->> 'name') from jsonb_array_elements(p_job.songs) s),
    'user_id', p_job.user_id, 'email', (select u.email from auth.users u where u.id = p_job.user_id),
    'error_code', p_job.error_code, 'error_message', p_job.error_message, 'stopped_stage', p_job.stopped_stage,
    'epoch', p_job.epoch, 'created_at', p_job.created_at, 'finished_at', p_job.finished_at, 'at', coalesce(p_job.finished_at, p_job.created_at),
    'took_sec', extract(epoch from p_job.finished_at - p_job.queued_at), 'expired_at', p_job.expired_at, 'taken_down', p_job.takedown_reason is not null);
end
$function$;
comment on function mashup.describe_for_list(mashup_jobs) is 'Returns a job as lists of operators show it, with the e-mail of its user.';

CREATE OR REPLACE FUNCTION mashup.describe_share(p_job mashup_jobs, p_part text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_result public.mashup_results;
  v_plan public.mashup_plans;
begin
  if p_part = 'audio' then
    return jsonb_build_object('path', p_job.result_path);
  end if;
  select * into v_result from public.mashup_results r where r.job_id = p_job.id and r.path = p_job.result_path;
  select * into v_plan from public.mashup_plans p where p.job_id = p_job.id and p.version = coalesce(v_result.plan_version, p_job.plan_version);
  v_plan.plan := coalesce(v_result.plan, v_plan.plan);
  if p_part = 'cover' then
    return jsonb_build_object(
      'duration_sec', p_job.result -> 'duration_sec',
      'timeline', mashup.shared_timeline(p_job, v_plan),
      'songs', (select coalesce(jsonb_agg(jsonb_build_object('songId', o.public_id, 'energy', o.song -> 'energy',
          'peaks', mashup.reduce_peaks(coalesce(a.analysis #> '{waveform,peaks}', a.analysis #> '{energy,values}'), 200, true)) order by o.n), '[]')
        from mashup.shared_songs(p_job, v_plan) o
        left join mashup.analyses a on a.id = (o.song ->> 'analysis_id')::bigint and a.user_id = p_job.user_id));
  end if;
  return jsonb_build_object(
    'title', p_job.title,
    'credits', (select coalesce(jsonb_agg(jsonb_build_object('songId', o.public_id, 'name', o.song -> 'name', 'artist', o.song -> 'artist') order by o.n), '[]')
      from mashup.shared_songs(p_job, v_plan) o),
    'duration_sec', p_job.result -> 'duration_sec', 'bpm', p_job.result -> 'bpm', 'key', p_job.result -> 'key', 'format', p_job.result -> 'format',
    'created_at', coalesce(v_result.created_at, p_job.finished_at),
    'timeline', mashup.shared_timeline(p_job, v_plan),
    'peaks', mashup.reduce_peaks(v_result.quality #> '{waveform,peaks}', 600));
end
$function$;
comment on function mashup.describe_share(mashup_jobs,text) is 'Returns what the public may know of a shared mashup: of part mashup {title, credits [{songId, name, artist}], duration_sec, bpm, key, format, created_at, timeline, peaks}, of part cover {duration_sec, timeline, songs [{songId, energy, peaks}]}, of part audio {path}. No member names a user, a job or a file, except path, which the function signs.';

CREATE OR REPLACE FUNCTION mashup.describe_submission(p_job mashup_jobs, p_existing boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return (select jsonb_build_object('job_id', j.id, 'stage', j.stage, 'status', j.status, 'progress', j.progress, 'existing', p_existing,
    'queue_position', mashup.queue_position(j.id), 'estimated_completion_at',
    coalesce(j.estimated_completion_at, mashup.estimate_completion(j)), 'songs_count', jsonb_array_length(j.songs))
  from public.mashup_jobs j where j.id = p_job.id);
end
$function$;
comment on function mashup.describe_submission(mashup_jobs,boolean) is 'Returns what the submitter reads of a job; existing: a repeated request found it.';

CREATE OR REPLACE FUNCTION mashup.detach_outputs(p_job mashup_jobs, p_again text[])
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  p_job.error_code := null; p_job.error_message := null; p_job.error_hint := null; p_job.failed_task := null;
  p_job.stopped_stage := null; p_job.finished_at := null; p_job.expired_at := null;
  p_job.estimated_completion_at := null;
  if 'rendering' = any (p_again) then
    p_job.result_path := null; p_job.result := null; p_job.studio_version := null;
  end if;
  if 'planning' = any (p_again) then
    p_job.plan_version := null; p_job.concept := null;
    -- Once a mashup was finished it keeps its name.
    if not exists (select from public.mashup_results r where r.job_id = p_job.id) then
      p_job.title := null;
    end if;
  end if;
  if 'scoring' = any (p_again) then
    p_job.score := null;
  end if;
  if 'analyzing' = any (p_again) then
    p_job.songs := mashup.reset_songs(p_job.songs);
  end if;
  if 'separating' = any (p_again) then
    -- A model that could not be used may be there again.
    p_job.songs := (select jsonb_agg(case when p_job.fresh then s.song - 'stems_id' else s.song end - 'instead_of' order by s.n)
      from jsonb_array_elements(p_job.songs) with ordinality as s (song, n));
  end if;
  p_job.warnings := mashup.warnings_outside(p_job.warnings, p_again);
  return p_job;
end
$function$;
comment on function mashup.detach_outputs(mashup_jobs,text[]) is 'Removes the pointers to what the stages p_again made. The plans, scores, stems and results themselves stay.';

CREATE OR REPLACE FUNCTION mashup.discard_output(p_task mashup.tasks)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if p_task.output_prefix is not null then
    insert into mashup.storage_deletions (path, is_prefix, not_before)
      values (p_task.output_prefix, true, mashup.now() + mashup.setting_interval('discard_after_sec'));
  end if;
end
$function$;
comment on function mashup.discard_output(mashup.tasks) is 'Puts what a claim may have written into the outbox, due when no service can be writing it any more.';

CREATE OR REPLACE FUNCTION mashup.dispatch_fallbacks(p_kind mashup.task_kinds)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_ids bigint[];
begin
  if p_kind.fallback_after_sec is null then
    return;
  end if;
  v_ids := array(
    select t.id from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
    where t.state = 'waiting' and t.kind = p_kind.kind and t.run_at <= mashup.now()
      and t.created_at < mashup.now() - make_interval(secs => p_kind.fallback_after_sec)
      and not mashup.is_job_paused(j.id, j.user_id)
      and exists (select from mashup.service_health h where h.service = p_kind.service and h.state <> 'closed')
    order by t.id for update of t skip locked);
  if v_ids <> '{}' then
    perform mashup.dispatch_tasks_to(p_kind.service, v_ids, null, false, 0);
  end if;
end
$function$;
comment on function mashup.dispatch_fallbacks(mashup.task_kinds) is 'Dispatches tasks that have waited fallback_after_sec for an unavailable service, to run without it. Skips locked rows.';

CREATE OR REPLACE FUNCTION mashup.dispatch_kind(p_kind mashup.task_kinds, p_studio boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_circuit record;
  v_due integer;
  v_places integer[];
  v_ids bigint[];
  v_paused boolean;
begin
  select count(*) into v_due from (
    -- In the order of the index of waiting tasks, so that no other one is read.
    select from mashup.tasks t where t.state = 'waiting' and t.kind = p_kind.kind and t.is_studio = p_studio and t.run_at <= mashup.now()
    order by t.run_at, t.id limit 50) d;
  if v_due = 0 then
    return false;
  end if;
  v_paused := exists (select from mashup.pauses);
  if v_paused and mashup.is_kind_paused(p_kind) then
    return false;
  end if;
  v_circuit := mashup.circuit_of(p_kind);
  if not v_circuit.is_closed and v_circuit.probes = '{}' then
    perform mashup.dispatch_fallbacks(p_kind);
    return false;
  end if;
  v_places := case when p_studio then mashup.spare_places(p_kind, case when v_circuit.is_closed then v_due else 1 end)
    else mashup.free_places(p_kind.service, case when v_circuit.is_closed then v_due else 1 end) end;
  if v_places = '{}' then
    return true;
  end if;
  v_ids := array(
    select t.id from mashup.tasks t
    where t.state = 'waiting' and t.kind = p_kind.kind and t.is_studio = p_studio and t.run_at <= mashup.now()
      and (not v_paused or exists (select from public.mashup_jobs j where j.id = t.job_id and not mashup.is_job_paused(j.id, j.user_id)))
    order by t.run_at, t.id limit cardinality(v_places) for update of t skip locked);
  if v_ids <> '{}' and (v_circuit.is_closed or mashup.start_probe(v_circuit.probes, v_ids[1])) then
    perform mashup.dispatch_tasks_to(p_kind.service, v_ids, v_places[:cardinality(v_ids)], not v_circuit.is_closed, v_circuit.spread_sec);
  end if;
  return v_circuit.is_closed and v_due > cardinality(v_ids);
end
$function$;
comment on function mashup.dispatch_kind(mashup.task_kinds,boolean) is 'Dispatches the waiting tasks of a kind that may run, the oldest first, or the probe of an open circuit: those of studio versions if p_studio, else the others. Returns whether some are left that wait for a place. Skips locked rows.';

CREATE OR REPLACE FUNCTION mashup.dispatch_tasks_to(p_service text, p_ids bigint[], p_places integer[], p_probe boolean, p_spread_sec real)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update mashup.tasks t set state = 'ready', attempt = t.attempt + 1, is_probe = p_probe, fallback = p_places is null, held_until = null,
      run_at = mashup.now() + make_interval(secs => random() * p_spread_sec), place = coalesce(d.place, t.place)
    from unnest(p_ids, p_places) as d (id, place) where t.id = d.id and t.state = 'waiting';
  if p_places is not null then
    update mashup.places p set task_id = d.id, held_until = null
      from unnest(p_ids, p_places) as d (id, place) where p.service = p_service and p.n = d.place;
  end if;
  perform mashup.enqueue_tasks(p_ids);
end
$function$;
comment on function mashup.dispatch_tasks_to(text,bigint[],integer[],boolean,real) is 'Makes waiting tasks ready, each at one of the places of a service, due within p_spread_sec seconds, and adds their queue entries. p_places null: they run without their service and take no place there. Lock: task and place rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.drop_tasks(p_job mashup_jobs, p_reason text, p_studio_only boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
  v_signal boolean := false;
begin
  for v_task in
    select * from mashup.tasks t
    where t.job_id = p_job.id and t.state in ('waiting', 'ready', 'running')
      and (t.epoch < p_job.epoch or p_reason <> 'replayed') and (t.is_studio or not p_studio_only)
    order by t.id for update
  loop
    if v_task.state = 'running' then
      v_signal := true;
      perform mashup.discard_output(v_task);
    end if;
    if v_task.kind = 'render_stems' then
      update public.mashup_results r set stems = null where r.job_id = v_task.job_id and r.stems ->> 'state' = 'pending';
    end if;
    update mashup.tasks t set
        state = 'dropped', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
        held_until = case when v_task.state = 'running' then mashup.now() + (
          select make_interval(secs => nullif((h.value ->> k.service)::double precision, 0)) from mashup.settings h, mashup.task_kinds k
          where h.name = 'service_abort_hold_sec' and k.kind = t.kind) end,
        error = jsonb_build_object('code', p_reason)
      where t.id = v_task.id;
  end loop;
  if v_signal then
    perform mashup.signal_tasks(p_job.id, p_reason);
  end if;
end
$function$;
comment on function mashup.drop_tasks(mashup_jobs,text,boolean) is 'Drops the unfinished tasks of a job: those of earlier epochs if p_reason is replayed, else all; p_studio_only: of these, those of its studio version. Notifies their workers. An aborted call counts against the limit of its service for service_abort_hold_sec. Lock order: job (held by the caller), tasks by id.';

CREATE OR REPLACE FUNCTION mashup.end_attempt(p_task mashup.tasks, p_kind mashup.task_kinds, p_permanent boolean, p_counts boolean, p_code text, p_message text, p_hint text, p_retry_after_sec real)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_failures integer := p_task.failures + p_counts::integer;
  v_wait real;
  v_job public.mashup_jobs;
  v_error jsonb := jsonb_build_object('code', p_code, 'message', left(p_message, 500), 'hint', left(p_hint, 300));
begin
  if p_permanent or v_failures >= p_kind.max_attempts then
    update mashup.tasks t set state = 'failed', failures = v_failures, finished_at = mashup.now(), claim = null, worker_id = null,
        lease_until = null, deadline_at = null, error = v_error
      where t.id = p_task.id;
    perform mashup.end_failed_task(p_task, p_code, p_message, p_hint);
    return 'failed';
  end if;
  v_wait := greatest(random() * least(p_kind.backoff_max_sec, p_kind.backoff_sec * 2 ^ least(v_failures, 16)), coalesce(p_retry_after_sec, 0));
  update mashup.tasks t set state = 'waiting', failures = v_failures, run_at = mashup.now() + make_interval(secs => v_wait), claim = null,
      worker_id = null, lease_until = null, deadline_at = null, is_probe = false, error = v_error
    where t.id = p_task.id;
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  perform mashup.log_event(v_job, 'retry', format('%s will be tried again: %s', p_kind.kind, p_message), null, p_task.song_id,
    v_error || jsonb_build_object('task', p_task.id, 'failures', v_failures, 'wait_sec', round(v_wait::numeric, 2)));
  return 'retrying';
end
$function$;
comment on function mashup.end_attempt(mashup.tasks,mashup.task_kinds,boolean,boolean,text,text,text,real) is 'Ends an attempt: returns retrying (another attempt after a back-off), or failed (the task, and with it its song or job). p_counts: whether the fault counts towards max_attempts. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.end_failed_task(p_task mashup.tasks, p_code text, p_message text, p_hint text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_context text;
  v_hook text;
begin
  if p_task.is_studio then
    perform mashup.end_studio_version(j, 'failed', p_message) from public.mashup_jobs j where j.id = p_task.job_id;
  -- Without the model no song can be separated: none of them is to blame.
  elsif p_task.song_id is not null and not starts_with(p_code, 'model_') then
    perform mashup.exclude_song(p_task, p_code, p_message, p_hint);
  elsif p_task.kind = 'render_stems' then
    perform mashup.fail_mashup_stems(p_task, p_code, p_message, p_hint);
  else
    perform mashup.fail_job(p_task.job_id, p_code, p_message, p_hint, p_task.id);
  end if;
exception when others then
  get stacked diagnostics v_context = pg_exception_context;
  v_hook := mashup.find_failing_hook(v_context);
  if v_hook is null then
    raise;
  end if;
  -- The trigger refuses this change as well, so only the task can record it. mashup.stuck names it.
  update mashup.tasks t set error = jsonb_build_object('code', 'hook_failed', 'message', left(v_hook || ': ' || sqlerrm, 500),
      'hint', mashup.hook_hint())
    where t.id = p_task.id;
end
$function$;
comment on function mashup.end_failed_task(mashup.tasks,text,text,text) is 'Ends the song or the job of a failed task; of a render_stems task only the request, and of a studio version only that. If a trigger of an integrator prevents that, the job keeps its stage and the task the error hook_failed. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.end_late_attempt(p_task mashup.tasks)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform mashup.discard_output(p_task);
  perform mashup.signal_tasks(p_task.job_id, 'lost');
  perform mashup.end_attempt(p_task, k, false, true, 'task_timeout', format('The %s task took longer than it may.', p_task.kind),
    'Try again; if it happens again, use shorter songs.', null) from mashup.task_kinds k where k.kind = p_task.kind;
end
$function$;
comment on function mashup.end_late_attempt(mashup.tasks) is 'Ends an attempt that exceeded timeout_sec of its kind. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.end_share(p_job mashup_jobs, p_reason text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  if p_reason is null then
    -- One revoked link is kept.
    delete from public.mashup_shares s where s.job_id = p_job.id and s.revoked_at is not null
      and exists (select from public.mashup_shares l where l.job_id = p_job.id and l.revoked_at is null and l.taken_down_at is null);
    update public.mashup_shares s set revoked_at = mashup.now(), actor = mashup.actor()
      where s.job_id = p_job.id and s.revoked_at is null and s.taken_down_at is null;
  else
    update public.mashup_shares s set taken_down_at = mashup.now(), reason = p_reason, actor = mashup.actor()
      where s.job_id = p_job.id and s.revoked_at is null and s.taken_down_at is null;
  end if;
  if not found then
    return false;
  end if;
  update public.mashup_jobs j set shared_at = null where j.id = p_job.id returning * into v_job;
  perform mashup.log_event(v_job, 'share', case when p_reason is null then 'The public link was revoked' else 'The public link was taken down: ' || p_reason end);
  return true;
end
$function$;
comment on function mashup.end_share(mashup_jobs,text) is 'Ends the live public link of a job: revoked by its owner, or with p_reason taken down by an operator. Returns false if there is none. Lock order: job row held by the caller, its links.';

CREATE OR REPLACE FUNCTION mashup.end_studio_version(p_job mashup_jobs, p_state text, p_message text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.drop_tasks(p_job, p_state, true);
  update public.mashup_jobs j set studio_version = jsonb_build_object('state', p_state),
      warnings = case when p_state = 'failed'
        then mashup.add_warning(j.warnings, 'studio_version_failed', 'There is no studio version: ' || p_message, 'rendering') else j.warnings end
    where j.id = p_job.id returning * into v_job;
  perform mashup.log_event(v_job, 'warning', left(case p_state when 'failed' then 'The studio version has failed: ' || p_message
    else 'The studio version was cancelled' end, 500));
end
$function$;
comment on function mashup.end_studio_version(mashup_jobs,text,text) is 'Ends the studio version of a job as failed, with a warning, or cancelled. The job keeps its result. Lock order: job row held by the caller, tasks by id.';

CREATE OR REPLACE FUNCTION mashup.enforce_submission_limits(p_user uuid, p_is_draft boolean)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_waiting integer;
  v_mine integer;
begin
  perform from auth.users u where u.id = p_user for key share;
  -- One submission of a user at a time: simultaneous ones would all find the same room.
  perform pg_advisory_xact_lock(hashtextextended('mashup.room ' || p_user, 0));
  perform mashup.count_request(p_user, 'run', 'max_submits_per_minute', 'That was many mashups in one minute.');
  if p_is_draft and (select count(*) from mashup.draft_jobs where user_id = p_user) >= mashup.setting_number('max_drafts_per_user') then
    perform mashup.raise_error('MB004', 'You have too many drafts.', 'Start or cancel one of them first.', '60');
  end if;
  select count(*) into v_mine from mashup.waiting_jobs where user_id = p_user;
  if v_mine >= mashup.setting_number('max_queued_jobs_per_user') then
    perform mashup.raise_error('MB004', format('%s of your mashups are waiting already.', v_mine), 'Wait until one of them is done.', '30');
  end if;
  -- Counted no further than the limit, so that the check costs the same in a long queue.
  select count(*) into v_waiting from (select from mashup.waiting_jobs limit mashup.setting_number('max_queued_jobs')::integer) w;
  if v_waiting >= mashup.setting_number('max_queued_jobs') then
    perform mashup.raise_error('MB004', 'The queue is full.', 'Try again in a minute.', '60');
  end if;
end
$function$;
comment on function mashup.enforce_submission_limits(uuid,boolean) is 'Refuses a run that exceeds a limit; detail is the number of seconds to wait. Lock order: user row (against its deletion), the user''s advisory lock, job rows: nothing that has locked a job waits for either. Raises MB004, MB012.';

CREATE OR REPLACE FUNCTION mashup.engine_version()
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select '0.1.0' $function$;
comment on function mashup.engine_version() is 'Returns the version of the engine that this schema belongs to, as in package.json.';

CREATE OR REPLACE FUNCTION mashup.enqueue_event(p_job mashup_jobs, p_type text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  insert into mashup.outgoing_events (job_id, type, payload)
    values (p_job.id, p_type, jsonb_build_object('type', p_type, 'timestamp', mashup.now(), 'data', jsonb_build_object(
      'job_id', p_job.id, 'user_id', p_job.user_id, 'epoch', p_job.epoch, 'version', p_job.version, 'stage', p_job.stage, 'title', p_job.title,
      'result_path', p_job.result_path, 'result', p_job.result, 'error_code', p_job.error_code, 'error_message', p_job.error_message,
      'error_hint', p_job.error_hint)));
end
$function$;
comment on function mashup.enqueue_event(mashup_jobs,text) is 'Puts an event of a job into the outbox of events.';

CREATE OR REPLACE FUNCTION mashup.enqueue_file_deletions()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if tg_table_name = 'mashup_jobs' then
    insert into mashup.storage_deletions (path, is_prefix) values (format('generated/%s/', old.id), true);
    -- A worker that is not notified yet may go on writing for a while.
    perform mashup.discard_output(t) from mashup.tasks t where t.job_id = old.id and t.state = 'running';
  elsif tg_table_name = 'stems' then
    insert into mashup.storage_deletions (path) select f from mashup.stem_files(old.paths) f;
  else
    -- Once more after the last signed upload URL (two hours) and the last access token have expired.
    insert into mashup.storage_deletions (path, is_prefix, not_before)
      values (format('uploads/%s/', old.id), true, mashup.now()), (format('stems/%s/', old.id), true, mashup.now()),
        (format('uploads/%s/', old.id), true, mashup.now() + interval '3 hours');
  end if;
  return old;
end
$function$;
comment on function mashup.enqueue_file_deletions() is 'Trigger: puts the files of a deleted job, stems row or user into the outbox.';

CREATE OR REPLACE FUNCTION mashup.enqueue_tasks(p_ids bigint[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
begin
  if pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is null then
    return 0;
  end if;
  return (select pg_catalog.count(*) from /*queue*/mashup_queue.add_jobs(array(
    select ('mashup:' || t.kind, pg_catalog.json_build_object('task', t.id, 'attempt', t.attempt), null, t.run_at, 5::smallint,
      'mashup:' || t.id || ':' || t.attempt, t.priority, null)::/*queue*/mashup_queue.job_spec
    from mashup.tasks t where t.id = any (p_ids) order by t.priority, t.id)));
end
$function$;
comment on function mashup.enqueue_tasks(bigint[]) is 'Adds the queue entries of ready tasks, under the keys mashup:<task>:<attempt>, by one call. Returns how many were added: 0 if the schema of the queue is missing; reconcile_queue then adds them.';

CREATE OR REPLACE FUNCTION mashup.estimate_completion(p_job mashup_jobs)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  v_songs jsonb[] := array(select s from jsonb_array_elements(p_job.songs) s where s ->> 'state' is distinct from 'excluded');
  v_song jsonb;
  v_kind record;
  v_seconds real := 0;
  v_length real := mashup.expected_length(p_job);
  v_sec real;
  v_longest real;
  v_total real;
  v_sum double precision := 0;
  v_is_model boolean := mashup.uses_model(p_job);
  v_is_edit boolean := mashup.is_level_edit(p_job);
begin
  if (exists (select from mashup.service_health h where h.state <> 'closed' or h.unanswered_since is not null) or exists (select from mashup.pauses))
    and mashup.estimate_note(p_job) is not null
  then
    return null;
  end if;
  foreach v_song in array v_songs loop
    v_seconds := v_seconds + coalesce((v_song ->> 'duration_sec')::real, 180);
  end loop;
  -- By loops: as one statement it takes twice as long, and it runs eight times in a job.
  for v_kind in
    select k.song_member, st.base_sec, st.per_song_sec, st.mean_sec, st.is_by_length,
      case when v_is_model and k.kind = 'separate' then st.model_factor else 1 end as factor,
      case when v_is_edit and k.kind = 'render' then st.edit_factor else 1 end as part
    from mashup.stages s join mashup.task_kinds k on k.stage = s.stage join mashup.stage_stats st on st.kind = k.kind
    -- Tasks of a complete job, such as its stems, are only made when its user asks for them.
    where not s.is_terminal and s.position >= (select h.position from mashup.stages h where h.stage = p_job.stage)
      -- A draft is estimated up to the stage before which it waits.
      and (p_job.hold is null or s.position < (select h.position from mashup.stages h where h.stage = p_job.hold))
  loop
    if v_kind.song_member is null then
      v_sum := v_sum + v_kind.part * case when v_kind.per_song_sec > 0 then v_kind.base_sec + v_kind.per_song_sec * case when v_kind.is_by_length then v_length else v_seconds end else v_kind.mean_sec end;
      continue;
    end if;
    v_longest := 0; v_total := 0;
    foreach v_song in array v_songs loop
      continue when v_song ->> v_kind.song_member is not null;
      -- Songs of unknown length count with the mean.
      v_sec := v_kind.factor * coalesce(v_kind.base_sec + v_kind.per_song_sec * (v_song ->> 'duration_sec')::real, v_kind.mean_sec);
      v_longest := greatest(v_longest, v_sec);
      v_total := v_total + v_sec;
    end loop;
    -- Songs are analysed and separated in parallel. A model separates one after the other.
    v_sum := v_sum + case when v_kind.factor > 1 then v_total else v_longest * 0.6 + v_total * 0.4 end;
  end loop;
  return mashup.now() + make_interval(secs => v_sum);
end
$function$;
comment on function mashup.estimate_completion(mashup_jobs) is 'Returns the expected end of a job that holds a slot, from mashup.stage_stats; null while it has a note (see estimate_note).';

CREATE OR REPLACE FUNCTION mashup.estimate_note(p_job mashup_jobs)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_away text[];
begin
  if exists (select from mashup.pauses)
    and (mashup.is_job_paused(p_job.id, p_job.user_id) or exists (select from mashup.remaining_kinds(p_job) k where mashup.is_kind_paused(k)))
  then
    return 'The time left is known when the operator ends the pause.';
  end if;
  v_away := array(
    select distinct mashup.name_for_users(h.service)
      from mashup.service_health h join mashup.remaining_kinds(p_job) k on h.service = any (mashup.services_of(k)) where mashup.is_away(h)
    union
    select mashup.name_for_users(k.service) from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'running' and k.stage = p_job.stage and mashup.is_silent(t)
    order by 1);
  return case
    when v_away = '{}' then null
    when 'storage' = any (v_away) then 'The time left is known when the file storage is back.'
    when cardinality(v_away) > 1 then format('The time left is known when the %s services are back.', array_to_string(v_away, ' and '))
    else format('The time left is known when the %s service is back.', v_away[1])
  end;
end
$function$;
comment on function mashup.estimate_note(mashup_jobs) is 'Returns why the end of a job cannot be estimated, as its user reads it: a pause, or services that it still needs and that are unavailable or silent. Null: it can.';

CREATE OR REPLACE FUNCTION mashup.exclude_song(p_task mashup.tasks, p_code text, p_message text, p_hint text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_left integer;
  v_name text;
  v_warning text;
begin
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  select s ->> 'name' into v_name from jsonb_array_elements(v_job.songs) s where s ->> 'song_id' = p_task.song_id;
  select count(*) - 1 into v_left from mashup.active_songs(v_job.songs);
  if v_left < 2 then
    update public.mashup_jobs set songs = mashup.patch_song(songs, p_task.song_id,
      jsonb_build_object('state', 'failed', 'error', left(p_code, 60))) where id = v_job.id;
    perform mashup.fail_job(v_job.id, p_code, format('%s: %s', v_name, p_message), p_hint, p_task.id);
    return;
  end if;
  v_warning := format('%s was left out: %s', v_name, p_message);
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'excluded', 'error', left(p_code, 60))),
      warnings = mashup.add_warning(j.warnings, 'song_excluded', v_warning, 'analyzing')
    where j.id = v_job.id returning * into v_job;
  update mashup.tasks t set state = 'dropped', finished_at = mashup.now(), error = jsonb_build_object('code', 'song_excluded')
    where t.job_id = v_job.id and t.song_id = p_task.song_id and t.state in ('waiting', 'ready');
  perform mashup.log_event(v_job, 'warning', v_warning, null, p_task.song_id, jsonb_build_object('code', p_code));
  perform mashup.advance_job(v_job);
end
$function$;
comment on function mashup.exclude_song(mashup.tasks,text,text,text) is 'Excludes the song of a failed task, with a warning, while two others are left; else fails the job. A plan that uses the song is made again. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.exhausted_plan_budget(p_job_id uuid)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select case
    when (select sum(coalesce(r.cost_usd, mashup.setting_number('plan_assumed_cost_usd')::numeric, 0))
          from mashup.plan_receipts r where r.job_id = j.id) >= mashup.setting_number('plan_budget_usd_per_job')
      or mashup.setting_number('plan_budget_usd_per_job') <= 0 then 'job'
    when coalesce((select s.cost_usd from mashup.plan_spend s where s.day = (mashup.now() at time zone 'utc')::date and s.user_id = j.user_id), 0)
      >= mashup.setting_number('plan_budget_usd_per_user_per_day') then 'user_day'
    when coalesce((select sum(s.cost_usd) from mashup.plan_spend s where s.day = (mashup.now() at time zone 'utc')::date), 0)
      >= mashup.setting_number('plan_budget_usd_per_day') then 'day'
  end
  from public.mashup_jobs j where j.id = p_job_id
$function$;
comment on function mashup.exhausted_plan_budget(uuid) is 'Returns which budget for Claude a job has used up: job, user_day or day; null while none is. Calls in progress are not counted: the excess is at most what service_limits lets run at one time.';
grant execute on function mashup.exhausted_plan_budget(uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.expected_length(p_job mashup_jobs)
 RETURNS real
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_length real;
begin
  if p_job.plan_version is not null then
    select sum(d::real) into v_length from public.mashup_plans p, jsonb_path_query(p.plan, '$.masterplan.timeline[*].duration_sec ? (@ >= 0)') d
      where p.job_id = p_job.id and p.version = p_job.plan_version;
  end if;
  v_length := coalesce(v_length, (p_job.options ->> 'length_sec')::real);
  if v_length is null then
    select least(case p_job.options ->> 'length' when 'short' then 90 else 165 end, max(coalesce((s ->> 'duration_sec')::real, 180)),
        mashup.setting_number('plan_max_length_sec'))
      into v_length from mashup.active_songs(p_job.songs) s;
  end if;
  return v_length;
end
$function$;
comment on function mashup.expected_length(mashup_jobs) is 'Returns the seconds of a job''s mashup: of its plan, else as its options say, else the middle of 2:00 and 3:30, or of its longest song.';

CREATE OR REPLACE FUNCTION mashup.expire_mashup_stems(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_result public.mashup_results;
  v_count integer := 0;
begin
  for v_result in
    select r.* from public.mashup_results r
    where r.stems ->> 'state' = 'ready'
      and (r.stems ->> 'made_at')::timestamptz < mashup.now() - make_interval(secs => mashup.setting_number('mashup_stems_kept_days') * 86400)
    order by (r.stems ->> 'made_at')::timestamptz limit p_batch
  loop
    -- As everywhere, the job is locked first, and never waited for.
    perform from public.mashup_jobs j where j.id = v_result.job_id for no key update skip locked;
    continue when not found;
    perform mashup.delete_mashup_stems(r) from public.mashup_results r where r.job_id = v_result.job_id and r.epoch = v_result.epoch;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.expire_mashup_stems(integer) is 'Deletes stems of mashups after mashup_stems_kept_days. Returns of how many, at most p_batch. Lock: job rows, skips locked ones.';

CREATE OR REPLACE FUNCTION mashup.expire_results(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_count integer := 0;
begin
  for v_job in
    select * from public.mashup_jobs j
    where j.stage = 'complete' and j.expired_at is null and j.result_path is not null and not mashup.is_studio_version_live(j)
      and j.finished_at < mashup.now() - make_interval(days => mashup.setting_number('result_expires_days')::integer)
    order by j.finished_at limit p_batch for no key update skip locked
  loop
    insert into mashup.storage_deletions (path) select r.path from public.mashup_results r where r.job_id = v_job.id;
    perform mashup.delete_mashup_stems(r) from public.mashup_results r where r.job_id = v_job.id and r.stems is not null;
    update public.mashup_jobs set expired_at = mashup.now(), result_path = null where id = v_job.id returning * into v_job;
    perform mashup.log_event(v_job, 'expired', 'The file has expired');
    perform mashup.enqueue_event(v_job, 'job.expired');
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.expire_results(integer) is 'Deletes the files of results after result_expires_days. Returns how many, at most p_batch.';

CREATE OR REPLACE FUNCTION mashup.explain_status()
 RETURNS trigger
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if new.status <> (select case when s.is_terminal then s.stage else 'processing' end from mashup.stages s where s.stage = new.stage) then
    perform mashup.raise_error('MB001', format('The status of job %s follows from its stage and cannot be changed by itself.', old.id),
      'Set stage instead: to "cancelled" to stop the job, to another stage to replay it from there.');
  elsif (new.stage = 'failed') <> (new.error_code is not null) then
    perform mashup.raise_error('MB001',
      format('Job %s is in stage %s: a failed job has an error_code, and no other job has one.', old.id, new.stage),
      case new.stage when 'failed' then 'To run the job again: select mashup.retry(…), or set stage to the stage to start from.'
        else 'Only the engine fails a job. To stop it: set stage to cancelled.' end);
  end if;
  return new;
end
$function$;
comment on function mashup.explain_status() is 'Trigger before a write of status or error_code: says what to write instead, where the rules status_follows_stage and failed_has_an_error would only refuse. Raises MB001.';

CREATE OR REPLACE FUNCTION mashup.fail_job(p_job_id uuid, p_code text, p_message text, p_hint text, p_task bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform set_config('mashup.transition', p_job_id || ' failed fail', true);
  update public.mashup_jobs j set stage = 'failed', error_code = left(p_code, 60), error_message = left(p_message, 500),
      error_hint = left(p_hint, 300), failed_task = p_task
    where j.id = p_job_id;
  perform set_config('mashup.transition', '', true);
end
$function$;
comment on function mashup.fail_job(uuid,text,text,text,bigint) is 'Ends a job as failed, with code, message, hint and the task to blame. Lock: job row.';

CREATE OR REPLACE FUNCTION mashup.fail_mashup_stems(p_task mashup.tasks, p_code text, p_message text, p_hint text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  if v_job.result_path is null then
    return;
  end if;
  v_job := mashup.save_mashup_stems(v_job, v_job.result_path, jsonb_build_object('state', 'failed', 'code', left(p_code, 60),
    'message', left(p_message, 500), 'hint', left(p_hint, 300)));
  update public.mashup_jobs j set result = v_job.result where j.id = v_job.id;
  perform mashup.log_event(v_job, 'warning', left('The stems of the mashup could not be made: ' || p_message, 500), null, null,
    jsonb_build_object('code', p_code, 'task', p_task.id));
end
$function$;
comment on function mashup.fail_mashup_stems(mashup.tasks,text,text,text) is 'Notes on a result that its stems could not be made. The job stays complete, and its user may ask again. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.fail_task(p_task_id bigint, p_claim uuid, p_code text, p_message text, p_hint text, p_class text, p_retry_after_sec real DEFAULT NULL::real, p_service text DEFAULT NULL::text, p_spends boolean DEFAULT true, p_answering boolean DEFAULT false)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_blamed text;
  v_open boolean := false;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  if p_class in ('unavailable', 'overloaded', 'refused') then
    v_blamed := coalesce((select h.service from mashup.service_health h where h.service = p_service), v_kind.service);
    perform mashup.record_service_failure(v_blamed, p_message, p_task_id, p_class = 'refused', p_retry_after_sec, p_class = 'unavailable');
    select state <> 'closed' into v_open from mashup.service_health where service = v_blamed;
  elsif v_task.is_probe then
    perform mashup.record_probe_success(v_kind, p_task_id, null);
  end if;
  -- The service answers, with faults of its own: its circuit stays closed, and operators see it.
  if p_class = 'transient' and p_spends and p_code not in ('internal_error', 'claim_unreadable') then
    perform mashup.record_service_fault(coalesce((select b.service from mashup.service_health b where b.service = p_service), v_kind.service), p_message);
  end if;
  perform mashup.discard_output(v_task);
  -- While its circuit is open, a task loses no attempt by waiting. One that takes down a service that is there each time does.
  return mashup.end_attempt(v_task, v_kind, p_class = 'permanent', p_spends and (p_answering or not v_open), p_code, p_message, p_hint, p_retry_after_sec);
end
$function$;
comment on function mashup.fail_task(bigint,uuid,text,text,text,text,real,text,boolean,boolean) is 'Ends an attempt with a fault. p_class: permanent (no other attempt), transient or overloaded (later), unavailable (later; with overloaded counts for the circuit of p_service), refused (a key was refused: opens that circuit at once). p_service: the service to blame, by default that of the kind. p_spends: whether the fault counts towards max_attempts, though not while that circuit is open, unless p_answering: the service answered a check right before the call. p_retry_after_sec: shortest delay. Returns retrying, failed, or why the claim is not valid (see claim_status). Lock order: job, task, service_health.';
grant execute on function mashup.fail_task(bigint,uuid,text,text,text,text,real,text,boolean,boolean) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.find_failing_hook(p_context text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select format('The trigger %s on %s (function %s) failed', t.tgname, t.tgrelid::regclass, p.oid::regprocedure)
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_proc p on p.oid = t.tgfoid
  where not t.tgisinternal and p.pronamespace <> 'mashup'::regnamespace
    and (c.relnamespace = 'mashup'::regnamespace or (c.relnamespace = 'public'::regnamespace and c.relname like 'mashup\_%'))
    -- A function is named with its schema unless it was compiled with the schema in search_path.
    and (strpos(p_context, 'function ' || p.oid::regprocedure || ' line') > 0 or strpos(p_context, 'function ' || p.proname || '() line') > 0)
  order by t.tgname limit 1
$function$;
comment on function mashup.find_failing_hook(text) is 'Returns which trigger of an integrator, on a table of the engine, is in the context of an error; null if none is.';

CREATE OR REPLACE FUNCTION mashup.find_idempotent_job(p_user uuid, p_key text, p_hash text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where user_id = p_user and idempotency_key = p_key;
  if v_job.id is not null and v_job.request_hash is distinct from p_hash then
    perform mashup.raise_error('MB005', 'This idempotency key was used for another request.', 'Send a new key with a new request.');
  end if;
  return v_job;
end
$function$;
comment on function mashup.find_idempotent_job(uuid,text,text) is 'Returns the job that an idempotency key was used for; null if none. Raises MB005 if it was for another request.';

CREATE OR REPLACE FUNCTION mashup.find_jobs(p_filter jsonb DEFAULT '{}'::jsonb, p_limit integer DEFAULT 50, p_before_time timestamp with time zone DEFAULT NULL::timestamp with time zone, p_before_id uuid DEFAULT NULL::uuid)
 RETURNS SETOF mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
AS $function$
begin
  return query execute format('select j.* from public.mashup_jobs j where %s%s order by coalesce(j.finished_at, j.created_at) desc, j.id desc limit $3',
      mashup.job_condition(p_filter), case when p_before_time is not null then ' and (coalesce(j.finished_at, j.created_at), j.id) < ($1, $2)' else '' end)
    using p_before_time, coalesce(p_before_id, '00000000-0000-0000-0000-000000000000'), least(greatest(p_limit, 1), 500);
end
$function$;
comment on function mashup.find_jobs(jsonb,integer,timestamp with time zone,uuid) is 'Returns up to p_limit (at most 500) jobs that match a filter (see check_job_filter), by the time of their end, or of their creation if they are live, the latest first. The next page begins before the time and the id of the last one. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.find_twin(p_job mashup_jobs, p_song_id text, p_result jsonb)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_own text := (select s ->> 'name' from mashup.active_songs(p_job.songs) s where s ->> 'song_id' = p_song_id);
  v_name text;
  v_fingerprint text;
begin
  select s ->> 'name' into v_name from mashup.active_songs(p_job.songs) s
    where s ->> 'song_id' <> p_song_id and s ->> 'hash' = p_result ->> 'content_hash' limit 1;
  if v_name is not null then
    return format('This is the same recording as %s.', coalesce(nullif(v_name, v_own), 'another of the songs'));
  end if;
  v_fingerprint := coalesce(p_result -> 'analysis' ->> 'fingerprint', (
    select a.analysis ->> 'fingerprint' from mashup.analyses a
    where a.id = (p_result ->> 'analysis_id')::bigint and a.user_id = p_job.user_id));
  select s ->> 'name' into v_name from mashup.active_songs(p_job.songs) s
    join mashup.analyses a on a.id = (s ->> 'analysis_id')::bigint
    where s ->> 'song_id' <> p_song_id and mashup.is_same_recording(a.analysis ->> 'fingerprint', v_fingerprint) limit 1;
  if v_name is null then
    return null;
  end if;
  return format('This is the same recording as %s, in another encoding.', coalesce(nullif(v_name, v_own), 'another of the songs'));
end
$function$;
comment on function mashup.find_twin(mashup_jobs,text,jsonb) is 'Returns a message that names another active song of a job that is the recording of an analyze result, by its bytes or its fingerprint; null if there is none. Lock: job row held by the caller, so that of two songs that finish together the second is compared with the first.';

CREATE OR REPLACE FUNCTION mashup.finish_task(p_task_id bigint, p_claim uuid, p_result jsonb)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_twin text;
  v_context text;
  v_hook text;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  v_context := set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;

  if v_task.kind = 'analyze' then
    v_twin := mashup.find_twin(v_job, v_task.song_id, p_result);
    if v_twin is not null then
      perform mashup.record_service_success(v_kind.service);
      perform mashup.record_service_success('storage');
      return mashup.end_attempt(v_task, v_kind, true, true, 'same_song_twice', v_twin,
        'Choose two different songs.', null);
    end if;
  end if;

  perform mashup.record_finish(v_task, v_kind, v_job, p_result);
  return 'finished';
exception when others then
  get stacked diagnostics v_context = pg_exception_context;
  v_hook := mashup.find_failing_hook(v_context);
  if v_hook is null then
    raise;
  end if;
  -- Nothing of this result is kept, and the locks are released: the same triggers would fail at every repetition.
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform mashup.discard_output(v_task);
  return mashup.end_attempt(v_task, v_kind, true, true, 'hook_failed', left(v_hook || ': ' || sqlerrm, 500), mashup.hook_hint(), null);
end
$function$;
comment on function mashup.finish_task(bigint,uuid,jsonb) is 'Finishes a task with its result (schema/task-results.ts), records it and advances the job: the only way forward for a job. Returns finished; failed or retrying if the song is in the job twice; failed with the error hook_failed if a trigger of an integrator fails; or why the claim is not valid (see claim_status). Lock order: job, task, service_health, queue. Raises MB003, MB006.';
grant execute on function mashup.finish_task(bigint,uuid,jsonb) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.finish_task_and_claim(p_task_id bigint, p_claim uuid, p_result jsonb, p_next_claim uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_task mashup.tasks;
  v_next mashup.tasks;
  v_status text;
  v_answer jsonb;
begin
  select * into v_task from mashup.tasks where id = p_task_id;
  v_status := mashup.finish_task(p_task_id, p_claim, p_result);
  if v_status = 'finished' then
    begin
      v_answer := mashup.hand_over(v_task.job_id, v_task.worker_id, p_next_claim);
    exception when others then
      -- Such as a trigger of an integrator that fails: what is finished stays finished, and the next task is dispatched.
      v_answer := null;
    end;
  else
    -- A repeated call, because the answer was lost: the first one finished the task and claimed the next under this token.
    select * into v_next from mashup.tasks t where t.job_id = v_task.job_id and t.claim = p_next_claim and t.state = 'running';
    if found then
      v_status := 'finished';
      v_answer := mashup.describe_claim(v_next, k, j, mashup.read_claim_limits())
        from public.mashup_jobs j, mashup.task_kinds k where j.id = v_next.job_id and k.kind = v_next.kind;
    end if;
  end if;
  return jsonb_build_object('status', v_status, 'next', v_answer);
end
$function$;
comment on function mashup.finish_task_and_claim(bigint,uuid,jsonb,uuid) is 'Finishes a task as finish_task does, and claims the next task of its job for the same worker under the token p_next_claim, which the worker chooses. Returns {status: as finish_task, next: as claim_task, or null}. A repeated call returns the claim of the first one. Lock order: as finish_task, then tasks, places and queue entries (skips locked ones). Raises MB003, MB006.';
grant execute on function mashup.finish_task_and_claim(bigint,uuid,jsonb,uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.free_places(p_service text, p_at_most integer)
 RETURNS integer[]
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if exists (select from mashup.places p where p.service = p_service and not p.is_open and p.task_id is not null) then
    return '{}';
  end if;
  return array(
    select p.n from mashup.places p
    where p.service = p_service and p.is_open and p.task_id is null and (p.held_until is null or p.held_until <= mashup.now())
    order by p.n limit p_at_most for update skip locked);
end
$function$;
comment on function mashup.free_places(text,integer) is 'Returns free places of a service, locked, at most p_at_most. Skips those that another transaction takes or frees. None while a place that a lower limit closed is still taken.';

CREATE OR REPLACE FUNCTION mashup.grant_operator(p_email text, p_is_operator boolean DEFAULT true)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_user uuid;
begin
  update auth.users u set raw_app_meta_data = case
      when p_is_operator then coalesce(u.raw_app_meta_data, '{}') || jsonb_build_object('mashup_role', 'operator')
      else u.raw_app_meta_data - 'mashup_role' end
    where lower(u.email) = lower(p_email) returning u.id into v_user;
  if v_user is null then
    perform mashup.raise_error('MB002', format('There is no account with the e-mail %s.', p_email),
      'Create it first: in the studio, or in the dashboard under Authentication.');
  end if;
  return v_user;
end
$function$;
comment on function mashup.grant_operator(text,boolean) is 'Makes the account with an e-mail an operator, or no longer one. A new right counts from the next sign-in or renewal of the token, a removed one ends at once. Returns the user. Raises MB002. Lock: the row of auth.users.';

CREATE OR REPLACE FUNCTION mashup.grant_queue()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_schema text := mashup.queue_schema();
begin
  if pg_catalog.to_regnamespace(v_schema) is null then
    return;
  end if;
  -- Two transactions that grant on one object at the same time: the second fails with "tuple concurrently updated".
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('mashup.grant_queue'));
  execute pg_catalog.format('grant usage on schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant select, insert, update, delete on all tables in schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant usage, select on all sequences in schema %I to mashup_worker', v_schema);
  execute pg_catalog.format('grant execute on all functions in schema %I to mashup_worker', v_schema);
end
$function$;
comment on function mashup.grant_queue() is 'Grants the role of the workers what the library of Graphile Worker needs. Repeated whenever that schema is made again. Lock: an advisory one, until the transaction ends.';
grant execute on function mashup.grant_queue() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.hand_over(p_job_id uuid, p_worker_id uuid, p_claim uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_limits mashup.claim_limits;
  v_place integer;
  v_noted text;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id;
  if v_job.admitted_at is null or exists (select from mashup.pauses)
    or not exists (select from mashup.workers w where w.id = p_worker_id and not w.draining and w.solo_task is null)
  then
    return null;
  end if;
  for v_task in
    select * from mashup.tasks t
    where t.job_id = p_job_id and t.epoch = v_job.epoch and t.run_at <= mashup.now()
      and (t.state = 'waiting' or (t.state = 'ready' and not t.is_probe and not t.fallback))
    order by t.priority, t.id for update skip locked
  loop
    select * into v_kind from mashup.task_kinds where kind = v_task.kind;
    continue when not mashup.may_hand_over(v_task, v_kind);
    v_limits := mashup.read_claim_limits();
    continue when v_task.crashes >= v_limits.max_crashes_before_solo;
    if v_task.state = 'ready' then
      -- Another worker may have fetched the entry. Then the task is its own.
      continue when not mashup.take_entry(v_task.id, v_task.attempt);
    else
      v_place := (mashup.free_places(v_kind.service, 1))[1];
      continue when v_place is null;
      update mashup.places set task_id = v_task.id, held_until = null where service = v_kind.service and n = v_place;
      v_task.place := v_place;
      v_task.attempt := v_task.attempt + 1;
      v_task.is_probe := false;
      v_task.fallback := false;
    end if;
    v_noted := mashup.unmark_waiting_on_stale(p_job_id);
    return mashup.start_task(v_task, v_kind, v_job, p_worker_id, p_claim, v_limits);
  end loop;
  return null;
end
$function$;
comment on function mashup.hand_over(uuid,uuid,uuid) is 'Claims the next task of a job for a worker under the token p_claim. Returns describe_claim; null if there is none, or it is one that has to be dispatched or claimed by itself (probes, tasks after an outage, tasks that lost a worker, while anything is paused), or the worker drains or runs a task alone. Lock: job row held by the caller; skips locked tasks, places and queue entries.';

CREATE OR REPLACE FUNCTION mashup.has_analyses(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return not exists (
    select from mashup.active_songs(p_job.songs) s
    where not exists (select from mashup.analyses a where a.id = (s ->> 'analysis_id')::bigint));
end
$function$;
comment on function mashup.has_analyses(mashup_jobs) is 'Returns whether every active song of a job has its analysis.';

CREATE OR REPLACE FUNCTION mashup.has_output(p_job mashup_jobs, p_stage text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  case p_stage
    when 'analyzing' then return mashup.has_analyses(p_job);
    when 'scoring' then return mashup.has_scores(p_job);
    when 'planning' then return mashup.has_plan(p_job);
    when 'separating' then return mashup.has_stems(p_job);
    when 'rendering' then return mashup.has_result(p_job);
    else return true;
  end case;
end
$function$;
comment on function mashup.has_output(mashup_jobs,text) is 'Returns whether a job has what a stage makes.';

CREATE OR REPLACE FUNCTION mashup.has_plan(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return exists (select from public.mashup_plans p where p.job_id = p_job.id and p.version = p_job.plan_version);
end
$function$;
comment on function mashup.has_plan(mashup_jobs) is 'Returns whether a job has a current plan.';

CREATE OR REPLACE FUNCTION mashup.has_result(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return p_job.result_path is not null;
end
$function$;
comment on function mashup.has_result(mashup_jobs) is 'Returns whether a job has a current result.';

CREATE OR REPLACE FUNCTION mashup.has_scores(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return exists (select from mashup.scores s where s.job_id = p_job.id);
end
$function$;
comment on function mashup.has_scores(mashup_jobs) is 'Returns whether a job has pair scores, of any epoch.';

CREATE OR REPLACE FUNCTION mashup.has_stems(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return p_job.plan_version is null or not exists (select mashup.songs_without_stems(p_job))
    and not mashup.is_plan_outdated(p_job);
end
$function$;
comment on function mashup.has_stems(mashup_jobs) is 'Returns whether the stems of the songs hold what the current plan plays.';

CREATE OR REPLACE FUNCTION mashup.has_upload_quota()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  -- Counted no further than the limit. The prefix index of Storage on names serves these operators, where a LIKE pattern made
  -- at run time would read the whole bucket. '0' is the character after '/'.
  select count(*) < mashup.setting_number('max_uploads_per_user') from (
    select from storage.objects o
    where o.bucket_id = 'mashups' and o.name ~>=~ ('uploads/' || auth.uid() || '/') and o.name ~<~ ('uploads/' || auth.uid() || '0')
    limit mashup.setting_number('max_uploads_per_user')::integer) own
$function$;
comment on function mashup.has_upload_quota() is 'Returns whether the caller may store another upload.';
grant execute on function mashup.has_upload_quota() to authenticated;

CREATE OR REPLACE FUNCTION mashup.head_of_queue()
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_ids uuid[];
begin
  -- Slots go to users with the fewest running jobs. So the first job of a user who has none running comes before all others.
  -- If the oldest part of the queue has twenty of these, they are the first twenty, and the queue need not be ranked.
  -- The limits are written out: with a limit that it does not know, the planner sorts the whole queue.
  v_ids := array(
    select w.id from (
      select o.id, o.user_id, o.queued_at, row_number() over (partition by o.user_id order by o.queued_at, o.id) as nth
      from (select j.id, j.user_id, j.queued_at from mashup.waiting_jobs j order by j.queued_at, j.id limit 60) o
    ) w
    where w.nth = 1 and not exists (select from public.mashup_jobs r where r.user_id = w.user_id and r.admitted_at is not null)
    order by w.queued_at, w.id limit 20);
  if cardinality(v_ids) < 20 then
    v_ids := array(select q.id from mashup.queue_order() q order by q.queue_position limit 20);
  end if;
  return v_ids;
end
$function$;
comment on function mashup.head_of_queue() is 'Returns the first twenty jobs that wait for a slot, in order.';

CREATE OR REPLACE FUNCTION mashup.heartbeat_task(p_task_id bigint, p_claim uuid, p_progress real DEFAULT NULL::real, p_step text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_job public.mashup_jobs;
  v_kind text;
begin
  if p_progress is not null or p_step is not null then
    -- The job is locked first, so that a heartbeat and a replay lock in one order.
    select j.* into v_job from public.mashup_jobs j join mashup.tasks t on t.job_id = j.id
      where t.id = p_task_id and t.claim = p_claim for no key update of j;
  end if;
  update mashup.tasks t set lease_until = mashup.now() + mashup.setting_interval('lease_sec'),
      heard_at = case when p_progress is null and p_step is null then t.heard_at else mashup.now() end
    where t.id = p_task_id and t.claim = p_claim and t.state = 'running' returning t.kind into v_kind;
  if not found then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  if v_job.id is not null then
    perform mashup.show_progress(v_job, v_kind, p_progress, p_step);
  end if;
  return 'held';
end
$function$;
comment on function mashup.heartbeat_task(bigint,uuid,real,text) is 'Extends the lease of a claim; with progress (0 to 1 of the task) or a step writes these on the job. Returns held, or why the claim is not valid (see claim_status). Lock order: job (only with progress or step), task.';
grant execute on function mashup.heartbeat_task(bigint,uuid,real,text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.heartbeat_worker(p_worker_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_protocol integer;
begin
  update mashup.workers w set seen_at = mashup.now(), draining = w.draining or w.protocol < mashup.min_protocol_version()
    where w.id = p_worker_id returning w.protocol into v_protocol;
  return coalesce(v_protocol >= mashup.min_protocol_version(), false);
end
$function$;
comment on function mashup.heartbeat_worker(uuid) is 'Notes that a worker is alive. Returns false if it has to register again: it is not registered any more, or a migration made it too old. It then claims nothing.';
grant execute on function mashup.heartbeat_worker(uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.hint_without_file(p_job mashup_jobs)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return case when p_job.expired_at is not null then 'Its file has expired: replay it from rendering.'
    when p_job.stage in ('failed', 'cancelled') then 'It was not finished: retry it.'
    else 'Wait until it is complete.' end;
end
$function$;
comment on function mashup.hint_without_file(mashup_jobs) is 'Returns what the user of a mashup without a file can do, as the hint of an error.';

CREATE OR REPLACE FUNCTION mashup.hook_hint()
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select 'Functions of the engine run with an empty search_path: in the trigger function, write every table with its schema, or declare `set search_path`. Then retry the job. See docs/how-to/hooks.md.' $function$;
comment on function mashup.hook_hint() is 'Returns what to do about a trigger of an integrator that fails.';

CREATE OR REPLACE FUNCTION mashup.insert_job(p_user uuid, p_songs jsonb, p_options jsonb, p_hold text, p_key text, p_hash text, p_entry text, p_parent uuid, p_feedback text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  insert into public.mashup_jobs (user_id, songs, options, hold, idempotency_key, request_hash, entry_stage, parent_id, first_id, feedback,
      waiting_on, current_step, traceparent)
    values (p_user, p_songs, mashup.check_options(p_options), p_hold, p_key, p_hash, p_entry, p_parent,
      -- Null without a parent. The parent may have been deleted since it was read.
      coalesce((select coalesce(p.first_id, p.id) from public.mashup_jobs p where p.id = p_parent), p_parent), p_feedback, 'slot',
      (select s.step from mashup.stages s where s.stage = 'queued'), coalesce(mashup.request_traceparent(), mashup.new_traceparent()))
    on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
    returning * into v_job;
  if v_job.id is not null then
    perform mashup.log_event(v_job, 'submitted', case when p_parent is null then 'Submitted' else 'Submitted as a new version' end);
  end if;
  return v_job;
end
$function$;
comment on function mashup.insert_job(uuid,jsonb,jsonb,text,text,text,text,uuid,text) is 'Inserts a queued job and returns it; null if the idempotency key is taken. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.insert_version(p_parent mashup_jobs, p_options jsonb, p_idempotency_key text, p_hash text, p_feedback text DEFAULT NULL::text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(p_parent.user_id, false);
  v_job := mashup.insert_job(p_parent.user_id, p_parent.songs, p_options, null, p_idempotency_key, p_hash, 'planning', p_parent.id, p_feedback);
  if v_job.id is not null then
    insert into mashup.scores (job_id, epoch, pairs)
      select v_job.id, v_job.epoch, s.pairs from mashup.scores s where s.job_id = p_parent.id order by s.epoch desc limit 1;
    update public.mashup_jobs set score = p_parent.score where id = v_job.id;
  end if;
  return v_job;
end
$function$;
comment on function mashup.insert_version(mashup_jobs,jsonb,text,text,text) is 'Inserts a new version of a mashup: a job that enters at planning with the parent''s songs and scores. Returns it; null if another request with its idempotency key came first. Raises MB004, MB012. Lock: the row of the user.';

CREATE OR REPLACE FUNCTION mashup.is_after_interruption()
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select exists (select from mashup.maintenance_runs
    where name = 'interruption' and done_at > mashup.now() - mashup.setting_interval('restart_grace_sec'))
$function$;
comment on function mashup.is_after_interruption() is 'Whether an interruption ended within restart_grace_sec. Until then missed heartbeats and free locks prove nothing: workers may be returning, with finished work.';

CREATE OR REPLACE FUNCTION mashup.is_allowed(p_setting mashup.settings)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_type text := pg_catalog.jsonb_typeof(p_setting.value);
  v_numbers jsonb := case when p_setting.type = 'numbers_by_service' then p_setting.value else pg_catalog.jsonb_build_array(p_setting.value) end;
begin
  if v_type = 'null' then
    return p_setting.is_optional;
  elsif p_setting.type = 'boolean' then
    return v_type = 'boolean';
  elsif p_setting.type = 'name' then
    return v_type = 'string' and p_setting.value #>> '{}' ~ '^[a-z_][a-z0-9_]{0,62}$';
  elsif p_setting.type = 'time_of_separation' then
    return p_setting.value in ('"held"', '"always"', '"never"');
  elsif p_setting.type = 'numbers_by_service' then
    if v_type <> 'object' or exists (select from pg_catalog.jsonb_object_keys(p_setting.value) k
        where not exists (select from mashup.service_health h where h.service = k)) then
      return false;
    end if;
    v_numbers := pg_catalog.jsonb_path_query_array(p_setting.value, '$.*');
  end if;
  return not exists (
    select from pg_catalog.jsonb_array_elements(v_numbers) n
    where case when pg_catalog.jsonb_typeof(n) = 'number' then n::numeric < p_setting.min or n::numeric > coalesce(p_setting.max, 'Infinity')
        or (p_setting.type = 'integer' and n::numeric % 1 <> 0) else true end);
end
$function$;
comment on function mashup.is_allowed(mashup.settings) is 'Returns whether the value of a setting has its type and is within its range.';

CREATE OR REPLACE FUNCTION mashup.is_away(p_health mashup.service_health)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return case p_health.state
    when 'closed' then p_health.unanswered_since is not null
    -- Due for a probe: no task waits for it, and nobody knows whether it is back, unless a worker has asked.
    when 'open' then coalesce(p_health.retry_at > mashup.now(), true) or p_health.unanswered_since is not null
    -- A probe that has had an event is answered.
    else not exists (select from mashup.tasks t where t.id = p_health.probe_task and t.state = 'running' and t.heard_at > t.started_at)
  end;
end
$function$;
comment on function mashup.is_away(mashup.service_health) is 'Returns whether a service is known not to answer: the last call or check had no answer, its circuit is open and not due for a probe, or its probe has had no event yet.';

CREATE OR REPLACE FUNCTION mashup.is_job_paused(p_job_id uuid, p_user_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return exists (select from mashup.pauses) and (mashup.is_paused('job', p_job_id::text) or mashup.is_paused('user', p_user_id::text));
end
$function$;
comment on function mashup.is_job_paused(uuid,uuid) is 'Returns whether a job, its user or the system is paused.';

CREATE OR REPLACE FUNCTION mashup.is_kind_paused(p_kind mashup.task_kinds)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return mashup.is_paused('kind', p_kind.kind) or mashup.is_paused('service', p_kind.service)
    or (p_kind.uses_storage and mashup.is_paused('service', 'storage'));
end
$function$;
comment on function mashup.is_kind_paused(mashup.task_kinds) is 'Returns whether a kind of task, or a service that it needs, or the system is paused.';

CREATE OR REPLACE FUNCTION mashup.is_level_edit(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return exists (select from mashup.plan_edits e where e.job_id = p_job.id and not exists (
    select from jsonb_array_elements(e.edits) d where d ->> 'kind' not in ('layer_level', 'mute_layer', 'unmute_layer')));
end
$function$;
comment on function mashup.is_level_edit(mashup_jobs) is 'Returns whether a job is a version of which only levels of layers were edited by hand: most of its render comes from the cache.';

CREATE OR REPLACE FUNCTION mashup.is_opening(p_playable jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(p_playable ->> 'path' like 'generated/%/open-%', false)
$function$;
comment on function mashup.is_opening(jsonb) is 'Returns whether playable parts are those of an opening.';

CREATE OR REPLACE FUNCTION mashup.is_paused(p_scope text, p_key text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return exists (select from mashup.pauses p
    where ((p.scope = 'system') or (p.scope = p_scope and p.key = p_key)) and (p.until is null or p.until > mashup.now()));
end
$function$;
comment on function mashup.is_paused(text,text) is 'Returns whether a pause of this scope and key, or of the system, is in force.';

CREATE OR REPLACE FUNCTION mashup.is_plan_outdated(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return p_job.plan_version is not null and exists (
    select from public.mashup_plans p
    where p.job_id = p_job.id and p.version = p_job.plan_version
      and not p.song_ids <@ array(select s ->> 'song_id' from mashup.active_songs(p_job.songs) s));
end
$function$;
comment on function mashup.is_plan_outdated(mashup_jobs) is 'Returns whether the current plan uses an excluded song.';

CREATE OR REPLACE FUNCTION mashup.is_same_recording(p_first text, p_second text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  v_base64 constant text := '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';
  v_first varbit;
  v_second varbit;
  v_bits integer;
begin
  -- Another analysis service may give a text of its own, which is compared with nothing.
  if (p_first ~ v_base64 and p_second ~ v_base64) is not true then
    return false;
  end if;
  v_first := ('x' || encode(decode(p_first, 'base64'), 'hex'))::varbit;
  v_second := ('x' || encode(decode(p_second, 'base64'), 'hex'))::varbit;
  v_bits := least(length(v_first), length(v_second));
  if v_bits < 128 or greatest(length(v_first), length(v_second)) > v_bits + 32 then
    return false;
  end if;
  return bit_count(substring(v_first for v_bits) # substring(v_second for v_bits)) <= 0.09 * v_bits;
end
$function$;
comment on function mashup.is_same_recording(text,text) is 'Returns whether two fingerprints (base64, see music/theory/fingerprint.ts, which has the same rule) are of one recording in different encodings: at most 9 % of their bits differ.';

CREATE OR REPLACE FUNCTION mashup.is_silent(p_task mashup.tasks)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_silent_sec double precision := extract(epoch from mashup.now() - p_task.heard_at);
  v_stats mashup.stage_stats;
  v_job public.mashup_jobs;
  v_limits mashup.claim_limits;
begin
  if v_silent_sec is null or v_silent_sec > p_task.silence_sec / 2 then
    return v_silent_sec is not null;
  end if;
  v_limits := mashup.read_claim_limits();
  -- Until five are measured a call may take the whole time of its kind. Operators should not wait for half of that.
  if v_silent_sec <= v_limits.call_limit_min_sec
    or p_task.silence_sec < (select k.timeout_sec from mashup.task_kinds k where k.kind = p_task.kind)
  then
    return false;
  end if;
  select * into v_stats from mashup.stage_stats s where s.kind = p_task.kind;
  select * into v_job from public.mashup_jobs j where j.id = p_task.job_id;
  return v_silent_sec > mashup.measured_limit(v_stats, v_job, p_task.song_id, v_limits) / 2
    * case when p_task.kind = 'separate' and mashup.uses_model(v_job) then v_stats.model_factor else 1 end;
end
$function$;
comment on function mashup.is_silent(mashup.tasks) is 'Returns whether the service of a running task has been silent for half of the time after which its call ends, or, before that time follows from measured durations, for half of the time that it would be.';

CREATE OR REPLACE FUNCTION mashup.is_sound_job(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  v_broken text := case
    when p_job.status <> case when p_job.stage in ('complete', 'failed', 'cancelled') then p_job.stage else 'processing' end then 'status_follows_stage'
    when p_job.stage = 'complete' and p_job.result_path is null and p_job.expired_at is null then 'complete_has_a_result'
    when (p_job.stage = 'failed') <> (p_job.error_code is not null) then 'failed_has_an_error'
    when p_job.playable is not null and p_job.stage not in ('separating', 'rendering') then 'playable_while_rendering'
    when p_job.studio_version is not null and p_job.stage <> 'complete' then 'studio_version_of_complete'
    when p_job.admitted_at is not null and p_job.status <> 'processing' then 'only_live_jobs_hold_a_slot'
    when octet_length(p_job.songs::text) > 4000 or octet_length(p_job.options::text) > 900 or octet_length(p_job.result::text) > 1000
      or octet_length(p_job.warnings::text) > 2600 or octet_length(p_job.playable::text) > 900
      or octet_length(p_job.studio_version::text) > 900 then 'row_is_slim'
    when p_job.waiting_on not in ('slot', 'tasks', 'circuit', 'pause', 'user') then 'waiting_on_is_known'
    when p_job.hold <> 'planning' then 'hold_is_known'
    when p_job.progress not between 0 and 100 then 'progress_is_per_cent'
    when jsonb_typeof(p_job.songs) <> 'array' or jsonb_array_length(p_job.songs) not between 1 and 3 then 'one_to_three_songs'
    when jsonb_typeof(p_job.warnings) <> 'array' then 'warnings_are_a_list'
    when length(p_job.current_step) > 200 or length(p_job.title) > 200 or length(p_job.concept) > 600 or length(p_job.result_path) > 300
      or length(p_job.error_code) > 60 or length(p_job.error_message) > 500 or length(p_job.error_hint) > 300 or length(p_job.feedback) > 1000
      or length(p_job.idempotency_key) not between 1 and 200 or length(p_job.takedown_reason) not between 1 and 300
      or length(p_job.estimate_note) > 200 then 'texts_are_short'
    when p_job.traceparent !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' then 'traceparent_is_valid'
  end;
begin
  if v_broken is not null then
    raise exception using errcode = 'check_violation', message = format('The row of job %s breaks the rule %s.', p_job.id, v_broken),
      schema = 'public', table = 'mashup_jobs', constraint = v_broken;
  end if;
  return true;
end
$function$;
comment on function mashup.is_sound_job(mashup_jobs) is 'The rules of a row of mashup_jobs, in one function, since constraints are parsed for each statement. Returns true, or raises check_violation with the name of the rule as constraint.';
grant execute on function mashup.is_sound_job(mashup_jobs) to service_role;

CREATE OR REPLACE FUNCTION mashup.is_studio_version_live(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return coalesce(p_job.studio_version ->> 'state' in ('separating', 'rendering'), false);
end
$function$;
comment on function mashup.is_studio_version_live(mashup_jobs) is 'Returns whether the studio version of a job is being made.';

CREATE OR REPLACE FUNCTION mashup.job_condition(p_filter jsonb)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_filter jsonb := mashup.check_job_filter(p_filter);
  v_stage text := v_filter ->> 'stage';
  v_text text := v_filter ->> 'text';
  v_words text;
  v_id_range text;
  v_kinds text[];
  v_time text := 'coalesce(j.finished_at, j.created_at)';
begin
  if v_filter ? 'text' then
    -- Each word is the beginning of a word of the job.
    select string_agg(quote_literal(w.lexeme) || ':*', ' & ') into v_words
      from unnest(to_tsvector('simple', regexp_replace(v_text, '[^[:alnum:]]+', ' ', 'g'))) w;
    v_words := coalesce(v_words, '');
    if v_text ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F-]*)?$' and length(v_text) <= 36 then
      v_id_range := format('between %L and %L', v_text || right('00000000-0000-0000-0000-000000000000', 36 - length(v_text)),
        v_text || right('ffffffff-ffff-ffff-ffff-ffffffffffff', 36 - length(v_text)));
    end if;
    v_words := mashup.words_condition(v_words::pg_catalog.tsquery, v_id_range);
  end if;
  if v_filter ? 'service' then
    v_kinds := array(select k.kind from mashup.task_kinds k where v_filter ->> 'service' = any (mashup.services_of(k)));
  end if;
  return concat_ws(' and ', 'true',
    case v_stage when 'live' then 'j.status = ''processing''' when 'ended' then 'j.status <> ''processing''' end,
    -- Each terminal stage is a status, by which there is an index.
    (select case when s.is_terminal then format('j.status = %L', s.stage) else format('j.stage = %L and j.status = ''processing''', s.stage) end
      from mashup.stages s where s.stage = v_stage),
    case when v_filter ? 'error' then format('j.error_code = %L and j.stage = ''failed''', v_filter ->> 'error') end,
    case when v_filter ? 'stopped' then format('j.stopped_stage = %L', v_filter ->> 'stopped') end,
    case when v_filter ? 'user' then format('j.user_id = %L', v_filter ->> 'user') end,
    case when v_filter ? 'hours' then format('%s >= mashup.now() - make_interval(secs => %L::double precision * 3600)', v_time, v_filter ->> 'hours') end,
    case when v_filter ? 'since' then format('%s >= %L', v_time, v_filter ->> 'since') end,
    case when v_filter ? 'until' then format('%s <= %L', v_time, v_filter ->> 'until') end,
    case when v_kinds is not null then format('(j.status in (''processing'', ''failed'') and exists (select from mashup.tasks t where t.kind = any (%1$L::text[])
      and (t.id = j.failed_task or (t.job_id = j.id and t.epoch = j.epoch and j.status = ''processing'' and t.state in (''waiting'', ''ready'', ''running'')))))', v_kinds) end,
    v_words);
end
$function$;
comment on function mashup.job_condition(jsonb) is 'Returns a filter of jobs (see check_job_filter) as an SQL condition on the alias j of public.mashup_jobs, with its values quoted. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.job_history(p_job_id uuid)
 RETURNS TABLE(at timestamp with time zone, since_start interval, epoch integer, what text, stage text, song text, message text, actor text, detail jsonb)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select e.created_at, e.created_at - j.created_at, e.epoch, e.type, e.stage, s ->> 'name', e.message, e.actor, e.detail
  from public.mashup_job_events e
  join public.mashup_jobs j on j.id = e.job_id
  left join lateral jsonb_array_elements(j.songs) s on s ->> 'song_id' = e.song_id
  where e.job_id = p_job_id order by e.id
$function$;
comment on function mashup.job_history(uuid) is 'Returns the history of a job, oldest event first.';

CREATE OR REPLACE FUNCTION mashup.job_of_share(p_share text)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  -- A link ends in its token.
  v_name text := substring(trim(p_share) from '([A-Za-z0-9_-]+)/*([?#].*)?$');
  v_job_id uuid;
begin
  if v_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return v_name::uuid;
  end if;
  select s.job_id into v_job_id from public.mashup_shares s where s.token = v_name;
  if v_job_id is null then
    perform mashup.raise_error('MB002', 'There is no such public link.', 'Give the link, its token, or the id of the job.');
  end if;
  return v_job_id;
end
$function$;
comment on function mashup.job_of_share(text) is 'Returns the job of a public link, of its token, or of the id of the job. Raises MB002 for a token without a job.';

CREATE OR REPLACE FUNCTION mashup.job_words(p_title text, p_songs jsonb, p_error_code text, p_error_message text)
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE COST 1000
 SET search_path TO ''
AS $function$
  select pg_catalog.to_tsvector('simple', pg_catalog.regexp_replace(coalesce(p_title, '') || ' '
    || pg_catalog.jsonb_path_query_array(p_songs, '$[*].name')::text || ' ' || pg_catalog.jsonb_path_query_array(p_songs, '$[*].artist')::text || ' '
    || coalesce(p_error_code, '') || ' ' || coalesce(p_error_message, ''), '[^[:alnum:]]+', ' ', 'g'))
$function$;
comment on function mashup.job_words(text,jsonb,text,text) is 'Returns the words by which a job is found: of its title, of the names and artists of its songs, and of its error.';
grant execute on function mashup.job_words(text,jsonb,text,text) to service_role;

CREATE OR REPLACE FUNCTION mashup.jobs_that_may_wait()
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  -- Most jobs have a task that runs or may run, and are not said to wait.
  return array(
    select j.id from public.mashup_jobs j
    where j.admitted_at is not null
      and (j.waiting_on is not null
        or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running'))));
end
$function$;
comment on function mashup.jobs_that_may_wait() is 'Returns the jobs with a slot whose waiting_on may have to change.';

CREATE OR REPLACE FUNCTION mashup.keep_parts(p_path text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  insert into mashup.storage_deletions (path, is_prefix, not_before)
    values (p_path || '/', true, mashup.now() + mashup.setting_interval('parts_kept_sec'));
end
$function$;
comment on function mashup.keep_parts(text) is 'Puts the folder of the playable parts of a finished render into the outbox, due after parts_kept_sec: a listener may still play them.';

CREATE OR REPLACE FUNCTION mashup.keep_setting()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if tg_op = 'DELETE' or new.name <> old.name then
    perform mashup.raise_error('MB006', pg_catalog.format('The setting %s cannot be removed: the engine reads it.', old.name),
      pg_catalog.format('Change its value instead: it is %s.', mashup.allowed_values(old)));
  end if;
  return new;
end
$function$;
comment on function mashup.keep_setting() is 'Trigger: refuses to delete or rename a setting. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.library_page(p_user uuid, p_words text[], p_state text, p_sort text, p_after uuid, p_size integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  with
    own as materialized (
      select j.id, coalesce(j.first_id, j.id) as group_id, j.created_at, (j.result ->> 'duration_sec')::real as duration_sec,
        coalesce(j.title, (select string_agg(s ->> 'name', ' × ') from jsonb_array_elements(j.songs) s)) as title,
        case when j.hold is null then p_state in ('all', j.status)
          else p_state = 'draft' and j.status = 'processing' end
        and not exists (
          select from unnest(p_words) w
          where strpos(lower(normalize(concat_ws(' ', j.title, j.feedback, j.options ->> 'wishes',
            (select string_agg(concat_ws(' ', s ->> 'name', s ->> 'artist'), ' ') from jsonb_array_elements(j.songs) s)))), w) = 0
        ) as is_match
      from public.mashup_jobs j where j.user_id = p_user),
    -- A group has the id of its first mashup, also if that was deleted. The newest match stands for its group.
    groups as (
      select v.group_id, array_agg(v.id) as ids, array_agg(v.id order by v.created_at desc, v.id) filter (where v.is_match) as matched,
        (array_agg(v.title order by v.created_at desc, v.id) filter (where v.is_match))[1] as title,
        (array_agg(v.duration_sec order by v.created_at desc, v.id) filter (where v.is_match))[1] as duration_sec,
        max(v.created_at) filter (where v.is_match) as created_at
      from own v group by v.group_id having bool_or(v.is_match)),
    ordered as (
      select g.*, row_number() over (order by
        case when p_sort = 'title' then lower(g.title) end,
        case when p_sort = 'longest' then g.duration_sec end desc nulls last,
        case when p_sort = 'shortest' then g.duration_sec end nulls last,
        case when p_sort = 'oldest' then g.created_at end,
        g.created_at desc, g.group_id) as place
      from groups g),
    page as (
      select o.* from ordered o
      where o.place > coalesce((select a.place from ordered a where a.group_id = p_after), 0)
      order by o.place limit p_size)
  select jsonb_build_object(
    'groups_found', (select count(*) from groups),
    'mashups_found', (select count(*) from own o where o.is_match),
    'groups', coalesce((
      select jsonb_agg(jsonb_build_object('id', p.group_id, 'matched', to_jsonb(p.matched),
        'mashups', (select jsonb_agg(to_jsonb(j) order by j.created_at, j.id) from public.mashup_jobs j where j.id = any (p.ids)))
        order by p.place)
      from page p), '[]'))
$function$;
comment on function mashup.library_page(uuid,text[],text,text,uuid,integer) is 'Returns a page of list_mashups of a user; p_words: the words of its search in lower case, of composed characters (NFC).';

CREATE OR REPLACE FUNCTION mashup.lift_share_take_down(p_share text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_job(mashup.job_of_share(p_share));
begin
  if v_job.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s itself was taken down: %s', v_job.id, v_job.takedown_reason), 'Lift the take-down of the mashup.');
  end if;
  delete from public.mashup_shares s where s.job_id = v_job.id and s.taken_down_at is not null;
  if not found then
    perform mashup.raise_error('MB006', format('No public link of mashup %s was taken down.', v_job.id), 'Nothing has to be done.');
  end if;
  -- Its owner's page reads the link again when the row changes.
  update public.mashup_jobs j set updated_at = mashup.now() where j.id = v_job.id returning * into v_job;
  perform mashup.log_event(v_job, 'share', 'The mashup may be shared again');
  return v_job;
end
$function$;
comment on function mashup.lift_share_take_down(text) is 'Lets a mashup be shared again whose public link was taken down; the next link is a new one. p_share as in take_down_share. Returns the job. Lock order: job row, its links. Raises MB002, MB006, MB015.';

CREATE OR REPLACE FUNCTION mashup.lift_take_down(p_job_id uuid)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_job(p_job_id);
begin
  if v_job.takedown_reason is null then
    perform mashup.raise_error('MB006', format('Job %s was not taken down.', p_job_id), 'Nothing has to be done.');
  end if;
  update public.mashup_jobs j set takedown_reason = null, current_step = (select s.step from mashup.stages s where s.stage = j.stage)
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'takedown', 'The take-down was lifted');
  delete from public.mashup_shares s where s.job_id = v_job.id and s.taken_down_at is not null;
  return v_job;
end
$function$;
comment on function mashup.lift_take_down(uuid) is 'Lets a mashup that was taken down run again. Its file stays deleted: a replay from rendering makes it again. It can be shared again, by a new link. Returns the job. Lock: job row. Raises MB002, MB006.';

CREATE OR REPLACE FUNCTION mashup.limit_future_times()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_deletion_delay interval := greatest(mashup.setting_interval('discard_after_sec'), mashup.setting_interval('replaced_stems_after_sec'),
    mashup.setting_interval('outbox_retry_sec'), mashup.setting_interval('parts_kept_sec'));
begin
  perform mashup.limit_waiting_tasks();
  perform mashup.limit_running_tasks();
  update mashup.workers w set seen_at = mashup.now(), registered_at = least(w.registered_at, mashup.now())
    where w.id in (select f.id from mashup.workers f where f.seen_at > mashup.now() + interval '5 seconds' for update skip locked);
  update mashup.service_health h set retry_at = mashup.now(), opened_at = least(h.opened_at, mashup.now()), updated_at = mashup.now()
    where h.service in (select f.service from mashup.service_health f
      where f.retry_at > mashup.now() + mashup.setting_interval('circuit_open_max_sec') + interval '5 seconds' for update skip locked);
  update mashup.storage_deletions d set not_before = mashup.now() + v_deletion_delay
    where d.id in (select f.id from mashup.storage_deletions f
      where f.not_before > mashup.now() + v_deletion_delay + interval '5 seconds' order by f.id limit 500 for update skip locked);
  update mashup.outgoing_events e set not_before = mashup.now()
    where e.seq in (select f.seq from mashup.outgoing_events f
      where f.delivered_at is null and f.not_before > mashup.now() + interval '1 hour 5 seconds' order by f.seq limit 500 for update skip locked);
end
$function$;
comment on function mashup.limit_future_times() is 'Limits every time for which the engine waits to now plus the longest wait that the settings allow, after the clock was set back. Pauses keep the time that their operator gave, and count_request limits its own. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.limit_running_tasks()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_count integer;
begin
  with far as (
    select t.id, mashup.now() + mashup.setting_interval('lease_sec') as lease, mashup.now() + make_interval(secs => k.timeout_sec) as deadline
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.state = 'running' and (t.started_at > mashup.now() + interval '5 seconds'
      or t.lease_until > mashup.now() + mashup.setting_interval('lease_sec') + interval '5 seconds'
      or t.deadline_at > mashup.now() + make_interval(secs => k.timeout_sec + 5))
    order by t.id for update of t skip locked
  )
  update mashup.tasks t set started_at = least(t.started_at, mashup.now()), heard_at = least(t.heard_at, mashup.now()), lease_until = least(t.lease_until, f.lease),
      deadline_at = least(t.deadline_at, f.deadline)
    from far f where t.id = f.id;
  get diagnostics v_count = row_count;
  with far as (
    select t.id, mashup.now() + make_interval(secs => h.sec) as held_until
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    cross join lateral (select coalesce((s.value ->> k.service)::double precision, 0) as sec
      from mashup.settings s where s.name = 'service_abort_hold_sec') h
    where t.held_until is not null and t.held_until > mashup.now() + make_interval(secs => h.sec + 5)
    order by t.id for update of t skip locked
  )
  update mashup.tasks t set held_until = f.held_until from far f where t.id = f.id;
  with far as (
    select p.service, p.n, mashup.now() + make_interval(secs => h.sec) as held_until
    from mashup.places p
    cross join lateral (select coalesce((s.value ->> p.service)::double precision, 0) as sec
      from mashup.settings s where s.name = 'service_abort_hold_sec') h
    where p.held_until > mashup.now() + make_interval(secs => h.sec + 5)
    for update of p skip locked
  )
  update mashup.places p set held_until = f.held_until from far f where p.service = f.service and p.n = f.n;
  return v_count;
end
$function$;
comment on function mashup.limit_running_tasks() is 'Limits leases to lease_sec, deadlines to timeout_sec of the kind and places held by dropped tasks to service_abort_hold_sec from now. Returns how many running tasks. Lock: task rows by id; never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.limit_waiting_tasks()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
  v_count integer := 0;
begin
  for v_task in
    select t.* from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.state = 'waiting'
      and (t.run_at > mashup.now() + make_interval(secs => mashup.longest_delay_sec(k) + 5) or t.created_at > mashup.now() + interval '5 seconds')
    order by t.id limit 500 for update of t skip locked
  loop
    update mashup.tasks t set run_at = least(t.run_at, mashup.now()), created_at = least(t.created_at, mashup.now()) where t.id = v_task.id;
    v_count := v_count + 1;
  end loop;
  -- Ready tasks are due within two seconds. Their queue entries carry the same time, so each gets another one.
  for v_task in
    select t.* from mashup.tasks t
    where t.state = 'ready' and t.run_at > mashup.now() + interval '5 seconds'
    order by t.id limit 500 for update skip locked
  loop
    update mashup.tasks t set run_at = mashup.now(), created_at = least(t.created_at, mashup.now()), attempt = t.attempt + 1
      where t.id = v_task.id;
    perform mashup.enqueue_tasks(array[v_task.id]);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.limit_waiting_tasks() is 'Makes waiting and ready tasks due whose time is further away than any back-off. Returns how many. Lock: task rows by id; never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.lock_claim(p_task_id bigint, p_claim uuid)
 RETURNS mashup.tasks
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id) for no key update;
  select * into v_task from mashup.tasks t where t.id = p_task_id and t.claim = p_claim and t.state = 'running' for update;
  if not found then
    return null;
  end if;
  return v_task;
end
$function$;
comment on function mashup.lock_claim(bigint,uuid) is 'Returns the task of a valid claim, locked; null if the claim is not valid. The guard of every write of a worker. Lock order: job, task.';

CREATE OR REPLACE FUNCTION mashup.log_event(p_job mashup_jobs, p_type text, p_message text, p_from_stage text DEFAULT NULL::text, p_song_id text DEFAULT NULL::text, p_detail jsonb DEFAULT NULL::jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  -- A transaction that waited for the job carries the time of its own start. The history does not run backwards for that.
  insert into public.mashup_job_events (job_id, epoch, type, stage, from_stage, song_id, message, actor, detail, created_at)
  values (p_job.id, p_job.epoch, p_type, p_job.stage, p_from_stage, p_song_id, left(p_message, 500), mashup.actor(), p_detail,
    greatest(mashup.now(), (select e.created_at from public.mashup_job_events e where e.job_id = p_job.id order by e.id desc limit 1)));
end
$function$;
comment on function mashup.log_event(mashup_jobs,text,text,text,text,jsonb) is 'Appends one event to the history of a job.';

CREATE OR REPLACE FUNCTION mashup.longest_delay_sec(p_kind mashup.task_kinds)
 RETURNS double precision
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$ begin return greatest(p_kind.backoff_max_sec, 600); end $function$;
comment on function mashup.longest_delay_sec(mashup.task_kinds) is 'Returns the longest time, in seconds, for which a task of a kind waits after a fault.';

CREATE OR REPLACE FUNCTION mashup.mark_all_jobs_stale()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.mark_waiting_on_stale(null);
  perform mashup.note_schedule('all');
  return null;
end
$function$;
comment on function mashup.mark_all_jobs_stale() is 'Trigger: every job may wait for something else now, and tasks of every kind may run.';

CREATE OR REPLACE FUNCTION mashup.mark_ready_job_stale()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_noted text;
begin
  v_noted := mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$function$;
comment on function mashup.mark_ready_job_stale() is 'Trigger: the job of a task that was made ready no longer waits. It need not be the job of the transaction.';

CREATE OR REPLACE FUNCTION mashup.mark_waiting_on_stale(p_job_id uuid)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_noted text := coalesce(current_setting('mashup.stale_jobs', true), '');
  v_max constant integer := 100 * 37;
begin
  if v_noted <> 'all' and (p_job_id is null or position(p_job_id::text in v_noted) = 0) then
    v_noted := set_config('mashup.stale_jobs',
      case when p_job_id is null or length(v_noted) >= v_max then 'all' else v_noted || p_job_id || ' ' end, true);
  end if;
  return v_noted;
end
$function$;
comment on function mashup.mark_waiting_on_stale(uuid) is 'Notes a job for refresh_waiting_on at the end of this transaction; null, or more than a hundred jobs: all. Returns what is noted.';

CREATE OR REPLACE FUNCTION mashup.mashup_stem_files(p_stems jsonb)
 RETURNS SETOF text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select format('%s/%s.flac', f ->> 'path', i)
  from jsonb_array_elements(p_stems -> 'files') f, generate_series(0, jsonb_array_length(p_stems -> 'ends') - 1) i
$function$;
comment on function mashup.mashup_stem_files(jsonb) is 'Returns the paths of the files of MashupStems: the parts of each stem. None if they are not ready.';

CREATE OR REPLACE FUNCTION mashup.may_hand_over(p_task mashup.tasks, p_kind mashup.task_kinds)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_circuit record;
begin
  -- A task that lost a worker is claimed alone; probes and tasks that return after an outage are dispatched.
  if p_task.crashes > 0 then
    return false;
  end if;
  v_circuit := mashup.circuit_of(p_kind);
  if not v_circuit.is_closed or v_circuit.spread_sec > 0 then
    return false;
  end if;
  return p_task.state = 'ready' or not exists (
    select from mashup.tasks t where t.state = 'waiting' and t.kind = p_task.kind and not t.is_studio and (t.run_at, t.id) < (p_task.run_at, p_task.id));
end
$function$;
comment on function mashup.may_hand_over(mashup.tasks,mashup.task_kinds) is 'Returns whether a worker may go on with a task: it never lost a worker, the circuits that it needs are closed and not just closed, and no older task waits for a place.';

CREATE OR REPLACE FUNCTION mashup.measured_limit(p_stats mashup.stage_stats, p_job mashup_jobs, p_song_id text, p_limits mashup.claim_limits)
 RETURNS real
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_seconds real;
begin
  select sum(coalesce((s ->> 'duration_sec')::real, p_limits.song_max_sec)) into v_seconds
    from mashup.active_songs(p_job.songs) s where p_song_id is null or s ->> 'song_id' = p_song_id;
  return p_limits.call_limit_factor * (p_stats.base_sec + p_stats.per_song_sec * coalesce(v_seconds, 0));
end
$function$;
comment on function mashup.measured_limit(mashup.stage_stats,mashup_jobs,text,mashup.claim_limits) is 'Returns the seconds after which a call for a song, or for all songs, takes too long by the durations of its kind.';

CREATE OR REPLACE FUNCTION mashup.merge_stems(p_old jsonb, p_new jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  if not p_new ? 'pieces' then
    return p_new;
  elsif not p_old ? 'pieces' then
    return p_old;
  end if;
  return jsonb_build_object('pieces', (
    with piece as (
      select p.value, p.is_new, numrange((p.value ->> 'start_sec')::numeric, (p.value ->> 'end_sec')::numeric) as span
      from (
        select o.value, false from jsonb_array_elements(p_old -> 'pieces') o
        union all select n.value, true from jsonb_array_elements(p_new -> 'pieces') n
      ) p (value, is_new)
    )
    -- A piece that another one contains is not needed. Of two equal ones the new one stays.
    select jsonb_agg(a.value order by lower(a.span), upper(a.span)) from piece a
    where not exists (select from piece b where a.span <@ b.span and (a.span <> b.span or b.is_new and not a.is_new))));
end
$function$;
comment on function mashup.merge_stems(jsonb,jsonb) is 'Returns the value of stems.paths with which a song has what it had and what was separated: whole stems, or the pieces of both.';

CREATE OR REPLACE FUNCTION mashup.metrics()
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with live as materialized (
    select j.id, j.stage, j.waiting_on, j.epoch from public.mashup_jobs j where j.status = 'processing'
  ), held as materialized (
    select t.kind, t.state, count(*) as tasks, max(extract(epoch from mashup.now() - t.run_at)) filter (where t.state = 'ready') as ready_sec,
      max(extract(epoch from mashup.now() - t.lease_until + mashup.setting_interval('lease_sec'))) filter (where t.state = 'running') as lease_sec
    from mashup.tasks t where t.state in ('waiting', 'ready', 'running') group by t.kind, t.state
  ), entries as materialized (
    select q.key, q.run_at, q.locked_at, q.attempts, q.max_attempts from mashup.queue_entries() q
  )
  select jsonb_build_object(
    'live_jobs', (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from (
      select l.stage, coalesce(l.waiting_on, 'nothing') as waiting_on, count(*) as jobs from live l group by 1, 2) s),
    'ended_jobs', (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from (
      select j.stage as result, count(*) as jobs from public.mashup_jobs j where j.finished_at > mashup.now() - interval '1 hour' group by 1) s),
    'stuck_jobs', (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from (
      select k.cause, count(*) as jobs from mashup.stuck k group by 1) s),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('kind', h.kind, 'state', h.state, 'tasks', h.tasks)), '[]') from held h),
    'ready_task_age_sec', (select coalesce(max(h.ready_sec), 0) from held h),
    'lease_age_sec', (select coalesce(max(h.lease_sec), 0) from held h),
    'ready_without_entry', (select count(*) from mashup.tasks t where t.state = 'ready'
      and not exists (select from entries e where e.key = 'mashup:' || t.id || ':' || t.attempt)),
    'queue_due', (select count(*) from entries e where e.locked_at is null and e.run_at <= mashup.now() and e.attempts < e.max_attempts),
    'queue_later', (select count(*) from entries e where e.locked_at is null and e.run_at > mashup.now() and e.attempts < e.max_attempts),
    'queue_locked', (select count(*) from entries e where e.locked_at is not null),
    'queue_age_sec', (select coalesce(max(extract(epoch from mashup.now() - e.run_at)), 0) from entries e
      where e.locked_at is null and e.run_at <= mashup.now() and e.attempts < e.max_attempts),
    'circuits', (select coalesce(jsonb_agg(jsonb_build_object('service', h.service, 'state', h.state,
        'open_sec', coalesce(extract(epoch from mashup.now() - h.opened_at), 0))), '[]') from mashup.service_health h),
    'workers', (select count(*) from mashup.workers w where not w.draining and w.seen_at > mashup.now() - mashup.setting_interval('lease_sec')),
    'places', (select coalesce(sum(w.concurrency), 0) from mashup.workers w
      where not w.draining and w.seen_at > mashup.now() - mashup.setting_interval('lease_sec')),
    'slots', mashup.setting_number('max_running_jobs'),
    'pauses', (select count(*) from mashup.pauses p where p.until is null or p.until > mashup.now()),
    'deletions_due', (select count(*) from mashup.storage_deletions d where d.not_before <= mashup.now()),
    'events_due', (select count(*) from mashup.outgoing_events e where e.delivered_at is null and e.not_before <= mashup.now()))
$function$;
comment on function mashup.metrics() is 'Returns the state of jobs, tasks, queue, circuits and workers for monitoring. ended_jobs counts the last hour. Lock: none.';
grant execute on function mashup.metrics() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.min_protocol_version()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select 3 $function$;
comment on function mashup.min_protocol_version() is 'Returns the oldest protocol that this schema serves. A migration raises it if it takes away or changes what older workers call, or if older workers would do a task otherwise than it has to be done. Workers with a lower number finish their tasks and end.';
grant execute on function mashup.min_protocol_version() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.missing_files()
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select f.path from mashup.referenced_files() f
  where not exists (select from storage.objects o where o.bucket_id = 'mashups' and o.name = f.path)
$function$;
comment on function mashup.missing_files() is 'Returns the referenced files that Storage has no row of. A row of Storage does not prove that there is a file.';

CREATE OR REPLACE FUNCTION mashup.missing_prerequisite(p_job mashup_jobs, p_stage text)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_earlier mashup.stages;
begin
  for v_earlier in
    select s.* from mashup.stages s
    where s.makes is not null and s.position < (select w.position from mashup.stages w where w.stage = p_stage)
    order by s.position
  loop
    if not mashup.has_output(p_job, v_earlier.stage) then
      return array[v_earlier.makes, v_earlier.stage];
    end if;
  end loop;
  return null;
end
$function$;
comment on function mashup.missing_prerequisite(mashup_jobs,text) is 'Returns what an earlier stage should have made and a job lacks to enter p_stage: {what, the stage that makes it}. Null if nothing is missing.';

CREATE OR REPLACE FUNCTION mashup.move_mashup_stems(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if exists (select from mashup.tasks t where t.job_id = p_job.id and t.kind = 'render_stems' and t.state in ('waiting', 'ready', 'running')) then
    perform mashup.drop_tasks(p_job, 'not_needed');
    perform mashup.begin_mashup_stems(p_job);
  end if;
end
$function$;
comment on function mashup.move_mashup_stems(mashup_jobs) is 'The result of a complete job was replaced, and it has no other unfinished tasks: stems that are being made of the old result are made of the new one instead. Lock order: job row held by the caller, tasks by id.';

CREATE OR REPLACE FUNCTION mashup.name_for_users(p_service text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select case p_service when 'orchestrator' then 'planning' when 'processing' then 'rendering' else p_service end $function$;
comment on function mashup.name_for_users(text) is 'Returns the name of a service as users read it: some are known to the engine by another one.';

CREATE OR REPLACE FUNCTION mashup.new_share_token()
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  -- 244 random bits, of which a hash keeps 144: 24 characters without padding.
  return translate(encode(substring(sha256(convert_to(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid(), 'UTF8')) for 18), 'base64'), '+/', '-_');
end
$function$;
comment on function mashup.new_share_token() is 'Returns a new token of a public link: 144 random bits, base64url.';

CREATE OR REPLACE FUNCTION mashup.new_traceparent()
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  return '00-' || replace(pg_catalog.gen_random_uuid()::text, '-', '') || '-'
    || right(replace(pg_catalog.gen_random_uuid()::text, '-', ''), 16) || '-01';
end
$function$;
comment on function mashup.new_traceparent() is 'Returns a new W3C trace context, marked as sampled: the parent of the spans of a job.';

CREATE OR REPLACE FUNCTION mashup.next_admission()
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_busy uuid[];
  v_level uuid[];
  v_count integer;
begin
  -- Two indexes make each look-up independent of the length of the queue.
  select coalesce(array_agg(distinct user_id), '{}') into v_busy from public.mashup_jobs where admitted_at is not null;
  select * into v_job from mashup.waiting_jobs j
    where not (j.user_id = any (v_busy)) and not mashup.is_job_paused(j.id, j.user_id)
    order by j.queued_at, j.id limit 1 for no key update skip locked;
  if found then
    return v_job;
  end if;
  for v_count in 1 .. mashup.setting_number('max_running_jobs_per_user')::integer - 1 loop
    select coalesce(array_agg(user_id), '{}') into v_level from (
      select user_id from public.mashup_jobs where admitted_at is not null
      group by user_id having count(*) = v_count) u;
    select j.* into v_job from unnest(v_level) as u (user_id)
      cross join lateral (
        select * from mashup.waiting_jobs w
        where w.user_id = u.user_id and not mashup.is_job_paused(w.id, w.user_id)
        order by w.queued_at, w.id limit 1 for no key update skip locked) j
      order by j.queued_at, j.id limit 1;
    if found then
      return v_job;
    end if;
  end loop;
  return null;
end
$function$;
comment on function mashup.next_admission() is 'Returns the next job to get a slot, locked; null if there is none. Skips locked rows. The caller holds the lock of admission.';

CREATE OR REPLACE FUNCTION mashup.note_schedule(p_what text)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_noted text := coalesce(current_setting('mashup.schedule', true), '');
begin
  if position(p_what || ' ' in v_noted) = 0 then
    v_noted := set_config('mashup.schedule', v_noted || p_what || ' ', true);
  end if;
  return v_noted;
end
$function$;
comment on function mashup.note_schedule(text) is 'Notes for the end of this transaction what schedule has to do: jobs, all, probe, new:<kind> or freed:<kind>. Returns what is noted.';

CREATE OR REPLACE FUNCTION mashup.note_sweep()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_last timestamptz;
begin
  select done_at into v_last from mashup.maintenance_runs where name = 'sweep';
  if v_last > '-infinity' and v_last < mashup.now() - greatest(mashup.setting_interval('lease_sec') / 2, interval '3 seconds') then
    update mashup.maintenance_runs set done_at = mashup.now() where name = 'interruption';
  end if;
  update mashup.maintenance_runs set done_at = mashup.now() where name = 'sweep';
end
$function$;
comment on function mashup.note_sweep() is 'Notes that the sweep runs, and the end of an interruption if it did not run for half a lease: the database took no writes, its clock was set forward, or no worker ran.';

CREATE OR REPLACE FUNCTION mashup.now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$ select pg_catalog.now() $function$;
comment on function mashup.now() is 'Returns the time of the transaction. The only clock of the state machine.';
grant execute on function mashup.now() to authenticated;
grant execute on function mashup.now() to mashup_worker;
grant execute on function mashup.now() to service_role;

CREATE OR REPLACE FUNCTION mashup.opening_path(p_task mashup.tasks)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select format('generated/%s/open-%s.parts', p_task.job_id, p_task.claim)
$function$;
comment on function mashup.opening_path(mashup.tasks) is 'Returns the folder of the parts of an opening that the claim of a separate task renders.';

CREATE OR REPLACE FUNCTION mashup.opening_stems(p_job mashup_jobs, p_ranges jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_models text[] := (mashup.wanted_separation(p_job)).models;
begin
  return (
    select jsonb_object_agg(k.song, coalesce(
      (select jsonb_build_object('paths', st.paths, 'model', st.model)
        from mashup.active_songs(p_job.songs) s join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
        where s ->> 'song_id' = k.song and mashup.stems_cover(st.paths, k.ranges) and mashup.are_usable(st, s, v_models)),
      (select jsonb_build_object('paths', t.opening -> 'paths', 'model', coalesce(t.opening ->> 'model', '')) from mashup.tasks t
        where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'separate' and t.song_id = k.song and t.state = 'running'
          and t.opening ->> 'claim' = t.claim::text and mashup.stems_cover(t.opening -> 'paths', k.ranges))))
    from jsonb_each(p_ranges) k (song, ranges));
end
$function$;
comment on function mashup.opening_stems(mashup_jobs,jsonb) is 'Returns stems that hold ranges {song: [[start, end], …]}, by song as {paths, model}: from the cache, or reported by a task that still separates the rest; null where there are none.';

CREATE OR REPLACE FUNCTION mashup.patch_song(p_songs jsonb, p_song_id text, p_patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return (
    select coalesce(jsonb_agg(case when s.song ->> 'song_id' = p_song_id then s.song || p_patch else s.song end order by s.n), '[]')
    from jsonb_array_elements(p_songs) with ordinality as s (song, n));
end
$function$;
comment on function mashup.patch_song(jsonb,text,jsonb) is 'Returns the songs with p_patch merged into the card of one song.';

CREATE OR REPLACE FUNCTION mashup.path_of_song(p_song jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return coalesce(nullif(p_song ->> 'storage_path', ''), (
    select s.value #>> '{}' from jsonb_each(case jsonb_typeof(p_song -> 'stems') when 'object' then p_song -> 'stems' else '{}' end) s
    order by s.key limit 1));
end
$function$;
comment on function mashup.path_of_song(jsonb) is 'Returns the path of a submitted song; of one that is given by its stems, that of the first one.';

CREATE OR REPLACE FUNCTION mashup.pause(p_scope text, p_key text DEFAULT ''::text, p_reason text DEFAULT 'Paused by the operator'::text, p_until timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS mashup.pauses
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_pause mashup.pauses;
begin
  if p_scope not in ('system', 'user', 'job', 'kind', 'service') then
    perform mashup.raise_error('MB006', format('There is no scope "%s".', p_scope), 'Pause system, user, job, kind or service.');
  end if;
  if (p_scope = 'kind' and not exists (select from mashup.task_kinds where kind = p_key))
     or (p_scope = 'service' and not exists (select from mashup.service_health where service = p_key)) then
    perform mashup.raise_error('MB006', format('There is no %s "%s".', p_scope, p_key),
      'Kinds and services are listed in mashup.task_kinds.');
  end if;
  insert into mashup.pauses as p (scope, key, reason, until, actor)
    values (p_scope, case when p_scope = 'system' then '' else p_key end, p_reason, p_until, mashup.actor())
    on conflict (scope, key) do update set reason = excluded.reason, until = excluded.until, actor = excluded.actor
    returning * into v_pause;
  return v_pause;
end
$function$;
comment on function mashup.pause(text,text,text,timestamp with time zone) is 'Pauses the system, a user, a job, a kind of task or a service, for ever or until a time. Running tasks finish; nothing new starts. Returns the pause. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.preview_jobs(p_filter jsonb, p_first integer DEFAULT 10)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_preview jsonb;
begin
  execute format($query$
    -- Counted once: all else follows from the groups. The jobs themselves do not fit into the memory of a session.
    with groups as materialized (
      select m.stage, m.user_id, count(*) as n from (
        -- The words of ended jobs are in an index.
        select j.stage, j.user_id from public.mashup_jobs j where j.finished_at is not null and %1$s
        union all
        select j.stage, j.user_id from public.mashup_jobs j where j.status = 'processing' and %1$s) m
      group by m.stage, m.user_id)
    select jsonb_build_object(
      'jobs', (select coalesce(sum(g.n), 0)::bigint from groups g),
      'users', (select count(distinct g.user_id) from groups g),
      'by_stage', (select coalesce(jsonb_agg(jsonb_build_object('stage', s.stage, 'jobs', s.n) order by s.n desc, s.stage), '[]')
        from (select g.stage, sum(g.n)::bigint as n from groups g group by g.stage) s),
      'by_user', (select coalesce(jsonb_agg(jsonb_build_object('user_id', s.user_id, 'email', (select u.email from auth.users u where u.id = s.user_id), 'jobs', s.n)
          order by s.n desc, s.user_id), '[]')
        from (select g.user_id, sum(g.n)::bigint as n from groups g group by g.user_id order by n desc, g.user_id limit $1) s))
    $query$, mashup.job_condition(p_filter)) into v_preview using least(greatest(p_first, 1), 100);
  return v_preview || jsonb_build_object('server_now', mashup.now(),
    'first', (select coalesce(jsonb_agg(mashup.describe_for_list(j)), '[]') from mashup.find_jobs(p_filter, p_first) j));
end
$function$;
comment on function mashup.preview_jobs(jsonb,integer) is 'Returns what a filter of jobs selects: {jobs, users: counts, by_stage, by_user: the p_first users with most jobs, first: the latest p_first jobs, server_now}. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.protocol_version()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$ select 3 $function$;
comment on function mashup.protocol_version() is 'Returns the number of the protocol between workers and this schema. A migration raises it if it adds what newer workers need. A worker with a higher number does not start: the database has to be migrated.';
grant execute on function mashup.protocol_version() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.publish_playable(p_task_id bigint, p_claim uuid, p_playable jsonb)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  if (v_task.kind = 'render' and starts_with(p_playable ->> 'path', v_task.output_prefix || '.')
    or v_task.kind = 'separate' and v_task.opening ->> 'folder' = mashup.opening_path(v_task) and p_playable ->> 'path' = v_task.opening ->> 'folder') is not true
  then
    perform mashup.raise_error('MB006', 'Playable parts were written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  -- Each list contains the one before it, and those of a render contain the opening. One that comes late is ignored.
  update public.mashup_jobs j set playable = p_playable
    where j.id = v_task.job_id and j.stage = case v_task.kind when 'render' then 'rendering' else 'separating' end
      and coalesce(jsonb_array_length(j.playable -> 'ends'), 0) < jsonb_array_length(p_playable -> 'ends');
  return 'held';
end
$function$;
comment on function mashup.publish_playable(bigint,uuid,jsonb) is 'Writes on the job which parts of the mashup are uploaded and can be played (PlayableAudio, all parts so far), at once. Returns held, or why the claim is not valid (see claim_status). Lock order: job, task. Raises MB006.';
grant execute on function mashup.publish_playable(bigint,uuid,jsonb) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.purge_expired()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_batch integer := mashup.setting_number('retention_batch')::integer;
  v_count integer := 0;
  v_rows integer;
begin
  v_count := mashup.cancel_expired_drafts(v_batch) + mashup.expire_results(v_batch) + mashup.expire_mashup_stems(v_batch)
    + mashup.purge_outgoing_events(v_batch) + mashup.purge_own_stems(v_batch)
    + mashup.purge_share_counts(5000)
    -- Lines are many and small.
    + mashup.purge_task_logs(50 * v_batch);

  delete from public.mashup_jobs j where j.id in (
    select d.id from public.mashup_jobs d
    where d.finished_at < mashup.now() - make_interval(days => mashup.setting_number('job_retention_days')::integer)
    order by d.finished_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;

  delete from mashup.stems s where s.id in (
    select d.id from mashup.stems d
    where d.used_at < mashup.now() - make_interval(days => mashup.setting_number('stems_retention_days')::integer)
      and not exists (
        select from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.user_id = d.user_id and j.status = 'processing' and (s ->> 'stems_id')::bigint = d.id)
    order by d.used_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;

  delete from mashup.analyses a where a.id in (
    select d.id from mashup.analyses d
    where d.used_at < mashup.now() - make_interval(days => mashup.setting_number('analysis_retention_days')::integer)
    order by d.used_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  return v_count + v_rows;
end
$function$;
comment on function mashup.purge_expired() is 'One run of retention over drafts, results, stems of mashups, events, log lines, jobs, stems and analyses, at most retention_batch rows of each, 50 times as many lines. Stems of live jobs stay. Returns how many rows it ended or deleted.';

CREATE OR REPLACE FUNCTION mashup.purge_outgoing_events(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_count integer;
begin
  delete from mashup.outgoing_events e where e.seq in (
    select d.seq from mashup.outgoing_events d where d.created_at < mashup.now() - interval '7 days'
    order by d.seq limit p_batch for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$function$;
comment on function mashup.purge_outgoing_events(integer) is 'Deletes events after a week, delivered or not. Returns how many, at most p_batch.';

CREATE OR REPLACE FUNCTION mashup.purge_own_stems(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_count integer;
begin
  -- A submission inserts them before its job.
  delete from mashup.own_stems o where o.id in (
    select d.id from mashup.own_stems d
    where d.created_at < mashup.now() - interval '1 day'
      and not exists (
        select from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.user_id = d.user_id and (s ->> 'own_stems_id')::bigint = d.id)
    order by d.created_at limit p_batch for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$function$;
comment on function mashup.purge_own_stems(integer) is 'Deletes own stems that no job has. Their files are uploads, which stay until their user deletes them. Returns how many, at most p_batch.';

CREATE OR REPLACE FUNCTION mashup.purge_share_counts(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_count integer;
begin
  delete from mashup.share_counts c where c.counter in (
    select d.counter from mashup.share_counts d
    where d.since not between mashup.now() - interval '2 minutes' and mashup.now() + interval '5 seconds'
    limit p_batch for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$function$;
comment on function mashup.purge_share_counts(integer) is 'Deletes counts of requests of earlier minutes. Returns how many, at most p_batch.';

CREATE OR REPLACE FUNCTION mashup.purge_task_logs(p_batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_count integer;
begin
  -- Among the oldest lines by id, so that no index by time is needed: lines are added in about the order of their times.
  delete from mashup.task_logs l where l.id in (
    select o.id from mashup.task_logs o
    where o.id <= (select max(b.id) from (select f.id from mashup.task_logs f order by f.id limit p_batch) b)
      and o.at < mashup.now() - make_interval(secs => mashup.setting_number('task_logs_kept_days') * 86400)
    for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$function$;
comment on function mashup.purge_task_logs(integer) is 'Deletes log lines of tasks after task_logs_kept_days. Returns how many, at most p_batch.';

CREATE OR REPLACE FUNCTION mashup.queue_entries()
 RETURNS TABLE(key text, task_identifier text, attempts integer, max_attempts integer, run_at timestamp with time zone, locked_at timestamp with time zone, locked_by text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if pg_catalog.to_regclass(/*queue*/'mashup_queue' || '.jobs') is not null then
    return query select q.key, q.task_identifier, q.attempts::integer, q.max_attempts::integer, q.run_at, q.locked_at, q.locked_by
      from /*queue*/mashup_queue.jobs q where q.task_identifier like 'mashup:%';
  end if;
end
$function$;
comment on function mashup.queue_entries() is 'Returns the queue entries of the engine; none if the schema of the queue is missing. For operators.';

CREATE OR REPLACE FUNCTION mashup.queue_order()
 RETURNS TABLE(id uuid, queue_position integer)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
#variable_conflict use_column
begin
  return query with running as (
    select user_id, count(*) as n from public.mashup_jobs where admitted_at is not null group by user_id
  ), waiting as (
    select j.id, j.user_id, j.queued_at, row_number() over (partition by j.user_id order by j.queued_at, j.id) as nth
    from mashup.waiting_jobs j
  )
  select w.id, (row_number() over (order by coalesce(r.n, 0) + w.nth, w.queued_at, w.id))::integer
  from waiting w left join running r on r.user_id = w.user_id;
end
$function$;
comment on function mashup.queue_order() is 'Returns the position, from 1, of each job that waits for a slot: by the number of its user''s running and earlier jobs, then by age.';

CREATE OR REPLACE FUNCTION mashup.queue_position(p_job_id uuid)
 RETURNS integer
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  -- The queue is ranked only for a job that is in it.
  if not exists (select from mashup.waiting_jobs j where j.id = p_job_id) then
    return null;
  end if;
  return (select q.queue_position from mashup.queue_order() q where q.id = p_job_id);
end
$function$;
comment on function mashup.queue_position(uuid) is 'Returns the position of a job in the queue; null if it does not wait for a slot.';

CREATE OR REPLACE FUNCTION mashup.queue_schema()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$ select /*queue*/'mashup_queue' $function$;
comment on function mashup.queue_schema() is 'Returns the name of the schema of the queue that the functions use.';
grant execute on function mashup.queue_schema() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.raise_error(p_sqlstate text, p_message text, p_hint text, p_detail text DEFAULT ''::text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  raise exception using errcode = p_sqlstate, message = p_message, hint = p_hint, detail = p_detail;
end
$function$;
comment on function mashup.raise_error(text,text,text,text) is 'Raises an error of SQLSTATE class MB: message says what is wrong, hint names the next step, detail is for programs.';

CREATE OR REPLACE FUNCTION mashup.read_claim_limits()
 RETURNS mashup.claim_limits
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return jsonb_populate_record(null::mashup.claim_limits, (
    select jsonb_build_object('of_worker', jsonb_object_agg(s.name, s.value) filter (where s.name not in ('lease_sec', 'heartbeat_sec',
        'max_crashes_before_solo', 'silence_sec', 'call_limit_min_sec', 'call_limit_factor'))) || jsonb_object_agg(s.name, s.value)
    from mashup.settings s where s.name in ('lease_sec', 'heartbeat_sec', 'max_crashes_before_solo',
      'silence_sec', 'plan_call_timeout_sec', 'call_limit_min_sec', 'call_limit_factor', 'song_max_sec', 'upload_max_bytes', 'storage_max_bytes',
      'plan_min_length_sec', 'plan_max_length_sec', 'max_playable_parts')));
end
$function$;
comment on function mashup.read_claim_limits() is 'Returns the settings that a claim needs, read by one statement.';

CREATE OR REPLACE FUNCTION mashup.read_task_logs(p_job_id uuid DEFAULT NULL::uuid, p_task_id bigint DEFAULT NULL::bigint, p_after bigint DEFAULT 0, p_limit integer DEFAULT 200)
 RETURNS TABLE(id bigint, task_id bigint, kind text, song_id text, epoch integer, claim uuid, worker_id uuid, at timestamp with time zone, level text, line text, fields jsonb)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if p_job_id is null and p_task_id is null then
    perform mashup.raise_error('MB006', 'Log lines are read of a job or of a task.', 'Name one of them.');
  end if;
  return query
    select l.id, l.task_id, t.kind, t.song_id, t.epoch, l.claim, l.worker_id, l.at, l.level, l.line, l.fields
    from mashup.tasks t join mashup.task_logs l on l.task_id = t.id
    where (p_job_id is null or t.job_id = p_job_id) and (p_task_id is null or t.id = p_task_id) and l.id > p_after
    order by l.id limit least(greatest(p_limit, 1), 1000);
end
$function$;
comment on function mashup.read_task_logs(uuid,bigint,bigint,integer) is 'Returns up to p_limit (at most 1000) log lines of a job or a task with ids greater than p_after, in order. To follow them, ask again with the last id. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.reconcile_queue()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
declare
  v_task mashup.tasks;
  v_ids bigint[] := '{}';
begin
  if pg_catalog.to_regclass(/*queue*/'mashup_queue' || '.jobs') is null then
    return 0;
  end if;
  if not pg_catalog.has_schema_privilege('mashup_worker', mashup.queue_schema(), 'usage') then
    perform mashup.grant_queue();
  end if;
  for v_task in
    select t.* from mashup.tasks t
    where t.state = 'ready' and t.run_at < mashup.now() - interval '1 second'
      and not exists (
        select from /*queue*/mashup_queue.jobs q
        where q.key = 'mashup:' || t.id || ':' || t.attempt and q.attempts < q.max_attempts
          -- An entry that was taken so long ago and not claimed: its worker never received it. A claim that comes even later
          -- finds another attempt, and does nothing.
          and (q.locked_at is null or q.locked_at > pg_catalog.now() - interval '15 seconds'))
    order by t.id limit 500 for update skip locked
  loop
    update mashup.tasks t set attempt = t.attempt + 1 where t.id = v_task.id and t.state = 'ready' and t.attempt = v_task.attempt;
    if found then
      v_ids := v_ids || v_task.id;
    end if;
  end loop;
  return case when v_ids = '{}' then 0 else mashup.enqueue_tasks(v_ids) end;
end
$function$;
comment on function mashup.reconcile_queue() is 'Enqueues each ready task, due for a second, whose queue entry is missing or can never run. Touches no entry that will run. Returns how many were enqueued. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.record_analysis(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_id bigint;
  v_stems mashup.stems;
  v_models text[];
  v_done integer;
  v_all integer;
begin
  v_id := mashup.save_analysis(p_job, p_result);
  if not p_job.fresh then
    v_models := (mashup.wanted_separation(p_job)).models;
    select s.* into v_stems from mashup.stems s
      where s.user_id = p_job.user_id and s.content_hash = p_result ->> 'content_hash'
        and s.layout = coalesce(p_result ->> 'stem_layout', 'four_stems') and mashup.are_usable(s, null, v_models)
      order by s.model = 'own' desc, coalesce(array_position(v_models, mashup.separator_of(s.model)), 9), s.id desc limit 1;
    update mashup.stems set used_at = mashup.now() where id = v_stems.id;
  end if;
  select count(*) filter (where s ->> 'analysis_id' is not null) + 1, count(*) into v_done, v_all from mashup.active_songs(p_job.songs) s;
  p_job.songs := mashup.patch_song(p_job.songs, p_task.song_id, (p_result -> 'card') || jsonb_strip_nulls(jsonb_build_object(
    'state', case when mashup.stems_cover(v_stems.paths, null) then 'ready' else 'analyzed' end, 'hash', p_result ->> 'content_hash',
    'analysis_id', v_id, 'stems_id', v_stems.id)));
  p_job.progress := greatest(p_job.progress, (select least(s.progress_to, s.progress_from + (s.progress_to - s.progress_from) * v_done / v_all)
    from mashup.stages s where s.stage = 'analyzing'));
  return p_job;
end
$function$;
comment on function mashup.record_analysis(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of an analyze task. Returns the job with the song''s card that points to it, not written yet: {content_hash, version, card, stem_layout (absent: four_stems), and analysis or the analysis_id of a cached one}. Raises MB003.';

CREATE OR REPLACE FUNCTION mashup.record_duration(p_kind text, p_seconds real, p_song_seconds real, p_is_model boolean DEFAULT false, p_is_edit boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if p_is_model or p_is_edit then
    update mashup.stage_stats s set
        model_factor = case when p_is_model then (s.model_factor + least(greatest(f.share, 1), 500)) / 2 else s.model_factor end,
        edit_factor = case when p_is_edit then (s.edit_factor + least(greatest(f.share, 0.02), 2)) / 2 else s.edit_factor end
      from (select l.kind, p_seconds / greatest(l.base_sec + l.per_song_sec * p_song_seconds, 0.01) as share
            from mashup.stage_stats l where l.kind = p_kind for update skip locked) f
      where s.kind = f.kind;
    return;
  end if;
  update mashup.stage_stats s set
      samples = s.samples + 1,
      mean_sec = s.mean_sec + (p_seconds - s.mean_sec) * greatest(0.1, 1.0 / (s.samples + 1)),
      base_sec = s.base_sec * f.factor, per_song_sec = s.per_song_sec * f.factor
    from (select l.kind, (1 + (least(greatest(p_seconds / greatest(l.base_sec + l.per_song_sec * p_song_seconds, 0.01), 0.2), 5) - 1)
            * greatest(0.1, 1.0 / (l.samples + 1)))::real as factor
          from mashup.stage_stats l where l.kind = p_kind for update skip locked) f
    where s.kind = f.kind;
end
$function$;
comment on function mashup.record_duration(text,real,real,boolean,boolean) is 'Corrects mashup.stage_stats by one sample of p_seconds for songs, or a mashup, of p_song_seconds, exponentially weighted; p_is_model: only model_factor, because the model separated; p_is_edit: only edit_factor, because most came from the cache. Skips a locked row: one sample less.';

CREATE OR REPLACE FUNCTION mashup.record_finish(p_task mashup.tasks, p_kind mashup.task_kinds, p_job mashup_jobs, p_result jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_seconds real := extract(epoch from mashup.now() - p_task.started_at);
begin
  update mashup.tasks t set state = 'done', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null,
      deadline_at = null, error = null
    where t.id = p_task.id;
  v_job := mashup.record_task(p_job, p_task, p_result);
  perform mashup.record_measurements(p_task, p_kind, v_job, p_result, v_seconds);
  perform mashup.log_event(v_job, 'task', coalesce(p_result ->> 'message', p_task.kind || ' finished'), null, p_task.song_id,
    jsonb_build_object('kind', p_task.kind, 'task', p_task.id, 'attempt', p_task.attempt, 'seconds', round(v_seconds::numeric, 3),
      'from_cache', p_result -> 'from_cache'));
  if p_task.is_studio then
    perform mashup.advance_studio_version(v_job);
  elsif not mashup.advance_job(v_job, true) then
    perform mashup.save_result(v_job);
  end if;
end
$function$;
comment on function mashup.record_finish(mashup.tasks,mashup.task_kinds,mashup_jobs,jsonb) is 'Closes a finished task, records its result and measurements, and advances its job. Lock order: job and task (held by the caller), service_health, queue.';

CREATE OR REPLACE FUNCTION mashup.record_mashup_stems(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if exists (select from jsonb_array_elements(p_result #> '{stems,files}') f where not starts_with(f ->> 'path', p_task.output_prefix || '.stems/')) then
    perform mashup.raise_error('MB006', 'A stem was written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  if p_job.result_path is distinct from p_result ->> 'result_path' then
    -- The mashup has expired, was taken down or was replaced in the meantime.
    perform mashup.discard_output(p_task);
    return p_job;
  end if;
  return mashup.save_mashup_stems(p_job, p_job.result_path,
    jsonb_build_object('state', 'ready', 'made_at', mashup.now()) || (p_result -> 'stems'));
end
$function$;
comment on function mashup.record_mashup_stems(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of a render_stems task: {result_path: the mashup, stems: RenderedStems below the claim''s own prefix}. Returns the job, not written yet. Stems of a result that is no longer current are discarded. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.record_measurements(p_task mashup.tasks, p_kind mashup.task_kinds, p_job mashup_jobs, p_result jsonb, p_seconds real)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_used text[] := mashup.services_of(p_kind);
  v_service text;
begin
  if not coalesce((p_result ->> 'service_used')::boolean, true) then
    v_used := array_remove(v_used, p_kind.service);
  end if;
  for v_service in
    select h.service from mashup.service_health h where h.service = any (v_used) and (h.state <> 'closed' or h.failures > 0 or h.faults > 0 or h.unanswered_since is not null) order by h.service
  loop
    perform mashup.record_service_success(v_service);
  end loop;
  -- The task did without it, and nobody would see that it fails.
  if p_result ->> 'service_fault' is not null then
    perform mashup.record_service_fault(p_kind.service, p_result ->> 'service_fault');
  end if;
  if not coalesce((p_result ->> 'from_cache')::boolean, false) then
    perform mashup.record_duration(p_task.kind, p_seconds,
      case when (select st.is_by_length from mashup.stage_stats st where st.kind = p_task.kind) then mashup.expected_length(p_job)
        else coalesce((
          select sum((s ->> 'duration_sec')::real) from mashup.active_songs(p_job.songs) s
          where p_task.song_id is null or s ->> 'song_id' = p_task.song_id), 0) end,
      p_task.kind = 'separate' and exists (select from mashup.separation_models m where m.neural = mashup.separator_of(p_result ->> 'model')),
      p_task.kind = 'render' and mashup.is_level_edit(p_job));
  end if;
end
$function$;
comment on function mashup.record_measurements(mashup.tasks,mashup.task_kinds,mashup_jobs,jsonb,real) is 'Records that the service of a finished task answered, unless {service_used: false}, or what was wrong with its answer ({service_fault}), and Storage if its kind uses it, and how long the task took, unless {from_cache: true}. Lock: service_health rows by name.';

CREATE OR REPLACE FUNCTION mashup.record_plan(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_version integer;
  v_songs text[] := array(select jsonb_array_elements_text(p_result -> 'song_ids'));
begin
  if cardinality(v_songs) = 0
     or not v_songs <@ array(select s ->> 'song_id' from jsonb_array_elements(p_job.songs) s) then
    perform mashup.raise_error('MB006', 'The plan uses songs that are not in the job, or none.', 'Plan with the songs of the job.');
  end if;
  select coalesce(max(version), 0) + 1 into v_version from public.mashup_plans where job_id = p_job.id;
  insert into public.mashup_plans (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes, wishes, edits, wording, ranges, opening)
    values (p_job.id, v_version, p_job.epoch, p_result ->> 'source', p_result -> 'plan',
      v_songs, p_result ->> 'model', p_result -> 'tokens',
      (p_result ->> 'cost_usd')::numeric, p_result ->> 'changes', p_result -> 'wishes', p_result -> 'edits', (p_result ->> 'wording')::integer,
      -- An external renderer reads whole stems.
      case when mashup.setting_text('separate_early') <> 'always' then p_result -> 'ranges' end,
      case when mashup.setting_text('separate_early') <> 'always' and mashup.setting_number('openings_in_spare_places') > 0 then p_result -> 'opening' end);
  p_job.plan_version := v_version;
  p_job.title := mashup.truncate_bytes(p_result #>> '{plan,masterplan,title}', 200);
  p_job.concept := mashup.truncate_bytes(p_result #>> '{plan,creative_vision}', 600);
  if p_result ->> 'warning' is not null then
    p_job.warnings := mashup.add_warning(p_job.warnings, 'rule_based_plan', p_result ->> 'warning', 'planning');
  end if;
  if p_result ->> 'length_note' is not null then
    p_job.warnings := mashup.add_warning(p_job.warnings, 'length_note', p_result ->> 'length_note', 'planning');
  end if;
  p_job.warnings := mashup.add_warnings(p_job.warnings, mashup.wish_warnings(p_result -> 'wishes'), 'planning');
  return p_job;
end
$function$;
comment on function mashup.record_plan(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of a plan task as the next version and returns the job that points to it, not written yet: {plan, source, song_ids, ranges?, opening?, model?, tokens?, cost_usd?, changes?, wishes?, edits?, wording?, warning?, length_note?}. A song may have been excluded meanwhile: advance_job then plans again. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.record_probe_success(p_kind mashup.task_kinds, p_task_id bigint, p_blamed text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_service text;
begin
  for v_service in
    select h.service from mashup.service_health h
    where h.service = any (mashup.services_of(p_kind)) and h.service is distinct from p_blamed and h.probe_task = p_task_id
    order by h.service
  loop
    perform mashup.record_service_success(v_service);
  end loop;
end
$function$;
comment on function mashup.record_probe_success(mashup.task_kinds,bigint,text) is 'Closes the circuits that the task p_task_id is the probe of, except that of p_blamed. Lock: service_health rows by name.';

CREATE OR REPLACE FUNCTION mashup.record_result(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if not starts_with(p_result ->> 'path', p_task.output_prefix) then
    perform mashup.raise_error('MB006', 'The result was written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  if starts_with(p_result ->> 'parts', p_task.output_prefix || '.') then
    perform mashup.keep_parts(p_result ->> 'parts');
  end if;
  insert into public.mashup_results as r (job_id, epoch, path, quality, plan_version, sources, separation, plan, changes)
    values (p_job.id, p_job.epoch, p_result ->> 'path', p_result -> 'quality', p_job.plan_version, p_result -> 'sources', p_result -> 'separation',
      p_result -> 'plan', p_result ->> 'changes')
    on conflict (job_id, epoch) do update set path = excluded.path, quality = excluded.quality, plan_version = excluded.plan_version,
      sources = excluded.sources, separation = excluded.separation, plan = excluded.plan, changes = excluded.changes, stems = null;
  p_job.result_path := p_result ->> 'path';
  p_job.title := coalesce(mashup.truncate_bytes(p_result ->> 'title', 200), p_job.title);
  p_job.concept := coalesce(mashup.truncate_bytes(p_result ->> 'concept', 600), p_job.concept);
  p_job.result := jsonb_strip_nulls(jsonb_build_object(
    'duration_sec', p_result #> '{quality,duration_sec}', 'loudness_lufs', p_result #> '{quality,loudness_lufs}',
    'true_peak_dbtp', p_result #> '{quality,true_peak_dbtp}', 'format', p_result #> '{quality,format}',
    'bytes', p_result #> '{quality,bytes}', 'bpm', p_result #> '{quality,bpm}', 'key', p_result #> '{quality,key}',
    'quality', case when jsonb_typeof(p_result #> '{quality,quality,passed}') = 'boolean'
      then jsonb_build_object('passed', p_result #> '{quality,quality,passed}') end, 'separation', p_result -> 'separation'));
  -- Recording a result again replaces its warnings.
  p_job.warnings := mashup.add_warnings(mashup.warnings_outside(p_job.warnings, array['rendering']), coalesce(p_result -> 'warnings', '[]'), 'rendering');
  return p_job;
end
$function$;
comment on function mashup.record_result(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of a render task and returns the job that points to it, not written yet: {path below the claim''s own prefix, quality: RenderResult, warnings: [{code, message}], title and concept as they fit what is heard, plan: the plan as it was rendered, if it differs, changes: what differs from the parent, parts: folder of the playable parts, sources: the stems that were rendered, separation: what separated each song}. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.record_scores(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  insert into mashup.scores as s (job_id, epoch, pairs) values (p_job.id, p_job.epoch, p_result -> 'pairs')
    on conflict (job_id, epoch) do update set pairs = excluded.pairs, created_at = mashup.now();
  p_job.score := (select round(avg((p ->> 'score')::numeric), 1) from jsonb_array_elements(p_result -> 'pairs') p);
  if p_result ->> 'warning' is not null then
    p_job.warnings := mashup.add_warning(p_job.warnings, 'scored_locally', p_result ->> 'warning', 'scoring');
  end if;
  return p_job;
end
$function$;
comment on function mashup.record_scores(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of a score task and returns the job with its score, not written yet: {pairs: PairScore[], warning?}.';

CREATE OR REPLACE FUNCTION mashup.record_service_failure(p_service text, p_error text, p_task_id bigint, p_opens boolean DEFAULT false, p_retry_after_sec real DEFAULT NULL::real, p_unanswered boolean DEFAULT false)
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  update mashup.service_health h set
      failures = h.failures + 1, last_error = left(p_error, 300), updated_at = mashup.now(),
      unanswered_since = case when p_unanswered then coalesce(h.unanswered_since, mashup.now()) else h.unanswered_since end,
      state = case when o.opens_now then 'open' else h.state end,
      opens = h.opens + o.opens_now::integer,
      opened_at = case when h.state = 'closed' and o.opens_now then mashup.now() else h.opened_at end,
      probe_task = case when o.opens_now then null else h.probe_task end,
      retry_at = case when o.opens_now
        then mashup.now() + make_interval(secs => greatest(p_retry_after_sec, least(mashup.setting_number('circuit_open_sec') * 2 ^ least(h.opens, 10),
          mashup.setting_number('circuit_open_max_sec')))) else h.retry_at end
    from (select c.service, c.probe_task is not distinct from p_task_id
            or (c.state = 'closed' and (p_opens or c.failures + 1 >= mashup.setting_number('circuit_failures'))) as opens_now
          from mashup.service_health c where c.service = p_service for update) o
    where h.service = o.service
$function$;
comment on function mashup.record_service_failure(text,text,bigint,boolean,real,boolean) is 'Counts an availability fault. Opens the circuit after circuit_failures in a row, at once if p_opens, or when the probe p_task_id failed. Calls that were running when it opened only count: they neither end the probe nor prolong the wait. It waits at least p_retry_after_sec. p_unanswered: the service gave no answer. Lock: service_health row.';

CREATE OR REPLACE FUNCTION mashup.record_service_fault(p_service text, p_message text)
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  update mashup.service_health h set faults = h.faults + 1, last_fault = left(p_message, 300), fault_at = mashup.now() where h.service = p_service
$function$;
comment on function mashup.record_service_fault(text,text) is 'Counts a call that a service answered with a fault of its own: its circuit stays as it is, and operators see it. Lock: service_health row.';

CREATE OR REPLACE FUNCTION mashup.record_service_success(p_service text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update mashup.service_health h set state = 'closed', failures = 0, opens = 0, opened_at = null, retry_at = null, probe_task = null,
      -- What is kept of it shows that the circuit was open: dispatch_kind then spreads the tasks that return.
      last_error = case when h.state <> 'closed' then h.last_error end, faults = 0, unanswered_since = null,
      updated_at = case when h.state <> 'closed' or h.failures > 0 then mashup.now() else h.updated_at end
    where h.service = p_service and (h.state <> 'closed' or h.failures > 0 or h.faults > 0 or h.unanswered_since is not null);
end
$function$;
comment on function mashup.record_service_success(text) is 'Closes the circuit of a service and clears its failures. Lock: service_health row.';

CREATE OR REPLACE FUNCTION mashup.record_stems(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_stems mashup.stems;
  v_models text[] := (mashup.wanted_separation(p_job)).models;
begin
  if p_result ->> 'stems_id' is not null then
    update mashup.stems s set used_at = mashup.now()
      where s.id = (p_result ->> 'stems_id')::bigint and s.user_id = p_job.user_id returning s.* into v_stems;
    if v_stems.id is null then
      perform mashup.raise_error('MB003', 'The stems to record are no longer in the cache.', 'Separate the song again.');
    end if;
  else
    if exists (select from mashup.stem_files(p_result -> 'paths') f where not starts_with(f, p_task.output_prefix || '/')) then
      perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
        'The separation service must keep to the paths it was given.');
    end if;
    v_stems := mashup.save_stems(p_job.user_id,
      (select s ->> 'hash' from jsonb_array_elements(p_job.songs) s where s ->> 'song_id' = p_task.song_id),
      p_result ->> 'model', coalesce(p_result ->> 'method', 'service'), coalesce(p_result ->> 'layout', 'four_stems'), p_result -> 'paths',
      coalesce((p_result ->> 'replaces')::boolean, p_job.fresh));
  end if;
  -- Whatever the service has used is what the job gets: if it were asked again, it would use the same. Only a studio version needs its model.
  p_job.songs := mashup.patch_song(p_job.songs, p_task.song_id, jsonb_strip_nulls(jsonb_build_object('state', 'ready', 'stems_id', v_stems.id,
    'instead_of', case when not mashup.are_usable(v_stems, null, v_models) and not p_task.is_studio then coalesce(v_models[1], 'none') end)));
  p_job.warnings := mashup.add_warnings(p_job.warnings, coalesce(p_result -> 'warnings', '[]'), 'separating');
  return p_job;
end
$function$;
comment on function mashup.record_stems(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of a separate task. Returns the job with the song''s card that points to it, not written yet: {model, layout (absent: four_stems), paths: {vocals, drums, bass, other}, each a path or the paths of its parts below the claim''s own prefix, or pieces of the song; method (absent: service), replaces (absent: false) pieces whose files are lost, warnings: [{code, message}]}, or {stems_id} of cached ones. The card of a song that got stems of another model than the job wants says instead_of which. Raises MB003, MB006.';

CREATE OR REPLACE FUNCTION mashup.record_task(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  case p_task.kind
    when 'analyze' then return mashup.record_analysis(p_job, p_task, p_result);
    when 'score' then return mashup.record_scores(p_job, p_task, p_result);
    when 'plan' then return mashup.record_plan(p_job, p_task, p_result);
    when 'separate' then return mashup.record_stems(p_job, p_task, p_result);
    when 'render' then return mashup.record_result(p_job, p_task, p_result);
    when 'render_stems' then return mashup.record_mashup_stems(p_job, p_task, p_result);
  end case;
end
$function$;
comment on function mashup.record_task(mashup_jobs,mashup.tasks,jsonb) is 'Stores the result of a finished task by the function of its kind. Returns the job with what the result changes of its row, not written yet: the columns of save_result. Lock: job and task rows held by the caller. Raises MB003, MB006.';

CREATE OR REPLACE FUNCTION mashup.recover_task(p_task mashup.tasks, p_reason text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks := p_task;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_was_solo boolean := p_task.crashes >= mashup.setting_number('max_crashes_before_solo');
  -- The lease of a worker that is alive expires when the database did not take its heartbeats. The task is not to blame.
  v_crashed boolean := p_reason = 'worker_dead';
begin
  select * into v_kind from mashup.task_kinds where kind = p_task.kind;
  v_task.crashes := p_task.crashes + v_crashed::integer;
  v_task.solo_crashes := p_task.solo_crashes + (v_crashed and v_was_solo)::integer;
  v_task.lost_by := case when v_crashed then p_task.worker_id end;
  v_task.lost_at := case when v_crashed then coalesce((select w.seen_at from mashup.workers w where w.id = p_task.worker_id), mashup.now()) end;
  perform set_config('mashup.actor', 'sweep', true);
  if v_crashed and v_task.solo_crashes >= mashup.setting_number('max_solo_crashes') then
    perform mashup.discard_output(p_task);
    update mashup.tasks t set crashes = v_task.crashes, solo_crashes = v_task.solo_crashes where t.id = p_task.id;
    perform mashup.end_attempt(v_task, v_kind, true, true, 'task_kills_worker',
      format('Every worker that ran this %s task was lost.', p_task.kind),
      'Look at the workers'' logs and memory, then retry the job. If one song is to blame, leave it out.', null);
    return;
  end if;
  perform mashup.requeue_task(v_task);
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  perform mashup.log_event(v_job, 'retry', format('%s was taken from a lost worker', p_task.kind), null, p_task.song_id,
    jsonb_build_object('task', p_task.id, 'reason', p_reason, 'worker', p_task.worker_id, 'crashes', v_task.crashes,
      'started_at', p_task.started_at));
end
$function$;
comment on function mashup.recover_task(mashup.tasks,text) is 'Takes a task from a lost worker and requeues it. p_reason: worker_dead, which counts as a crash, or lease_expired, where the worker is alive. After max_solo_crashes lost solo runs the task is to blame and fails. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.reduce_peaks(p_peaks jsonb, p_count integer, p_mean boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select case when jsonb_typeof(p_peaks) = 'array' then (
    select coalesce(jsonb_agg(round(case when p_mean then b.mean else b.top end, 3) order by b.bar), '[]') from (
      select max(p.value::numeric) as top, avg(p.value::numeric) as mean,
        (p.n - 1) * least(p_count, jsonb_array_length(p_peaks)) / jsonb_array_length(p_peaks) as bar
      from jsonb_array_elements_text(p_peaks) with ordinality p (value, n) group by 3) b) else '[]' end
$function$;
comment on function mashup.reduce_peaks(jsonb,integer,boolean) is 'Returns at most p_count values of a waveform, each the maximum of its part, with p_mean the mean; [] if there is no waveform.';

CREATE OR REPLACE FUNCTION mashup.referenced_files()
 RETURNS TABLE(owner text, id text, path text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select 'stems', s.id::text, f from mashup.stems s cross join lateral mashup.stem_files(s.paths) f
  union all
  select 'result', j.id::text, j.result_path from public.mashup_jobs j
    where j.stage = 'complete' and j.result_path is not null and j.expired_at is null
  union all
  select 'mashup_stems', r.job_id || ' ' || r.epoch, f from public.mashup_results r cross join lateral mashup.mashup_stem_files(r.stems) f
    where r.stems ->> 'state' = 'ready'
$function$;
comment on function mashup.referenced_files() is 'Returns the files that rows point to: the stems of the cache (owner stems, id of the row), the current results of complete jobs (owner result, id of the job), and the stems of mashups (owner mashup_stems, job and epoch).';

CREATE OR REPLACE FUNCTION mashup.refresh_estimates()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
 SET lock_timeout TO '10ms'
AS $function$
begin
  -- Mostly nothing is away and no job has a note.
  if not exists (select from mashup.service_health h where h.state <> 'closed' or h.unanswered_since is not null) and not exists (select from mashup.pauses)
    and not exists (select from public.mashup_jobs j
      where j.admitted_at is not null and (j.estimate_note is not null or j.estimated_completion_at is null))
  then
    return;
  end if;
  begin
    with noted as materialized (
      select j.id, mashup.estimate_note(j) as note from public.mashup_jobs j where j.admitted_at is not null
    ), changed as (
      select j.id, n.note from noted n join public.mashup_jobs j on j.id = n.id
      where j.admitted_at is not null and (j.estimate_note is distinct from n.note or (j.estimated_completion_at is null) <> (n.note is not null))
      for no key update of j skip locked
    )
    -- Nobody knows how long a service is going to be away.
    update public.mashup_jobs j set estimate_note = c.note, estimated_completion_at = case when c.note is null then mashup.estimate_completion(j) end
    from changed c where j.id = c.id;
  exception when lock_not_available then
    null;
  end;
end
$function$;
comment on function mashup.refresh_estimates() is 'Writes estimate_note of all jobs with a slot, and with it estimated_completion_at, which is null exactly while there is a note: also of a job that runs while a service of a later stage is away. Skips locked rows, and all if it would wait: the sweep writes them within a second.';

CREATE OR REPLACE FUNCTION mashup.refresh_queue_positions()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  with changed as (
    -- A job may have left the queue since its head was read.
    select j.id, p.queue_position, w.waiting_on from mashup.waiting_jobs j
    join unnest(mashup.head_of_queue()) with ordinality as p (id, queue_position) on p.id = j.id
    cross join lateral (select case when mashup.is_job_paused(j.id, j.user_id) then 'pause' else 'slot' end as waiting_on) w
    where j.queue_position is distinct from p.queue_position or j.waiting_on is distinct from w.waiting_on
    for no key update of j skip locked
  )
  update public.mashup_jobs j set queue_position = c.queue_position, waiting_on = c.waiting_on,
      current_step = case
        when c.waiting_on = j.waiting_on then j.current_step
        when c.waiting_on = 'pause' then 'Paused by the operator'
        else (select s.step from mashup.stages s where s.stage = 'queued')
      end
  from changed c where j.id = c.id;
end
$function$;
comment on function mashup.refresh_queue_positions() is 'Writes queue_position of the first twenty waiting jobs, and whether a pause keeps them from a slot. A pause that holds back the whole queue is not written on all of it. Skips locked rows.';

CREATE OR REPLACE FUNCTION mashup.refresh_waiting_on(p_job_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
 SET lock_timeout TO '10ms'
AS $function$
declare
  v_ids uuid[] := coalesce(p_job_ids, mashup.jobs_that_may_wait());
  v_paused boolean := exists (select from mashup.pauses);
  v_paused_kinds text[] := '{}';
  v_open_kinds text[];
begin
  -- Most jobs of a transaction have a task that runs or may run, and are not said to wait.
  if cardinality(v_ids) = 0 or not exists (
    select from unnest(v_ids) as i (id) join public.mashup_jobs j on j.id = i.id
    where j.admitted_at is not null and (j.waiting_on is not null
      or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running') offset 0)))
  then
    return;
  end if;
  if v_paused then
    v_paused_kinds := array(select k.kind from mashup.task_kinds k where mashup.is_kind_paused(k));
  end if;
  v_open_kinds := array(select k.kind from mashup.service_health h join mashup.task_kinds k on h.service = any (mashup.services_of(k))
    where h.state <> 'closed');
  begin
    with waits as (
      -- Offset 0: the tasks of a job are looked up by index, not hashed with those of all jobs.
      select j.id,
        case
          when exists (select from mashup.tasks t
            where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running') offset 0) then null
          when v_paused and mashup.is_job_paused(j.id, j.user_id) then 'pause'
          when v_paused_kinds <> '{}' and exists (select from mashup.tasks t
            where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting' and t.kind = any (v_paused_kinds) offset 0) then 'pause'
          when v_open_kinds <> '{}' and exists (select from mashup.tasks t
            where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting' and t.kind = any (v_open_kinds) offset 0) then 'circuit'
          else 'tasks'
        end as waiting_on
      from unnest(v_ids) as i (id) join public.mashup_jobs j on j.id = i.id
      where j.admitted_at is not null
    ), changed as (
      select j.id, w.waiting_on, case when w.waiting_on = 'circuit' then mashup.waiting_step(j) end as step
      from waits w join public.mashup_jobs j on j.id = w.id
      where j.admitted_at is not null and (j.waiting_on is distinct from w.waiting_on
        -- Another service has failed since.
        or (w.waiting_on = 'circuit' and j.current_step is distinct from mashup.waiting_step(j)))
      for no key update of j skip locked
    )
    update public.mashup_jobs j set waiting_on = c.waiting_on,
        current_step = case c.waiting_on
          when 'circuit' then c.step
          when 'pause' then 'Paused by the operator'
          else case when j.waiting_on in ('circuit', 'pause') then (select s.step from mashup.stages s where s.stage = j.stage) else j.current_step end
        end
    from changed c where j.id = c.id;
  exception when lock_not_available then
    null;
  end;
end
$function$;
comment on function mashup.refresh_waiting_on(uuid[]) is 'Writes waiting_on of jobs with a slot, and with it current_step; null: of all jobs. Skips locked rows, and all if it would wait: the sweep writes them within a second.';

CREATE OR REPLACE FUNCTION mashup.refuse_transition(p_job_id uuid, p_from text, p_to text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if not exists (select from mashup.stages s where s.stage = p_to) then
    perform mashup.raise_error('MB001', format('There is no stage "%s".', p_to),
      'The stages are ' || (select string_agg(s.stage, ', ' order by s.position) from mashup.stages s) || '.');
  end if;
  perform mashup.raise_error('MB001',
    format('Job %s is in stage %s and cannot go to %s.', p_job_id, p_from, p_to),
    case p_to
      when 'complete' then
        (select format('A job is complete only when its last stage, %1$s, is done. To repeat that: set stage to %1$s.', t.from_stage)
         from mashup.transitions t where t.to_stage = p_to and t.name = 'advance')
      when 'failed' then 'Only the engine fails a job. To stop it: set stage to cancelled.'
      when 'cancelled' then 'The job has ended. To run it again set stage to the stage to start from.'
      else 'Only finished tasks move a job forward. Allowed from here: ' ||
        (select string_agg(t.to_stage, ', ' order by s.position) from mashup.transitions t
         join mashup.stages s on s.stage = t.to_stage where t.from_stage = p_from and t.made_by = 'operator') || '.'
    end);
end
$function$;
comment on function mashup.refuse_transition(uuid,text,text) is 'Raises MB001 for an illegal transition, with what is allowed instead.';

CREATE OR REPLACE FUNCTION mashup.register_worker(p_id uuid, p_host text, p_pid integer, p_lock_key bigint, p_version text, p_concurrency integer, p_pool_ids text[], p_services jsonb, p_protocol integer DEFAULT 1)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.check_protocol(p_version, p_protocol);
  -- First, so that no row of a task is waited for with that of the worker held.
  perform mashup.take_back_crashes(array[p_id]);
  insert into mashup.workers as w (id, host, pid, lock_key, version, protocol, concurrency, pool_ids, services)
  values (p_id, p_host, p_pid, p_lock_key, p_version, p_protocol, p_concurrency, p_pool_ids, p_services)
  on conflict (id) do update set lock_key = excluded.lock_key, pool_ids = excluded.pool_ids,
    services = excluded.services, seen_at = mashup.now(), draining = false;
end
$function$;
comment on function mashup.register_worker(uuid,text,integer,bigint,text,integer,text[],jsonb,integer) is 'Registers a worker, again or for the first time. It must already hold a session advisory lock on p_lock_key. Crashes that were counted for it are taken back. p_protocol: see check_protocol. Lock order: tasks (skips locked ones), worker. Raises MB013, MB014.';
grant execute on function mashup.register_worker(uuid,text,integer,bigint,text,integer,text[],jsonb,integer) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.release_place(p_task mashup.tasks, p_held_until timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update mashup.places p set task_id = null, held_until = p_held_until
    from mashup.task_kinds k
    where k.kind = p_task.kind and p.service = k.service and p.n = p_task.place and p.task_id = p_task.id;
end
$function$;
comment on function mashup.release_place(mashup.tasks,timestamp with time zone) is 'Frees the place of a task, at the earliest at p_held_until. Lock: place; nobody holds it whom the caller could wait for.';

CREATE OR REPLACE FUNCTION mashup.release_place_of_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.release_place(old, null);
  return null;
end
$function$;
comment on function mashup.release_place_of_deleted() is 'Trigger: frees the place of a task that was deleted with its job. The sweep dispatches.';

CREATE OR REPLACE FUNCTION mashup.remade_stems(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return exists (select from public.mashup_job_events e
    where e.job_id = p_job.id and e.epoch = p_job.epoch and e.type = 'warning' and e.detail ->> 'code' = 'stems_gone');
end
$function$;
comment on function mashup.remade_stems(mashup_jobs) is 'Returns whether the current run of a job began because stems were missing.';

CREATE OR REPLACE FUNCTION mashup.remaining_kinds(p_job mashup_jobs)
 RETURNS SETOF mashup.task_kinds
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select k.* from mashup.task_kinds k join mashup.stages s on s.stage = k.stage
    where not s.is_terminal
      and s.position >= (select c.position from mashup.stages c where c.stage = p_job.stage)
      and (p_job.hold is null or s.position < (select c.position from mashup.stages c where c.stage = p_job.hold))
      and (k.song_member is null or exists (
        select from mashup.active_songs(p_job.songs) g where g ->> k.song_member is null))
$function$;
comment on function mashup.remaining_kinds(mashup_jobs) is 'Returns the kinds of task that a job still needs, up to its end or the stage before which it waits.';

CREATE OR REPLACE FUNCTION mashup.repair_files(p_missing text[], p_apply boolean)
 RETURNS TABLE(what text, found bigint)
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_stems bigint[] := array(select distinct f.id::bigint from mashup.referenced_files() f where f.owner = 'stems' and f.path = any (p_missing));
  v_jobs uuid[] := array(select f.id::uuid from mashup.referenced_files() f where f.owner = 'result' and f.path = any (p_missing));
  v_with_stems uuid[] := array(select split_part(f.id, ' ', 1)::uuid from mashup.referenced_files() f where f.owner = 'mashup_stems' and f.path = any (p_missing));
  v_orphans text[] := array(select mashup.unreferenced_files());
  v_id uuid;
  v_job public.mashup_jobs;
begin
  if p_apply then
    foreach v_id in array v_jobs loop
      update public.mashup_jobs j set expired_at = mashup.now(), result_path = null
        where j.id = v_id and j.stage = 'complete' and j.result_path = any (p_missing) returning * into v_job;
      if found then
        perform mashup.log_event(v_job, 'expired', 'The file is missing from Storage');
      end if;
    end loop;
    perform from public.mashup_jobs j where j.id = any (v_with_stems) order by j.id for no key update;
    perform mashup.delete_mashup_stems(r) from public.mashup_results r
      where r.job_id = any (v_with_stems) and r.stems ->> 'state' = 'ready'
        and exists (select from mashup.mashup_stem_files(r.stems) f where f = any (p_missing));
    delete from mashup.stems s where s.id = any (v_stems) and exists (select from mashup.stem_files(s.paths) f where f = any (p_missing));
    insert into mashup.storage_deletions (path) select unnest(v_orphans);
  end if;
  return query values ('stems_without_files', cardinality(v_stems)::bigint), ('results_without_files', cardinality(v_jobs)::bigint),
    ('files_without_rows', cardinality(v_orphans)::bigint);
end
$function$;
comment on function mashup.repair_files(text[],boolean) is 'Returns how many rows point to the files p_missing and how many files no row points to. With p_apply, drops those rows of the cache of stems, notes expired_at on those jobs, forgets those stems of mashups, and puts those files into the outbox. Lock order: jobs, stems.';

CREATE OR REPLACE FUNCTION mashup.repair_places()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_place mashup.places;
  v_task record;
  v_count integer := 0;
begin
  for v_place in
    select * from mashup.places p where p.task_id is not null and not exists (
      select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.id = p.task_id and t.state in ('ready', 'running') and not t.fallback and t.place = p.n and k.service = p.service)
  loop
    -- Under the lock of the place its task cannot leave it, and none can take it: what is read now holds.
    perform from mashup.places p where p.service = v_place.service and p.n = v_place.n and p.task_id = v_place.task_id for update skip locked;
    continue when not found;
    update mashup.places p set task_id = null
      where p.service = v_place.service and p.n = v_place.n and not exists (
        select from mashup.tasks t where t.id = v_place.task_id and t.state in ('ready', 'running') and not t.fallback and t.place = v_place.n);
    v_count := v_count + found::integer;
  end loop;
  for v_task in
    select t.id, k.service from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.state in ('ready', 'running') and not t.fallback
      and not exists (select from mashup.places p where p.service = k.service and p.n = t.place and p.task_id = t.id)
    order by t.id for update of t skip locked
  loop
    -- Also beyond the limit: the task runs already, and counts until it ends.
    insert into mashup.places (service, n, task_id, is_open)
      select v_task.service, coalesce(max(p.n), 0) + 1, v_task.id, false from mashup.places p where p.service = v_task.service;
    update mashup.tasks t set place = (select p.n from mashup.places p where p.service = v_task.service and p.task_id = v_task.id)
      where t.id = v_task.id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.repair_places() is 'Frees places whose task is not ready or running, and gives a place to each such task that has none. Neither occurs while only the functions of the engine write. Returns how many. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.replay(p_job_id uuid, p_stage text, fresh boolean DEFAULT false)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  v_job := mashup.require_job(p_job_id);
  if not exists (select from mashup.transitions t where t.to_stage = p_stage and t.name = 'replay') then
    perform mashup.raise_error('MB001', format('A job cannot be replayed from "%s".', p_stage),
      'Replay from ' || (select string_agg(s.stage, ', ' order by s.position) from mashup.stages s where not s.is_terminal) || '.');
  end if;
  perform set_config('mashup.fresh', case when fresh then 'yes' else '' end, true);
  update public.mashup_jobs j set stage = p_stage where j.id = p_job_id returning * into v_job;
  perform set_config('mashup.fresh', '', true);
  return v_job;
end
$function$;
comment on function mashup.replay(uuid,text,boolean) is 'Replays a job from a stage, as `update … set stage` does; fresh: bypasses the caches of analyses and stems. Returns the job. Lock: job row. Raises MB001, MB002, MB003, MB006, MB015.';

CREATE OR REPLACE FUNCTION mashup.report_missing_ranges(p_task_id bigint, p_claim uuid, p_ranges jsonb)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_known jsonb;
  v_whole boolean;
  v_names text;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  select p.ranges into v_known from public.mashup_plans p where p.job_id = v_job.id and p.version = v_job.plan_version;
  select string_agg(s ->> 'name', ' and ') into v_names from mashup.active_songs(v_job.songs) s where p_ranges ? (s ->> 'song_id');
  -- The event of the run before, if it began with this.
  select (e.detail ->> 'whole')::boolean into v_whole from public.mashup_job_events e
    where e.job_id = v_job.id and e.epoch = v_job.epoch and e.type = 'warning' and e.detail ->> 'code' = 'ranges_missing' limit 1;
  if v_whole or v_job.stage <> 'rendering' or mashup.missing_prerequisite(v_job, 'separating') is not null
     or not exists (select from jsonb_object_keys(p_ranges) song where v_known ? song) then
    perform mashup.discard_output(v_task);
    return mashup.end_attempt(v_task, v_kind, true, true, 'stems_missing',
      format('The stems of %s do not hold what the mashup plays, also after more of them was separated.', coalesce(v_names, 'the songs')),
      'Check the version of the rendering service, or set separate_early to "always" and retry the mashup.', null);
  end if;
  v_whole := v_whole is not null;
  update public.mashup_plans p set ranges = (
      select coalesce(jsonb_object_agg(k.song, k.ranges || coalesce(p_ranges -> k.song, '[]')), '{}')
      from jsonb_each(v_known) k (song, ranges) where not (v_whole and p_ranges ? k.song))
    where p.job_id = v_job.id and p.version = v_job.plan_version;
  perform mashup.transition_job(v_job, 'separating', 'remake');
  select * into v_job from public.mashup_jobs where id = v_job.id;
  perform mashup.log_event(v_job, 'warning', format('More of %s is needed and is separated', v_names), null, null,
    jsonb_build_object('code', 'ranges_missing', 'ranges', p_ranges, 'whole', v_whole, 'task', p_task_id));
  return 'remaking';
end
$function$;
comment on function mashup.report_missing_ranges(bigint,uuid,jsonb) is 'Ends a render that needs parts of songs that were not separated, {song: [[start, end], …]}: adds them to the ranges of the plan and sends the job back to separating. The second time in a row the songs are separated whole, the third time the job fails. Returns remaking, failed, or why the claim is not valid (see claim_status). Lock order: job, task.';
grant execute on function mashup.report_missing_ranges(bigint,uuid,jsonb) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.report_missing_stems(p_task_id bigint, p_claim uuid, p_stems_ids bigint[])
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_task mashup.tasks;
  v_kind mashup.task_kinds;
  v_job public.mashup_jobs;
  v_names text;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  select string_agg(s ->> 'name', ' and ') into v_names
    from mashup.active_songs(v_job.songs) s where (s ->> 'stems_id')::bigint = any (p_stems_ids);
  -- The rows go in any case: nobody can use them. Their trigger deletes what is left of the files.
  delete from mashup.stems s where s.id = any (p_stems_ids) and s.user_id = v_job.user_id;
  if mashup.remade_stems(v_job) or v_job.stage <> 'rendering' or mashup.missing_prerequisite(v_job, 'separating') is not null then
    perform mashup.discard_output(v_task);
    return mashup.end_attempt(v_task, v_kind, true, true, 'stems_gone',
      format('The stems of %s are missing from Storage, also after they were made again.', v_names),
      'Check that the separation service and the workers use the same Storage, then retry the mashup.', null);
  end if;
  update public.mashup_jobs j set songs = (
      select jsonb_agg(case when (s.song ->> 'stems_id')::bigint = any (p_stems_ids)
        then s.song - 'stems_id' || '{"state": "analyzed"}' else s.song end order by s.n)
      from jsonb_array_elements(j.songs) with ordinality as s (song, n))
    where j.id = v_job.id;
  perform mashup.transition_job(v_job, 'separating', 'remake');
  select * into v_job from public.mashup_jobs where id = v_job.id;
  perform mashup.log_event(v_job, 'warning', format('The stems of %s are missing from Storage and are made again', v_names), null, null,
    jsonb_build_object('code', 'stems_gone', 'stems', to_jsonb(p_stems_ids), 'task', p_task_id));
  return 'remaking';
end
$function$;
comment on function mashup.report_missing_stems(bigint,uuid,bigint[]) is 'Ends a render that found the files of stems missing: deletes the rows of the cache and sends the job back to separating, once in a run; the second time the job fails. Returns remaking, failed, or why the claim is not valid (see claim_status). Lock order: job, task, stems.';
grant execute on function mashup.report_missing_stems(bigint,uuid,bigint[]) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.report_opening(p_task_id bigint, p_claim uuid, p_paths jsonb, p_model text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
  v_job public.mashup_jobs;
  v_opening jsonb;
  v_stems jsonb;
  v_path text;
  v_places integer := mashup.setting_number('openings_in_spare_places');
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return jsonb_build_object('status', mashup.claim_status(p_task_id, p_claim));
  end if;
  if v_task.kind <> 'separate' or exists (select from mashup.stem_files(p_paths) f where not starts_with(f, v_task.output_prefix || '/')) then
    perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
      'The separation service must keep to the paths it was given.');
  end if;
  if v_task.opening ->> 'claim' = p_claim::text then
    -- A repeated call, because the answer was lost.
    return jsonb_build_object('status', 'held');
  end if;
  update mashup.tasks t set opening = jsonb_build_object('claim', p_claim, 'paths', p_paths, 'model', p_model) where t.id = p_task_id;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  select p.opening into v_opening from public.mashup_plans p where p.job_id = v_job.id and p.version = v_job.plan_version;
  v_stems := mashup.opening_stems(v_job, v_opening -> 'ranges');
  -- It takes no place of its own: it is rendered only where the service has nothing else to do.
  if v_stems is null or v_stems <> jsonb_strip_nulls(v_stems) or v_job.stage <> 'separating' or v_job.fresh or v_job.playable is not null
    or v_places = 0 or v_places > (select count(*) from mashup.places p where p.service = 'processing' and p.is_open and p.task_id is null
      and (p.held_until is null or p.held_until <= mashup.now()))
  then
    return jsonb_build_object('status', 'held');
  end if;
  v_path := mashup.opening_path(v_task);
  update mashup.tasks t set opening = t.opening || jsonb_build_object('folder', v_path) where t.id = p_task_id;
  -- Due in any case, whatever becomes of the task: when a listener of the longest render has played them.
  insert into mashup.storage_deletions (path, is_prefix, not_before)
    select v_path || '/', true, mashup.now() + make_interval(secs => k.timeout_sec) + mashup.setting_interval('parts_kept_sec')
    from mashup.task_kinds k where k.kind = 'render';
  return jsonb_build_object('status', 'held', 'path', v_path, 'sections', v_opening -> 'sections',
    'stems', (select jsonb_object_agg(s.key, s.value -> 'paths') from jsonb_each(v_stems) s),
    'models', (select jsonb_object_agg(s.key, s.value -> 'model') from jsonb_each(v_stems) s));
end
$function$;
comment on function mashup.report_opening(bigint,uuid,jsonb,text) is 'Notes the stems of what the opening plays of a song, while its task separates the rest. When those of all songs are there, the worker is to render the opening: {status: held, path: folder of the parts, sections, stems by song, models by song}. Else {status}: held, or why the claim is not valid (see claim_status). Lock order: job, task. Raises MB006.';
grant execute on function mashup.report_opening(bigint,uuid,jsonb,text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.report_separation_models(p_classical text, p_neural text, p_used text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if p_classical is null then
    delete from mashup.separation_models;
    return found;
  end if;
  insert into mashup.separation_models as m (classical, neural, used) values (left(p_classical, 100), left(p_neural, 100), left(p_used, 100))
    on conflict (only_row) do update set classical = excluded.classical, neural = excluded.neural, used = excluded.used, seen_at = mashup.now()
    where (m.classical, m.neural, m.used) is distinct from (excluded.classical, excluded.neural, excluded.used);
  return found;
end
$function$;
comment on function mashup.report_separation_models(text,text,text) is 'Notes the models of the separation service; p_classical null: it does not name them. From then on jobs want stems of these models. Returns whether they changed.';
grant execute on function mashup.report_separation_models(text,text,text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.report_service_check(p_service text, p_error text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  update mashup.service_health h set
      heard_at = case when p_error is null then mashup.now() else h.heard_at end,
      unanswered_since = case when p_error is not null then coalesce(h.unanswered_since, mashup.now()) end,
      last_error = coalesce(left(p_error, 300), h.last_error),
      -- It is back: its tasks need not wait for the time of the next probe.
      retry_at = case when p_error is null and h.unanswered_since is not null and h.state = 'open' then least(h.retry_at, mashup.now()) else h.retry_at end
    where h.service = p_service
      -- A service may answer nothing else while it works.
      and (p_error is null or not exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
        where t.state = 'running' and p_service = any (mashup.services_of(k))));
end
$function$;
comment on function mashup.report_service_check(text,text) is 'Notes that a service, or Storage, answered a check, or why it did not, unless a task of it runs. An open circuit is due for its probe as soon as its service answers again. Lock: service_health row.';
grant execute on function mashup.report_service_check(text,text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.request_schedule()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_noted text;
begin
  v_noted := mashup.note_schedule(tg_argv[0]);
  return null;
end
$function$;
comment on function mashup.request_schedule() is 'Trigger: notes what schedule has to do at commit, its argument.';

CREATE OR REPLACE FUNCTION mashup.request_schedule_for_task()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_noted text;
begin
  if tg_op = 'UPDATE' and old.state in ('ready', 'running') then
    perform mashup.release_place(old, new.held_until);
    v_noted := mashup.note_schedule('freed:' || new.kind);
    if old.is_probe then
      v_noted := mashup.note_schedule('probe');
    end if;
  end if;
  if new.state = 'waiting' then
    v_noted := mashup.note_schedule('new:' || new.kind);
  end if;
  v_noted := mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$function$;
comment on function mashup.request_schedule_for_task() is 'Trigger: frees the place of a task that is not ready or running any more, and notes what schedule has to do at commit, and for which job.';

CREATE OR REPLACE FUNCTION mashup.request_traceparent()
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return substring(pg_catalog.current_setting('request.headers', true)
    from '"traceparent" *: *"(00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"');
end
$function$;
comment on function mashup.request_traceparent() is 'Returns the header traceparent of the API request of this transaction; null if there is none or it is not valid.';

CREATE OR REPLACE FUNCTION mashup.requeue_task(p_task mashup.tasks)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform mashup.discard_output(p_task);
  update mashup.tasks t set state = 'waiting', run_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
      is_probe = false, crashes = p_task.crashes, solo_crashes = p_task.solo_crashes, lost_by = p_task.lost_by,
      lost_at = p_task.lost_at
    where t.id = p_task.id;
end
$function$;
comment on function mashup.requeue_task(mashup.tasks) is 'Makes a running task wait again without counting a failure; its crash counts are those of p_task. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.require_job(p_job_id uuid)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id for no key update;
  if not found then
    perform mashup.raise_error('MB002', format('There is no job %s.', p_job_id), 'List the jobs to find its id.');
  end if;
  return v_job;
end
$function$;
comment on function mashup.require_job(uuid) is 'Returns a job, locked. Raises MB002 if there is none.';

CREATE OR REPLACE FUNCTION mashup.require_operator()
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  -- The role that the API has set; without the API, the role that has logged in.
  v_role text := coalesce(nullif(current_setting('role'), 'none'), session_user);
begin
  if pg_has_role(v_role, 'service_role', 'member') then
    return;
  end if;
  -- The row as well as the token: a right that was taken away ends at once, not with the token.
  if auth.jwt() -> 'app_metadata' ->> 'mashup_role' = 'operator'
    and exists (select from auth.users u where u.id = auth.uid() and u.raw_app_meta_data ->> 'mashup_role' = 'operator')
  then
    return;
  end if;
  perform mashup.raise_error('42501', 'This account has no operator rights.',
    'Give them with `mashup operators add E-MAIL`, then sign in again.');
end
$function$;
comment on function mashup.require_operator() is 'Returns if the caller is an operator: a user whose token and row in auth.users have mashup_role = operator in app_metadata, or a member of service_role. Else raises 42501.';

CREATE OR REPLACE FUNCTION mashup.require_own_job(p_job_id uuid, p_lock boolean DEFAULT true)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_user uuid := mashup.caller();
begin
  if p_lock then
    perform from public.mashup_jobs where id = p_job_id and user_id = v_user for no key update;
  end if;
  select * into v_job from public.mashup_jobs where id = p_job_id and user_id = v_user;
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', p_job_id), 'Open one of your own mashups.');
  end if;
  return v_job;
end
$function$;
comment on function mashup.require_own_job(uuid,boolean) is 'Returns a job of the caller, locked unless p_lock is false. Raises MB002 for any other job, as for one that does not exist; MB010.';

CREATE OR REPLACE FUNCTION mashup.require_plan(p_parent mashup_jobs, p_purpose text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if p_parent.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', p_parent.id, p_parent.takedown_reason), 'Contact the operator.');
  end if;
  if p_parent.plan_version is null or mashup.missing_prerequisite(p_parent, 'planning') is not null then
    perform mashup.raise_error('MB003', format('This mashup has no plan to %s yet.', p_purpose), 'Wait until it is planned, or submit the songs again.');
  end if;
end
$function$;
comment on function mashup.require_plan(mashup_jobs,text) is 'Checks that a new version can be made of a mashup: it was not taken down, and has a plan; p_purpose: change or edit. Raises MB003, MB015.';

CREATE OR REPLACE FUNCTION mashup.reset_estimate(p_job mashup_jobs)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  p_job.estimate_note := null;
  if p_job.admitted_at is not null then
    p_job.estimated_completion_at := mashup.estimate_completion(p_job);
    if p_job.estimated_completion_at is null then
      p_job.estimate_note := mashup.estimate_note(p_job);
    end if;
  end if;
  return p_job;
end
$function$;
comment on function mashup.reset_estimate(mashup_jobs) is 'Every transition: the expected end of a job with a slot, or why it is not known.';

CREATE OR REPLACE FUNCTION mashup.reset_for_end(p_job mashup_jobs, p_stopped_stage text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  p_job.epoch := p_job.epoch + 1;
  p_job.stopped_stage := p_stopped_stage;
  p_job.admitted_at := null;
  p_job.finished_at := mashup.now();
  p_job.waiting_on := null;
  p_job.estimated_completion_at := null;
  p_job.hold := null;
  return p_job;
end
$function$;
comment on function mashup.reset_for_end(mashup_jobs,text) is 'The job failed or was cancelled.';

CREATE OR REPLACE FUNCTION mashup.reset_for_replay(p_job mashup_jobs)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  p_job.fresh := coalesce(current_setting('mashup.fresh', true), '') = 'yes';
  p_job.hold := null;
  return mashup.reset_for_rerun(p_job);
end
$function$;
comment on function mashup.reset_for_replay(mashup_jobs) is 'An operator or user runs the job again: it is no draft, and caches are bypassed if the setting mashup.fresh says so. Raises MB003, MB006.';

CREATE OR REPLACE FUNCTION mashup.reset_for_rerun(p_job mashup_jobs)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_again text[] := mashup.stages_from(p_job.stage);
  v_missing text[];
begin
  p_job.epoch := p_job.epoch + 1;
  p_job.progress := (select s.progress_from from mashup.stages s where s.stage = p_job.stage);
  p_job := mashup.detach_outputs(p_job, v_again);
  -- A draft of one song stays a draft, however it is run again.
  if jsonb_array_length(p_job.songs) < 2 then
    if 'scoring' <> all (v_again) then
      perform mashup.raise_error('MB006', 'A mashup needs at least two songs.', 'Submit the songs together.');
    end if;
    p_job.hold := 'planning';
  end if;
  v_missing := mashup.missing_prerequisite(p_job, p_job.stage);
  if v_missing is not null then
    perform mashup.raise_error('MB003',
      format('Job %s cannot go to %s: %s is missing.', p_job.id, p_job.stage, v_missing[1]),
      format('Set stage to %s instead.', v_missing[2]));
  end if;
  if p_job.stage = 'queued' then
    p_job.admitted_at := null;
    p_job.entry_stage := 'analyzing';
  end if;
  p_job.waiting_on := null;
  if p_job.admitted_at is null then
    -- A replay takes a slot like any other run.
    p_job.waiting_on := 'slot';
    p_job.queued_at := mashup.now();
    p_job.current_step := (select s.step from mashup.stages s where s.stage = 'queued');
  end if;
  return p_job;
end
$function$;
comment on function mashup.reset_for_rerun(mashup_jobs) is 'The job runs again from its stage, with a new epoch. Raises MB003, MB006.';

CREATE OR REPLACE FUNCTION mashup.reset_for_studio_version(p_job mashup_jobs)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_models mashup.separation_models;
begin
  if p_job.result -> 'separation' is null or not mashup.wants_studio_version(p_job) then
    return p_job;
  end if;
  select * into v_models from mashup.separation_models;
  if not exists (select from jsonb_each(p_job.result -> 'separation') s
      where s.value ->> 'method' = 'classical' or mashup.separator_of(s.value ->> 'model') = v_models.classical) then
    return p_job;
  elsif v_models.neural is not null then
    p_job.epoch := p_job.epoch + 1;
    p_job.studio_version := jsonb_build_object('state', 'separating', 'progress', 0, 'step', 'Separating the stems with the model');
    p_job.songs := (select jsonb_agg(s.song - 'instead_of' order by s.n) from jsonb_array_elements(p_job.songs) with ordinality as s (song, n));
  elsif (p_job.options ->> 'studio_version')::boolean then
    -- Whoever did not ask for it misses nothing.
    p_job.studio_version := '{"state": "failed"}';
    p_job.warnings := mashup.add_warning(p_job.warnings, 'studio_version_failed',
      'There is no studio version: there is no separation model. Install one with `mashup models install`.', 'rendering');
  end if;
  return p_job;
end
$function$;
comment on function mashup.reset_for_studio_version(mashup_jobs) is 'The job has just become complete: its studio version begins, with a new epoch, if it wants one, there is a model, and its result has classical stems. In the version of the row that says complete, so that nobody who follows it takes that for the end. Returns the job changed, not written.';

CREATE OR REPLACE FUNCTION mashup.reset_orphaned_probes()
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update mashup.service_health h set state = 'open', probe_task = null, updated_at = mashup.now()
    where h.service in (
      select s.service from mashup.service_health s
      where s.state = 'half_open' and not exists (
        select from mashup.tasks t where t.id = s.probe_task and t.is_probe and t.state in ('ready', 'running'))
      for update skip locked);
  return found;
end
$function$;
comment on function mashup.reset_orphaned_probes() is 'Makes room for another probe where the probe cannot return: its task was dropped, deleted, paused, returned or taken from a lost worker. Only this function does so: the transitions that end tasks touch no row of another service, so that two of them cannot wait for each other. Returns whether there was one. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.reset_songs(p_songs jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  -- A retry analyses excluded songs again and keeps what is analysed.
  v_keep boolean := coalesce(current_setting('mashup.keep_songs', true), '') = 'yes';
begin
  return (select jsonb_agg(case when v_keep and s.song ->> 'state' <> 'excluded' then s.song
      else jsonb_build_object('song_id', s.song -> 'song_id', 'name', s.song -> 'name', 'artist', s.song -> 'artist',
        'path', s.song -> 'path', 'state', 'pending') end order by s.n)
    from jsonb_array_elements(p_songs) with ordinality as s (song, n));
end
$function$;
comment on function mashup.reset_songs(jsonb) is 'Returns the cards as they were submitted: of all songs, or of the excluded ones only if the setting mashup.keep_songs says so.';

CREATE OR REPLACE FUNCTION mashup.reset_without_slot(p_job mashup_jobs)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  p_job.admitted_at := null;
  p_job.estimated_completion_at := null;
  if p_job.status = 'processing' then
    -- A draft gives its slot back while it waits for its user.
    p_job.waiting_on := 'user';
    p_job.current_step := 'Ready when you are';
  else
    p_job.finished_at := mashup.now();
  end if;
  return p_job;
end
$function$;
comment on function mashup.reset_without_slot(mashup_jobs) is 'The job advanced to its end, or to the stage before which it waits for its user.';

CREATE OR REPLACE FUNCTION mashup.resume(p_scope text, p_key text DEFAULT ''::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  delete from mashup.pauses where scope = p_scope and key = case when p_scope = 'system' then '' else p_key end;
  return found;
end
$function$;
comment on function mashup.resume(text,text) is 'Ends a pause. Returns false if there was none.';

CREATE OR REPLACE FUNCTION mashup.retry(p_job_id uuid)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_stage text;
  v_missing text[];
begin
  v_job := mashup.require_job(p_job_id);
  if v_job.stage not in ('failed', 'cancelled') then
    perform mashup.raise_error('MB001', format('Job %s is in stage %s: there is nothing to retry.', p_job_id, v_job.stage),
      'Retry a failed or cancelled job; to run another from a stage, replay it.');
  end if;
  v_stage := coalesce(nullif(v_job.stopped_stage, 'queued'), 'analyzing');
  v_missing := mashup.missing_prerequisite(v_job, v_stage);
  perform set_config('mashup.keep_songs', 'yes', true);
  update public.mashup_jobs j set stage = coalesce(v_missing[2], v_stage) where j.id = p_job_id returning * into v_job;
  perform set_config('mashup.keep_songs', '', true);
  return v_job;
end
$function$;
comment on function mashup.retry(uuid) is 'Resumes a failed or cancelled job in the stage where it stopped, or in the first one whose output is missing; what was made is kept. Returns the job. Lock: job row. Raises MB001, MB002, MB006, MB015.';

CREATE OR REPLACE FUNCTION mashup.return_claims(p_worker_id uuid, p_claims uuid[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
  v_count integer := 0;
begin
  for v_task in
    select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' and t.claim = any (p_claims) order by t.job_id, t.id
  loop
    v_count := v_count + (mashup.return_task(v_task.id, v_task.claim) = 'returned')::integer;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.return_claims(uuid,uuid[]) is 'Gives back the tasks that a worker claimed under tokens whose answers it never received. Returns how many. Lock order: jobs and tasks by id.';
grant execute on function mashup.return_claims(uuid,uuid[]) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.return_task(p_task_id bigint, p_claim uuid)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform mashup.requeue_task(v_task);
  return 'returned';
end
$function$;
comment on function mashup.return_task(bigint,uuid) is 'Gives a running task back unharmed, for a worker that stops. Returns returned, or why the claim is not valid (see claim_status). Lock order: job, task.';
grant execute on function mashup.return_task(bigint,uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.save_analysis(p_job mashup_jobs, p_result jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_id bigint;
begin
  insert into mashup.analyses as a (user_id, content_hash, version, analysis)
    select p_job.user_id, p_result ->> 'content_hash', p_result ->> 'version', p_result -> 'analysis'
    where jsonb_typeof(p_result -> 'analysis') = 'object'
    on conflict (user_id, content_hash, version) do update
      set used_at = mashup.now(), analysis = case when p_job.fresh then excluded.analysis else a.analysis end
    returning a.id into v_id;
  if v_id is null then
    update mashup.analyses a set used_at = mashup.now()
      where a.id = (p_result ->> 'analysis_id')::bigint and a.user_id = p_job.user_id returning a.id into v_id;
  end if;
  if v_id is null then
    perform mashup.raise_error('MB003', 'The analysis to record is neither given nor in the cache.', 'Analyse the song again.');
  end if;
  return v_id;
end
$function$;
comment on function mashup.save_analysis(mashup_jobs,jsonb) is 'Caches a new analysis, or marks a cached one as used, and returns its id. A fresh run replaces the cached one. Raises MB003.';

CREATE OR REPLACE FUNCTION mashup.save_mashup_stems(p_job mashup_jobs, p_path text, p_stems jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update public.mashup_results r set stems = p_stems where r.job_id = p_job.id and r.path = p_path;
  if p_job.result_path = p_path then
    p_job.result := p_job.result - 'stems' || case when p_stems is null then '{}' else jsonb_build_object('stems', jsonb_strip_nulls(jsonb_build_object(
      'state', p_stems -> 'state', 'bytes', (select sum((f ->> 'bytes')::bigint) from jsonb_array_elements(p_stems -> 'files') f),
      'message', mashup.truncate_bytes(p_stems ->> 'message', 250), 'hint', mashup.truncate_bytes(p_stems ->> 'hint', 200)))) end;
  end if;
  return p_job;
end
$function$;
comment on function mashup.save_mashup_stems(mashup_jobs,text,jsonb) is 'Writes MashupStems, or null, on the result with this path. Returns the job with a summary of them, not written yet. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.save_own_stems(p_user uuid, p_song jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_id bigint;
begin
  insert into mashup.own_stems (user_id, files, has_song)
    values (p_user, p_song -> 'stems', coalesce(p_song ->> 'storage_path', '') <> '') returning id into v_id;
  return v_id;
end
$function$;
comment on function mashup.save_own_stems(uuid,jsonb) is 'Keeps the checked stems of a submitted song for its tasks. Returns their id.';

CREATE OR REPLACE FUNCTION mashup.save_receipt(p_job_id uuid, p_request_hash text, p_answer jsonb, p_tokens jsonb, p_cost_usd numeric)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into mashup.plan_receipts (job_id, request_hash, answer, tokens, cost_usd)
  select p_job_id, p_request_hash, p_answer, p_tokens, p_cost_usd
  where exists (select from public.mashup_jobs where id = p_job_id)
$function$;
comment on function mashup.save_receipt(uuid,text,jsonb,jsonb,numeric) is 'Appends a paid answer to plan_receipts, before anything else is done with it. Not fenced: the answer of a late worker is kept.';
grant execute on function mashup.save_receipt(uuid,text,jsonb,jsonb,numeric) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.save_result(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update public.mashup_jobs j set
      songs = p_job.songs, progress = p_job.progress, score = p_job.score,
      estimated_completion_at = case when p_job.admitted_at is null then p_job.estimated_completion_at else mashup.estimate_completion(p_job) end,
      warnings = p_job.warnings, plan_version = p_job.plan_version, title = p_job.title, concept = p_job.concept,
      result_path = p_job.result_path, result = p_job.result
    where j.id = p_job.id;
end
$function$;
comment on function mashup.save_result(mashup_jobs) is 'Writes on a job what record_task changed of its row, and its expected end. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.save_stems(p_user_id uuid, p_content_hash text, p_model text, p_method text, p_layout text, p_paths jsonb, p_replace boolean)
 RETURNS mashup.stems
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_stems mashup.stems;
  v_old jsonb;
  v_new jsonb;
begin
  -- Two jobs may separate one song at the same time: what the second recorded is merged with the first. The loop repeats when the
  -- row that was in the way is gone once it could be locked.
  loop
    insert into mashup.stems as s (user_id, content_hash, model, method, layout, paths)
      values (p_user_id, p_content_hash, p_model, p_method, p_layout, p_paths)
      on conflict (user_id, content_hash, model, layout) do nothing returning s.* into v_stems;
    exit when v_stems.id is not null;
    select s.* into v_stems from mashup.stems s
      where s.user_id = p_user_id and s.content_hash = p_content_hash and s.model = p_model and s.layout = p_layout for update;
    if v_stems.id is not null then
      v_old := v_stems.paths;
      v_new := case when p_replace then p_paths else mashup.merge_stems(v_old, p_paths) end;
      update mashup.stems s set paths = v_new, used_at = mashup.now() where s.id = v_stems.id;
      -- Another job may still be reading the older stems.
      insert into mashup.storage_deletions (path, not_before)
        select f, mashup.now() + mashup.setting_interval('replaced_stems_after_sec')
        from (select mashup.stem_files(v_old) union select mashup.stem_files(p_paths) except select mashup.stem_files(v_new)) d (f);
      exit;
    end if;
  end loop;
  return v_stems;
end
$function$;
comment on function mashup.save_stems(uuid,text,text,text,text,jsonb,boolean) is 'Caches stems and returns their row, of before the merge. They are merged with what the cache has of the song, or replace it. The files that are no longer used go into the outbox. Lock: stems row.';

CREATE OR REPLACE FUNCTION mashup.schedule(p_all boolean)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_noted text := coalesce(current_setting('mashup.schedule', true), '');
  v_all boolean := p_all or position('all ' in v_noted) > 0;
  v_kind mashup.task_kinds;
begin
  -- A circuit whose probe cannot return is due for another one, also of other kinds.
  if (v_all or position('probe ' in v_noted) > 0) and mashup.reset_orphaned_probes() then
    v_all := true;
  end if;
  if v_all or position('jobs ' in v_noted) > 0 then
    perform mashup.try_to_admit();
    v_noted := coalesce(current_setting('mashup.schedule', true), '');
  end if;
  -- In one order, since the locks of services may be waited for.
  for v_kind in
    select * from mashup.task_kinds k where v_all or position(':' || k.kind || ' ' in v_noted) > 0 order by k.service, k.kind
  loop
    if p_all then
      perform mashup.dispatch_kind(v_kind);
      -- The tasks of studio versions are in no hurry, and a place that is free in the sweep is one that no other task takes.
      perform mashup.dispatch_kind(v_kind, true);
    elsif position('new:' || v_kind.kind || ' ' in v_noted) > 0 then
      if mashup.dispatch_kind(v_kind) then
        perform pg_advisory_xact_lock(hashtext('mashup.places of ' || v_kind.service));
        perform mashup.dispatch_kind(v_kind);
      end if;
    else
      perform pg_advisory_xact_lock_shared(hashtext('mashup.places of ' || v_kind.service));
      perform mashup.dispatch_kind(v_kind);
    end if;
  end loop;
  v_noted := coalesce(current_setting('mashup.stale_jobs', true), '');
  if p_all or v_noted <> '' then
    perform mashup.refresh_waiting_on(case when not p_all and v_noted <> 'all' then string_to_array(rtrim(v_noted), ' ')::uuid[] end);
  end if;
  if p_all or v_noted = 'all' then
    perform mashup.refresh_estimates();
  end if;
  v_noted := set_config('mashup.stale_jobs', '', true);
  v_noted := set_config('mashup.schedule', '', true);
end
$function$;
comment on function mashup.schedule(boolean) is 'Admits jobs, dispatches tasks and refreshes waiting_on: of all jobs, or as far as this transaction noted. May wait for the locks of services, which are held until the transaction ends; never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.schedule_all()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
begin
  perform mashup.schedule(true);
end
$function$;
comment on function mashup.schedule_all() is 'Schedules and refreshes waiting_on of all jobs with a slot.';

CREATE OR REPLACE FUNCTION mashup.schedule_at_commit()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- A transaction that keeps its first snapshot cannot see what others dispatched meanwhile. The sweep does it instead.
  if current_setting('mashup.schedule', true) <> '' and current_setting('transaction_isolation') = 'read committed' then
    perform mashup.schedule(false);
  end if;
  return null;
end
$function$;
comment on function mashup.schedule_at_commit() is 'Deferred trigger: schedules once for a transaction, at commit, so that an open transaction never holds a lock of scheduling.';

CREATE OR REPLACE FUNCTION mashup.select_jobs(p_stage text DEFAULT NULL::text, p_error_code text DEFAULT NULL::text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_stopped_stage text DEFAULT NULL::text, p_user_id uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 100, p_after uuid DEFAULT NULL::uuid, p_filter jsonb DEFAULT '{}'::jsonb)
 RETURNS SETOF mashup_jobs
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
 SET enable_seqscan TO 'off'
AS $function$
begin
  return query execute format('select j.* from public.mashup_jobs j where %s%s order by j.id limit $2',
      mashup.job_condition(coalesce(p_filter, '{}') || jsonb_strip_nulls(jsonb_build_object('stage', p_stage, 'error', p_error_code, 'since', p_since,
        'stopped', p_stopped_stage, 'user', p_user_id))),
      case when p_after is not null then ' and j.id > $1' else '' end)
    using p_after, p_limit;
end
$function$;
comment on function mashup.select_jobs(text,text,timestamp with time zone,text,uuid,integer,uuid,jsonb) is 'Returns up to p_limit jobs that match every given filter and come after p_after, by id: the order of bulk. p_filter: further ones, see check_job_filter. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.separate_for_studio_version(p_job mashup_jobs)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform mashup.create_separation_tasks(p_job);
  if not exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.is_studio and t.state = 'waiting') then
    perform mashup.end_studio_version(p_job, 'failed', 'A song cannot be separated again.');
  end if;
end
$function$;
comment on function mashup.separate_for_studio_version(mashup_jobs) is 'Creates the missing separate tasks of a studio version, and ends it if none can be created. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.separates_early(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return case mashup.setting_text('separate_early') when 'always' then true when 'held' then p_job.hold is not null else false end;
end
$function$;
comment on function mashup.separates_early(mashup_jobs) is 'Returns whether the songs of a job are separated before it is planned. The tasks of a draft run on while it waits for its user.';

CREATE OR REPLACE FUNCTION mashup.separator_of(p_model text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return case when starts_with(p_model, 'own+') then substr(p_model, 5) else p_model end;
end
$function$;
comment on function mashup.separator_of(text) is 'Returns what has separated a song whose stems have a model: of own+dsp-4, of which the user gave some of the stems, dsp-4; own if the user gave all.';

CREATE OR REPLACE FUNCTION mashup.service_capacity(p_kind mashup.task_kinds, OUT free integer, OUT probes text[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_is_closed boolean;
begin
  select c.is_closed, c.probes into v_is_closed, probes from mashup.circuit_of(p_kind) c;
  select case when bool_or(p.task_id is not null and not p.is_open) then 0
      else count(*) filter (where p.is_open and p.task_id is null and (p.held_until is null or p.held_until <= mashup.now())) end
    into free from mashup.places p where p.service = p_kind.service;
  free := case when v_is_closed then coalesce(free, 0) when probes <> '{}' then least(coalesce(free, 0), 1) else 0 end;
end
$function$;
comment on function mashup.service_capacity(mashup.task_kinds) is 'Returns how many more tasks of a kind may be dispatched now, and the services whose open circuit the next one is a probe of. 0 while the circuit of its service, or of Storage for a kind that uses it, is open.';

CREATE OR REPLACE FUNCTION mashup.services_of(p_kind mashup.task_kinds)
 RETURNS text[]
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return case when p_kind.uses_storage then array[p_kind.service, 'storage'] else array[p_kind.service] end;
end
$function$;
comment on function mashup.services_of(mashup.task_kinds) is 'Returns what has a circuit breaker and is needed by tasks of a kind: its service, and storage if it uses files. The order is that in which rows of service_health are locked.';

CREATE OR REPLACE FUNCTION mashup.services_to_check()
 RETURNS text[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_services text[];
begin
  with due as (
    select h.service from mashup.service_health h
    -- Also one that was checked in the future: the clock was set back.
    where h.checked_at is null or h.checked_at > mashup.now() or h.checked_at <= mashup.now()
      - case when h.unanswered_since is null then mashup.setting_interval('service_check_sec') else mashup.setting_interval('service_recheck_sec') end
    for update skip locked
  ), checked as (
    update mashup.service_health h set checked_at = mashup.now() from due where h.service = due.service returning h.service
  )
  select array_agg(c.service order by c.service) into v_services from checked c;
  return coalesce(v_services, '{}');
end
$function$;
comment on function mashup.services_to_check() is 'Returns the services, and Storage, whose check is due, for the worker that asks: it is the only one to check them. Never waits for a row.';
grant execute on function mashup.services_to_check() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.setting_interval(p_name text)
 RETURNS interval
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$ begin return pg_catalog.make_interval(secs => mashup.setting_number(p_name)); end $function$;
comment on function mashup.setting_interval(text) is 'Returns a setting in seconds as an interval.';

CREATE OR REPLACE FUNCTION mashup.setting_number(p_name text)
 RETURNS double precision
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$ begin return (select (s.value #>> '{}')::double precision from mashup.settings s where s.name = p_name); end $function$;
comment on function mashup.setting_number(text) is 'Returns a numeric setting by name; null if there is none of that name.';
grant execute on function mashup.setting_number(text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.setting_text(p_name text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$ begin return (select s.value #>> '{}' from mashup.settings s where s.name = p_name); end $function$;
comment on function mashup.setting_text(text) is 'Returns a setting that is a name, by its name; null if there is none of that name.';

CREATE OR REPLACE FUNCTION mashup.shared_job(p_token text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  if mashup.setting_text('sharing_enabled') = 'true' then
    select j.* into v_job from public.mashup_shares s join public.mashup_jobs j on j.id = s.job_id
      where s.token = p_token and s.revoked_at is null and s.taken_down_at is null
        and j.stage = 'complete' and j.result_path is not null and j.expired_at is null and j.takedown_reason is null;
  end if;
  return v_job;
end
$function$;
comment on function mashup.shared_job(text) is 'Returns the job that a token gives access to now; null if the token is unknown, revoked or taken down, sharing is off, or the mashup has no result.';

CREATE OR REPLACE FUNCTION mashup.shared_read_limits(p_link text, p_group integer)
 RETURNS TABLE(counter text, at_most double precision)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select l.counter, l.at_most from (values
    ('all', mashup.setting_number('max_shared_reads_per_minute')),
    (coalesce('link ' || p_link, 'unknown'), mashup.setting_number('max_shared_reads_per_minute_per_link')),
    ('client ' || p_group, mashup.setting_number('max_shared_reads_per_minute_per_client'))) l (counter, at_most)
  where l.counter is not null
$function$;
comment on function mashup.shared_read_limits(text,integer) is 'Returns the counters of a request for a public link with their limits. p_link is the token of a live link, else null; p_group is client_group.';

CREATE OR REPLACE FUNCTION mashup.shared_songs(p_job mashup_jobs, p_plan mashup_plans)
 RETURNS TABLE(n bigint, song_id text, public_id text, song jsonb)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select row_number() over (order by s.n), s.song ->> 'song_id', 'song-' || row_number() over (order by s.n), s.song
  from jsonb_array_elements(p_job.songs) with ordinality s (song, n)
  where s.song ->> 'song_id' = any (p_plan.song_ids)
$function$;
comment on function mashup.shared_songs(mashup_jobs,mashup_plans) is 'Returns the songs that are heard in a mashup, with the ids that the public reads instead of the user''s: song-1, song-2, song-3.';

CREATE OR REPLACE FUNCTION mashup.shared_timeline(p_job mashup_jobs, p_plan mashup_plans)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'time_start_sec', s.section -> 'time_start_sec', 'duration_sec', s.section -> 'duration_sec', 'description', s.section -> 'description',
      'energy_level', s.section -> 'energy_level', 'tempo_bpm', s.section -> 'tempo_bpm',
      'layers', (select coalesce(jsonb_agg(jsonb_build_object('songId', o.public_id, 'stem', l.layer -> 'stem', 'volume_db', l.layer -> 'volume_db',
          'effects', coalesce(l.layer -> 'effects', '[]'), 'timing', l.layer -> 'timing') order by l.n), '[]')
        from jsonb_array_elements(s.section -> 'layers') with ordinality l (layer, n)
        join mashup.shared_songs(p_job, p_plan) o on o.song_id = l.layer ->> 'songId'))) order by s.n), '[]')
  from jsonb_array_elements(p_plan.plan -> 'masterplan' -> 'timeline') with ordinality s (section, n)
$function$;
comment on function mashup.shared_timeline(mashup_jobs,mashup_plans) is 'Returns the timeline of a plan as the public reads it: the members that are drawn, with the ids of shared_songs.';

CREATE OR REPLACE FUNCTION mashup.show_mashup_stems(p_job mashup_jobs, p_progress real)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_shown real := coalesce((p_job.result #>> '{stems,progress}')::real, 0);
  -- Whole per cents, which do not fall when another attempt begins.
  v_progress integer := least(99, round(greatest(coalesce(p_progress, 0), 0) * 100));
begin
  if p_job.result #>> '{stems,state}' = 'pending' and v_progress > v_shown
    and (v_progress >= v_shown + mashup.setting_number('progress_min_step') * 5
      or p_job.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
      or p_job.updated_at > mashup.now() + interval '5 seconds')
  then
    update public.mashup_jobs j set result = jsonb_set(j.result, '{stems,progress}', to_jsonb(v_progress)) where j.id = p_job.id;
  end if;
end
$function$;
comment on function mashup.show_mashup_stems(mashup_jobs,real) is 'Writes the progress of the stems of a mashup (0 to 1) on its job, in per cent, at most every progress_min_interval_sec unless it rose by five times progress_min_step. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.show_progress(p_job mashup_jobs, p_kind text, p_progress real, p_step text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_stage mashup.stages;
  v_kind mashup.task_kinds;
  v_progress real;
begin
  if p_kind = 'render_stems' then
    perform mashup.show_mashup_stems(p_job, p_progress);
    return;
  end if;
  if mashup.is_studio_version_live(p_job) then
    perform mashup.show_studio_version(p_job, p_kind, p_progress, p_step);
    return;
  end if;
  select * into v_kind from mashup.task_kinds k where k.kind = p_kind and k.stage = p_job.stage;
  if not found then
    return;
  end if;
  if v_kind.reports_progress then
    select * into v_stage from mashup.stages s where s.stage = p_job.stage;
    if v_kind.song_member is not null then
      p_progress := (p_progress + (select count(*) filter (where t.state = 'done') from mashup.tasks t
          where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = p_kind))
        / (select count(*) from mashup.tasks t
          where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = p_kind and t.state in ('waiting', 'ready', 'running', 'done'));
    end if;
    v_progress := least(v_stage.progress_from + greatest(coalesce(p_progress, 0), 0) * (v_stage.progress_to - v_stage.progress_from),
      v_stage.progress_to - 0.1);
  end if;
  update public.mashup_jobs j set progress = greatest(j.progress, coalesce(v_progress, 0)),
      current_step = coalesce(left(nullif(p_step, ''), 200), j.current_step)
    where j.id = p_job.id
      and (v_progress >= j.progress + mashup.setting_number('progress_min_step')
        -- A row from the future was written before the clock was set back.
        or ((j.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
            or j.updated_at > mashup.now() + interval '5 seconds')
          and (v_progress > j.progress or p_step is distinct from j.current_step)));
end
$function$;
comment on function mashup.show_progress(mashup_jobs,text,real,text) is 'Writes progress (0 to 1 of the task) and step on the job, at most every progress_min_interval_sec unless progress rose by progress_min_step. Of tasks for single songs, finished ones count as a whole and the others not at all. Nothing if the task is ahead of the stage. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.show_silence()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  with silent as (
    select j.id, format('The %s service has not answered for a while', mashup.name_for_users(k.service)) as step
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join public.mashup_jobs j on j.id = t.job_id and j.stage = k.stage
    where t.state = 'running' and mashup.is_silent(t)
      and j.current_step is distinct from format('The %s service has not answered for a while', mashup.name_for_users(k.service))
    for no key update of j skip locked
  )
  update public.mashup_jobs j set current_step = s.step, estimate_note = mashup.estimate_note(j), estimated_completion_at = null
    from silent s where j.id = s.id;
end
$function$;
comment on function mashup.show_silence() is 'Writes current_step of jobs whose service is silent, and takes their estimate back. The next event or attempt writes the step again, the next sweep after it the estimate. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.show_start(p_job mashup_jobs, p_kind mashup.task_kinds, p_song_id text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := p_job;
begin
  if mashup.is_studio_version_live(p_job) then
    return p_job;
  end if;
  -- A draft waits for its user, also while its songs are separated.
  if p_job.admitted_at is not null then
    v_job.waiting_on := null;
    -- A service that was unavailable is back.
    if p_job.estimated_completion_at is null then
      v_job.estimated_completion_at := mashup.estimate_completion(p_job);
      v_job.estimate_note := case when v_job.estimated_completion_at is null then p_job.estimate_note end;
    end if;
  end if;
  if p_kind.song_state is not null then
    v_job.songs := mashup.patch_song(p_job.songs, p_song_id, jsonb_build_object('state', p_kind.song_state));
  end if;
  if p_kind.stage = p_job.stage then
    -- It named the parts of an earlier claim. Those of the opening stay.
    if p_job.playable is not null and not mashup.is_opening(p_job.playable) then
      v_job.playable := null;
    end if;
    v_job.current_step := coalesce(
      (select left(p_kind.song_step || ' ' || (s ->> 'name'), 200) from jsonb_array_elements(p_job.songs) s where s ->> 'song_id' = p_song_id),
      (select s.step from mashup.stages s where s.stage = p_kind.stage));
  end if;
  -- The transition to the stage has mostly written all of it: then the row has no new version.
  if v_job is distinct from p_job then
    update public.mashup_jobs j set waiting_on = v_job.waiting_on, estimated_completion_at = v_job.estimated_completion_at, estimate_note = v_job.estimate_note, playable = v_job.playable, songs = v_job.songs, current_step = v_job.current_step
      where j.id = p_job.id returning * into v_job;
  end if;
  return v_job;
end
$function$;
comment on function mashup.show_start(mashup_jobs,mashup.task_kinds,text) is 'Writes on the job that a task started: state of the song''s card, current_step, an estimate where there was none, and playable (null, unless it names the opening), unless the task is ahead of the stage. A studio version shows its own progress. Returns the job. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.show_studio_version(p_job mashup_jobs, p_kind text, p_progress real, p_step text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_shown real := coalesce((p_job.studio_version ->> 'progress')::real, 0);
  v_progress real := greatest(coalesce(p_progress, 0), 0);
  v_version jsonb;
begin
  if p_kind = 'separate' then
    v_progress := 85 * least(1, (v_progress + count(*) filter (where t.state = 'done')) / count(*)) from mashup.tasks t
      where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = p_kind and t.is_studio;
  else
    v_progress := 85 + 15 * v_progress;
  end if;
  v_progress := greatest(v_shown, least(99, round(v_progress)));
  v_version := p_job.studio_version || jsonb_build_object('progress', v_progress,
    'step', left(coalesce(nullif(p_step, ''), p_job.studio_version ->> 'step'), 150));
  if v_version <> p_job.studio_version and (v_progress >= v_shown + mashup.setting_number('progress_min_step')
      or p_job.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
      or p_job.updated_at > mashup.now() + interval '5 seconds') then
    update public.mashup_jobs j set studio_version = v_version where j.id = p_job.id;
  end if;
end
$function$;
comment on function mashup.show_studio_version(mashup_jobs,text,real,text) is 'Writes progress (0 to 1 of a task) and step of the studio version on its job, in per cent of the whole version, at most every progress_min_interval_sec unless it rose by progress_min_step. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.signal_tasks(p_job_id uuid, p_status text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform pg_catalog.pg_notify('mashup_tasks', pg_catalog.json_build_object('job', p_job_id, 'status', p_status)::text);
end
$function$;
comment on function mashup.signal_tasks(uuid,text) is 'Notifies workers on channel mashup_tasks that tasks of a job are no longer theirs: {job, status}. A hint only; the next heartbeat returns the same.';

CREATE OR REPLACE FUNCTION mashup.silence_limit(p_kind mashup.task_kinds, p_job mashup_jobs, p_song_id text, p_limits mashup.claim_limits)
 RETURNS real
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_stats mashup.stage_stats;
begin
  if p_kind.kind = 'plan' then
    -- The contract allows a planner that sends no events.
    return p_limits.plan_call_timeout_sec;
  -- A service that separates one song need not send events.
  elsif p_kind.reports_progress and p_kind.song_member is null then
    return p_limits.silence_sec;
  end if;
  select * into v_stats from mashup.stage_stats s where s.kind = p_kind.kind;
  if v_stats.samples < 5 then
    return p_kind.timeout_sec;
  end if;
  return least(p_kind.timeout_sec, greatest(p_limits.call_limit_min_sec, mashup.measured_limit(v_stats, p_job, p_song_id, p_limits)));
end
$function$;
comment on function mashup.silence_limit(mashup.task_kinds,mashup_jobs,text,mashup.claim_limits) is 'Returns the seconds after which a call counts as unanswered: without an event for kinds with one task for a job that report progress, else from the measured durations. Before five are measured: timeout_sec of the kind.';

CREATE OR REPLACE FUNCTION mashup.songs_without_stems(p_job mashup_jobs)
 RETURNS SETOF text
 LANGUAGE plpgsql
 STABLE ROWS 3
 SET search_path TO ''
AS $function$
declare
  v_plan public.mashup_plans;
  v_models text[] := (mashup.wanted_separation(p_job)).models;
begin
  select * into v_plan from public.mashup_plans p where p.job_id = p_job.id and p.version = p_job.plan_version;
  return query
    select s ->> 'song_id' from mashup.active_songs(p_job.songs) s
    left join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
    where (v_plan.version is null or s ->> 'song_id' = any (v_plan.song_ids))
      and not (mashup.stems_cover(st.paths, v_plan.ranges -> (s ->> 'song_id')) and mashup.are_usable(st, s, v_models));
end
$function$;
comment on function mashup.songs_without_stems(mashup_jobs) is 'Returns the songs whose stems do not hold what the current plan plays, or are of another model than the job wants; without a plan those without whole stems.';

CREATE OR REPLACE FUNCTION mashup.spare_places(p_kind mashup.task_kinds, p_at_most integer)
 RETURNS integer[]
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_places integer[];
begin
  if exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.state = 'waiting' and not t.is_studio and k.service = p_kind.service and t.run_at <= mashup.now()) then
    return '{}';
  end if;
  v_places := mashup.free_places(p_kind.service, 1000);
  return v_places[:least(p_at_most, cardinality(v_places)
    - ((select count(*) from mashup.places p where p.service = p_kind.service and p.is_open) > 1)::integer)];
end
$function$;
comment on function mashup.spare_places(mashup.task_kinds,integer) is 'Returns free places of the service of a kind for tasks of studio versions, locked, at most p_at_most: none while another task waits there, and one less than there are, unless the service has only one.';

CREATE OR REPLACE FUNCTION mashup.stages_from(p_stage text)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return array(select s.stage from mashup.stages s where s.position >= (select f.position from mashup.stages f where f.stage = p_stage));
end
$function$;
comment on function mashup.stages_from(text) is 'Returns a stage and all later ones: those that a run from it passes.';

CREATE OR REPLACE FUNCTION mashup.start(p_job_id uuid, p_options jsonb DEFAULT NULL::jsonb)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  v_job := mashup.require_job(p_job_id);
  if v_job.hold is null then
    perform mashup.raise_error('MB009', format('Job %s is not a draft.', p_job_id), 'Only a job submitted with hold "planning" is started.');
  end if;
  if (select count(*) from mashup.active_songs(v_job.songs)) < 2 then
    perform mashup.raise_error('MB006', 'A mashup needs at least two songs.', 'Submit the songs together.');
  end if;
  update public.mashup_jobs j set hold = null, options = mashup.check_options(j.options || mashup.check_options(p_options)),
      waiting_on = case when j.stage = j.hold then 'slot' else j.waiting_on end,
      current_step = case when j.stage = j.hold then (select s.step from mashup.stages s where s.stage = 'queued') else j.current_step end,
      queued_at = case when j.stage = j.hold then mashup.now() else j.queued_at end
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'release', 'Started by its user');
  return v_job;
end
$function$;
comment on function mashup.start(uuid,jsonb) is 'Starts a draft, with p_options merged into its options. It takes a slot like any other run. Returns the job. Lock: job row. Raises MB002, MB006, MB009.';

CREATE OR REPLACE FUNCTION mashup.start_probe(p_services text[], p_task_id bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_locked integer;
begin
  select count(*) into v_locked from (
    select from mashup.service_health h where h.service = any (p_services) and h.state = 'open'
    order by h.service for update skip locked) l;
  if v_locked < cardinality(p_services) then
    return false;
  end if;
  update mashup.service_health h set state = 'half_open', probe_task = p_task_id, updated_at = mashup.now() where h.service = any (p_services);
  return true;
end
$function$;
comment on function mashup.start_probe(text[],bigint) is 'Makes a task the probe of open circuits. Returns false, and changes nothing, if one of them is locked or no longer open. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.start_task(p_task mashup.tasks, p_kind mashup.task_kinds, p_job mashup_jobs, p_worker_id uuid, p_claim uuid, p_limits mashup.claim_limits)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  update mashup.tasks t set
      state = 'running', attempt = p_task.attempt, place = p_task.place, is_probe = p_task.is_probe, fallback = p_task.fallback, held_until = null,
      claim = p_claim, lost_at = null, worker_id = p_worker_id, started_at = mashup.now(),
      lease_until = mashup.now() + make_interval(secs => p_limits.lease_sec),
      deadline_at = mashup.now() + make_interval(secs => p_kind.timeout_sec),
      heard_at = mashup.now(), silence_sec = mashup.silence_limit(p_kind, p_job, p_task.song_id, p_limits),
      output_prefix = replace(replace(replace(replace(replace(p_kind.output_path, '{user}', p_job.user_id::text), '{job}', p_job.id::text),
        '{song}', coalesce(t.song_id, '')), '{epoch}', p_job.epoch::text), '{claim}', p_claim::text)
    where t.id = p_task.id returning * into v_task;
  v_task.lost_at := p_task.lost_at;
  return mashup.describe_claim(v_task, p_kind, mashup.show_start(p_job, p_kind, v_task.song_id), p_limits);
end
$function$;
comment on function mashup.start_task(mashup.tasks,mashup.task_kinds,mashup_jobs,uuid,uuid,mashup.claim_limits) is 'Makes a task running under the claim token p_claim. Returns describe_claim. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.stem_files(p_paths jsonb)
 RETURNS SETOF text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return query select f.path
    from jsonb_array_elements(coalesce(p_paths -> 'pieces', jsonb_build_array(p_paths))) piece
    cross join lateral jsonb_each(piece - 'start_sec' - 'end_sec') p
    cross join lateral jsonb_array_elements_text(case jsonb_typeof(p.value) when 'array' then p.value else jsonb_build_array(p.value) end) f (path);
end
$function$;
comment on function mashup.stem_files(jsonb) is 'Returns the files of stems, given the value of stems.paths.';

CREATE OR REPLACE FUNCTION mashup.stems_cover(p_paths jsonb, p_ranges jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  if p_paths is null or not p_paths ? 'pieces' then
    return p_paths is not null;
  end if;
  return coalesce(
    (select range_agg(numrange((r ->> 0)::numeric, (r ->> 1)::numeric)) from jsonb_array_elements(p_ranges) r)
    <@ (select range_agg(numrange((p ->> 'start_sec')::numeric, (p ->> 'end_sec')::numeric)) from jsonb_array_elements(p_paths -> 'pieces') p),
    false);
end
$function$;
comment on function mashup.stems_cover(jsonb,jsonb) is 'Returns whether stems, given the value of stems.paths, hold the ranges [[start, end], …] of their song; null: all of it.';

CREATE OR REPLACE FUNCTION mashup.storage_bytes()
 RETURNS TABLE(folder text, files bigint, bytes bigint)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select split_part(o.name, '/', 1), count(*), coalesce(sum((o.metadata ->> 'size')::bigint), 0)::bigint
  from storage.objects o
  where o.bucket_id = 'mashups' and split_part(o.name, '/', 1) in ('uploads', 'stems', 'generated')
  group by 1
$function$;
comment on function mashup.storage_bytes() is 'Returns number and size of the files in bucket mashups by their first folder. It reads all rows of the bucket: call it every few minutes at most.';
grant execute on function mashup.storage_bytes() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.stuck_on_busy_workers(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case when c.in_use >= c.at_most
    then format('A task has been ready for over a minute, and all %s places of the workers are taken: start more workers.', c.at_most)
    else 'A task has been ready for over a minute although workers have free places: look at their logs.' end
  from mashup.capacity c
  where c.what = 'workers' and p_job.ready > 0 and exists (select from mashup.tasks t
    where t.job_id = p_job.id and t.state = 'ready' and t.run_at < mashup.now() - interval '1 minute')
$function$;
comment on function mashup.stuck_on_busy_workers(mashup.live_jobs) is 'Returns the cause where no worker claims a ready task for a minute; null if they do.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_circuit(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select format('Not available: %s. See mashup.circuits.',
    string_agg(distinct format('%s (%s)', h.service, coalesce(h.last_error, 'no error noted')), '; '))
  from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = any (mashup.services_of(k))
  where p_job.running + p_job.ready = 0 and t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'waiting' and h.state <> 'closed'
  having count(*) > 0
$function$;
comment on function mashup.stuck_on_circuit(mashup.live_jobs) is 'Returns the unavailable services that a job waits for, with their last errors; null if there is none.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_clock()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select format('The clock of the database was set back by about %s. The sweep corrects all times within seconds of running: is a worker running?',
    date_trunc('second', max(r.done_at) - mashup.now()))
  from mashup.maintenance_runs r where r.done_at > mashup.now() + interval '5 seconds' having count(*) > 0
$function$;
comment on function mashup.stuck_on_clock() is 'Returns the cause where maintenance was done in the future; null if it was not.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_hook(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select (t.error ->> 'message') || '. ' || (t.error ->> 'hint')
  from mashup.tasks t where p_job.running + p_job.ready + p_job.waiting = 0 and t.job_id = p_job.id and t.epoch = p_job.epoch
    and t.state = 'failed' and t.error ->> 'code' = 'hook_failed'
  order by t.id desc limit 1
$function$;
comment on function mashup.stuck_on_hook(mashup.live_jobs) is 'Returns the trigger of an integrator that keeps a job from ending; null if none does.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_lease(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select 'A worker is silent and no sweep takes its task back: look at the logs of the workers.'
  from mashup.tasks t where p_job.running > 0 and t.job_id = p_job.id and t.state = 'running' and t.lease_until < mashup.now()
    and not mashup.is_after_interruption() limit 1
$function$;
comment on function mashup.stuck_on_lease(mashup.live_jobs) is 'Returns the cause where the lease of a task has ended; null if none has.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_limit(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case
    when p_job.waiting_on = 'slot' and p_job.in_stage_for > interval '10 minutes'
      then 'Has waited for a slot for over ten minutes: see mashup.capacity.'
    when p_job.waiting_on = 'tasks' and p_job.in_stage_for > interval '10 minutes'
      then 'Has waited for a free place at a service for over ten minutes: see mashup.capacity and the setting service_limits.'
  end
$function$;
comment on function mashup.stuck_on_limit(mashup.live_jobs) is 'Returns the limit that a job has waited for over ten minutes; null if there is none.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_pause(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select format('Paused (%s): %s%s. To go on: select mashup.resume(%L, %L).', concat_ws(' ', p.scope, nullif(p.key, '')), p.reason,
    coalesce(', until ' || to_char(p.until at time zone 'utc', 'YYYY-MM-DD HH24:MI "UTC"'), ''), p.scope, p.key)
  from mashup.pauses p
  where p_job.running = 0 and (p.until is null or p.until > mashup.now())
    and (p.scope = 'system' or (p.scope = 'job' and p.key = p_job.id::text) or (p.scope = 'user' and p.key = p_job.user_id::text)
      or (p.scope in ('kind', 'service') and p_job.ready = 0 and exists (
        select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
        where t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'waiting'
          and (case p.scope when 'kind' then p.key = k.kind else p.key = any (mashup.services_of(k)) end))))
  order by p.created_at limit 1
$function$;
comment on function mashup.stuck_on_pause(mashup.live_jobs) is 'Returns the pause that keeps a job from going on; null if none does.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_queue()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case
    when pg_catalog.to_regclass(pg_catalog.format('%I._private_jobs', mashup.queue_schema())) is null
      then pg_catalog.format('The schema %s of the queue is missing. Run `mashup migrate`, or start a worker.', mashup.queue_schema())
    when not pg_catalog.has_schema_privilege('mashup_worker', mashup.queue_schema(), 'usage')
      then pg_catalog.format('The role mashup_worker may not use the schema %s of the queue: select mashup.grant_queue().', mashup.queue_schema())
  end
$function$;
comment on function mashup.stuck_on_queue() is 'Returns the cause where the queue is missing or workers may not use it; null if they can.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_role()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select 'The role mashup_worker lacks BYPASSRLS, so workers see no jobs. As superuser: alter role mashup_worker bypassrls.'
  from pg_catalog.pg_roles r where r.rolname = 'mashup_worker' and not r.rolbypassrls and not r.rolsuper
$function$;
comment on function mashup.stuck_on_role() is 'Returns the cause where the role of the workers cannot read jobs; null if it can.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_silent_service(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select string_agg(distinct format('The %s service has sent nothing for %s s; the call ends after %s s. Does the service hang?',
    k.service, round(extract(epoch from mashup.now() - t.heard_at)), round(t.silence_sec)), ' ')
  from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
  where p_job.running > 0 and t.job_id = p_job.id and t.state = 'running' and mashup.is_silent(t)
$function$;
comment on function mashup.stuck_on_silent_service(mashup.live_jobs) is 'Returns the services that have been silent for too long; null if there is none.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_version()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select format('Every worker runs version %s, the database has %s: update the workers, or run `mashup migrate`.',
    string_agg(distinct w.version, ', '), mashup.engine_version())
  from mashup.workers w where w.seen_at > mashup.now() - mashup.setting_interval('lease_sec')
  having count(*) > 0 and bool_and(w.version <> mashup.engine_version())
$function$;
comment on function mashup.stuck_on_version() is 'Returns the cause where all workers are of another version than the schema; null if one is not.';

CREATE OR REPLACE FUNCTION mashup.stuck_on_workers()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case
    when w.alive = 0 then 'No worker is running'
      || coalesce(' (the last one was seen ' || date_trunc('second', mashup.now() - w.last_seen_at) || ' ago)', '') || ': start one.'
    when w.draining = w.alive then format('All %s workers are stopping and claim nothing: start another one.', w.alive)
  end
  from (
    select count(*) filter (where s.is_alive) as alive, count(*) filter (where s.is_alive and s.draining) as draining, max(s.seen_at) as last_seen_at
    from (select v.seen_at, v.draining, v.seen_at > mashup.now() - mashup.setting_interval('lease_sec') as is_alive from mashup.workers v) s
  ) w
$function$;
comment on function mashup.stuck_on_workers() is 'Returns the cause where no worker takes tasks; null if one does.';

CREATE OR REPLACE FUNCTION mashup.stuck_without_tasks(p_job mashup.live_jobs)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select case when p_job.running + p_job.ready + p_job.waiting = 0 and p_job.waiting_on is null
    then 'No task of it runs or may run. Replay it: update mashup_jobs set stage = stage where id = this one.' end
$function$;
comment on function mashup.stuck_without_tasks(mashup.live_jobs) is 'Returns the cause where a job has nothing to do; null if it has.';

CREATE OR REPLACE FUNCTION mashup.sweep()
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
declare
  v_recovered integer;
  v_enqueued integer := 0;
  v_purged integer := 0;
  v_clock_went_back boolean;
begin
  if not pg_try_advisory_xact_lock(hashtext('mashup.sweep')) then
    return null;
  end if;
  -- The clock was set back since these were written.
  update mashup.maintenance_runs set done_at = '-infinity' where done_at > mashup.now() + interval '5 seconds';
  v_clock_went_back := found;
  if v_clock_went_back then
    perform mashup.limit_future_times();
  end if;
  perform mashup.note_sweep();
  v_recovered := mashup.sweep_workers();
  update mashup.maintenance_runs set done_at = mashup.now()
    where name = 'reconcile' and done_at <= mashup.now() - mashup.setting_interval('reconcile_sec');
  if found then
    -- Again here: rows that were locked at that moment, and times written by transactions that began before it.
    if not v_clock_went_back then
      perform mashup.limit_future_times();
    end if;
    perform mashup.sync_places();
    perform mashup.repair_places();
    v_enqueued := mashup.reconcile_queue();
    perform mashup.refresh_queue_positions();
    perform mashup.show_silence();
    delete from mashup.pauses p using (
      select d.scope, d.key from mashup.pauses d where d.until <= mashup.now() for update skip locked) ended
      where p.scope = ended.scope and p.key = ended.key;
  end if;
  update mashup.maintenance_runs set done_at = mashup.now() where name = 'purge' and done_at <= mashup.now() - interval '1 minute';
  if found then
    v_purged := mashup.purge_expired();
  end if;
  -- Back-offs that ended, circuits due for a probe, pauses that ran out: no transaction would schedule for them.
  perform mashup.schedule_all();
  return jsonb_build_object('recovered', v_recovered, 'enqueued', v_enqueued, 'purged', v_purged);
end
$function$;
comment on function mashup.sweep() is 'One run of maintenance: recovery, then as due reconciliation and retention, then scheduling. Returns the counts {recovered, enqueued, purged}, or null when another worker runs it. Never waits for a row.';
grant execute on function mashup.sweep() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.sweep_workers()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_dead uuid[] := array(select mashup.dead_workers());
  v_leases_count boolean := not mashup.is_after_interruption();
  v_row record;
  v_task mashup.tasks;
  v_count integer := 0;
begin
  perform mashup.take_back_crashes(array(
    select t.lost_by from mashup.tasks t join mashup.workers w on w.id = t.lost_by where w.id <> all (v_dead)));
  for v_row in
    select t.id, t.claim, t.worker_id = any (v_dead) or w.id is null as is_dead, t.deadline_at < mashup.now() - interval '10 seconds' as is_late
    from mashup.tasks t left join mashup.workers w on w.id = t.worker_id
    where t.state = 'running'
      and (t.worker_id = any (v_dead) or w.id is null or (v_leases_count and t.lease_until < mashup.now()) or t.deadline_at < mashup.now() - interval '10 seconds')
    order by t.id
  loop
    v_task := mashup.try_lock_claim(v_row.id, v_row.claim);
    continue when v_task.id is null;
    -- An error of one task must not keep the others from being recovered.
    begin
      if v_row.is_dead then
        perform mashup.recover_task(v_task, 'worker_dead');
      elsif v_leases_count and v_task.lease_until < mashup.now() then
        perform mashup.recover_task(v_task, 'lease_expired');
      elsif v_row.is_late then
        perform mashup.end_late_attempt(v_task);
      end if;
      v_count := v_count + 1;
    exception when others then
      raise warning 'Task % could not be recovered: %', v_task.id, sqlerrm;
    end;
  end loop;
  if cardinality(v_dead) > 0 then
    perform mashup.unlock_queue(array(select distinct p from mashup.workers w, unnest(w.pool_ids) p where w.id = any (v_dead)));
    delete from mashup.workers w where w.id in (select d.id from mashup.workers d where d.id = any (v_dead) for update skip locked)
      and not exists (select from mashup.tasks t where t.worker_id = w.id and t.state = 'running');
  end if;
  return v_count;
end
$function$;
comment on function mashup.sweep_workers() is 'Recovers the tasks of lost workers and expired leases, ends late attempts and removes lost workers. Returns how many tasks. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.sync_places()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if not pg_try_advisory_xact_lock(hashtext('mashup.places')) then
    return;
  end if;
  insert into mashup.places (service, n)
    select l.service, n from mashup.place_limits l cross join lateral generate_series(1, l.at_most) n
    where l.at_most > (select count(*) from mashup.places p where p.service = l.service and p.is_open)
    on conflict do nothing;
  -- Taken places stay open before free ones, so that a lower limit closes free ones first.
  update mashup.places p set is_open = w.is_open
    from (
      select c.service, c.n, row_number() over (partition by c.service order by c.task_id is null, c.n) <= l.at_most as is_open
      from mashup.places c join mashup.place_limits l on l.service = c.service
    ) w
    where p.service = w.service and p.n = w.n and p.is_open <> w.is_open
      and (p.service, p.n) in (select k.service, k.n from mashup.places k where k.is_open <> w.is_open for update skip locked);
end
$function$;
comment on function mashup.sync_places() is 'Opens and closes places by the setting service_limits. While a closed place is taken, nothing starts at its service. Skips locked rows: the sweep repeats it.';

CREATE OR REPLACE FUNCTION mashup.sync_places_with_limits()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.sync_places();
  return null;
end
$function$;
comment on function mashup.sync_places_with_limits() is 'Trigger: service_limits changed.';

CREATE OR REPLACE FUNCTION mashup.take_back_crashes(p_worker_ids uuid[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  update mashup.tasks t set crashes = t.crashes - 1, lost_by = null,
      solo_crashes = t.solo_crashes - (t.crashes > mashup.setting_number('max_crashes_before_solo'))::integer
    where t.id in (select l.id from mashup.tasks l where l.lost_by = any (p_worker_ids) and l.state <> 'failed' for update skip locked)
$function$;
comment on function mashup.take_back_crashes(uuid[]) is 'Takes back the crashes that were counted for workers that returned: each was alive, and could not reach the database or found it read-only. Skips locked tasks: the sweep repeats it.';

CREATE OR REPLACE FUNCTION mashup.take_down(p_job_id uuid, p_reason text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_job(p_job_id);
  v_reason text := trim(p_reason);
begin
  if coalesce(length(v_reason), 0) not between 1 and 300 then
    perform mashup.raise_error('MB006', 'A take-down needs a reason of up to 300 characters, which the user reads.', 'Give the reason.');
  end if;
  if v_job.status = 'processing' or mashup.is_studio_version_live(v_job) then
    v_job := mashup.cancel(p_job_id);
  end if;
  -- The deletion of the files ends every link to them.
  insert into mashup.storage_deletions (path, is_prefix) values (format('generated/%s/', p_job_id), true);
  update public.mashup_results r set stems = null where r.job_id = p_job_id and r.stems is not null;
  update public.mashup_jobs j set takedown_reason = v_reason, result_path = null, result = j.result - 'stems', current_step = 'Taken down',
      expired_at = case when j.stage = 'complete' then coalesce(j.expired_at, mashup.now()) else j.expired_at end
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'takedown', 'Taken down: ' || v_reason);
  perform mashup.end_share(v_job, v_reason);
  perform mashup.enqueue_event(v_job, 'job.taken_down');
  return v_job;
end
$function$;
comment on function mashup.take_down(uuid,text) is 'Takes a mashup down: cancels it if it is live, deletes the files of its results, ends its public link, and keeps it from being replayed, retried and iterated. Its user reads the reason. Returns the job. Lock order: job, tasks by id. Raises MB002, MB006.';

CREATE OR REPLACE FUNCTION mashup.take_down_share(p_share text, p_reason text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_job(mashup.job_of_share(p_share));
  v_reason text := trim(p_reason);
begin
  if coalesce(length(v_reason), 0) not between 1 and 300 then
    perform mashup.raise_error('MB006', 'A take-down needs a reason of up to 300 characters, which the user reads.', 'Give the reason.');
  end if;
  if not mashup.end_share(v_job, v_reason) then
    perform mashup.raise_error('MB006', format('Mashup %s has no public link.', v_job.id), 'Nothing has to be done.');
  end if;
  return mashup.require_job(v_job.id);
end
$function$;
comment on function mashup.take_down_share(text,text) is 'Takes the public link of a mashup down, and keeps the mashup from being shared until that is lifted. p_share: the link, its token, or the id of the job. The mashup stays; its user reads the reason. Returns the job. Lock order: job row, its links. Raises MB002, MB006.';

CREATE OR REPLACE FUNCTION mashup.take_entry(p_task_id bigint, p_attempt integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET jit TO 'off'
AS $function$
begin
  if pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is null then
    return false;
  end if;
  delete from /*queue*/mashup_queue._private_jobs j where j.id in (
    select q.id from /*queue*/mashup_queue._private_jobs q
    where q.key = 'mashup:' || p_task_id || ':' || p_attempt and q.locked_at is null for update skip locked);
  return found;
end
$function$;
comment on function mashup.take_entry(bigint,integer) is 'Removes the queue entry of a ready task that is claimed without it. Returns false if a worker has fetched it, or it is missing. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.task_attempts(p_task mashup.tasks)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  with written as (
    select l.claim, l.worker_id, min(l.at) as first_at, count(*) as lines,
      greatest(max(l.at), case when l.claim = (select n.claim from mashup.task_logs n where n.task_id = p_task.id order by n.id desc limit 1) then p_task.finished_at end) as last_at,
      case when bool_or(l.level = 'error') then 'error' when bool_or(l.level = 'warn') then 'warn' else 'info' end as level
    from mashup.task_logs l where l.task_id = p_task.id group by l.claim, l.worker_id
  ), lost as (
    -- A worker that is killed does not write its last lines, or none.
    select (e.detail ->> 'worker')::uuid as worker_id, (e.detail ->> 'started_at')::timestamptz as started_at, e.created_at as taken_at
    from public.mashup_job_events e
    where e.job_id = p_task.job_id and e.type = 'retry' and e.detail ->> 'task' = p_task.id::text and e.detail ->> 'started_at' is not null
  ), attempts as (
    select w.claim, coalesce(w.worker_id, o.worker_id) as worker_id, least(w.first_at, o.started_at) as first_at,
      greatest(w.last_at, o.taken_at) as last_at, coalesce(w.lines, 0) as lines, coalesce(w.level, 'error') as level, o.taken_at is not null as lost
    from written w full join lost o on o.worker_id = w.worker_id
      and w.first_at between o.started_at - interval '1 second' and o.taken_at
    union all
    -- A claim that has written no line yet.
    select p_task.claim, p_task.worker_id, p_task.started_at, p_task.started_at, 0, 'info', false
    where p_task.claim is not null and not exists (select from written w where w.claim = p_task.claim)
  )
  select coalesce(jsonb_agg(jsonb_build_object('claim', a.claim, 'worker_id', a.worker_id, 'host', (select w.host from mashup.workers w where w.id = a.worker_id),
      'from', a.first_at, 'until', case when p_task.claim = a.claim then null else a.last_at end, 'lines', a.lines, 'level', a.level, 'lost', a.lost)
      order by a.first_at), '[]') from attempts a
$function$;
comment on function mashup.task_attempts(mashup.tasks) is 'Returns the claims of a task, the oldest first: [{claim: null if it has written no line and is over, worker_id, host, from, until: null while it runs, lines, level: the worst of its lines, lost: the task was taken from its worker}]. They come from the log lines of the task and the history of the job: claims that ended otherwise and whose lines have expired are missing.';

CREATE OR REPLACE FUNCTION mashup.throughput(p_since interval DEFAULT '1 day'::interval)
 RETURNS TABLE(stage text, passed bigint, per_hour numeric, p50_sec numeric, p95_sec numeric, max_sec numeric)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  with passages as (
    select e.from_stage, e.created_at - lag(e.created_at) over (partition by e.job_id order by e.id) as took
    from public.mashup_job_events e
    where e.created_at > mashup.now() - p_since and e.type in ('submitted', 'stage', 'replay', 'error', 'cancel')
  )
  select m.from_stage, count(*), round((count(*) / greatest(extract(epoch from p_since) / 3600, 0.01))::numeric, 1),
    round(percentile_cont(0.5) within group (order by extract(epoch from m.took))::numeric, 2),
    round(percentile_cont(0.95) within group (order by extract(epoch from m.took))::numeric, 2),
    round(max(extract(epoch from m.took))::numeric, 2)
  from passages m join mashup.stages s on s.stage = m.from_stage and not s.is_terminal
  where m.took is not null group by m.from_stage, s.position order by s.position
$function$;
comment on function mashup.throughput(interval) is 'Returns how many jobs left each stage since p_since ago, and the seconds they were in it: median, 95th percentile, longest. The time between an end and a replay is in no stage.';

CREATE OR REPLACE FUNCTION mashup.touch_job()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if new is distinct from old then
    new.id := old.id;
    new.user_id := old.user_id;
    new.version := old.version + 1;
    new.updated_at := greatest(mashup.now(), old.updated_at);
    if new.epoch = old.epoch then
      new.progress := greatest(new.progress, old.progress);
    end if;
    if new.songs is distinct from old.songs and octet_length(new.songs::text) > 3000 then
      perform mashup.raise_error('MB011', 'The songs do not fit into the job''s row.', 'Shorten names and artists.');
    end if;
  end if;
  return new;
end
$function$;
comment on function mashup.touch_job() is 'Trigger before every update: raises version, keeps id and user, and keeps progress from falling within an epoch. Raises MB011.';

CREATE OR REPLACE FUNCTION mashup.transition_job(p_job mashup_jobs, p_stage text, p_name text, p_is_unsaved boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_announced text := set_config('mashup.transition', p_job.id || ' ' || p_stage || ' ' || p_name, true);
begin
  if p_is_unsaved then
    -- The columns are those of save_result. Together with the stage they make one version of the row instead of two.
    update public.mashup_jobs j set stage = p_stage,
        songs = p_job.songs, progress = p_job.progress, score = p_job.score,
        warnings = p_job.warnings, plan_version = p_job.plan_version, title = p_job.title, concept = p_job.concept,
        result_path = p_job.result_path, result = p_job.result
      where j.id = p_job.id;
  else
    update public.mashup_jobs j set stage = p_stage where j.id = p_job.id;
  end if;
  v_announced := set_config('mashup.transition', '', true);
end
$function$;
comment on function mashup.transition_job(mashup_jobs,text,text,boolean) is 'Makes a transition of the engine. p_is_unsaved: what record_task changed of the row is written with it. Lock: job row. Raises MB001.';

CREATE OR REPLACE FUNCTION mashup.truncate_bytes(p_text text, p_octets integer)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  v_text text := left(p_text, p_octets);
begin
  -- A character may take four bytes, and an escaped one six.
  while octet_length(to_jsonb(v_text)::text) - 2 > p_octets loop
    v_text := left(v_text, least(length(v_text) - 1, length(v_text) * p_octets / octet_length(to_jsonb(v_text)::text)));
  end loop;
  return v_text;
end
$function$;
comment on function mashup.truncate_bytes(text,integer) is 'Returns the beginning of a text that takes at most p_octets bytes in a jsonb value.';

CREATE OR REPLACE FUNCTION mashup.try_lock_claim(p_task_id bigint, p_claim uuid)
 RETURNS mashup.tasks
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  perform from public.mashup_jobs j where j.id = (select t.job_id from mashup.tasks t where t.id = p_task_id)
    for no key update skip locked;
  if not found then
    return null;
  end if;
  select * into v_task from mashup.tasks t where t.id = p_task_id and t.claim = p_claim and t.state = 'running' for update skip locked;
  if not found then
    return null;
  end if;
  return v_task;
end
$function$;
comment on function mashup.try_lock_claim(bigint,uuid) is 'As lock_claim, without waiting: returns null if another transaction has locked the job or the task. Lock order: job, task.';

CREATE OR REPLACE FUNCTION mashup.try_to_admit()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if pg_try_advisory_xact_lock(hashtext('mashup.admit')) then
    perform mashup.admit_jobs();
  else
    -- Its holder does not see what this transaction did, and this one does not see what its holder does.
    perform pg_notify('mashup_tasks', '{"admit": true}');
  end if;
end
$function$;
comment on function mashup.try_to_admit() is 'Admits jobs if no other transaction is admitting; else lets the workers call admit_waiting after the commit. Never waits.';

CREATE OR REPLACE FUNCTION mashup.unlock_queue(p_pool_ids text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if cardinality(p_pool_ids) > 0 and pg_catalog.to_regnamespace(/*queue*/'mashup_queue') is not null then
    perform /*queue*/mashup_queue.force_unlock_workers(p_pool_ids);
  end if;
end
$function$;
comment on function mashup.unlock_queue(text[]) is 'Unlocks queue entries that pools of lost workers had taken; they would stay locked for hours. A late entry claims nothing.';
grant execute on function mashup.unlock_queue(text[]) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.unmark_waiting_on_stale(p_job_id uuid)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  return set_config('mashup.stale_jobs', replace(coalesce(current_setting('mashup.stale_jobs', true), ''), p_job_id || ' ', ''), true);
end
$function$;
comment on function mashup.unmark_waiting_on_stale(uuid) is 'Takes back mark_waiting_on_stale for a job of which this transaction started a task last: its waiting_on is null. Returns what is noted.';

CREATE OR REPLACE FUNCTION mashup.unreferenced_files()
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select o.name from storage.objects o
  where o.bucket_id = 'mashups' and (o.name like 'stems/%' or o.name like 'generated/%')
    -- A claim may be writing it, or has written it a moment ago.
    and coalesce(o.updated_at, o.created_at) < mashup.now() - mashup.setting_interval('discard_after_sec')
    and not exists (select from mashup.tasks t where t.state = 'running' and starts_with(o.name, t.output_prefix))
    and not exists (select from mashup.referenced_files() f where f.path = o.name)
    and not exists (select from public.mashup_results r where r.path = o.name)
    and not exists (select from mashup.storage_deletions d where d.path = o.name or (d.is_prefix and starts_with(o.name, d.path)))
$function$;
comment on function mashup.unreferenced_files() is 'Returns the stems and results in Storage that no row points to, that no task is writing, and that are not in the outbox.';

CREATE OR REPLACE FUNCTION mashup.use_queue_schema(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_definition text;
  v_changed text;
begin
  if p_name !~ '^[a-z_][a-z0-9_]{0,62}$' or p_name ~ '^(pg_.*|mashup|public|information_schema)$' or quote_ident(p_name) <> p_name then
    perform mashup.raise_error('MB006', format('"%s" cannot be the schema of the queue.', p_name),
      'Choose a name of small letters, digits and underscores that no other schema of the database has, such as mashup_queue.');
  end if;
  for v_definition in
    select pg_get_functiondef(p.oid) from pg_proc p
    where p.pronamespace = 'mashup'::regnamespace and position('/*' || 'queue*/' in p.prosrc) > 0
  loop
    v_changed := regexp_replace(v_definition, '(/[*]queue[*]/''?)[a-z0-9_]+', '\1' || p_name, 'g');
    if v_changed <> v_definition then
      execute v_changed;
    end if;
  end loop;
  update mashup.settings set value = to_jsonb(p_name) where name = 'queue_schema' and value <> to_jsonb(p_name);
  perform mashup.grant_queue();
end
$function$;
comment on function mashup.use_queue_schema(text) is 'Makes the functions use another schema for the queue, and grants the workers what they need there. Called by `mashup migrate`, as the owner of the functions; workers follow within a second. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.uses_model(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_neural text := (select m.neural from mashup.separation_models m);
  v_wanted record;
begin
  if v_neural is null then
    return false;
  end if;
  v_wanted := mashup.wanted_separation(p_job);
  return v_wanted.method <> 'classical' and v_wanted.models[1] = v_neural;
end
$function$;
comment on function mashup.uses_model(mashup_jobs) is 'Returns whether the model of the separation service separates the songs of a job.';

CREATE OR REPLACE FUNCTION mashup.waiting_step(p_job mashup_jobs)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_away text[];
begin
  v_away := array(
    select distinct mashup.name_for_users(h.service)
    from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind join mashup.service_health h on h.service = any (mashup.services_of(k))
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'waiting' and h.state <> 'closed' order by 1);
  return case
    when 'storage' = any (v_away) then 'Waiting for the file storage; the time left is known when it is back.'
    when cardinality(v_away) > 1 then format('Waiting for the %s services; the time left is known when they are back.', array_to_string(v_away, ' and '))
    when cardinality(v_away) = 1 then format('Waiting for the %s service; the time left is known when it is back.', v_away[1])
    else 'Waiting for a service; the time left is known when it is back.'
  end;
end
$function$;
comment on function mashup.waiting_step(mashup_jobs) is 'Returns which unavailable services a job waits for, as its user reads it.';

CREATE OR REPLACE FUNCTION mashup.wanted_separation(p_job mashup_jobs, OUT method text, OUT models text[], OUT classical text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_models mashup.separation_models;
begin
  select * into v_models from mashup.separation_models;
  method := coalesce(p_job.options ->> 'separation', 'auto');
  classical := v_models.classical;
  if mashup.is_studio_version_live(p_job) then
    method := 'neural';
    models := array[v_models.neural];
  elsif v_models.neural is not null and mashup.wants_studio_version(p_job) then
    -- Stems of the model that are there already make a studio version of the first result.
    method := 'classical';
    models := array[v_models.neural, v_models.classical];
  elsif v_models.classical is not null then
    models := array[case method when 'classical' then v_models.classical when 'neural' then v_models.neural else v_models.used end];
  end if;
end
$function$;
comment on function mashup.wanted_separation(mashup_jobs) is 'Returns how the songs of a job are to be separated: method (auto, classical or neural); models whose stems the job uses, the preferred one first ({null}: it wants one, and there is none; null: stems of any model, because the service does not name its models); and the model of the classical method.';

CREATE OR REPLACE FUNCTION mashup.wants_studio_version(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return p_job.options ->> 'separation' is distinct from 'classical'
    and coalesce((p_job.options ->> 'studio_version')::boolean, mashup.setting_text('studio_version_by_default') = 'true');
end
$function$;
comment on function mashup.wants_studio_version(mashup_jobs) is 'Returns whether a job is to have a studio version if there is a model: by its options, otherwise by the setting studio_version_by_default.';

CREATE OR REPLACE FUNCTION mashup.warning_rank(p_code text)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return case p_code
    when 'quality_check_failed' then 1
    when 'song_excluded' then 2 when 'rule_based_plan' then 2 when 'other_format' then 2 when 'other_length' then 2 when 'length_note' then 2
    when 'wish_not_understood' then 2 when 'wish_not_possible' then 2
    when 'scored_locally' then 3
    else 4 end;
end
$function$;
comment on function mashup.warning_rank(text) is 'Returns the importance of a warning by its code; 1 is the most important.';

CREATE OR REPLACE FUNCTION mashup.warnings_outside(p_warnings jsonb, p_stages text[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_agg(w.warning order by w.n), '[]')
  from jsonb_array_elements(p_warnings) with ordinality as w (warning, n) where w.warning ->> 'stage' <> all (p_stages)
$function$;
comment on function mashup.warnings_outside(jsonb,text[]) is 'Returns the warnings of all stages but p_stages, in order.';

CREATE OR REPLACE FUNCTION mashup.wish_warnings(p_wishes jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object('code', w.code, 'message', w.message) order by w.code, w.n), '[]')
  from (
    select 'wish_not_understood' as code, pg_catalog.format('Not understood: "%s"', q.text) as message, q.n
    from jsonb_array_elements_text(coalesce(p_wishes -> 'not_understood', '[]')) with ordinality as q (text, n)
    union all
    select 'wish_not_possible', c.text, c.n
    from jsonb_array_elements_text(coalesce(p_wishes -> 'cannot', '[]')) with ordinality as c (text, n)
  ) w
  where w.n <= 3
$function$;
comment on function mashup.wish_warnings(jsonb) is 'Returns the warnings {code, message} about wishes that were not understood or are not in the plan, three of each at most.';

CREATE OR REPLACE FUNCTION mashup.words_condition(p_words tsquery, p_id_range text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_common constant integer := 2000;
  v_matches constant text := 'mashup.job_words(%1$s.title, %1$s.songs, %1$s.error_code, %1$s.error_message) @@ %2$L::pg_catalog.tsquery';
  v_found integer;
begin
  -- Materialized: planned for all of its rows, it looks the words up in their index; it stops when enough are found.
  with found as materialized (
    select 1 from public.mashup_jobs w
      where w.finished_at is not null and mashup.job_words(w.title, w.songs, w.error_code, w.error_message) @@ p_words)
  select count(*) into v_found from (select 1 from found limit v_common) f;
  -- Words of many jobs: a list by time finds them soon, and to join the ids of all takes seconds.
  if v_found >= v_common then
    return format('(%s%s)', format(v_matches, 'j', p_words), ' or j.id ' || p_id_range);
  end if;
  -- Offset 0: the words are looked up in their index, also where a list by time promises to find enough of them soon.
  return format('j.id in ((select w.id from public.mashup_jobs w where w.finished_at is not null and %1$s offset 0)
    union all (select w.id from public.mashup_jobs w where w.status = ''processing'' and %1$s offset 0)%2$s)', format(v_matches, 'w', p_words),
    ' union all (select w.id from public.mashup_jobs w where w.id ' || p_id_range || ')');
end
$function$;
comment on function mashup.words_condition(tsquery,text) is 'Returns the condition on the alias j of public.mashup_jobs that a job has words, or an id in a range (an SQL condition, may be null), in the form that is quick for as many jobs as have the words.';

CREATE OR REPLACE FUNCTION mashup.write_task_logs(p_worker_id uuid, p_lines jsonb)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_max integer := mashup.setting_number('task_log_max_lines')::integer;
  v_tasks bigint[];
  v_count integer;
begin
  if not exists (select from mashup.workers w where w.id = p_worker_id) then
    return null;
  end if;
  -- Lines that are lost with the server cost less than a flush of the log of Postgres.
  perform pg_catalog.set_config('synchronous_commit', 'off', true);
  -- One writer at a time: ids become visible in their order, so that a reader that follows them misses none.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('mashup.task_logs'));
  with lines as (
    insert into mashup.task_logs (task_id, claim, worker_id, at, level, line, fields)
    select t.id, (l ->> 'claim')::uuid, p_worker_id, mashup.now() - pg_catalog.make_interval(secs => greatest((l ->> 'age_sec')::double precision, 0)),
      l ->> 'level', left(l ->> 'line', 2000),
      case when octet_length((l -> 'fields')::text) <= 4000 then coalesce(l -> 'fields', '{}') else '{}' end
    from pg_catalog.jsonb_array_elements(p_lines) with ordinality e (l, n)
    join mashup.tasks t on t.id = (l ->> 'task')::bigint
    where v_max > 0 order by e.n
    returning task_id)
  select pg_catalog.array_agg(distinct l.task_id), count(*) into v_tasks, v_count from lines l;
  delete from mashup.task_logs l using pg_catalog.unnest(v_tasks) w (task_id)
    cross join lateral (select o.id from mashup.task_logs o where o.task_id = w.task_id order by o.id desc offset v_max limit 1) oldest
    where l.task_id = w.task_id and l.id <= oldest.id;
  return v_count;
end
$function$;
comment on function mashup.write_task_logs(uuid,jsonb) is 'Adds log lines of tasks: [{task, claim, age_sec, level, line, fields}], in order; age_sec: how long ago. Keeps the newest task_log_max_lines of each task. Returns how many were added; null if the worker is not registered, then none. Lines of tasks that do not exist are left out. Locks no row of a task or job. Lock: an advisory lock, alone.';
grant execute on function mashup.write_task_logs(uuid,jsonb) to mashup_worker;

CREATE OR REPLACE FUNCTION public.operator_bulk(operation text, filter jsonb, to_stage text DEFAULT NULL::text, max_jobs integer DEFAULT 25, after_id uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_max integer := least(greatest(max_jobs, 1), 100);
  v_filter jsonb := mashup.check_job_filter(filter);
  v_outcomes jsonb;
begin
  perform mashup.require_operator();
  if v_filter - 'until' = '{}' then
    perform mashup.raise_error('MB006', 'An operation on all jobs needs a filter.', 'Choose a stage, an error, a user, a service, a time or words.');
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('id', b.job_id, 'outcome', b.outcome, 'message', b.message) order by b.job_id), '[]') into v_outcomes
    from mashup.bulk(operation, p_to_stage => to_stage, p_limit => v_max, p_after => after_id, p_filter => v_filter) b;
  return jsonb_build_object('outcomes', v_outcomes,
    'after', case when jsonb_array_length(v_outcomes) = v_max then v_outcomes -> -1 -> 'id' end);
end
$function$;
comment on function operator_bulk(text,jsonb,text,integer,uuid) is 'Applies an operation (replay from to_stage, retry or cancel) to up to max_jobs (at most 100) jobs that match a filter (see mashup.check_job_filter) and come after after_id, by id. Returns {outcomes: [{id, outcome: done or refused, message}], after: the id to go on after, or null at the end}. For operators. Lock order: jobs by id. Raises MB006, 42501.';
grant execute on function operator_bulk(text,jsonb,text,integer,uuid) to authenticated;
grant execute on function operator_bulk(text,jsonb,text,integer,uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_cancel(job_id uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.cancel(operator_cancel.job_id) $function$;
comment on function operator_cancel(uuid) is 'Cancels any live job. For operators. Raises MB001, MB002, 42501.';
grant execute on function operator_cancel(uuid) to authenticated;
grant execute on function operator_cancel(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_job_history(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.require_operator();
  select * into v_job from public.mashup_jobs j where j.id = operator_job_history.job_id;
  if not found then
    return null;
  end if;
  return jsonb_build_object('job', to_jsonb(v_job), 'server_now', mashup.now(),
    'email', (select u.email from auth.users u where u.id = v_job.user_id),
    'share', (select jsonb_build_object('created_at', s.created_at, 'revoked_at', s.revoked_at, 'taken_down_at', s.taken_down_at, 'reason', s.reason, 'actor', s.actor)
      from public.mashup_shares s where s.job_id = v_job.id order by s.revoked_at is not null, s.created_at desc limit 1),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'kind', t.kind, 'service', k.service, 'song_id', t.song_id, 'epoch', t.epoch,
        'state', t.state, 'failures', t.failures, 'max_attempts', k.max_attempts, 'crashes', t.crashes, 'error', t.error, 'is_studio', t.is_studio,
        'fallback', t.fallback, 'created_at', t.created_at, 'run_at', t.run_at, 'started_at', t.started_at, 'finished_at', t.finished_at,
        'worker_id', t.worker_id, 'attempts', mashup.task_attempts(t),
        'took_sec', extract(epoch from coalesce(t.finished_at, mashup.now()) - t.started_at)) order by t.id), '[]')
      from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind where t.job_id = v_job.id),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('at', s.at, 'since_start_sec', extract(epoch from s.since_start), 'epoch', s.epoch,
        'what', s.what, 'stage', s.stage, 'song', s.song, 'message', s.message, 'actor', s.actor, 'detail', s.detail)), '[]')
      from mashup.job_history(v_job.id) s));
end
$function$;
comment on function operator_job_history(uuid) is 'Returns one job with the e-mail of its user, its public link, its tasks with their times and attempts (see mashup.task_attempts), and its history, oldest event first; null if there is none. For operators. Raises 42501.';
grant execute on function operator_job_history(uuid) to authenticated;
grant execute on function operator_job_history(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_jobs(filter jsonb DEFAULT '{}'::jsonb, max_jobs integer DEFAULT 50, before_time timestamp with time zone DEFAULT NULL::timestamp with time zone, before_id uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_max integer := least(greatest(max_jobs, 1), 200);
  v_jobs jsonb;
  v_last jsonb;
begin
  perform mashup.require_operator();
  -- One more shows whether there is a next page.
  select coalesce(jsonb_agg(mashup.describe_for_list(j) order by coalesce(j.finished_at, j.created_at) desc, j.id desc), '[]') into v_jobs
    from mashup.find_jobs(filter, v_max + 1, before_time, before_id) j;
  if jsonb_array_length(v_jobs) > v_max then
    v_jobs := v_jobs - v_max;
    v_last := v_jobs -> -1;
  end if;
  return jsonb_build_object('jobs', v_jobs, 'server_now', mashup.now(),
    'next', case when v_last is not null then jsonb_build_object('time', v_last -> 'at', 'id', v_last -> 'id') end);
end
$function$;
comment on function operator_jobs(jsonb,integer,timestamp with time zone,uuid) is 'Returns the latest jobs that match a filter (see mashup.check_job_filter): {jobs, next: {time, id} of the next page, or null, server_now}. The next page is asked for with before_time and before_id. For operators. Raises MB006, 42501.';
grant execute on function operator_jobs(jsonb,integer,timestamp with time zone,uuid) to authenticated;
grant execute on function operator_jobs(jsonb,integer,timestamp with time zone,uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_lift_share_take_down(share text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.lift_share_take_down(operator_lift_share_take_down.share) $function$;
comment on function operator_lift_share_take_down(text) is 'Lets a mashup be shared again. For operators. Raises MB002, MB006, MB015, 42501.';
grant execute on function operator_lift_share_take_down(text) to authenticated;
grant execute on function operator_lift_share_take_down(text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_overview()
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select mashup.require_operator();
  -- The page asks every two seconds: the ended jobs of the last day are counted once, from the index by time alone.
  with clock as materialized (
    select mashup.now() - interval '1 day' as day_ago, date_trunc('hour', mashup.now()) as hour
  ), ended as materialized (
    select j.stage, date_bin('1 hour', j.finished_at, c.hour) as hour, count(*) as jobs
    from clock c join public.mashup_jobs j on j.finished_at > c.day_ago group by 1, 2
  ), counted as materialized (
    select e.stage, sum(e.jobs)::bigint as jobs from ended e group by e.stage
    union all
    select j.stage, count(*) from public.mashup_jobs j where j.status = 'processing' group by j.stage
  )
  select jsonb_build_object(
    'stages', (select jsonb_agg(jsonb_build_object('stage', s.stage, 'is_terminal', s.is_terminal,
        'jobs', coalesce(c.jobs, 0)) order by s.position) from mashup.stages s left join counted c on c.stage = s.stage),
    'live', (select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'stage', l.stage, 'waiting_on', l.waiting_on, 'progress', l.progress,
        'current_step', l.current_step, 'in_stage_sec', extract(epoch from l.in_stage_for), 'running', l.running, 'ready', l.ready,
        'waiting', l.waiting, 'epoch', l.epoch, 'user_id', l.user_id) order by l.created_at desc), '[]')
      from (select * from mashup.live_jobs order by created_at desc limit 50) l),
    'stuck', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'stage', s.stage, 'why', s.why,
        'in_stage_sec', extract(epoch from s.in_stage_for))), '[]') from (select * from mashup.stuck where why is not null limit 50) s),
    'failures', (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (select * from mashup.failures limit 20) f),
    'circuits', (select coalesce(jsonb_agg(jsonb_build_object('service', c.service, 'state', c.state, 'running', c.running,
        'waiting', c.waiting, 'at_most', c.at_most, 'last_error', c.last_error, 'probe_in_sec', extract(epoch from c.probe_in),
        'condition', c.condition, 'failures', c.failures_in_a_row, 'faults', c.faults_in_a_row, 'last_fault', c.last_fault,
        'last_fault_sec', extract(epoch from c.last_fault_ago), 'silent_sec', extract(epoch from c.silent_for),
        'heard_sec', extract(epoch from c.heard_ago), 'unanswered_sec', extract(epoch from c.unanswered_for)) order by c.service), '[]')
      from mashup.circuits c),
    'pauses', (select coalesce(jsonb_agg(to_jsonb(p) order by p.created_at), '[]') from mashup.pauses p),
    'capacity', (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from mashup.capacity c where c.what in ('jobs', 'workers')),
    'workers', (select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'host', w.host, 'pid', w.pid, 'version', w.version,
        'concurrency', w.concurrency, 'seen_sec', extract(epoch from mashup.now() - w.seen_at), 'draining', w.draining)), '[]') from mashup.workers w),
    'kinds', (select jsonb_agg(jsonb_build_object('kind', k.kind, 'service', k.service,
        'running', (select count(*) from mashup.tasks t where t.kind = k.kind and t.state = 'running'),
        'ready', (select count(*) from mashup.tasks t where t.kind = k.kind and t.state = 'ready'),
        'waiting', (select count(*) from mashup.tasks t where t.kind = k.kind and t.state = 'waiting')) order by s.position)
      from mashup.task_kinds k join mashup.stages s on s.stage = k.stage),
    'hours', (select jsonb_agg(jsonb_build_object('from', h.hour, 'complete', e.complete, 'failed', e.failed, 'cancelled', e.cancelled)
        order by h.hour)
      from clock c cross join generate_series(c.hour - interval '23 hours', c.hour, interval '1 hour') h (hour)
      cross join lateral (
        select coalesce(sum(n.jobs) filter (where n.stage = 'complete'), 0) as complete,
          coalesce(sum(n.jobs) filter (where n.stage = 'failed'), 0) as failed,
          coalesce(sum(n.jobs) filter (where n.stage = 'cancelled'), 0) as cancelled
        from ended n where n.hour = h.hour) e),
    'recent', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'stage', r.stage, 'title', r.title, 'error_code', r.error_code,
        'error_message', r.error_message, 'songs', (select jsonb_agg(s ->> 'name') from jsonb_array_elements(r.songs) s),
        'took_sec', extract(epoch from r.finished_at - r.queued_at), 'finished_at', r.finished_at) order by r.finished_at desc), '[]')
      from (select * from public.mashup_jobs where finished_at is not null order by finished_at desc limit 20) r),
    'server_now', mashup.now())
$function$;
comment on function operator_overview() is 'Returns everything that the operator page shows, in one document: stages, live and stuck jobs, failures, circuits, pauses, capacity, workers, kinds, ended jobs by hour of the last day, recent jobs. Times of stages are in operator_throughput. For operators. Raises 42501.';
grant execute on function operator_overview() to authenticated;
grant execute on function operator_overview() to service_role;

CREATE OR REPLACE FUNCTION public.operator_pause(scope text, key text DEFAULT ''::text, reason text DEFAULT 'Paused by the operator'::text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.pause(operator_pause.scope, operator_pause.key, operator_pause.reason) $function$;
comment on function operator_pause(text,text,text) is 'Pauses the system, a user, a job, a kind of task or a service. For operators. Raises MB006, 42501.';
grant execute on function operator_pause(text,text,text) to authenticated;
grant execute on function operator_pause(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_preview(filter jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.require_operator();
  return mashup.preview_jobs(filter);
end
$function$;
comment on function operator_preview(jsonb) is 'Returns what a filter of jobs selects: see mashup.preview_jobs. For operators. Raises MB006, 42501.';
grant execute on function operator_preview(jsonb) to authenticated;
grant execute on function operator_preview(jsonb) to service_role;

CREATE OR REPLACE FUNCTION public.operator_replay(job_id uuid, stage text, fresh boolean DEFAULT false)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.replay(operator_replay.job_id, operator_replay.stage, operator_replay.fresh) $function$;
comment on function operator_replay(uuid,text,boolean) is 'Replays any job from a stage. For operators. Raises MB001, MB002, MB003, 42501.';
grant execute on function operator_replay(uuid,text,boolean) to authenticated;
grant execute on function operator_replay(uuid,text,boolean) to service_role;

CREATE OR REPLACE FUNCTION public.operator_resume(scope text, key text DEFAULT ''::text)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.resume(operator_resume.scope, operator_resume.key) $function$;
comment on function operator_resume(text,text) is 'Ends a pause. Returns false if there was none. For operators. Raises 42501.';
grant execute on function operator_resume(text,text) to authenticated;
grant execute on function operator_resume(text,text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_retry(job_id uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.retry(operator_retry.job_id) $function$;
comment on function operator_retry(uuid) is 'Retries any failed or cancelled job. For operators. Raises MB001, MB002, 42501.';
grant execute on function operator_retry(uuid) to authenticated;
grant execute on function operator_retry(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_take_down(job_id uuid, reason text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.take_down(operator_take_down.job_id, operator_take_down.reason) $function$;
comment on function operator_take_down(uuid,text) is 'Takes any mashup down. For operators. Raises MB002, MB006, 42501.';
grant execute on function operator_take_down(uuid,text) to authenticated;
grant execute on function operator_take_down(uuid,text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_take_down_share(share text, reason text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.require_operator(); select mashup.take_down_share(operator_take_down_share.share, operator_take_down_share.reason) $function$;
comment on function operator_take_down_share(text,text) is 'Takes a public link down, by the link, its token or the id of its job. For operators. Raises MB002, MB006, 42501.';
grant execute on function operator_take_down_share(text,text) to authenticated;
grant execute on function operator_take_down_share(text,text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_task_logs(job_id uuid DEFAULT NULL::uuid, task_id bigint DEFAULT NULL::bigint, after_id bigint DEFAULT 0, max_lines integer DEFAULT 200)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select mashup.require_operator();
  select coalesce(jsonb_agg(to_jsonb(l) order by l.id), '[]')
    from mashup.read_task_logs(operator_task_logs.job_id, operator_task_logs.task_id, operator_task_logs.after_id, operator_task_logs.max_lines) l
$function$;
comment on function operator_task_logs(uuid,bigint,bigint,integer) is 'Returns up to max_lines (at most 1000) log lines of a job or a task with ids greater than after_id, as an array in order. For operators. Raises MB006, 42501.';
grant execute on function operator_task_logs(uuid,bigint,bigint,integer) to authenticated;
grant execute on function operator_task_logs(uuid,bigint,bigint,integer) to service_role;

CREATE OR REPLACE FUNCTION public.operator_task_payload(task_id bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
  v_card jsonb;
begin
  perform mashup.require_operator();
  select * into v_task from mashup.tasks t where t.id = operator_task_payload.task_id;
  if not found then
    return null;
  end if;
  select s into v_card from public.mashup_jobs j, jsonb_array_elements(j.songs) s where j.id = v_task.job_id and s ->> 'song_id' = v_task.song_id;
  return jsonb_build_object('task', to_jsonb(v_task) - 'claim', 'song', v_card, 'made', case v_task.kind
    when 'analyze' then (select to_jsonb(a) - 'user_id' from mashup.analyses a where a.id = (v_card ->> 'analysis_id')::bigint)
    when 'separate' then (select to_jsonb(m) - 'user_id' from mashup.stems m where m.id = (v_card ->> 'stems_id')::bigint)
    when 'score' then (select to_jsonb(c) from mashup.scores c where c.job_id = v_task.job_id and c.epoch = v_task.epoch)
    when 'plan' then jsonb_build_object(
      'plans', (select coalesce(jsonb_agg(to_jsonb(p) order by p.version), '[]') from public.mashup_plans p where p.job_id = v_task.job_id and p.epoch = v_task.epoch),
      'receipts', (select coalesce(jsonb_agg(to_jsonb(r) order by r.id), '[]') from mashup.plan_receipts r where r.job_id = v_task.job_id))
    else (select to_jsonb(r) from public.mashup_results r where r.job_id = v_task.job_id and r.epoch = v_task.epoch) end);
end
$function$;
comment on function operator_task_payload(bigint) is 'Returns a task, the card of its song, and what tasks of its kind have made in its job: analysis, stems, scores, plans with receipts, or result; null if there is no such task. For operators. Raises 42501.';
grant execute on function operator_task_payload(bigint) to authenticated;
grant execute on function operator_task_payload(bigint) to service_role;

CREATE OR REPLACE FUNCTION public.operator_throughput()
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select mashup.require_operator();
  select coalesce(jsonb_agg(to_jsonb(t)), '[]') from mashup.throughput() t
$function$;
comment on function operator_throughput() is 'Returns mashup.throughput of the last day as an array. It reads all events of the day, so it is asked for seldom. For operators. Raises 42501.';
grant execute on function operator_throughput() to authenticated;
grant execute on function operator_throughput() to service_role;

CREATE OR REPLACE FUNCTION public.read_share(p_token text, p_part text, p_client text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.shared_job(p_token);
  v_link text := case when v_job.id is not null then p_token end;
  v_group integer := mashup.client_group(p_client);
  v_part jsonb;
begin
  if p_part is null or p_part not in ('mashup', 'cover', 'audio') then
    perform mashup.raise_error('MB006', format('A public link has no part "%s".', p_part), 'Read mashup, cover or audio.');
  end if;
  perform mashup.check_shared_read(v_link, v_group);
  if v_job.id is not null then
    v_part := mashup.describe_share(v_job, p_part);
  end if;
  perform mashup.count_shared_read(v_link, v_group);
  return v_part;
end
$function$;
comment on function read_share(text,text,text) is 'Returns a part of what a public link shows (describe_share: mashup, cover or audio), and counts the request; null if the link is unknown, revoked, taken down or has no result, or sharing is off. p_client: network address of the client. For the edge functions, with the service role. Raises MB006, MB012.';
grant execute on function read_share(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION public.replay_mashup(job_id uuid, stage text, fresh boolean DEFAULT false)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(mashup.caller(), false);
  v_job := mashup.require_own_job(replay_mashup.job_id);
  return mashup.describe_submission(mashup.replay(v_job.id, replay_mashup.stage, replay_mashup.fresh), false);
end
$function$;
comment on function replay_mashup(uuid,text,boolean) is 'Replays a job of the caller from a stage. Returns describe_submission. Raises MB001, MB002, MB003, MB004, MB006, MB010, MB012, MB015.';
grant execute on function replay_mashup(uuid,text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION public.request_mashup_stems(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_stems jsonb;
begin
  perform mashup.count_request(mashup.caller(), 'stems', 'max_submits_per_minute', 'That was many requests for stems in one minute.');
  v_job := mashup.require_own_job(request_mashup_stems.job_id);
  if v_job.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', v_job.id, v_job.takedown_reason), 'Contact the operator.');
  end if;
  if v_job.stage <> 'complete' or v_job.result_path is null then
    perform mashup.raise_error('MB003', 'This mashup has no file, and so no stems.',
      mashup.hint_without_file(v_job));
  end if;
  select r.stems into v_stems from public.mashup_results r where r.job_id = v_job.id and r.path = v_job.result_path;
  if v_stems ->> 'state' in ('pending', 'ready') then
    return v_stems;
  end if;
  v_stems := mashup.begin_mashup_stems(v_job);
  perform mashup.log_event(v_job, 'task', 'The stems of the mashup were asked for');
  return v_stems;
end
$function$;
comment on function request_mashup_stems(uuid) is 'Asks for the stems of a complete mashup of the caller, unless they are there or being made. The row of the job tells the progress (result.stems), the row of the result the files (mashup_results.stems). Returns MashupStems. Lock order: the user''s counter, job, tasks. Raises MB002, MB003, MB010, MB012, MB015.';
grant execute on function request_mashup_stems(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.retry_mashup(job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(mashup.caller(), false);
  v_job := mashup.require_own_job(retry_mashup.job_id);
  return mashup.describe_submission(mashup.retry(v_job.id), false);
end
$function$;
comment on function retry_mashup(uuid) is 'Retries a failed or cancelled job of the caller. Returns describe_submission. Raises MB001, MB002, MB004, MB006, MB010, MB012, MB015.';
grant execute on function retry_mashup(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.share_mashup(p_job_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_share public.mashup_shares;
begin
  perform mashup.count_request(mashup.caller(), 'share', 'max_shares_per_minute', 'That was many public links in one minute.');
  v_job := mashup.require_own_job(share_mashup.p_job_id);
  if mashup.setting_text('sharing_enabled') <> 'true' then
    perform mashup.raise_error('MB016', 'The operator has switched sharing off.', 'Download the mashup and send the file, or ask the operator.');
  elsif v_job.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', v_job.id, v_job.takedown_reason), 'Contact the operator.');
  end if;
  select * into v_share from public.mashup_shares s where s.job_id = v_job.id and s.revoked_at is null;
  if v_share.taken_down_at is not null then
    perform mashup.raise_error('MB015', format('The public link of mashup %s was taken down: %s', v_job.id, v_share.reason), 'Contact the operator.');
  elsif v_share.token is null then
    if v_job.stage <> 'complete' or v_job.result_path is null then
      perform mashup.raise_error('MB003', 'This mashup has no file, and so nothing to share.',
        mashup.hint_without_file(v_job));
    end if;
    insert into public.mashup_shares (token, job_id) values (mashup.new_share_token(), v_job.id) returning * into v_share;
    update public.mashup_jobs j set shared_at = v_share.created_at where j.id = v_job.id returning * into v_job;
    perform mashup.log_event(v_job, 'share', 'Shared by a public link');
  end if;
  return jsonb_build_object('token', v_share.token, 'created_at', v_share.created_at);
end
$function$;
comment on function share_mashup(uuid) is 'Makes the public link of a complete mashup of the caller, or returns the one it has: {token, created_at}. The link serves the current result until it is revoked or taken down. Lock order: the user''s counter, job, its links. Raises MB002, MB003, MB010, MB012, MB015, MB016.';
grant execute on function share_mashup(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.start_mashup(job_id uuid, options jsonb DEFAULT NULL::jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(mashup.caller(), false);
  v_job := mashup.require_own_job(start_mashup.job_id);
  return mashup.describe_submission(mashup.start(v_job.id, options), false);
end
$function$;
comment on function start_mashup(uuid,jsonb) is 'Starts a draft of the caller. Returns describe_submission. Raises MB002, MB004, MB006, MB009, MB010, MB012.';
grant execute on function start_mashup(uuid,jsonb) to authenticated;

CREATE OR REPLACE FUNCTION public.submit_mashup(songs jsonb, options jsonb DEFAULT '{}'::jsonb, hold text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_user uuid := mashup.caller();
  v_hash text := encode(sha256(convert_to(jsonb_build_array(songs, options, hold)::text, 'UTF8')), 'hex');
  v_job public.mashup_jobs;
begin
  if submit_mashup.hold is not null and submit_mashup.hold <> 'planning' then
    perform mashup.raise_error('MB006', format('A job cannot be held at "%s".', submit_mashup.hold), 'hold is "planning" or absent.');
  end if;
  if submit_mashup.idempotency_key is not null then
    v_job := mashup.find_idempotent_job(v_user, submit_mashup.idempotency_key, v_hash);
    if v_job.id is not null then
      return mashup.describe_submission(v_job, true);
    end if;
  end if;
  perform mashup.enforce_submission_limits(v_user, submit_mashup.hold is not null);
  v_job := mashup.insert_job(v_user,
    mashup.check_songs(v_user, submit_mashup.songs, case when submit_mashup.hold is null then 2 else 1 end),
    submit_mashup.options, submit_mashup.hold, submit_mashup.idempotency_key, v_hash, 'analyzing', null, null);
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_user, submit_mashup.idempotency_key, v_hash), true);
  end if;
  return mashup.describe_submission(v_job, false);
end
$function$;
comment on function submit_mashup(jsonb,jsonb,text,text) is 'Submits a mashup or a draft: songs [{song_id, name, artist, storage_path, stems}], 2 or 3 (a draft: 1 to 3); stems, of one''s own, are optional: the paths of some of vocals, drums, bass, other, instrumental; without storage_path the song is their sum; options MashupOptions; hold null or planning (a draft). A repeated idempotency_key returns the first job. Returns describe_submission. Raises MB004, MB005, MB006, MB008, MB010, MB012.';
grant execute on function submit_mashup(jsonb,jsonb,text,text) to authenticated;

CREATE OR REPLACE FUNCTION public.unshare_mashup(p_job_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  return mashup.end_share(mashup.require_own_job(unshare_mashup.p_job_id));
end
$function$;
comment on function unshare_mashup(uuid) is 'Revokes the public link of a mashup of the caller. Returns false if there is none. Lock order: job, its links. Raises MB002, MB010.';
grant execute on function unshare_mashup(uuid) to authenticated;

create view mashup.capacity as
 SELECT 'jobs'::text AS what,
    ( SELECT count(*) AS count
           FROM mashup_jobs
          WHERE (mashup_jobs.admitted_at IS NOT NULL)) AS in_use,
    (mashup.setting_number('max_running_jobs'::text))::integer AS at_most,
    ( SELECT count(*) AS count
           FROM mashup.waiting_jobs) AS waiting
UNION ALL
 SELECT c.service AS what,
    c.running AS in_use,
    c.at_most,
    c.waiting
   FROM mashup.circuits c
UNION ALL
 SELECT 'workers'::text AS what,
    ( SELECT count(*) AS count
           FROM mashup.tasks
          WHERE (tasks.state = 'running'::text)) AS in_use,
    COALESCE(( SELECT (sum(workers.concurrency))::integer AS sum
           FROM mashup.workers), 0) AS at_most,
    ( SELECT count(*) AS count
           FROM mashup.tasks
          WHERE (tasks.state = 'ready'::text)) AS waiting;
comment on view mashup.capacity is 'Use, limit and waiting line of slots, services and workers.';

create view mashup.circuits as
 SELECT h.service,
    h.state,
    h.failures AS failures_in_a_row,
    (h.retry_at - mashup.now()) AS probe_in,
    h.last_error,
    r.running,
    ( SELECT count(*) AS count
           FROM (mashup.tasks t
             JOIN mashup.task_kinds k ON ((k.kind = t.kind)))
          WHERE ((h.service = ANY (mashup.services_of(k.*))) AND (t.state = 'waiting'::text))) AS waiting,
    ( SELECT ((s.value ->> h.service))::integer AS int4
           FROM mashup.settings s
          WHERE (s.name = 'service_limits'::text)) AS at_most,
        CASE
            WHEN ((EXISTS ( SELECT
               FROM mashup.pauses p
              WHERE (((p.until IS NULL) OR (p.until > mashup.now())) AND ((p.scope = 'system'::text) OR ((p.scope = 'service'::text) AND (p.key = h.service)))))) OR ((EXISTS ( SELECT
               FROM mashup.pauses)) AND (EXISTS ( SELECT
               FROM mashup.task_kinds k
              WHERE (k.service = h.service))) AND (NOT (EXISTS ( SELECT
               FROM mashup.task_kinds k
              WHERE ((k.service = h.service) AND (NOT mashup.is_paused('kind'::text, k.kind)))))))) THEN 'paused'::text
            WHEN (h.state = 'open'::text) THEN 'unavailable'::text
            WHEN (h.state = 'half_open'::text) THEN 'being_probed'::text
            WHEN (q.silent_for IS NOT NULL) THEN 'silent'::text
            WHEN ((h.failures > 0) OR (h.faults > 0)) THEN 'failing'::text
            WHEN (h.unanswered_since IS NOT NULL) THEN 'not_answering'::text
            WHEN ((r.running = 0) AND ((h.heard_at IS NULL) OR (h.heard_at < (mashup.now() - ((3)::double precision * mashup.setting_interval('service_check_sec'::text)))))) THEN 'not_heard'::text
            ELSE 'available'::text
        END AS condition,
    h.faults AS faults_in_a_row,
    h.last_fault,
        CASE
            WHEN ((h.failures > 0) OR (h.state <> 'closed'::text)) THEN (mashup.now() - GREATEST(h.updated_at, h.fault_at))
            ELSE (mashup.now() - h.fault_at)
        END AS last_fault_ago,
    q.silent_for,
    (mashup.now() - h.heard_at) AS heard_ago,
    (mashup.now() - h.unanswered_since) AS unanswered_for
   FROM ((mashup.service_health h
     LEFT JOIN LATERAL ( SELECT count(*) AS running
           FROM (mashup.tasks t
             JOIN mashup.task_kinds k ON ((k.kind = t.kind)))
          WHERE ((h.service = ANY (mashup.services_of(k.*))) AND (t.state = 'running'::text))) r ON (true))
     LEFT JOIN LATERAL ( SELECT max((mashup.now() - t.heard_at)) AS silent_for
           FROM (mashup.tasks t
             JOIN mashup.task_kinds k ON ((k.kind = t.kind)))
          WHERE ((k.service = h.service) AND (t.state = 'running'::text) AND mashup.is_silent(t.*))) q ON (true))
  ORDER BY h.service;
comment on view mashup.circuits is 'Condition, circuit breaker, load and limit of each service, and of Storage, which has no limit.';
comment on column mashup.circuits.condition is 'paused, or all kinds of its tasks are; unavailable: its circuit is open; being_probed; silent: a running call has had no answer for half of the time after which it ends; failing: the last calls ended in faults; not_answering: it does not answer the checks of the workers; not_heard: no call of it runs, and no worker has checked it for three times service_check_sec; available: none of these.';

create view mashup.draft_jobs as
 SELECT id,
    user_id,
    stage,
    status,
    waiting_on,
    queue_position,
    progress,
    current_step,
    epoch,
    version,
    entry_stage,
    songs,
    options,
    score,
    title,
    concept,
    plan_version,
    result_path,
    result,
    playable,
    studio_version,
    error_code,
    error_message,
    error_hint,
    failed_task,
    stopped_stage,
    warnings,
    estimated_completion_at,
    estimate_note,
    parent_id,
    first_id,
    feedback,
    hold,
    fresh,
    admitted_at,
    idempotency_key,
    request_hash,
    traceparent,
    created_at,
    queued_at,
    stage_entered_at,
    updated_at,
    finished_at,
    expired_at,
    takedown_reason,
    shared_at
   FROM mashup_jobs
  WHERE ((hold = 'planning'::text) AND (stage = 'planning'::text));
comment on view mashup.draft_jobs is 'The drafts that wait for their user. Its condition is that of the index mashup_jobs_drafts.';

create view mashup.failures as
 SELECT j.error_code,
    COALESCE(k.kind, j.stopped_stage) AS failed_in,
    count(*) AS jobs,
    max(j.finished_at) AS last_at,
    (array_agg(j.error_message ORDER BY j.finished_at DESC))[1] AS last_message,
    (array_agg(j.error_hint ORDER BY j.finished_at DESC))[1] AS hint,
    (array_agg(j.id ORDER BY j.finished_at DESC))[1] AS last_job
   FROM (mashup_jobs j
     LEFT JOIN mashup.tasks k ON ((k.id = j.failed_task)))
  WHERE ((j.stage = 'failed'::text) AND (j.finished_at > (mashup.now() - '7 days'::interval)))
  GROUP BY j.error_code, COALESCE(k.kind, j.stopped_stage)
  ORDER BY (count(*)) DESC;
comment on view mashup.failures is 'Failed jobs of the last seven days, by error and kind of task.';

create view mashup.live_jobs as
 SELECT id,
    stage,
    waiting_on,
    progress,
    current_step,
    (mashup.now() - stage_entered_at) AS in_stage_for,
    ( SELECT count(*) AS count
           FROM mashup.tasks t
          WHERE ((t.job_id = j.id) AND (t.epoch = j.epoch) AND (t.state = 'running'::text))) AS running,
    ( SELECT count(*) AS count
           FROM mashup.tasks t
          WHERE ((t.job_id = j.id) AND (t.epoch = j.epoch) AND (t.state = 'ready'::text))) AS ready,
    ( SELECT count(*) AS count
           FROM mashup.tasks t
          WHERE ((t.job_id = j.id) AND (t.epoch = j.epoch) AND (t.state = 'waiting'::text))) AS waiting,
    epoch,
    user_id,
    created_at
   FROM mashup_jobs j
  WHERE (status = 'processing'::text)
  ORDER BY created_at;
comment on view mashup.live_jobs is 'Every live job, with the number of its tasks by state.';

create view mashup.place_limits as
 SELECT service,
    COALESCE(( SELECT ((s.value ->> k.service))::integer AS int4
           FROM mashup.settings s
          WHERE (s.name = 'service_limits'::text)), 1) AS at_most
   FROM ( SELECT DISTINCT task_kinds.service
           FROM mashup.task_kinds) k;
comment on view mashup.place_limits is 'How many places each service has.';

create view mashup.queue_by_user as
 SELECT user_id,
    count(*) FILTER (WHERE (admitted_at IS NOT NULL)) AS running,
    count(*) FILTER (WHERE ((admitted_at IS NULL) AND (waiting_on IS DISTINCT FROM 'user'::text))) AS waiting,
    count(*) FILTER (WHERE (waiting_on = 'user'::text)) AS drafts,
    (mashup.now() - min(queued_at) FILTER (WHERE ((admitted_at IS NULL) AND (waiting_on IS DISTINCT FROM 'user'::text)))) AS longest_wait
   FROM mashup_jobs j
  WHERE (status = 'processing'::text)
  GROUP BY user_id
  ORDER BY (count(*) FILTER (WHERE ((admitted_at IS NULL) AND (waiting_on IS DISTINCT FROM 'user'::text)))) DESC, (count(*) FILTER (WHERE (admitted_at IS NOT NULL))) DESC;
comment on view mashup.queue_by_user is 'Live jobs of each user: running, waiting, drafts.';

create view mashup.running_now as
 SELECT t.id AS task,
    t.kind,
    t.job_id,
    j.stage,
    j.user_id,
    (s.value ->> 'name'::text) AS song,
    date_trunc('second'::text, (mashup.now() - t.started_at)) AS running_for,
    round(EXTRACT(epoch FROM (mashup.now() - (t.lease_until - mashup.setting_interval('lease_sec'::text)))), 1) AS heartbeat_age_sec,
    (t.deadline_at - mashup.now()) AS may_take,
    t.failures,
    t.crashes,
    w.host,
    w.pid,
    t.worker_id
   FROM (((mashup.tasks t
     JOIN mashup_jobs j ON ((j.id = t.job_id)))
     LEFT JOIN mashup.workers w ON ((w.id = t.worker_id)))
     LEFT JOIN LATERAL jsonb_array_elements(j.songs) s(value) ON (((s.value ->> 'song_id'::text) = t.song_id)))
  WHERE (t.state = 'running'::text)
  ORDER BY t.started_at;
comment on view mashup.running_now is 'Every running task, with the age of its last heartbeat in seconds.';

create view mashup.stuck as
 WITH everywhere AS MATERIALIZED (
         SELECT s.cause,
            s.why
           FROM ( VALUES (1,'clock'::text,mashup.stuck_on_clock()), (2,'role'::text,mashup.stuck_on_role()), (3,'queue'::text,mashup.stuck_on_queue()), (4,'workers'::text,mashup.stuck_on_workers()), (5,'version'::text,mashup.stuck_on_version())) s(n, cause, why)
          WHERE (s.why IS NOT NULL)
          ORDER BY s.n
         LIMIT 1
        )
 SELECT j.id,
    j.stage,
    j.waiting_on,
    j.in_stage_for,
    c.cause,
    c.why
   FROM (mashup.live_jobs j
     CROSS JOIN LATERAL ( SELECT s.cause,
            s.why
           FROM ( VALUES (1,'pause'::text,
                        CASE
                            WHEN ((j.running = 0) AND (EXISTS ( SELECT
                               FROM mashup.pauses))) THEN mashup.stuck_on_pause(j.*)
                            ELSE NULL::text
                        END), (2,( SELECT e.cause
                           FROM everywhere e),
                        CASE
                            WHEN (((j.in_stage_for < '00:00:00'::interval) OR (j.in_stage_for > '00:00:30'::interval)) AND (NOT (EXISTS ( SELECT
                               FROM mashup.tasks t
                              WHERE ((t.job_id = j.id) AND (t.state = 'running'::text) AND (t.lease_until > mashup.now())))))) THEN ( SELECT e.why
                               FROM everywhere e)
                            ELSE NULL::text
                        END), (3,'circuit'::text,
                        CASE
                            WHEN (((j.running + j.ready) = 0) AND (j.waiting > 0)) THEN mashup.stuck_on_circuit(j.*)
                            ELSE NULL::text
                        END), (4,'lease'::text,
                        CASE
                            WHEN (j.running > 0) THEN mashup.stuck_on_lease(j.*)
                            ELSE NULL::text
                        END), (5,'silent_service'::text,
                        CASE
                            WHEN (j.running > 0) THEN mashup.stuck_on_silent_service(j.*)
                            ELSE NULL::text
                        END), (6,'busy_workers'::text,
                        CASE
                            WHEN (j.ready > 0) THEN mashup.stuck_on_busy_workers(j.*)
                            ELSE NULL::text
                        END), (7,'limit'::text,
                        CASE
                            WHEN (j.in_stage_for > '00:10:00'::interval) THEN mashup.stuck_on_limit(j.*)
                            ELSE NULL::text
                        END), (8,'hook'::text,
                        CASE
                            WHEN ((((j.running + j.ready) + j.waiting) = 0) AND (j.waiting_on IS DISTINCT FROM 'slot'::text)) THEN mashup.stuck_on_hook(j.*)
                            ELSE NULL::text
                        END), (9,'no_tasks'::text,
                        CASE
                            WHEN (j.waiting_on IS NULL) THEN mashup.stuck_without_tasks(j.*)
                            ELSE NULL::text
                        END)) s(n, cause, why)
          WHERE (s.why IS NOT NULL)
          ORDER BY s.n
         LIMIT 1) c)
  WHERE (j.waiting_on IS DISTINCT FROM 'user'::text);
comment on view mashup.stuck is 'Live jobs that make no progress, with the cause and what to do. Empty in normal operation.';

create view mashup.waiting_jobs as
 SELECT id,
    user_id,
    stage,
    status,
    waiting_on,
    queue_position,
    progress,
    current_step,
    epoch,
    version,
    entry_stage,
    songs,
    options,
    score,
    title,
    concept,
    plan_version,
    result_path,
    result,
    playable,
    studio_version,
    error_code,
    error_message,
    error_hint,
    failed_task,
    stopped_stage,
    warnings,
    estimated_completion_at,
    estimate_note,
    parent_id,
    first_id,
    feedback,
    hold,
    fresh,
    admitted_at,
    idempotency_key,
    request_hash,
    traceparent,
    created_at,
    queued_at,
    stage_entered_at,
    updated_at,
    finished_at,
    expired_at,
    takedown_reason,
    shared_at
   FROM mashup_jobs
  WHERE ((status = 'processing'::text) AND (admitted_at IS NULL) AND ((hold IS NULL) OR (stage <> 'planning'::text)));
comment on view mashup.waiting_jobs is 'The jobs that wait for a slot. Its condition is that of the indexes mashup_jobs_waiting and mashup_jobs_waiting_of_user.';

create policy "mashups: no changes but own" on storage.objects as restrictive for update to anon, authenticated
  using ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)))
  with check ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)));
create policy "mashups: no more uploads than allowed" on storage.objects as restrictive for insert to authenticated
  with check ((bucket_id <> 'mashups'::text) OR ( SELECT mashup.has_upload_quota() AS has_upload_quota));
create policy "mashups: no reads but own" on storage.objects as restrictive for select to authenticated
  using ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)) OR (((storage.foldername(name))[1] = 'generated'::text) AND (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.result_path = objects.name) AND (j.user_id = ( SELECT auth.uid() AS uid)))))) OR (((storage.foldername(name))[1] = 'generated'::text) AND ((storage.foldername(name))[3] ~ '[.](parts|stems)$'::text) AND (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE (((j.id)::text = (storage.foldername(objects.name))[2]) AND (j.user_id = ( SELECT auth.uid() AS uid)) AND (j.takedown_reason IS NULL))))));
create policy "mashups: no reads without a session" on storage.objects as restrictive for select to anon
  using (bucket_id <> 'mashups'::text);
create policy "mashups: no removals but own" on storage.objects as restrictive for delete to anon, authenticated
  using ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)));
create policy "mashups: no uploads but own" on storage.objects as restrictive for insert to anon, authenticated
  with check ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)));
create policy "mashups: own uploads and results" on storage.objects as permissive for select to authenticated
  using ((bucket_id = 'mashups'::text) AND ((((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)) OR (((storage.foldername(name))[1] = 'generated'::text) AND (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.result_path = objects.name) AND (j.user_id = ( SELECT auth.uid() AS uid)))))) OR (((storage.foldername(name))[1] = 'generated'::text) AND ((storage.foldername(name))[3] ~ '[.](parts|stems)$'::text) AND (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE (((j.id)::text = (storage.foldername(objects.name))[2]) AND (j.user_id = ( SELECT auth.uid() AS uid)) AND (j.takedown_reason IS NULL)))))));
create policy "mashups: own uploads change" on storage.objects as permissive for update to authenticated
  using ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text))
  with check ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text));
create policy "mashups: own uploads in" on storage.objects as permissive for insert to authenticated
  with check ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text));
create policy "mashups: own uploads out" on storage.objects as permissive for delete to authenticated
  using ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text));

CREATE TRIGGER mashup_delete_user_data AFTER DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION mashup.delete_user_data();
CREATE TRIGGER mashup_enqueue_file_deletions BEFORE DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION mashup.enqueue_file_deletions();

alter publication supabase_realtime add table public.mashup_jobs;

-- storage.buckets: {"id": "mashups", "public": false, "file_size_limit": 268435456}

-- mashup.stages
-- {"step": "Waiting for a free slot", "makes": null, "stage": "queued", "position": 0, "ends_early": false, "is_terminal": false, "progress_to": 0, "progress_from": 0}
-- {"step": "Analysing the songs", "makes": "the analysis of a song", "stage": "analyzing", "position": 1, "ends_early": false, "is_terminal": false, "progress_to": 50, "progress_from": 0}
-- {"step": "Comparing the songs", "makes": "the scores", "stage": "scoring", "position": 2, "ends_early": false, "is_terminal": false, "progress_to": 60, "progress_from": 50}
-- {"step": "Planning the mashup", "makes": "a current plan", "stage": "planning", "position": 3, "ends_early": false, "is_terminal": false, "progress_to": 75, "progress_from": 60}
-- {"step": "Separating the stems", "makes": "the stems of a song in the plan", "stage": "separating", "position": 4, "ends_early": true, "is_terminal": false, "progress_to": 80, "progress_from": 75}
-- {"step": "Rendering the mashup", "makes": "the result", "stage": "rendering", "position": 5, "ends_early": false, "is_terminal": false, "progress_to": 100, "progress_from": 80}
-- {"step": "Done", "makes": null, "stage": "complete", "position": 6, "ends_early": false, "is_terminal": true, "progress_to": 100, "progress_from": 100}
-- {"step": "Failed", "makes": null, "stage": "failed", "position": 7, "ends_early": false, "is_terminal": true, "progress_to": 100, "progress_from": 0}
-- {"step": "Cancelled", "makes": null, "stage": "cancelled", "position": 8, "ends_early": false, "is_terminal": true, "progress_to": 100, "progress_from": 0}

-- mashup.transitions
-- {"name": "admit", "made_by": "engine", "to_stage": "analyzing", "from_stage": "queued"}
-- {"name": "admit", "made_by": "engine", "to_stage": "planning", "from_stage": "queued"}
-- {"name": "advance", "made_by": "engine", "to_stage": "complete", "from_stage": "rendering"}
-- {"name": "advance", "made_by": "engine", "to_stage": "planning", "from_stage": "scoring"}
-- {"name": "advance", "made_by": "engine", "to_stage": "rendering", "from_stage": "separating"}
-- {"name": "advance", "made_by": "engine", "to_stage": "scoring", "from_stage": "analyzing"}
-- {"name": "advance", "made_by": "engine", "to_stage": "separating", "from_stage": "planning"}
-- {"name": "cancel", "made_by": "operator", "to_stage": "cancelled", "from_stage": "analyzing"}
-- {"name": "cancel", "made_by": "operator", "to_stage": "cancelled", "from_stage": "planning"}
-- {"name": "cancel", "made_by": "operator", "to_stage": "cancelled", "from_stage": "queued"}
-- {"name": "cancel", "made_by": "operator", "to_stage": "cancelled", "from_stage": "rendering"}
-- {"name": "cancel", "made_by": "operator", "to_stage": "cancelled", "from_stage": "scoring"}
-- {"name": "cancel", "made_by": "operator", "to_stage": "cancelled", "from_stage": "separating"}
-- {"name": "fail", "made_by": "engine", "to_stage": "failed", "from_stage": "analyzing"}
-- {"name": "fail", "made_by": "engine", "to_stage": "failed", "from_stage": "planning"}
-- {"name": "fail", "made_by": "engine", "to_stage": "failed", "from_stage": "queued"}
-- {"name": "fail", "made_by": "engine", "to_stage": "failed", "from_stage": "rendering"}
-- {"name": "fail", "made_by": "engine", "to_stage": "failed", "from_stage": "scoring"}
-- {"name": "fail", "made_by": "engine", "to_stage": "failed", "from_stage": "separating"}
-- {"name": "remake", "made_by": "engine", "to_stage": "separating", "from_stage": "rendering"}
-- {"name": "replan", "made_by": "engine", "to_stage": "planning", "from_stage": "planning"}
-- {"name": "replan", "made_by": "engine", "to_stage": "planning", "from_stage": "rendering"}
-- {"name": "replan", "made_by": "engine", "to_stage": "planning", "from_stage": "separating"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "analyzing"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "cancelled"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "complete"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "failed"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "planning"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "rendering"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "scoring"}
-- {"name": "replay", "made_by": "operator", "to_stage": "analyzing", "from_stage": "separating"}
-- {"name": "replay", "made_by": "operator", "to_stage": "planning", "from_stage": "cancelled"}
-- {"name": "replay", "made_by": "operator", "to_stage": "planning", "from_stage": "complete"}
-- {"name": "replay", "made_by": "operator", "to_stage": "planning", "from_stage": "failed"}
-- {"name": "replay", "made_by": "operator", "to_stage": "planning", "from_stage": "planning"}
-- {"name": "replay", "made_by": "operator", "to_stage": "planning", "from_stage": "rendering"}
-- {"name": "replay", "made_by": "operator", "to_stage": "planning", "from_stage": "separating"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "analyzing"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "cancelled"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "complete"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "failed"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "planning"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "queued"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "rendering"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "scoring"}
-- {"name": "replay", "made_by": "operator", "to_stage": "queued", "from_stage": "separating"}
-- {"name": "replay", "made_by": "operator", "to_stage": "rendering", "from_stage": "cancelled"}
-- {"name": "replay", "made_by": "operator", "to_stage": "rendering", "from_stage": "complete"}
-- {"name": "replay", "made_by": "operator", "to_stage": "rendering", "from_stage": "failed"}
-- {"name": "replay", "made_by": "operator", "to_stage": "rendering", "from_stage": "rendering"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "cancelled"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "complete"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "failed"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "planning"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "rendering"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "scoring"}
-- {"name": "replay", "made_by": "operator", "to_stage": "scoring", "from_stage": "separating"}
-- {"name": "replay", "made_by": "operator", "to_stage": "separating", "from_stage": "cancelled"}
-- {"name": "replay", "made_by": "operator", "to_stage": "separating", "from_stage": "complete"}
-- {"name": "replay", "made_by": "operator", "to_stage": "separating", "from_stage": "failed"}
-- {"name": "replay", "made_by": "operator", "to_stage": "separating", "from_stage": "rendering"}
-- {"name": "replay", "made_by": "operator", "to_stage": "separating", "from_stage": "separating"}

-- mashup.task_kinds
-- {"kind": "analyze", "stage": "analyzing", "service": "analysis", "priority": 0, "song_step": "Analysing", "song_state": "analyzing", "backoff_sec": 1, "output_path": null, "song_member": "analysis_id", "timeout_sec": 300, "max_attempts": 4, "uses_storage": true, "backoff_max_sec": 30, "reports_progress": false, "fallback_after_sec": null}
-- {"kind": "plan", "stage": "planning", "service": "orchestrator", "priority": -10, "song_step": null, "song_state": null, "backoff_sec": 2, "output_path": null, "song_member": null, "timeout_sec": 660, "max_attempts": 3, "uses_storage": false, "backoff_max_sec": 60, "reports_progress": true, "fallback_after_sec": 60}
-- {"kind": "render", "stage": "rendering", "service": "processing", "priority": -5, "song_step": null, "song_state": null, "backoff_sec": 2, "output_path": "generated/{job}/{epoch}-{claim}", "song_member": null, "timeout_sec": 1800, "max_attempts": 3, "uses_storage": true, "backoff_max_sec": 60, "reports_progress": true, "fallback_after_sec": null}
-- {"kind": "render_stems", "stage": "complete", "service": "processing", "priority": 20, "song_step": null, "song_state": null, "backoff_sec": 2, "output_path": "generated/{job}/{epoch}-{claim}", "song_member": null, "timeout_sec": 1800, "max_attempts": 3, "uses_storage": true, "backoff_max_sec": 60, "reports_progress": true, "fallback_after_sec": null}
-- {"kind": "score", "stage": "scoring", "service": "scoring", "priority": -10, "song_step": null, "song_state": null, "backoff_sec": 1, "output_path": null, "song_member": null, "timeout_sec": 60, "max_attempts": 4, "uses_storage": false, "backoff_max_sec": 30, "reports_progress": false, "fallback_after_sec": 20}
-- {"kind": "separate", "stage": "separating", "service": "separation", "priority": 10, "song_step": "Separating", "song_state": "separating", "backoff_sec": 2, "output_path": "stems/{user}/{job}/{song}/{claim}", "song_member": "stems_id", "timeout_sec": 1800, "max_attempts": 4, "uses_storage": true, "backoff_max_sec": 60, "reports_progress": true, "fallback_after_sec": null}

-- mashup.stage_stats
-- {"kind": "analyze", "samples": 0, "base_sec": 0.5, "mean_sec": 4, "edit_factor": 0.4, "is_by_length": false, "model_factor": 10, "per_song_sec": 0.02}
-- {"kind": "plan", "samples": 0, "base_sec": 1, "mean_sec": 3, "edit_factor": 0.4, "is_by_length": false, "model_factor": 10, "per_song_sec": 0}
-- {"kind": "render", "samples": 0, "base_sec": 4, "mean_sec": 20, "edit_factor": 0.4, "is_by_length": true, "model_factor": 10, "per_song_sec": 0.11}
-- {"kind": "render_stems", "samples": 0, "base_sec": 4, "mean_sec": 30, "edit_factor": 0.4, "is_by_length": false, "model_factor": 10, "per_song_sec": 0.12}
-- {"kind": "score", "samples": 0, "base_sec": 0.2, "mean_sec": 0.2, "edit_factor": 0.4, "is_by_length": false, "model_factor": 10, "per_song_sec": 0}
-- {"kind": "separate", "samples": 0, "base_sec": 0.5, "mean_sec": 6, "edit_factor": 0.4, "is_by_length": false, "model_factor": 10, "per_song_sec": 0.03}

-- mashup.settings
-- {"max": 1000000, "min": 0, "name": "analysis_retention_days", "type": "number", "unit": "days", "value": 365, "description": "Days without use after which cached analyses are deleted.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "call_limit_factor", "type": "integer", "unit": null, "value": 8, "description": "A call without events ends after this many times the measured duration for its songs, but not before call_limit_min_sec nor after timeout_sec of its kind.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "call_limit_min_sec", "type": "number", "unit": "seconds", "value": 60, "description": "Shortest limit of a call without events, in seconds.", "is_optional": false}
-- {"max": 100000000, "min": 1, "name": "circuit_failures", "type": "integer", "unit": null, "value": 5, "description": "Consecutive availability faults that open the circuit of a service.", "is_optional": false}
-- {"max": 31536000, "min": 0.1, "name": "circuit_open_max_sec", "type": "number", "unit": "seconds", "value": 300, "description": "Longest wait of an open circuit, in seconds.", "is_optional": false}
-- {"max": 31536000, "min": 0.1, "name": "circuit_open_sec", "type": "number", "unit": "seconds", "value": 15, "description": "Seconds for which an open circuit waits before it lets one probe through. Doubles up to circuit_open_max_sec.", "is_optional": false}
-- {"max": 3600, "min": 0.1, "name": "crash_grace_sec", "type": "number", "unit": "seconds", "value": 1, "description": "Seconds without a heartbeat after which the lock of a worker is examined.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "discard_after_sec", "type": "number", "unit": "seconds", "value": 900, "description": "Seconds after which the output of a claim without a result is deleted. Longer than a service may go on writing for an aborted call.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "draft_expires_hours", "type": "number", "unit": "hours", "value": 24, "description": "Hours after which a draft that is not started is cancelled.", "is_optional": false}
-- {"max": 3600, "min": 0.1, "name": "heartbeat_sec", "type": "number", "unit": "seconds", "value": 5, "description": "Seconds between two heartbeats of a running task.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "job_retention_days", "type": "number", "unit": "days", "value": 365, "description": "Days after which an ended job and its history are deleted.", "is_optional": false}
-- {"max": 3600, "min": 1, "name": "lease_sec", "type": "number", "unit": "seconds", "value": 30, "description": "Seconds without a heartbeat after which a running task is taken from its worker.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "mashup_stems_kept_days", "type": "number", "unit": "days", "value": 7, "description": "Days after which the stems of a mashup are deleted. They can be asked for again while the stems of its songs are kept.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_crashes_before_solo", "type": "integer", "unit": null, "value": 2, "description": "Lost workers after which a task runs only on a worker that runs nothing else.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_drafts_per_user", "type": "integer", "unit": null, "value": 20, "description": "Drafts of one user that wait for their user. One more is refused.", "is_optional": false}
-- {"max": 48, "min": 0, "name": "max_playable_parts", "type": "integer", "unit": null, "value": 40, "description": "Parts in which the beginning of a mashup is published while the rest is rendered. 0: it is not published.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_queued_jobs", "type": "integer", "unit": null, "value": 1000, "description": "Jobs that wait for a slot, all users together. One more is refused.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_queued_jobs_per_user", "type": "integer", "unit": null, "value": 20, "description": "Jobs of one user that wait for a slot. One more is refused.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_running_jobs", "type": "integer", "unit": null, "value": 4, "description": "Jobs that hold a slot at one time, all users together.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_running_jobs_per_user", "type": "integer", "unit": null, "value": 2, "description": "Jobs of one user that hold a slot at one time.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_shared_reads_per_minute", "type": "integer", "unit": null, "value": 6000, "description": "Requests in a minute for public links, all together.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_shared_reads_per_minute_per_client", "type": "integer", "unit": null, "value": 600, "description": "Requests in a minute of one network address for public links. Addresses are told apart in 4096 groups.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_shared_reads_per_minute_per_link", "type": "integer", "unit": null, "value": 1200, "description": "Requests in a minute that one public link answers: page, cover and audio together. All tokens without a mashup count as one link.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_shares_per_minute", "type": "integer", "unit": null, "value": 20, "description": "Public links that one user may ask for in a minute.", "is_optional": false}
-- {"max": 100000000, "min": 1, "name": "max_solo_crashes", "type": "integer", "unit": null, "value": 2, "description": "Workers lost in solo runs of a task after which the task fails.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_submits_per_minute", "type": "integer", "unit": null, "value": 30, "description": "Runs that one user may request in a minute: submissions, new versions, starts, retries and replays.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_uploads_per_minute", "type": "integer", "unit": null, "value": 60, "description": "Uploads that one user may request in a minute.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "max_uploads_per_user", "type": "integer", "unit": null, "value": 200, "description": "Files that one user may have below uploads/. One more is refused.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "openings_in_spare_places", "type": "integer", "unit": null, "value": 1, "description": "Places at the rendering service that have to be free for the opening of a mashup to be rendered while the rest of its songs is separated. 0: openings are not rendered.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "outbox_retry_sec", "type": "number", "unit": "seconds", "value": 600, "description": "Seconds after which a failed deletion of files is tried again.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "parts_kept_sec", "type": "number", "unit": "seconds", "value": 900, "description": "Seconds after the end of a mashup after which its playable parts are deleted. Longer than a listener may go on reading them.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "plan_assumed_cost_usd", "type": "number", "unit": "US dollars", "value": 0, "description": "US dollars that an answer counts for that names no cost, as answers of external services do.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "plan_budget_usd_per_day", "type": "number", "unit": "US dollars", "value": 50, "description": "US dollars that planning may cost on one day (UTC), all users together. null: no limit.", "is_optional": true}
-- {"max": 100000000, "min": 0, "name": "plan_budget_usd_per_job", "type": "number", "unit": "US dollars", "value": 2, "description": "US dollars that planning one job may cost, all its plans together; then plans are made by rules. null: no limit.", "is_optional": true}
-- {"max": 100000000, "min": 0, "name": "plan_budget_usd_per_user_per_day", "type": "number", "unit": "US dollars", "value": null, "description": "US dollars that planning all jobs of one user may cost on one day (UTC). null: no limit.", "is_optional": true}
-- {"max": 31536000, "min": 1, "name": "plan_call_timeout_sec", "type": "number", "unit": "seconds", "value": 200, "description": "Seconds that one call to the planning service may take. Keep it above the limit of the service for the model (MASHUP_CLAUDE_TIMEOUT_SEC, 180), so that a paid answer is received.", "is_optional": false}
-- {"max": 31536000, "min": 1, "name": "plan_max_length_sec", "type": "number", "unit": "seconds", "value": 240, "description": "Length of the longest mashup, in seconds.", "is_optional": false}
-- {"max": 31536000, "min": 1, "name": "plan_min_length_sec", "type": "number", "unit": "seconds", "value": 60, "description": "Length of the shortest mashup, in seconds, unless the songs are shorter.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "plan_spend_retention_days", "type": "number", "unit": "days", "value": 400, "description": "Days for which the ledger of planning costs is kept.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "progress_min_interval_sec", "type": "number", "unit": "seconds", "value": 1, "description": "Shortest time between two writes of progress, in seconds, unless progress rose by progress_min_step.", "is_optional": false}
-- {"max": 100, "min": 0, "name": "progress_min_step", "type": "number", "unit": "per cent", "value": 1, "description": "Rise of progress, in per cent, that is written at once.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "queue_schema", "type": "name", "unit": null, "value": "mashup_queue", "description": "Schema of the queue of Graphile Worker. Changed by `mashup migrate --queue-schema NAME`.", "is_optional": false}
-- {"max": 3600, "min": 0.1, "name": "reconcile_sec", "type": "number", "unit": "seconds", "value": 5, "description": "Seconds between two comparisons of ready tasks with the queue.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "replaced_stems_after_sec", "type": "number", "unit": "seconds", "value": 3600, "description": "Seconds after which stems are deleted that newer stems of the same song replaced. Longer than a render may go on reading them.", "is_optional": false}
-- {"max": 3600, "min": 0, "name": "restart_grace_sec", "type": "number", "unit": "seconds", "value": 10, "description": "Seconds after a restart of Postgres in which a free lock does not prove that its worker is lost, and after an interruption of the sweep in which a missed heartbeat does not prove it either.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "result_expires_days", "type": "number", "unit": "days", "value": 30, "description": "Days after which the file of a result is deleted. The job stays, with expired_at.", "is_optional": false}
-- {"max": 100000000, "min": 1, "name": "retention_batch", "type": "integer", "unit": null, "value": 200, "description": "Rows that one run of retention deletes at most.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "separate_early", "type": "time_of_separation", "unit": null, "value": "held", "description": "When songs are separated whole before their mashup is planned: held (of drafts, while they wait for their user), always, or never. Otherwise what the plan plays of them is separated after planning. External renderers need always.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "service_abort_hold_sec", "type": "numbers_by_service", "unit": "seconds", "value": {"scoring": 0, "analysis": 2, "processing": 2, "separation": 2, "orchestrator": 0}, "description": "Seconds for which an aborted call still counts against the limit of its service. Raise it for services that go on working on an aborted call.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "service_check_sec", "type": "number", "unit": "seconds", "value": 30, "description": "Seconds between two checks of a service that answers: a worker asks it for its health.", "is_optional": false}
-- {"max": 1000, "min": 0, "name": "service_limits", "type": "numbers_by_service", "unit": null, "value": {"scoring": 4, "analysis": 2, "processing": 1, "separation": 2, "orchestrator": 4}, "description": "Calls to each service at one time.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "service_recheck_sec", "type": "number", "unit": "seconds", "value": 5, "description": "Seconds between two checks of a service that does not answer.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "sharing_enabled", "type": "boolean", "unit": null, "value": true, "description": "Whether mashups can be shared by a public link. False: nobody can share one, and no link is served until it is true again.", "is_optional": false}
-- {"max": 31536000, "min": 0, "name": "silence_sec", "type": "number", "unit": "seconds", "value": 60, "description": "Seconds without an event after which a call that streams events ends as unanswered.", "is_optional": false}
-- {"max": 31536000, "min": 1, "name": "song_max_sec", "type": "number", "unit": "seconds", "value": 900, "description": "Length of the longest song, in seconds.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "stems_retention_days", "type": "number", "unit": "days", "value": 7, "description": "Days without use after which cached stems are deleted.", "is_optional": false}
-- {"max": 5368709120, "min": 1000000, "name": "storage_max_bytes", "type": "integer", "unit": "bytes", "value": 52428800, "description": "Size of the largest file that Storage accepts, in bytes: the global limit of the project. Stems are split, and results delivered in a smaller format, to keep it.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "studio_version_by_default", "type": "boolean", "unit": null, "value": false, "description": "Whether mashups are first made with classical stems and then with those of the separation model, where the submission does not say it. Without a model there is one result.", "is_optional": false}
-- {"max": 100000000, "min": 0, "name": "task_log_max_lines", "type": "integer", "unit": null, "value": 500, "description": "Log lines that are kept of each task, the newest ones. 0: workers write none to the database.", "is_optional": false}
-- {"max": 1000000, "min": 0, "name": "task_logs_kept_days", "type": "number", "unit": "days", "value": 7, "description": "Days after which log lines of tasks are deleted.", "is_optional": false}
-- {"max": 5368709120, "min": 1, "name": "upload_max_bytes", "type": "integer", "unit": "bytes", "value": 52428800, "description": "Size of the largest upload, in bytes.", "is_optional": false}
