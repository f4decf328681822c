-- A snapshot of the database schema, read from the catalog after all migrations. Do not edit and do not run it.
-- Sources: supabase/schemas/. Update with: npm run schema:snapshot

create schema mashup;
comment on schema mashup is 'The mashup engine''s state machine. Not exposed by the API.';
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
comment on table mashup.analyses is 'Cache of analyses by owner, content and analyser. Never shared between users.';
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
comment on table mashup.call_counts is 'Calls of a user in the minute that began at since; one row a user and action.';

create table mashup.maintenance_runs (
  name text not null,
  done_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  constraint maintenance_runs_pkey PRIMARY KEY (name)
);
comment on table mashup.maintenance_runs is 'When each periodic duty was done last, by whichever worker.';

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
comment on table mashup.pauses is 'What an operator has paused. A paused task finishes what it is doing; nothing new starts.';
grant select on mashup.pauses to mashup_worker;
CREATE TRIGGER mark_pause AFTER INSERT OR DELETE OR UPDATE ON mashup.pauses FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule();
CREATE TRIGGER mark_waits AFTER INSERT OR DELETE OR UPDATE ON mashup.pauses FOR EACH STATEMENT EXECUTE FUNCTION mashup.mark_all_jobs_stale();
CREATE CONSTRAINT TRIGGER release_pause AFTER INSERT OR DELETE OR UPDATE ON mashup.pauses DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();

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
comment on table mashup.plan_receipts is 'Answers that were paid for. Append-only and not fenced: even a late worker''s answer is kept and used.';
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
comment on table mashup.plan_spend is 'What was paid for plans, by day (UTC) and user. Stays when a job is deleted, so that deleting does not refill a budget.';
grant select on mashup.plan_spend to mashup_worker;

create table mashup.scores (
  job_id uuid not null,
  epoch integer not null,
  pairs jsonb not null,
  created_at timestamp with time zone default mashup.now() not null,
  constraint scores_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint scores_pkey PRIMARY KEY (job_id, epoch)
);
comment on table mashup.scores is 'Pair scores of a job, one row for each time they were worked out; the newest counts.';
grant select on mashup.scores to mashup_worker;

create table mashup.service_health (
  service text not null,
  state text default 'closed'::text not null,
  failures integer default 0 not null,
  opens integer default 0 not null,
  opened_at timestamp with time zone,
  retry_at timestamp with time zone,
  probe_task bigint,
  last_error text,
  updated_at timestamp with time zone default mashup.now() not null,
  constraint service_health_pkey PRIMARY KEY (service),
  constraint service_health_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])))
);
comment on table mashup.service_health is 'One circuit breaker a service. open: its tasks wait; half_open: one probe is on its way.';
grant select on mashup.service_health to mashup_worker;
CREATE TRIGGER mark_waits AFTER UPDATE OF state ON mashup.service_health FOR EACH ROW WHEN (((old.state = 'closed'::text) <> (new.state = 'closed'::text))) EXECUTE FUNCTION mashup.mark_all_jobs_stale();

create table mashup.settings (
  name text not null,
  value jsonb not null,
  description text not null,
  constraint settings_pkey PRIMARY KEY (name)
);
comment on table mashup.settings is 'Every limit by name. Change with update; read by the next transaction.';
grant select on mashup.settings to mashup_worker;
CREATE TRIGGER mark_setting AFTER UPDATE ON mashup.settings FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule();
CREATE CONSTRAINT TRIGGER release_setting AFTER UPDATE ON mashup.settings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();

create table mashup.stage_stats (
  kind text not null,
  samples integer default 0 not null,
  base_sec real not null,
  per_song_sec real not null,
  mean_sec real not null,
  constraint stage_stats_kind_fkey FOREIGN KEY (kind) REFERENCES mashup.task_kinds(kind),
  constraint stage_stats_pkey PRIMARY KEY (kind)
);
comment on table mashup.stage_stats is 'Measured durations by kind of task: the source of estimates. Starts with guesses, corrected as tasks end.';

create table mashup.stages (
  stage text not null,
  "position" smallint not null,
  is_terminal boolean not null,
  progress_from real not null,
  progress_to real not null,
  step text not null,
  constraint stages_pkey PRIMARY KEY (stage),
  constraint stages_position_key UNIQUE ("position")
);
comment on table mashup.stages is 'The states of a job, in order, with the band of progress that each covers and what the user reads on entry.';
grant select on mashup.stages to mashup_worker;

create table mashup.stems (
  id bigint generated always as identity not null,
  user_id uuid not null,
  content_hash text not null,
  model text not null,
  paths jsonb not null,
  created_at timestamp with time zone default mashup.now() not null,
  used_at timestamp with time zone default mashup.now() not null,
  constraint stems_pkey PRIMARY KEY (id),
  constraint stems_user_id_content_hash_model_key UNIQUE (user_id, content_hash, model)
);
comment on table mashup.stems is 'Cache of stems by owner, content and model. paths: stem name to object path.';
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
comment on table mashup.storage_deletions is 'Outbox: objects that a worker deletes through the Storage API. Rows of storage.objects are never deleted by SQL.';
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
  constraint task_kinds_max_attempts_check CHECK ((max_attempts > 0)),
  constraint task_kinds_pkey PRIMARY KEY (kind),
  constraint task_kinds_stage_fkey FOREIGN KEY (stage) REFERENCES mashup.stages(stage)
);
comment on table mashup.task_kinds is 'What each kind of task needs and how it is retried. priority: lower runs first. timeout_sec: longest time one attempt may take.';
grant select on mashup.task_kinds to mashup_worker;

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
  is_probe boolean default false not null,
  fallback boolean default false not null,
  claim uuid,
  worker_id uuid,
  started_at timestamp with time zone,
  lease_until timestamp with time zone,
  deadline_at timestamp with time zone,
  held_until timestamp with time zone,
  output_prefix text,
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
comment on table mashup.tasks is 'One row a unit of work. waiting: not yet allowed; ready: has a wake-up; running: held by a worker under a claim.';
CREATE INDEX tasks_by_job ON mashup.tasks USING btree (job_id, epoch);
CREATE INDEX tasks_holding ON mashup.tasks USING btree (held_until) WHERE (held_until IS NOT NULL);
CREATE INDEX tasks_ready ON mashup.tasks USING btree (run_at) WHERE (state = 'ready'::text);
CREATE INDEX tasks_running ON mashup.tasks USING btree (worker_id) WHERE (state = 'running'::text);
CREATE INDEX tasks_waiting ON mashup.tasks USING btree (kind, run_at, id) WHERE (state = 'waiting'::text);
CREATE UNIQUE INDEX tasks_one_live ON mashup.tasks USING btree (job_id, epoch, kind, song_id) NULLS NOT DISTINCT WHERE (state <> ALL (ARRAY['dropped'::text, 'failed'::text]));
grant select on mashup.tasks to mashup_worker;
CREATE TRIGGER mark_new_task AFTER INSERT ON mashup.tasks FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule_for_task();
CREATE TRIGGER mark_ready_task AFTER UPDATE OF state ON mashup.tasks FOR EACH ROW WHEN (((old.state = 'waiting'::text) AND (new.state = 'ready'::text))) EXECUTE FUNCTION mashup.mark_ready_job_stale();
CREATE TRIGGER mark_task AFTER UPDATE OF state ON mashup.tasks FOR EACH ROW WHEN (((new.state = 'waiting'::text) OR ((old.state = ANY (ARRAY['running'::text, 'ready'::text])) AND (new.state <> ALL (ARRAY['running'::text, 'ready'::text]))))) EXECUTE FUNCTION mashup.request_schedule_for_task();
CREATE CONSTRAINT TRIGGER release_new_task AFTER INSERT ON mashup.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();
CREATE CONSTRAINT TRIGGER release_task AFTER UPDATE OF state ON mashup.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.state = 'waiting'::text) OR ((old.state = ANY (ARRAY['running'::text, 'ready'::text])) AND (new.state <> ALL (ARRAY['running'::text, 'ready'::text]))))) EXECUTE FUNCTION mashup.schedule_at_commit();

create table mashup.transitions (
  from_stage text not null,
  to_stage text not null,
  name text not null,
  made_by text not null,
  needs text,
  constraint transitions_from_stage_fkey FOREIGN KEY (from_stage) REFERENCES mashup.stages(stage),
  constraint transitions_made_by_check CHECK ((made_by = ANY (ARRAY['engine'::text, 'operator'::text]))),
  constraint transitions_name_check CHECK ((name = ANY (ARRAY['admit'::text, 'advance'::text, 'fail'::text, 'replan'::text, 'cancel'::text, 'replay'::text]))),
  constraint transitions_needs_check CHECK ((needs = ANY (ARRAY['analyses'::text, 'scores'::text, 'plan'::text, 'stems'::text]))),
  constraint transitions_pkey PRIMARY KEY (from_stage, to_stage, name),
  constraint transitions_to_stage_fkey FOREIGN KEY (to_stage) REFERENCES mashup.stages(stage)
);
comment on table mashup.transitions is 'The legal moves: who makes them, and what must be there first. Read by check_transition, by the tests and by the diagram in docs/explanation/architecture.md.';

create table mashup.workers (
  id uuid not null,
  host text not null,
  pid integer not null,
  pool_ids text[] default '{}'::text[] not null,
  lock_key bigint not null,
  version text not null,
  concurrency integer default 1 not null,
  services jsonb default '{}'::jsonb not null,
  solo_task bigint,
  registered_at timestamp with time zone default mashup.now() not null,
  seen_at timestamp with time zone default mashup.now() not null,
  draining boolean default false not null,
  constraint workers_lock_key_key UNIQUE (lock_key),
  constraint workers_pkey PRIMARY KEY (id)
);
comment on table mashup.workers is 'Worker processes. Each holds a session advisory lock on lock_key: the lock is gone as soon as the process is.';
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
  constraint mashup_job_events_type_check CHECK ((type = ANY (ARRAY['submitted'::text, 'stage'::text, 'task'::text, 'retry'::text, 'warning'::text, 'error'::text, 'replay'::text, 'cancel'::text, 'pause'::text, 'resume'::text, 'release'::text, 'expired'::text])))
);
comment on table public.mashup_job_events is 'Append-only history of a job. actor and detail are for operators: tenants have no right to those columns.';
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
  error_code text,
  error_message text storage main,
  error_hint text storage main,
  failed_task bigint,
  stopped_stage text,
  warnings jsonb storage main default '[]'::jsonb not null,
  estimated_completion_at timestamp with time zone,
  parent_id uuid,
  feedback text storage main,
  hold text,
  fresh boolean default false not null,
  admitted_at timestamp with time zone,
  idempotency_key text,
  request_hash text,
  created_at timestamp with time zone default mashup.now() not null,
  queued_at timestamp with time zone default mashup.now() not null,
  stage_entered_at timestamp with time zone default mashup.now() not null,
  updated_at timestamp with time zone default mashup.now() not null,
  finished_at timestamp with time zone,
  expired_at timestamp with time zone,
  constraint complete_has_a_result CHECK (((stage <> 'complete'::text) OR (result_path IS NOT NULL) OR (expired_at IS NOT NULL))),
  constraint failed_has_an_error CHECK (((stage = 'failed'::text) = (error_code IS NOT NULL))),
  constraint mashup_jobs_concept_check CHECK ((length(concept) <= 600)),
  constraint mashup_jobs_current_step_check CHECK ((length(current_step) <= 200)),
  constraint mashup_jobs_entry_stage_fkey FOREIGN KEY (entry_stage) REFERENCES mashup.stages(stage),
  constraint mashup_jobs_error_code_check CHECK ((length(error_code) <= 60)),
  constraint mashup_jobs_error_hint_check CHECK ((length(error_hint) <= 300)),
  constraint mashup_jobs_error_message_check CHECK ((length(error_message) <= 500)),
  constraint mashup_jobs_feedback_check CHECK ((length(feedback) <= 1000)),
  constraint mashup_jobs_hold_check CHECK ((hold = 'planning'::text)),
  constraint mashup_jobs_idempotency_key_check CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 200))),
  constraint mashup_jobs_pkey PRIMARY KEY (id),
  constraint mashup_jobs_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (100)::double precision))),
  constraint mashup_jobs_result_path_check CHECK ((length(result_path) <= 300)),
  constraint mashup_jobs_songs_check CHECK (((jsonb_typeof(songs) = 'array'::text) AND ((jsonb_array_length(songs) >= 1) AND (jsonb_array_length(songs) <= 3)))),
  constraint mashup_jobs_stage_fkey FOREIGN KEY (stage) REFERENCES mashup.stages(stage),
  constraint mashup_jobs_status_check CHECK ((status = ANY (ARRAY['processing'::text, 'complete'::text, 'failed'::text, 'cancelled'::text]))),
  constraint mashup_jobs_stopped_stage_fkey FOREIGN KEY (stopped_stage) REFERENCES mashup.stages(stage),
  constraint mashup_jobs_title_check CHECK ((length(title) <= 200)),
  constraint mashup_jobs_waiting_on_check CHECK ((waiting_on = ANY (ARRAY['slot'::text, 'tasks'::text, 'circuit'::text, 'pause'::text, 'user'::text]))),
  constraint mashup_jobs_warnings_check CHECK ((jsonb_typeof(warnings) = 'array'::text)),
  constraint row_is_slim CHECK (((octet_length((songs)::text) <= 3000) AND (octet_length((options)::text) <= 900) AND (octet_length(COALESCE((result)::text, ''::text)) <= 1000) AND (octet_length((warnings)::text) <= 1500))),
  constraint status_follows_stage CHECK ((status =
CASE
    WHEN (stage = ANY (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text])) THEN stage
    ELSE 'processing'::text
END))
) with (fillfactor=70, toast_tuple_target=8160);
comment on table public.mashup_jobs is 'One row a job. `update … set stage = …` replays it from there. Slim: each change carries the whole row to its watchers.';
CREATE INDEX mashup_jobs_by_user ON public.mashup_jobs USING btree (user_id, created_at DESC);
CREATE INDEX mashup_jobs_children ON public.mashup_jobs USING btree (parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX mashup_jobs_drafts ON public.mashup_jobs USING btree (stage_entered_at) WHERE ((hold = 'planning'::text) AND (stage = 'planning'::text));
CREATE INDEX mashup_jobs_expiring ON public.mashup_jobs USING btree (finished_at) WHERE ((stage = 'complete'::text) AND (expired_at IS NULL) AND (result_path IS NOT NULL));
CREATE INDEX mashup_jobs_failed ON public.mashup_jobs USING btree (error_code, finished_at) WHERE (stage = 'failed'::text);
CREATE INDEX mashup_jobs_finished ON public.mashup_jobs USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX mashup_jobs_live ON public.mashup_jobs USING btree (user_id) WHERE ((stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text])) AND (admitted_at IS NOT NULL));
CREATE INDEX mashup_jobs_waiting ON public.mashup_jobs USING btree (queued_at, id) WHERE ((stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text])) AND (admitted_at IS NULL) AND ((hold IS NULL) OR (stage <> 'planning'::text)));
CREATE INDEX mashup_jobs_waiting_of_user ON public.mashup_jobs USING btree (user_id, queued_at, id) WHERE ((stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text])) AND (admitted_at IS NULL) AND ((hold IS NULL) OR (stage <> 'planning'::text)));
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
CREATE TRIGGER enqueue_file_deletions BEFORE DELETE ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.enqueue_file_deletions();
CREATE TRIGGER mark_job AFTER UPDATE ON public.mashup_jobs FOR EACH ROW WHEN (((new.admitted_at IS NULL) AND ((old.admitted_at IS NOT NULL) OR (old.hold IS DISTINCT FROM new.hold) OR (old.epoch <> new.epoch)))) EXECUTE FUNCTION mashup.request_schedule();
CREATE TRIGGER mark_new_job AFTER INSERT ON public.mashup_jobs FOR EACH ROW EXECUTE FUNCTION mashup.request_schedule();
CREATE CONSTRAINT TRIGGER release_job AFTER UPDATE ON public.mashup_jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.admitted_at IS NULL) AND ((old.admitted_at IS NOT NULL) OR (old.hold IS DISTINCT FROM new.hold) OR (old.epoch <> new.epoch)))) EXECUTE FUNCTION mashup.schedule_at_commit();
CREATE CONSTRAINT TRIGGER release_new_job AFTER INSERT ON public.mashup_jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mashup.schedule_at_commit();
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
  created_at timestamp with time zone default mashup.now() not null,
  constraint mashup_plans_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint mashup_plans_pkey PRIMARY KEY (job_id, version),
  constraint mashup_plans_source_check CHECK ((source = ANY (ARRAY['claude'::text, 'rules'::text])))
);
comment on table public.mashup_plans is 'Every plan that was made for a job; mashup_jobs.plan_version points to the current one.';
alter table public.mashup_plans enable row level security;
create policy "plans of own jobs" on mashup_plans as permissive for select to authenticated
  using (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.id = mashup_plans.job_id) AND (j.user_id = ( SELECT auth.uid() AS uid)))));
grant select on public.mashup_plans to mashup_worker;
grant select on public.mashup_plans to service_role;
grant select (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes, created_at) on public.mashup_plans to authenticated;

create table public.mashup_results (
  job_id uuid not null,
  epoch integer not null,
  path text not null,
  quality jsonb not null,
  plan_version integer,
  created_at timestamp with time zone default mashup.now() not null,
  constraint mashup_results_job_id_fkey FOREIGN KEY (job_id) REFERENCES mashup_jobs(id) ON DELETE CASCADE,
  constraint mashup_results_pkey PRIMARY KEY (job_id, epoch)
);
comment on table public.mashup_results is 'Every result that was rendered; mashup_jobs.result_path points to the current one.';
alter table public.mashup_results enable row level security;
create policy "results of own jobs" on mashup_results as permissive for select to authenticated
  using (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.id = mashup_results.job_id) AND (j.user_id = ( SELECT auth.uid() AS uid)))));
grant select on public.mashup_results to authenticated;
grant select on public.mashup_results to mashup_worker;
grant select on public.mashup_results to service_role;

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
comment on function begin_upload() is 'Counts an upload of the caller. Raises MB004, MB010, MB012.';
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
comment on function cancel_mashup(uuid) is 'Cancels the caller''s job. Raises MB001, MB002, MB010.';
grant execute on function cancel_mashup(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.delete_mashup(job_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs := mashup.require_own_job(delete_mashup.job_id);
begin
  if v_job.status = 'processing' then
    perform mashup.cancel(v_job.id);
  end if;
  delete from public.mashup_jobs j where j.id = v_job.id;
end
$function$;
comment on function delete_mashup(uuid) is 'Deletes the caller''s job with its files. Raises MB002, MB010.';
grant execute on function delete_mashup(uuid) to authenticated;

CREATE OR REPLACE FUNCTION public.get_mashup(job_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select to_jsonb(j) || jsonb_build_object(
    'plan', (select p.plan from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_source', (select p.source from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_changes', (select p.changes from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'quality', (select r.quality from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
    'server_now', mashup.now())
  from public.mashup_jobs j where j.id = get_mashup.job_id
$function$;
comment on function get_mashup(uuid) is 'One job with its current plan and quality report, under the caller''s row policies; null if it is not theirs.';
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
    'scores', (select s.pairs from mashup.scores s where s.job_id = v_job.id order by s.epoch desc limit 1));
end
$function$;
comment on function get_mashup_analyses(uuid) is 'Analyses by song id and pair scores of the caller''s job. Raises MB002, MB010.';
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
comment on function get_mashup_stems(uuid) is 'Songs of a job with the paths of their cached stems. Raises MB002, MB010.';
grant execute on function get_mashup_stems(uuid) to authenticated;
grant execute on function get_mashup_stems(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.iterate_mashup(parent_id uuid, feedback text, options jsonb DEFAULT '{}'::jsonb, idempotency_key text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  -- Only read: a new job waits for its user, who must not be waited for with a job in hand.
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
  if v_parent.plan_version is null or mashup.missing_prerequisite(v_parent, 'planning') is not null then
    perform mashup.raise_error('MB003', 'This mashup has no plan to change yet.', 'Wait until it is planned, or submit the songs again.');
  end if;
  perform mashup.enforce_submission_limits(v_parent.user_id, false);
  v_job := mashup.insert_job(v_parent.user_id, v_parent.songs, v_parent.options || mashup.check_options(iterate_mashup.options), null,
    iterate_mashup.idempotency_key, v_hash, 'planning', v_parent.id, trim(iterate_mashup.feedback));
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_parent.user_id, iterate_mashup.idempotency_key, v_hash), true);
  end if;
  insert into mashup.scores (job_id, epoch, pairs)
    select v_job.id, v_job.epoch, s.pairs from mashup.scores s where s.job_id = v_parent.id order by s.epoch desc limit 1;
  update public.mashup_jobs set score = v_parent.score where id = v_job.id;
  return mashup.describe_submission(v_job, false);
end
$function$;
comment on function iterate_mashup(uuid,text,jsonb,text) is 'Submits a new version of a mashup. Raises MB002, MB003, MB004, MB005, MB006, MB010, MB012.';
grant execute on function iterate_mashup(uuid,text,jsonb,text) to authenticated;

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
comment on function mashup.active_songs(jsonb) is 'The cards of the songs that were not dropped, in order.';

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
comment on function mashup.actor() is 'Who is acting, as the history names it.';

CREATE OR REPLACE FUNCTION mashup.add_warning(p_warnings jsonb, p_code text, p_message text, p_stage text)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  -- At most six, so that the row stays slim; the history has them all.
  return case when jsonb_array_length(p_warnings) >= 6 then p_warnings
    else p_warnings || jsonb_build_object('code', p_code, 'message', mashup.truncate_bytes(p_message, 180), 'stage', p_stage) end;
end
$function$;
comment on function mashup.add_warning(jsonb,text,text,text) is 'The warnings with one more.';

CREATE OR REPLACE FUNCTION mashup.admit_jobs()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_free integer;
  v_job public.mashup_jobs;
begin
  if not exists (select from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')) then
    return;
  end if;
  select mashup.setting_number('max_running_jobs')::integer - count(*) into v_free
    from public.mashup_jobs where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null;
  while v_free > 0 loop
    v_job := mashup.next_admission();
    exit when v_job.id is null;
    if v_job.stage = 'queued' then
      perform mashup.transition_job(v_job.id, v_job.entry_stage, 'admit');
    else
      update public.mashup_jobs j set admitted_at = mashup.now(), waiting_on = null, queue_position = null,
          current_step = (select s.step from mashup.stages s where s.stage = j.stage),
          estimated_completion_at = mashup.estimate_completion(v_job)
        where j.id = v_job.id returning * into v_job;
      perform mashup.create_tasks(v_job);
      perform mashup.advance_job(v_job.id);
    end if;
    v_free := v_free - 1;
  end loop;
end
$function$;
comment on function mashup.admit_jobs() is 'Gives free slots to waiting jobs. Caller holds the release lock.';

CREATE OR REPLACE FUNCTION mashup.advance_job(p_job_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where id = p_job_id for no key update;
  if v_job.admitted_at is null or v_job.stage in ('queued', 'complete', 'failed', 'cancelled') then
    return;
  end if;
  if v_job.stage = 'separating' then
    if mashup.has_stems(v_job) then
      perform mashup.transition_job(p_job_id, 'rendering', 'advance');
    elsif not exists (select from mashup.tasks t where t.job_id = p_job_id and t.epoch = v_job.epoch and t.kind = 'separate'
                      and t.state in ('waiting', 'ready', 'running')) then
      -- Stems that were there went meanwhile: they are made again.
      perform mashup.create_tasks(v_job);
    end if;
    return;
  end if;
  if exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
             where t.job_id = p_job_id and t.epoch = v_job.epoch and k.stage = v_job.stage
               and t.state in ('waiting', 'ready', 'running')) then
    return;
  end if;
  if v_job.stage = 'analyzing' then
    perform mashup.transition_job(p_job_id, 'scoring', 'advance');
  elsif not exists (select from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
             where t.job_id = p_job_id and t.epoch = v_job.epoch and k.stage = v_job.stage and t.state = 'done') then
    return;
  elsif v_job.stage = 'scoring' then
    perform mashup.transition_job(p_job_id, 'planning', 'advance');
  elsif v_job.stage = 'planning' then
    perform mashup.transition_job(p_job_id, 'separating', 'advance');
  elsif v_job.stage = 'rendering' then
    perform mashup.transition_job(p_job_id, 'complete', 'advance');
  end if;
end
$function$;
comment on function mashup.advance_job(uuid) is 'Moves a job on when its stage has nothing left to do. Lock: job row.';

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
  v_type text;
begin
  v_type := case
    when new.stage = 'cancelled' then 'cancel'
    when new.stage = 'failed' then 'error'
    when new.epoch > old.epoch then 'replay'
    else 'stage' end;
  perform mashup.log_event(new, v_type,
    case v_type
      when 'replay' then format('Replayed from %s', new.stage)
      when 'error' then coalesce(new.error_message, 'Failed')
      else (select step from mashup.stages where stage = new.stage) end,
    old.stage, null,
    case when v_type = 'error' then jsonb_build_object('code', new.error_code, 'task', new.failed_task) end);
  if new.epoch > old.epoch then
    perform mashup.drop_tasks(new, case new.stage when 'cancelled' then 'cancelled' when 'failed' then 'failed' else 'replayed' end);
  elsif new.stage = 'complete' then
    -- Songs that the plan does without may still be on their way to their stems.
    perform mashup.drop_tasks(new, 'not_needed');
  end if;
  if not (select is_terminal from mashup.stages where stage = new.stage) then
    perform mashup.create_tasks(new);
    -- Nothing to do in this stage (all in the cache): on to the next within the same transaction.
    if new.admitted_at is not null then
      perform mashup.advance_job(new.id);
    end if;
  end if;
  return null;
end
$function$;
comment on function mashup.after_transition() is 'Trigger: what follows a move, in its transaction.';

CREATE OR REPLACE FUNCTION mashup.bulk(p_operation text, p_stage text DEFAULT NULL::text, p_error_code text DEFAULT NULL::text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_stopped_stage text DEFAULT NULL::text, p_user_id uuid DEFAULT NULL::uuid, p_to_stage text DEFAULT NULL::text, p_limit integer DEFAULT 100, p_after uuid DEFAULT NULL::uuid)
 RETURNS TABLE(job_id uuid, outcome text, message text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_id uuid;
begin
  if p_operation not in ('replay', 'retry', 'cancel') then
    perform mashup.raise_error('MB006', format('There is no bulk verb "%s".', p_operation), 'Use replay, retry or cancel.');
  end if;
  for v_id in select s.id from mashup.select_jobs(p_stage, p_error_code, p_since, p_stopped_stage, p_user_id, p_limit, p_after) s loop
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
comment on function mashup.bulk(text,text,text,timestamp with time zone,text,uuid,text,integer,uuid) is 'A verb over the jobs that a filter selects, one batch in id order.';

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
comment on function mashup.caller() is 'The signed-in user; raises MB010 if there is none.';

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
  if v_job.stage <> 'cancelled' then
    update public.mashup_jobs j set stage = 'cancelled' where j.id = p_job_id returning * into v_job;
  end if;
  return v_job;
end
$function$;
comment on function mashup.cancel(uuid) is 'Cancels a live job; workers abort within a second. Raises MB001, MB002.';

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
  return coalesce(p_options, '{}');
end
$function$;
comment on function mashup.check_options(jsonb) is 'The options of a submission. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.check_songs(p_user uuid, p_songs jsonb, p_least integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_song jsonb;
  v_count integer;
  v_object record;
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
    if coalesce(v_song ->> 'song_id', '') !~ '^[A-Za-z0-9_-]{1,64}$' or coalesce(v_song ->> 'name', '') = ''
       or coalesce(v_song ->> 'storage_path', '') = '' then
      perform mashup.raise_error('MB006', 'A song is not complete.', 'Each song needs song_id (letters, digits, - and _), name and storage_path.', 'invalid_song');
    end if;
    if octet_length(v_song ->> 'storage_path') > 250 then
      perform mashup.raise_error('MB006', format('The path of %s is too long.', v_song ->> 'name'), 'Upload it under a shorter name.', 'invalid_song');
    end if;
    if exists (select from jsonb_array_elements(v_cards) c where c ->> 'song_id' = v_song ->> 'song_id' or c ->> 'path' = v_song ->> 'storage_path') then
      perform mashup.raise_error('MB006', format('The song %s is given twice.', v_song ->> 'name'), 'Choose two different songs.', 'same_song_twice');
    end if;
    select o.name, o.metadata ->> 'size' as size, o.metadata ->> 'eTag' as tag,
        coalesce(o.owner_id, o.owner::text) = p_user::text as is_own into v_object
      from storage.objects o where o.bucket_id = 'mashups' and o.name = v_song ->> 'storage_path';
    -- Somebody else's file and no file are one answer: nobody learns what others have.
    if v_object.name is null or not coalesce(v_object.is_own, false) then
      perform mashup.raise_error('MB008', format('There is no upload of yours at the path given for %s.', v_song ->> 'name'),
        'Upload the song first and send the path that create-signed-upload gave.', 'upload_missing');
    end if;
    if v_object.size::bigint = 0 then
      perform mashup.raise_error('MB006', format('The file of %s is empty.', v_song ->> 'name'), 'Export the song again and upload that.', 'audio_empty');
    elsif v_object.size::bigint > mashup.setting_number('upload_max_bytes') then
      perform mashup.raise_error('MB006', format('The file of %s is larger than %s MB.', v_song ->> 'name',
        round(mashup.setting_number('upload_max_bytes') / 1048576)), 'Upload it as mp3 or ogg, or shorten it.', 'audio_too_large');
    end if;
    if v_object.tag || ' ' || v_object.size = any (v_tags) then
      perform mashup.raise_error('MB006', format('%s is the same recording as another of the songs.', v_song ->> 'name'),
        'Choose two different songs.', 'same_song_twice');
    end if;
    v_tags := v_tags || (v_object.tag || ' ' || v_object.size);
    v_cards := v_cards || jsonb_build_object('song_id', v_song ->> 'song_id', 'name', mashup.truncate_bytes(v_song ->> 'name', 120),
      'artist', mashup.truncate_bytes(coalesce(nullif(v_song ->> 'artist', ''), 'Unknown artist'), 110), 'path', v_song ->> 'storage_path', 'state', 'pending');
  end loop;
  return v_cards;
end
$function$;
comment on function mashup.check_songs(uuid,jsonb,integer) is 'The cards of the songs of a submission. Raises MB006, MB008.';

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
  v_to mashup.stages;
  v_move text := 'replay';
  v_announced text := coalesce(current_setting('mashup.transition', true), '');
  v_transition mashup.transitions;
  v_missing text[];
  v_keep boolean := coalesce(current_setting('mashup.keep_songs', true), '') = 'yes';
begin
  -- GUARD: is there such a stage, and such a move?
  select * into v_to from mashup.stages where stage = new.stage;
  if v_to.stage is null then
    perform mashup.raise_error('MB001', format('There is no stage "%s".', new.stage),
      'The stages are ' || (select string_agg(stage, ', ' order by position) from mashup.stages) || '.');
  end if;

  if v_announced like old.id || ' %' then
    v_move := split_part(v_announced, ' ', 3);
  else
    -- An operator's statement may carry a whole row (as the table editor sends it): only `stage` is taken from it.
    new := old;
    new.stage := v_to.stage;
    if v_to.stage = 'cancelled' then
      v_move := 'cancel';
      if old.stage = 'cancelled' then
        return null;
      end if;
    end if;
  end if;

  select * into v_transition from mashup.transitions t
    where t.from_stage = old.stage and t.to_stage = new.stage and t.name = v_move;
  if v_transition.name is null then
    perform mashup.raise_error('MB001',
      format('Job %s is in stage %s and cannot go to %s.', old.id, old.stage, new.stage),
      case
        when v_to.stage = 'complete' then 'A job is complete only when its render task finishes. To render again: set stage to rendering.'
        when v_to.stage = 'failed' then 'Only the engine fails a job. To stop it: set stage to cancelled.'
        when v_to.stage = 'cancelled' then 'The job has ended. To run it again set stage to the stage to start from.'
        else 'Only finished tasks move a job forward. Allowed from here: ' ||
          (select string_agg(t.to_stage, ', ' order by s.position) from mashup.transitions t
           join mashup.stages s on s.stage = t.to_stage where t.from_stage = old.stage and t.made_by = 'operator') || '.'
      end);
  end if;

  -- What the move changes on the row.
  new.stage_entered_at := greatest(mashup.now(), old.stage_entered_at);
  new.status := case when v_to.is_terminal then v_to.stage else 'processing' end;
  new.current_step := v_to.step;
  new.queue_position := null;

  if v_move = 'admit' then
    new.admitted_at := mashup.now();
    new.waiting_on := null;
    new.progress := greatest(new.progress, v_to.progress_from);
  elsif v_move = 'advance' then
    new.progress := greatest(new.progress, v_to.progress_from);
    if v_to.is_terminal then
      new.admitted_at := null;
      new.finished_at := mashup.now();
      new.waiting_on := null;
      new.estimated_completion_at := null;
    elsif v_to.stage = 'planning' and new.hold = 'planning' then
      -- A draft gives its slot back while it waits for its user.
      new.admitted_at := null;
      new.waiting_on := 'user';
      new.current_step := 'Ready when you are';
      new.estimated_completion_at := null;
    else
      new.waiting_on := null;
    end if;
  elsif v_move in ('fail', 'cancel') then
    new.epoch := old.epoch + 1;
    new.stopped_stage := old.stage;
    new.admitted_at := null;
    new.finished_at := mashup.now();
    new.waiting_on := null;
    new.estimated_completion_at := null;
    new.hold := null;
  else
    -- REPLAY (and replan, the engine's own): what this stage and later ones made is un-pointed, not deleted.
    if v_move = 'replay' then
      new.fresh := coalesce(current_setting('mashup.fresh', true), '') = 'yes';
      new.hold := null;
    end if;
    new.epoch := old.epoch + 1;
    new.progress := v_to.progress_from;
    new.error_code := null; new.error_message := null; new.error_hint := null; new.failed_task := null;
    new.stopped_stage := null; new.finished_at := null; new.expired_at := null;
    new.result_path := null; new.result := null; new.estimated_completion_at := null;
    if v_to.position <= 3 then
      new.plan_version := null; new.title := null; new.concept := null;
    end if;
    if v_to.position <= 2 then
      new.score := null;
    end if;
    if v_to.position <= 1 and not v_keep then
      new.songs := (select jsonb_agg(jsonb_build_object('song_id', s.song -> 'song_id', 'name', s.song -> 'name',
          'artist', s.song -> 'artist', 'path', s.song -> 'path', 'state', 'pending') order by s.n)
        from jsonb_array_elements(old.songs) with ordinality as s (song, n));
    elsif v_to.position <= 1 then
      -- A retry analyses a song that was left out once more; what is analysed is kept.
      new.songs := (select jsonb_agg(case when s.song ->> 'state' = 'excluded'
          then jsonb_build_object('song_id', s.song -> 'song_id', 'name', s.song -> 'name', 'artist', s.song -> 'artist',
            'path', s.song -> 'path', 'state', 'pending') else s.song end order by s.n)
        from jsonb_array_elements(old.songs) with ordinality as s (song, n));
    end if;
    if v_to.position <= 4 and new.fresh then
      new.songs := (select jsonb_agg(s.song - 'stems_id' order by s.n)
        from jsonb_array_elements(new.songs) with ordinality as s (song, n));
    end if;
    new.warnings := coalesce((select jsonb_agg(w.warning order by w.n)
      from jsonb_array_elements(old.warnings) with ordinality as w (warning, n)
      join mashup.stages s on s.stage = w.warning ->> 'stage' where s.position < v_to.position), '[]');
    -- A draft of one song stays one, however it is run again.
    if jsonb_array_length(new.songs) < 2 then
      if v_to.position >= 3 then
        perform mashup.raise_error('MB006', 'A mashup needs at least two songs.', 'Submit the songs together.');
      end if;
      new.hold := 'planning';
    end if;
    v_missing := mashup.missing_prerequisite(new, v_to.stage);
    if v_missing is not null then
      perform mashup.raise_error('MB003',
        format('Job %s cannot go to %s: %s is missing.', old.id, v_to.stage, v_missing[1]),
        format('Set stage to %s instead.', v_missing[2]));
    end if;
    if v_to.stage = 'queued' then
      new.admitted_at := null;
      new.entry_stage := 'analyzing';
    end if;
    if new.admitted_at is null then
      -- A replay takes a slot like any other run.
      new.waiting_on := 'slot';
      new.queued_at := mashup.now();
      new.current_step := 'Waiting for a free slot';
    else
      new.waiting_on := null;
    end if;
  end if;
  if new.admitted_at is not null then
    new.estimated_completion_at := mashup.estimate_completion(new);
  end if;
  return new;
end
$function$;
comment on function mashup.check_transition() is 'Trigger: judges a move by mashup.transitions and resets what it must. Raises MB001, MB003, MB006.';

CREATE OR REPLACE FUNCTION mashup.check_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform from auth.users u where u.id = new.user_id for key share;
  if not found then
    raise exception using errcode = 'foreign_key_violation', message = format('There is no user %s.', new.user_id),
      hint = 'Sign up first.';
  end if;
  return new;
end
$function$;
comment on function mashup.check_user() is 'Trigger: refuses a job of a user who does not exist.';

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
comment on function mashup.claim_status(bigint,uuid) is 'held, replayed, cancelled, failed or lost.';

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
comment on function mashup.claim_storage_deletions(integer) is 'Leases due rows of the outbox to a worker.';
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
  v_claim uuid := gen_random_uuid();
  v_others integer;
  v_solo boolean;
  v_song jsonb;
begin
  -- GUARD
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt;
  if not found or not exists (select from mashup.workers w where w.id = p_worker_id and not w.draining) then
    return jsonb_build_object('status', 'gone');
  end if;
  -- LOCK: job, then task; then all is judged again.
  select * into v_job from public.mashup_jobs where id = v_task.job_id for no key update;
  select * into v_task from mashup.tasks where id = p_task_id and state = 'ready' and attempt = p_attempt and epoch = v_job.epoch for update;
  if not found then
    return jsonb_build_object('status', 'gone');
  end if;
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;

  if exists (select from mashup.pauses) and (mashup.is_job_paused(v_job.id, v_job.user_id)
      or mashup.is_paused('kind', v_kind.kind) or mashup.is_paused('service', v_kind.service)) then
    update mashup.tasks set state = 'waiting' where id = p_task_id;
    return jsonb_build_object('status', 'deferred', 'reason', 'paused');
  end if;

  -- A task that has cost workers their lives runs alone, so that only it can be to blame the next time.
  v_solo := v_task.crashes >= mashup.setting_number('max_crashes_before_solo');
  select count(*) into v_others from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running';
  if (v_solo and v_others > 0) or exists (select from mashup.workers w join mashup.tasks s on s.id = w.solo_task
      where w.id = p_worker_id and s.id <> p_task_id and (s.state = 'ready' or s.worker_id = p_worker_id)) then
    if v_solo then
      update mashup.workers set solo_task = coalesce(solo_task, p_task_id) where id = p_worker_id;
    end if;
    update mashup.tasks t set attempt = t.attempt + 1, run_at = mashup.now() + interval '500 milliseconds'
      where t.id = p_task_id returning * into v_task;
    perform mashup.enqueue_task(v_task);
    return jsonb_build_object('status', 'deferred', 'reason', 'must_run_alone');
  end if;
  update mashup.workers w set solo_task = case when v_solo then p_task_id end
    where w.id = p_worker_id and w.solo_task is distinct from case when v_solo then p_task_id end;

  update mashup.tasks t set
      state = 'running', claim = v_claim, worker_id = p_worker_id, started_at = mashup.now(),
      lease_until = mashup.now() + mashup.setting_interval('lease_sec'),
      deadline_at = mashup.now() + make_interval(secs => v_kind.timeout_sec),
      output_prefix = case v_task.kind
        when 'separate' then format('stems/%s/%s/%s/%s', v_job.user_id, v_job.id, v_task.song_id, v_claim)
        when 'render' then format('generated/%s/%s-%s', v_job.id, v_job.epoch, v_claim) end
    where t.id = p_task_id returning * into v_task;

  select s into v_song from jsonb_array_elements(v_job.songs) s where s ->> 'song_id' = v_task.song_id;
  update public.mashup_jobs j set
      waiting_on = null,
      songs = case v_task.kind
        when 'analyze' then mashup.patch_song(j.songs, v_task.song_id, '{"state": "analyzing"}')
        when 'separate' then mashup.patch_song(j.songs, v_task.song_id, '{"state": "separating"}') else j.songs end,
      current_step = case
        when v_task.kind = 'analyze' then left('Analysing ' || (v_song ->> 'name'), 200)
        when v_task.kind = 'separate' and j.stage <> 'separating' then j.current_step
        when v_task.kind = 'separate' then left('Separating ' || (v_song ->> 'name'), 200)
        else (select s.step from mashup.stages s where s.stage = v_kind.stage) end
    where j.id = v_job.id returning * into v_job;

  return jsonb_build_object(
    'status', 'claimed', 'task_id', v_task.id, 'claim', v_claim, 'kind', v_task.kind, 'job_id', v_job.id,
    'user_id', v_job.user_id, 'epoch', v_job.epoch, 'song_id', v_task.song_id, 'songs', v_job.songs, 'options', v_job.options,
    'fresh', v_job.fresh, 'parent_id', v_job.parent_id, 'feedback', v_job.feedback, 'plan_version', v_job.plan_version,
    'failures', v_task.failures, 'max_attempts', v_kind.max_attempts, 'timeout_sec', v_kind.timeout_sec,
    'heartbeat_sec', mashup.setting_number('heartbeat_sec'), 'lease_sec', mashup.setting_number('lease_sec'),
    'fallback', v_task.fallback or (v_kind.fallback_after_sec is not null and v_task.failures + 1 >= v_kind.max_attempts),
    'service', v_kind.service, 'output_prefix', v_task.output_prefix);
end
$function$;
comment on function mashup.claim_task(bigint,integer,uuid) is 'Claims a ready task for a worker. Lock order: job, task. Answers claimed, gone or deferred.';
grant execute on function mashup.claim_task(bigint,integer,uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.complete_storage_deletions(p_ids bigint[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ delete from mashup.storage_deletions where id = any (p_ids) $function$;
comment on function mashup.complete_storage_deletions(bigint[]) is 'Removes rows whose objects are gone from the outbox.';
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
comment on function mashup.count_plan_spend() is 'Adds each receipt to the ledger of its day and user.';

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
      since = case when c.since <= mashup.now() - interval '1 minute' then mashup.now() else c.since end,
      calls = case when c.since <= mashup.now() - interval '1 minute' then 1 else c.calls + 1 end
    returning c.calls into v_calls;
  if v_calls > mashup.setting_number(p_setting) then
    perform mashup.raise_error('MB012', p_message, 'Wait a minute, then try again.', '60');
  end if;
end
$function$;
comment on function mashup.count_request(uuid,text,text,text) is 'Counts a call of a user; raises MB012 when the setting''s number a minute is exceeded.';

CREATE OR REPLACE FUNCTION mashup.create_tasks(p_job mashup_jobs)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_made integer := 0;
  v_more integer;
begin
  if p_job.admitted_at is null then
    return 0;
  end if;

  if p_job.stage = 'analyzing' then
    insert into mashup.tasks (job_id, kind, song_id, epoch, priority)
      select p_job.id, k.kind, s ->> 'song_id', p_job.epoch, k.priority
      from mashup.active_songs(p_job.songs) s, mashup.task_kinds k
      where k.kind = 'analyze' and s ->> 'analysis_id' is null
      on conflict do nothing;
    get diagnostics v_made = row_count;
  elsif p_job.stage in ('scoring', 'planning', 'rendering') then
    insert into mashup.tasks (job_id, kind, epoch, priority)
      select p_job.id, k.kind, p_job.epoch, k.priority
      from mashup.task_kinds k
      where k.stage = p_job.stage and (p_job.stage <> 'planning' or p_job.hold is null)
      on conflict do nothing;
    get diagnostics v_made = row_count;
  end if;

  -- Separation overlaps scoring and planning: it belongs to the epoch, not to a stage. A draft may never be started,
  -- so its songs are separated only when it is.
  if p_job.stage in ('scoring', 'planning', 'separating') and p_job.hold is null and exists (
    select from mashup.active_songs(p_job.songs) s
    where s ->> 'analysis_id' is not null
      and not exists (select from mashup.stems st where st.id = (s ->> 'stems_id')::bigint)
      and not exists (select from mashup.tasks t where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'separate'
        and t.song_id = s ->> 'song_id' and t.state in ('waiting', 'ready', 'running')))
  then
    -- A card may point to stems that were deleted since: they are made again.
    update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'stems_gone')
      where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'separate' and t.state = 'done'
        and not exists (select from mashup.active_songs(p_job.songs) s join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
          where s ->> 'song_id' = t.song_id);
    insert into mashup.tasks (job_id, kind, song_id, epoch, priority)
      select p_job.id, k.kind, s ->> 'song_id', p_job.epoch, k.priority
      from mashup.active_songs(p_job.songs) s, mashup.task_kinds k
      where k.kind = 'separate' and s ->> 'analysis_id' is not null
        and not exists (select from mashup.stems st where st.id = (s ->> 'stems_id')::bigint)
      on conflict do nothing;
    get diagnostics v_more = row_count;
    v_made := v_made + v_more;
  end if;
  return v_made;
end
$function$;
comment on function mashup.create_tasks(mashup_jobs) is 'Makes the tasks that the job''s stage needs. Lock: job row held by the caller.';

CREATE OR REPLACE FUNCTION mashup.dead_workers()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select w.id from mashup.workers w
  where w.seen_at < mashup.now() - mashup.setting_interval('lease_sec')
    or (w.seen_at < mashup.now() - mashup.setting_interval('crash_grace_sec')
      and pg_catalog.pg_postmaster_start_time() < pg_catalog.now() - mashup.setting_interval('restart_grace_sec')
      and not exists (
        select from pg_catalog.pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
          and l.classid::bigint = (w.lock_key >> 32) & 4294967295 and l.objid::bigint = w.lock_key & 4294967295))
$function$;
comment on function mashup.dead_workers() is 'Workers whose process is gone or that have been silent for a lease.';

CREATE OR REPLACE FUNCTION mashup.delete_user_data()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform from public.mashup_jobs j where j.user_id = old.id order by j.id for update;
  delete from public.mashup_jobs j where j.user_id = old.id;
  delete from mashup.stems s where s.user_id = old.id;
  delete from mashup.analyses a where a.user_id = old.id;
  return null;
end
$function$;
comment on function mashup.delete_user_data() is 'Trigger: deletes a deleted user''s jobs, analyses and stems. Lock order: user, jobs by id.';

CREATE OR REPLACE FUNCTION mashup.deregister_worker(p_worker_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  update mashup.workers set draining = true where id = p_worker_id;
  for v_task in select * from mashup.tasks t where t.worker_id = p_worker_id and t.state = 'running' order by t.job_id, t.id loop
    perform mashup.return_task(v_task.id, v_task.claim);
  end loop;
  perform mashup.unlock_queue(w.pool_ids) from mashup.workers w where w.id = p_worker_id;
  delete from mashup.workers where id = p_worker_id;
end
$function$;
comment on function mashup.deregister_worker(uuid) is 'A worker says goodbye: what it still holds is handed back, wake-ups too.';
grant execute on function mashup.deregister_worker(uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.describe_submission(p_job mashup_jobs, p_existing boolean)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select jsonb_build_object('job_id', j.id, 'stage', j.stage, 'status', j.status, 'progress', j.progress, 'existing', p_existing,
    'queue_position', mashup.queue_position(j.id), 'estimated_completion_at',
    coalesce(j.estimated_completion_at, mashup.estimate_completion(j)), 'songs_count', jsonb_array_length(j.songs))
  from public.mashup_jobs j where j.id = p_job.id
$function$;
comment on function mashup.describe_submission(mashup_jobs,boolean) is 'What the submitter is told of a job.';

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
comment on function mashup.discard_output(mashup.tasks) is 'Puts what a claim may have written into the outbox of deletions.';

CREATE OR REPLACE FUNCTION mashup.dispatch_task(p_task_id bigint, p_probe boolean, p_spread_sec real, p_fallback boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_task mashup.tasks;
begin
  update mashup.tasks t set state = 'ready', attempt = t.attempt + 1, is_probe = p_probe, fallback = p_fallback, held_until = null,
      run_at = mashup.now() + make_interval(secs => random() * p_spread_sec)
    where t.id = p_task_id and t.state = 'waiting' returning * into v_task;
  if found then
    perform mashup.enqueue_task(v_task);
  end if;
end
$function$;
comment on function mashup.dispatch_task(bigint,boolean,real,boolean) is 'Makes a waiting task ready and adds its wake-up. p_fallback: it is to do without its service and takes no place there.';

CREATE OR REPLACE FUNCTION mashup.dispatch_tasks()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_kind mashup.task_kinds;
  v_task mashup.tasks;
  v_free integer;
  v_probe boolean;
  v_spread real;
  v_paused boolean := exists (select from mashup.pauses);
begin
  if exists (select from mashup.service_health h where h.state = 'half_open') then
    perform mashup.reset_orphaned_probes();
  end if;
  if v_paused and mashup.is_paused('system', '') then
    return;
  end if;
  for v_kind in
    select * from mashup.task_kinds k
    where exists (select from mashup.tasks t where t.state = 'waiting' and t.kind = k.kind and t.run_at <= mashup.now())
    order by k.priority, k.kind
  loop
    continue when v_paused and (mashup.is_paused('kind', v_kind.kind) or mashup.is_paused('service', v_kind.service));
    select c.free, c.probe into v_free, v_probe from mashup.service_capacity(v_kind) c;
    -- After an outage the waiting tasks come back spread over a few seconds.
    v_spread := case when exists (select from mashup.service_health h where h.service = v_kind.service and h.state = 'closed'
      and h.failures = 0 and h.last_error is not null and h.updated_at > mashup.now() - interval '10 seconds') then 2 else 0 end;
    for v_task in
      select t.* from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
      where t.state = 'waiting' and t.kind = v_kind.kind and t.run_at <= mashup.now()
        and j.admitted_at is not null and not mashup.is_job_paused(j.id, j.user_id)
      order by t.run_at, t.id limit greatest(v_free, 0) for update of t skip locked
    loop
      if v_probe then
        update mashup.service_health h set state = 'half_open', probe_task = v_task.id, updated_at = mashup.now()
          where h.service = (select hh.service from mashup.service_health hh
            where hh.service = v_kind.service and hh.state = 'open' for update skip locked);
        exit when not found;
      end if;
      perform mashup.dispatch_task(v_task.id, v_probe, v_spread);
    end loop;
    -- Kinds that can do without their service do so when it has been away for longer than their patience.
    if v_free <= 0 and v_kind.fallback_after_sec is not null then
      for v_task in
        select t.* from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id
        where t.state = 'waiting' and t.kind = v_kind.kind and t.run_at <= mashup.now()
          and t.created_at < mashup.now() - make_interval(secs => v_kind.fallback_after_sec)
          and j.admitted_at is not null and not mashup.is_job_paused(j.id, j.user_id)
          and exists (select from mashup.service_health h where h.service = v_kind.service and h.state <> 'closed')
        order by t.id for update of t skip locked
      loop
        perform mashup.dispatch_task(v_task.id, false, 0, true);
      end loop;
    end if;
  end loop;
end
$function$;
comment on function mashup.dispatch_tasks() is 'Makes waiting tasks ready as far as limits, circuits and pauses allow. Caller holds the release lock.';

CREATE OR REPLACE FUNCTION mashup.drop_tasks(p_job mashup_jobs, p_reason text)
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
      and (t.epoch < p_job.epoch or p_reason <> 'replayed')
    order by t.id for update
  loop
    if v_task.state = 'running' then
      v_signal := true;
      perform mashup.discard_output(v_task);
    end if;
    update mashup.tasks t set
        state = 'dropped', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
        held_until = case when v_task.state = 'running' then mashup.now() + make_interval(secs => coalesce((
          select (h.value ->> k.service)::double precision from mashup.settings h, mashup.task_kinds k
          where h.name = 'service_abort_hold_sec' and k.kind = t.kind), 0)) end,
        error = jsonb_build_object('code', p_reason)
      where t.id = v_task.id;
  end loop;
  if v_signal then
    perform mashup.signal_tasks(p_job.id, p_reason);
  end if;
end
$function$;
comment on function mashup.drop_tasks(mashup_jobs,text) is 'Drops unfinished tasks of a job and notifies their workers. Lock order: job (held by the caller), tasks by id.';

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
    if p_task.song_id is not null then
      perform mashup.exclude_song(p_task, p_code, p_message, p_hint);
    else
      perform mashup.fail_job(p_task.job_id, p_code, p_message, p_hint, p_task.id);
    end if;
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
comment on function mashup.end_attempt(mashup.tasks,mashup.task_kinds,boolean,boolean,text,text,text,real) is 'Retry or end. Lock: job and task rows held by the caller.';

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
  -- One submission of a user at a time, or many at once would all see the same room.
  perform pg_advisory_xact_lock(hashtextextended('mashup.room ' || p_user, 0));
  perform mashup.count_request(p_user, 'run', 'max_submits_per_minute', 'That was many mashups in one minute.');
  if p_is_draft and (select count(*) from public.mashup_jobs where user_id = p_user and hold = 'planning' and stage = 'planning')
      >= mashup.setting_number('max_drafts_per_user') then
    perform mashup.raise_error('MB004', 'You have too many drafts.', 'Start or cancel one of them first.', '60');
  end if;
  select count(*) into v_mine from public.mashup_jobs
    where user_id = p_user and stage not in ('complete', 'failed', 'cancelled') and admitted_at is null and (hold is null or stage <> 'planning');
  if v_mine >= mashup.setting_number('max_queued_jobs_per_user') then
    perform mashup.raise_error('MB004', format('%s of your mashups are waiting already.', v_mine), 'Wait until one of them is done.', '30');
  end if;
  -- Counted no further than the limit, so that the check costs the same in a long queue.
  select count(*) into v_waiting from (select from public.mashup_jobs
    where stage not in ('complete', 'failed', 'cancelled') and admitted_at is null and (hold is null or stage <> 'planning')
    limit mashup.setting_number('max_queued_jobs')::integer) w;
  if v_waiting >= mashup.setting_number('max_queued_jobs') then
    perform mashup.raise_error('MB004', 'The queue is full.', 'Try again in a minute.', '60');
  end if;
end
$function$;
comment on function mashup.enforce_submission_limits(uuid,boolean) is 'Raises MB004 or MB012; detail is the number of seconds to wait.';

CREATE OR REPLACE FUNCTION mashup.enqueue_file_deletions()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if tg_table_name = 'mashup_jobs' then
    insert into mashup.storage_deletions (path, is_prefix) values (format('generated/%s/', old.id), true);
    -- A worker that is not yet told may write for a while.
    perform mashup.discard_output(t) from mashup.tasks t where t.job_id = old.id and t.state = 'running';
  elsif tg_table_name = 'stems' then
    insert into mashup.storage_deletions (path) select p.value from jsonb_each_text(old.paths) p;
  else
    insert into mashup.storage_deletions (path, is_prefix)
      values (format('uploads/%s/', old.id), true), (format('stems/%s/', old.id), true);
  end if;
  return old;
end
$function$;
comment on function mashup.enqueue_file_deletions() is 'Trigger: puts the files of a deleted row into the outbox.';

CREATE OR REPLACE FUNCTION mashup.enqueue_task(p_task mashup.tasks)
 RETURNS boolean
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
declare
  v_job_id bigint;
begin
  if pg_catalog.to_regnamespace('graphile_worker') is null then
    return false;
  end if;
  v_job_id := (graphile_worker.add_job(
    identifier => p_task.kind,
    payload => pg_catalog.json_build_object('task', p_task.id, 'attempt', p_task.attempt),
    run_at => p_task.run_at,
    max_attempts => 5,
    job_key => p_task.id || ':' || p_task.attempt,
    priority => p_task.priority::integer)).id;
  return v_job_id is not null;
end
$function$;
comment on function mashup.enqueue_task(mashup.tasks) is 'Enqueues the wake-up of a ready task under the key <task>:<attempt>.';

CREATE OR REPLACE FUNCTION mashup.estimate_completion(p_job mashup_jobs)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return (select mashup.now() + make_interval(secs => coalesce(sum(work.sec), 0))
  from (
    -- Songs are analysed and separated side by side.
    select case when st.kind in ('analyze', 'separate') then song_work.longest * 0.6 + song_work.total * 0.4
      when st.kind = 'render' then st.base_sec + st.per_song_sec * song_work.seconds
      else st.mean_sec end as sec
    from mashup.stage_stats st
    join mashup.task_kinds k on k.kind = st.kind
    join mashup.stages s on s.stage = k.stage
    cross join lateral (
      select coalesce(max(e.sec), 0) as longest, coalesce(sum(e.sec), 0) as total, coalesce(sum(e.len), 0) as seconds
      from (
        select coalesce((song ->> 'duration_sec')::real, 180) as len,
          case when song ->> 'duration_sec' is null then st.mean_sec
            else st.base_sec + st.per_song_sec * (song ->> 'duration_sec')::real end as sec
        from mashup.active_songs(p_job.songs) song
        where not (st.kind = 'analyze' and song ->> 'analysis_id' is not null)
          and not (st.kind = 'separate' and song ->> 'stems_id' is not null)
      ) e
    ) song_work
    where s.position >= (select position from mashup.stages where stage = p_job.stage)
      and (p_job.hold is null or s.position < 3)
  ) work);
end
$function$;
comment on function mashup.estimate_completion(mashup_jobs) is 'Expected end of a job that holds a slot.';

CREATE OR REPLACE FUNCTION mashup.exclude_song(p_task mashup.tasks, p_code text, p_message text, p_hint text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_song jsonb;
  v_good integer;
  v_name text;
begin
  select * into v_job from public.mashup_jobs where id = p_task.job_id;
  select s into v_song from jsonb_array_elements(v_job.songs) s where s ->> 'song_id' = p_task.song_id;
  v_name := v_song ->> 'name';
  select count(*) - 1 into v_good from mashup.active_songs(v_job.songs);
  if v_good < 2 then
    update public.mashup_jobs set songs = mashup.patch_song(songs, p_task.song_id,
      jsonb_build_object('state', 'failed', 'error', left(p_code, 60))) where id = v_job.id;
    perform mashup.fail_job(v_job.id, p_code, format('%s: %s', v_name, p_message), p_hint, p_task.id);
    return;
  end if;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'excluded', 'error', left(p_code, 60))),
      warnings = mashup.add_warning(j.warnings, 'song_excluded', format('%s was left out: %s', v_name, p_message), 'analyzing')
    where j.id = v_job.id returning * into v_job;
  update mashup.tasks t set state = 'dropped', finished_at = mashup.now(), error = jsonb_build_object('code', 'song_excluded')
    where t.job_id = v_job.id and t.song_id = p_task.song_id and t.state in ('waiting', 'ready');
  perform mashup.log_event(v_job, 'warning', format('%s was left out: %s', v_name, p_message), null, p_task.song_id,
    jsonb_build_object('code', p_code));
  -- A plan that uses the song is of no use any more.
  if exists (select from public.mashup_plans p where p.job_id = v_job.id and p.version = v_job.plan_version
             and p_task.song_id = any (p.song_ids)) then
    perform mashup.transition_job(v_job.id, 'planning', 'replan');
  else
    perform mashup.advance_job(v_job.id);
  end if;
end
$function$;
comment on function mashup.exclude_song(mashup.tasks,text,text,text) is 'Drops a song or fails its job. Lock: job row held by the caller.';

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
comment on function mashup.exhausted_plan_budget(uuid) is 'Which budget for Claude is used up for a job: job, user_day, day; null while none is.';
grant execute on function mashup.exhausted_plan_budget(uuid) to mashup_worker;

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
comment on function mashup.fail_job(uuid,text,text,text,bigint) is 'Ends a job as failed with code, message and hint. Lock: job row.';

CREATE OR REPLACE FUNCTION mashup.fail_task(p_task_id bigint, p_claim uuid, p_code text, p_message text, p_hint text, p_class text, p_retry_after_sec real DEFAULT NULL::real)
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
  v_open boolean;
  v_counts boolean;
  v_wait real;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_kind from mashup.task_kinds where kind = v_task.kind;
  if p_class in ('unavailable', 'overloaded') then
    perform mashup.record_service_failure(v_kind.service, p_message, p_task_id);
  elsif v_task.is_probe then
    perform mashup.record_service_success(v_kind.service);
  end if;
  select state <> 'closed' into v_open from mashup.service_health where service = v_kind.service;
  -- While its circuit is open, waiting costs a task no attempt.
  v_counts := not (p_class in ('unavailable', 'overloaded') and coalesce(v_open, false));
  perform mashup.discard_output(v_task);
  return mashup.end_attempt(v_task, v_kind, p_class = 'permanent', v_counts, p_code, p_message, p_hint, p_retry_after_sec);
end
$function$;
comment on function mashup.fail_task(bigint,uuid,text,text,text,text,real) is 'Ends an attempt with a fault. Guarded by the claim. Lock order: job, task.';
grant execute on function mashup.fail_task(bigint,uuid,text,text,text,text,real) to mashup_worker;

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
comment on function mashup.find_idempotent_job(uuid,text,text) is 'The job that an idempotency key stands for, or null. Raises MB005.';

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
  v_job public.mashup_jobs;
  v_seconds real;
  v_twin text;
  v_replan boolean := false;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  perform set_config('mashup.actor', 'worker:' || v_task.worker_id, true);
  select * into v_job from public.mashup_jobs where id = v_task.job_id;

  select s ->> 'name' into v_twin from mashup.active_songs(v_job.songs) s
    where v_task.kind = 'analyze' and s ->> 'song_id' <> v_task.song_id and s ->> 'hash' = p_result ->> 'content_hash';
  if v_twin is not null then
    perform mashup.record_service_success(k.service) from mashup.task_kinds k where k.kind = v_task.kind;
    return mashup.end_attempt(v_task, k, true, true, 'same_song_twice', format('This is the same recording as %s.', v_twin),
      'Choose two different songs.', null) from mashup.task_kinds k where k.kind = v_task.kind;
  end if;

  v_seconds := extract(epoch from mashup.now() - v_task.started_at);
  update mashup.tasks t set state = 'done', finished_at = mashup.now(), claim = null, worker_id = null, lease_until = null,
      deadline_at = null, error = null
    where t.id = p_task_id;

  case v_task.kind
    when 'analyze' then perform mashup.record_analysis(v_job, v_task, p_result);
    when 'score' then perform mashup.record_scores(v_job, p_result);
    when 'plan' then v_replan := mashup.record_plan(v_job, p_result);
    when 'separate' then perform mashup.record_stems(v_job, v_task, p_result);
    when 'render' then perform mashup.record_result(v_job, v_task, p_result);
  end case;

  if coalesce((p_result ->> 'service_used')::boolean, true) then
    perform mashup.record_service_success((select k.service from mashup.task_kinds k where k.kind = v_task.kind));
  end if;
  if not coalesce((p_result ->> 'from_cache')::boolean, false) then
    perform mashup.record_duration(v_task.kind, v_seconds, coalesce(case when v_task.song_id is not null
      then (select (s ->> 'duration_sec')::real from public.mashup_jobs j, jsonb_array_elements(j.songs) s
            where j.id = v_job.id and s ->> 'song_id' = v_task.song_id)
      else (select sum((s ->> 'duration_sec')::real) from mashup.active_songs(v_job.songs) s) end, 0));
  end if;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  perform mashup.log_event(v_job, 'task', coalesce(p_result ->> 'message', v_task.kind || ' finished'), null, v_task.song_id,
    jsonb_build_object('kind', v_task.kind, 'task', v_task.id, 'attempt', v_task.attempt, 'seconds', round(v_seconds::numeric, 3),
      'from_cache', p_result -> 'from_cache'));
  if v_replan then
    perform mashup.transition_job(v_job.id, 'planning', 'replan');
  else
    perform mashup.advance_job(v_job.id);
  end if;
  return 'finished';
end
$function$;
comment on function mashup.finish_task(bigint,uuid,jsonb) is 'The only way forward for a job. Guarded by the claim. Lock order: job, task, queue.';
grant execute on function mashup.finish_task(bigint,uuid,jsonb) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.grant_queue()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if pg_catalog.to_regnamespace('graphile_worker') is null then
    return;
  end if;
  grant usage on schema graphile_worker to mashup_worker;
  grant select, insert, update, delete on all tables in schema graphile_worker to mashup_worker;
  grant usage, select on all sequences in schema graphile_worker to mashup_worker;
  grant execute on all functions in schema graphile_worker to mashup_worker;
end
$function$;
comment on function mashup.grant_queue() is 'Grants the worker''s role what Graphile Worker''s library needs.';
grant execute on function mashup.grant_queue() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.has_stems(p_job mashup_jobs)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  return not exists (
    select from public.mashup_plans p, unnest(p.song_ids) as used (song_id)
    where p.job_id = p_job.id and p.version = p_job.plan_version
      and not exists (
        select from mashup.active_songs(p_job.songs) s
        join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
        where s ->> 'song_id' = used.song_id));
end
$function$;
comment on function mashup.has_stems(mashup_jobs) is 'Whether every song of the current plan has its stems.';

CREATE OR REPLACE FUNCTION mashup.has_upload_quota()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select count(*) < mashup.setting_number('max_uploads_per_user') from (
    select from storage.objects o
    where o.bucket_id = 'mashups' and o.name ~>=~ ('uploads/' || auth.uid() || '/') and o.name ~<~ ('uploads/' || auth.uid() || '0')
    limit mashup.setting_number('max_uploads_per_user')::integer) own
$function$;
comment on function mashup.has_upload_quota() is 'Whether the caller may store another upload.';
grant execute on function mashup.has_upload_quota() to authenticated;

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
  v_stage mashup.stages;
  v_progress real;
begin
  if p_progress is not null or p_step is not null then
    -- News: the job row first, so that beat and replay lock in one order.
    select j.* into v_job from public.mashup_jobs j join mashup.tasks t on t.job_id = j.id
      where t.id = p_task_id and t.claim = p_claim for no key update of j;
  end if;
  update mashup.tasks t set lease_until = mashup.now() + mashup.setting_interval('lease_sec')
    where t.id = p_task_id and t.claim = p_claim and t.state = 'running';
  if not found then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  if v_job.id is not null then
    select s.* into v_stage from mashup.stages s join mashup.task_kinds k on k.stage = s.stage
      join mashup.tasks t on t.kind = k.kind where t.id = p_task_id;
    if v_stage.stage = v_job.stage and v_stage.stage in ('planning', 'rendering') then
      v_progress := least(v_stage.progress_from + greatest(coalesce(p_progress, 0), 0) * (v_stage.progress_to - v_stage.progress_from),
        v_stage.progress_to - 0.1);
    end if;
    update public.mashup_jobs j set progress = greatest(j.progress, coalesce(v_progress, 0)),
        current_step = coalesce(left(nullif(p_step, ''), 200), j.current_step)
      where j.id = v_job.id and v_stage.stage = v_job.stage
        and (v_progress >= j.progress + mashup.setting_number('progress_min_step')
          or (j.updated_at <= mashup.now() - mashup.setting_interval('progress_min_interval_sec')
            and (v_progress > j.progress or p_step is distinct from j.current_step)));
  end if;
  return 'held';
end
$function$;
comment on function mashup.heartbeat_task(bigint,uuid,real,text) is 'Extends a claim''s lease; with news writes progress. Lock order: job (only with news), task.';
grant execute on function mashup.heartbeat_task(bigint,uuid,real,text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.heartbeat_worker(p_worker_id uuid)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  with seen as (update mashup.workers set seen_at = mashup.now() where id = p_worker_id returning 1)
  select exists (select from seen)
$function$;
comment on function mashup.heartbeat_worker(uuid) is 'Notes that a worker is alive; false if it is no longer known and must register again.';
grant execute on function mashup.heartbeat_worker(uuid) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.insert_job(p_user uuid, p_songs jsonb, p_options jsonb, p_hold text, p_key text, p_hash text, p_entry text, p_parent uuid, p_feedback text)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
begin
  insert into public.mashup_jobs (user_id, songs, options, hold, idempotency_key, request_hash, entry_stage, parent_id, feedback,
      waiting_on, current_step)
    values (p_user, p_songs, mashup.check_options(p_options), p_hold, p_key, p_hash, p_entry, p_parent, p_feedback, 'slot', 'Waiting for a free slot')
    on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
    returning * into v_job;
  if v_job.id is not null then
    perform mashup.log_event(v_job, 'submitted', case when p_parent is null then 'Submitted' else 'Submitted as a new version' end);
  end if;
  return v_job;
end
$function$;
comment on function mashup.insert_job(uuid,jsonb,jsonb,text,text,text,text,uuid,text) is 'Inserts a queued job; null if the idempotency key is taken.';

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
comment on function mashup.is_job_paused(uuid,uuid) is 'Whether a job, its user or the whole system is paused.';

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
comment on function mashup.is_paused(text,text) is 'Whether a pause of this scope and key (or of the whole system) is in force.';

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
comment on function mashup.job_history(uuid) is 'One job''s whole history.';

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
comment on function mashup.lock_claim(bigint,uuid) is 'The guard of every write by a worker. Lock order: job, task.';

CREATE OR REPLACE FUNCTION mashup.log_event(p_job mashup_jobs, p_type text, p_message text, p_from_stage text DEFAULT NULL::text, p_song_id text DEFAULT NULL::text, p_detail jsonb DEFAULT NULL::jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  -- A transaction that waited for the job tells the time when it began: the history does not run backwards for that.
  insert into public.mashup_job_events (job_id, epoch, type, stage, from_stage, song_id, message, actor, detail, created_at)
  values (p_job.id, p_job.epoch, p_type, p_job.stage, p_from_stage, p_song_id, left(p_message, 500), mashup.actor(), p_detail,
    greatest(mashup.now(), (select e.created_at from public.mashup_job_events e where e.job_id = p_job.id order by e.id desc limit 1)));
end
$function$;
comment on function mashup.log_event(mashup_jobs,text,text,text,text,jsonb) is 'Appends one event to a job''s history.';

CREATE OR REPLACE FUNCTION mashup.mark_all_jobs_stale()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.mark_waiting_on_stale(null);
  return null;
end
$function$;
comment on function mashup.mark_all_jobs_stale() is 'Trigger: every job may wait for something else now.';

CREATE OR REPLACE FUNCTION mashup.mark_ready_job_stale()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$function$;
comment on function mashup.mark_ready_job_stale() is 'Trigger: the job of a task that was made ready may no longer wait.';

CREATE OR REPLACE FUNCTION mashup.mark_waiting_on_stale(p_job_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_noted text := coalesce(current_setting('mashup.stale_jobs', true), '');
  v_max constant integer := 100 * 37;
begin
  if v_noted <> 'all' and (p_job_id is null or position(p_job_id::text in v_noted) = 0) then
    perform set_config('mashup.stale_jobs',
      case when p_job_id is null or length(v_noted) >= v_max then 'all' else v_noted || p_job_id || ' ' end, true);
  end if;
end
$function$;
comment on function mashup.mark_waiting_on_stale(uuid) is 'Notes a job for refresh_waiting_on at the end of this transaction; null, or more than a hundred: all jobs.';

CREATE OR REPLACE FUNCTION mashup.missing_prerequisite(p_job mashup_jobs, p_stage text)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_position smallint := (select position from mashup.stages where stage = p_stage);
begin
  if v_position >= 2 and (
    exists (select from mashup.active_songs(p_job.songs) s
            where not exists (select from mashup.analyses a where a.id = (s ->> 'analysis_id')::bigint))) then
    return array['the analysis of a song', 'analyzing'];
  end if;
  if v_position >= 3 and not exists (select from mashup.scores s where s.job_id = p_job.id) then
    return array['the scores', 'scoring'];
  end if;
  if v_position >= 4 and not exists (
    select from public.mashup_plans p where p.job_id = p_job.id and p.version = p_job.plan_version) then
    return array['a current plan', 'planning'];
  end if;
  if v_position >= 5 and not mashup.has_stems(p_job) then
    return array['the stems of a song in the plan', 'separating'];
  end if;
  return null;
end
$function$;
comment on function mashup.missing_prerequisite(mashup_jobs,text) is 'Null, or {what is missing, the stage to reset to}.';

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
  if not exists (select from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')) then
    return null;
  end if;
  select coalesce(array_agg(distinct user_id), '{}') into v_busy from public.mashup_jobs
    where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null;
  select * into v_job from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')
      and not (j.user_id = any (v_busy)) and not mashup.is_job_paused(j.id, j.user_id)
    order by j.queued_at, j.id limit 1 for no key update skip locked;
  if found then
    return v_job;
  end if;
  for v_count in 1 .. mashup.setting_number('max_running_jobs_per_user')::integer - 1 loop
    select coalesce(array_agg(user_id), '{}') into v_level from (
      select user_id from public.mashup_jobs
      where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null
      group by user_id having count(*) = v_count) u;
    select j.* into v_job from unnest(v_level) as u (user_id)
      cross join lateral (
        select * from public.mashup_jobs w
        where w.user_id = u.user_id and w.stage not in ('complete', 'failed', 'cancelled') and w.admitted_at is null
          and (w.hold is null or w.stage <> 'planning') and not mashup.is_job_paused(w.id, w.user_id)
        order by w.queued_at, w.id limit 1 for no key update skip locked) j
      order by j.queued_at, j.id limit 1;
    if found then
      return v_job;
    end if;
  end loop;
  return null;
end
$function$;
comment on function mashup.next_admission() is 'The next job to get a slot, locked; null if there is none. Caller holds the release lock.';

CREATE OR REPLACE FUNCTION mashup.now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$ select pg_catalog.now() $function$;
comment on function mashup.now() is 'The only clock of the state machine: the transaction''s time.';
grant execute on function mashup.now() to authenticated;
grant execute on function mashup.now() to mashup_worker;
grant execute on function mashup.now() to service_role;

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
comment on function mashup.patch_song(jsonb,text,jsonb) is 'The songs with p_patch merged into the card of one song.';

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
     or (p_scope = 'service' and not exists (select from mashup.task_kinds where service = p_key)) then
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
comment on function mashup.pause(text,text,text,timestamp with time zone) is 'Pauses the system, a user, a job, a kind of task or a service. Raises MB006.';

CREATE OR REPLACE FUNCTION mashup.purge_expired()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_batch integer := mashup.setting_number('retention_batch')::integer;
  v_job public.mashup_jobs;
  v_count integer := 0;
  v_rows integer;
begin
  for v_job in
    select * from public.mashup_jobs j
    where j.hold = 'planning' and j.stage = 'planning' and j.waiting_on = 'user'
      and j.stage_entered_at < mashup.now() - make_interval(hours => mashup.setting_number('draft_expires_hours')::integer)
    order by j.stage_entered_at limit v_batch for no key update skip locked
  loop
    update public.mashup_jobs set stage = 'cancelled' where id = v_job.id;
    v_count := v_count + 1;
  end loop;

  for v_job in
    select * from public.mashup_jobs j
    where j.stage = 'complete' and j.expired_at is null and j.result_path is not null
      and j.finished_at < mashup.now() - make_interval(days => mashup.setting_number('result_expires_days')::integer)
    order by j.finished_at limit v_batch for no key update skip locked
  loop
    insert into mashup.storage_deletions (path) select r.path from public.mashup_results r where r.job_id = v_job.id;
    update public.mashup_jobs set expired_at = mashup.now(), result_path = null where id = v_job.id returning * into v_job;
    perform mashup.log_event(v_job, 'expired', 'The file has expired');
    v_count := v_count + 1;
  end loop;

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
        where j.user_id = d.user_id and j.stage not in ('complete', 'failed', 'cancelled') and (s ->> 'stems_id')::bigint = d.id)
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
comment on function mashup.purge_expired() is 'One round of retention. Answers how many rows it ended or deleted.';

CREATE OR REPLACE FUNCTION mashup.queue_order()
 RETURNS TABLE(id uuid, queue_position integer)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  with running as (
    select user_id, count(*) as n from public.mashup_jobs
    where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null group by user_id
  ), waiting as (
    select j.id, j.user_id, j.queued_at, row_number() over (partition by j.user_id order by j.queued_at, j.id) as nth
    from public.mashup_jobs j
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')
  )
  select w.id, (row_number() over (order by coalesce(r.n, 0) + w.nth, w.queued_at, w.id))::integer
  from waiting w left join running r on r.user_id = w.user_id
$function$;
comment on function mashup.queue_order() is 'Place of each job that waits for a slot, from 1.';

CREATE OR REPLACE FUNCTION mashup.queue_position(p_job_id uuid)
 RETURNS integer
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select q.queue_position from mashup.queue_order() q where q.id = p_job_id
    and exists (select from public.mashup_jobs j where j.id = p_job_id and j.admitted_at is null)
$function$;
comment on function mashup.queue_position(uuid) is 'Place of a job in the queue; null if it does not wait for a slot.';

CREATE OR REPLACE FUNCTION mashup.raise_error(p_sqlstate text, p_message text, p_hint text, p_detail text DEFAULT ''::text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  raise exception using errcode = p_sqlstate, message = p_message, hint = p_hint, detail = p_detail;
end
$function$;
comment on function mashup.raise_error(text,text,text,text) is 'Raises an error of class MB with message, hint and detail.';

CREATE OR REPLACE FUNCTION mashup.reconcile_queue()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
declare
  v_task mashup.tasks;
  v_count integer := 0;
begin
  if pg_catalog.to_regclass('graphile_worker.jobs') is null then
    return 0;
  end if;
  if not pg_catalog.has_schema_privilege('mashup_worker', 'graphile_worker', 'usage') then
    perform mashup.grant_queue();
  end if;
  for v_task in
    select t.* from mashup.tasks t
    where t.state = 'ready' and t.run_at < mashup.now() - interval '1 second'
      and not exists (
        select from graphile_worker.jobs q
        where q.key = t.id || ':' || t.attempt and q.attempts < q.max_attempts
          -- Taken from the queue and yet not claimed for so long: its worker never heard that it took it. A claim that
          -- comes even later finds another attempt, and does nothing.
          and (q.locked_at is null or q.locked_at > pg_catalog.now() - interval '15 seconds'))
    order by t.id limit 500 for update skip locked
  loop
    update mashup.tasks t set attempt = t.attempt + 1 where t.id = v_task.id and t.state = 'ready' and t.attempt = v_task.attempt
      returning * into v_task;
    if found and mashup.enqueue_task(v_task) then
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$function$;
comment on function mashup.reconcile_queue() is 'Puts back missing wake-ups. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.record_analysis(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_id bigint;
  v_stems bigint;
  v_done integer;
  v_all integer;
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
  if not p_job.fresh then
    select s.id into v_stems from mashup.stems s
      where s.user_id = p_job.user_id and s.content_hash = p_result ->> 'content_hash' order by s.id desc limit 1;
    update mashup.stems set used_at = mashup.now() where id = v_stems;
  end if;
  select count(*) filter (where s ->> 'analysis_id' is not null) + 1, count(*) into v_done, v_all from mashup.active_songs(p_job.songs) s;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, (p_result -> 'card') || jsonb_strip_nulls(jsonb_build_object(
        'state', case when v_stems is null then 'analyzed' else 'ready' end, 'hash', p_result ->> 'content_hash',
        'analysis_id', v_id, 'stems_id', v_stems))),
      progress = greatest(j.progress, least(50, 50.0 * v_done / v_all)),
      estimated_completion_at = mashup.estimate_completion(j)
    where j.id = p_job.id;
end
$function$;
comment on function mashup.record_analysis(mashup_jobs,mashup.tasks,jsonb) is 'Stores an analysis and points the song''s card to it.';

CREATE OR REPLACE FUNCTION mashup.record_duration(p_kind text, p_seconds real, p_song_seconds real)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
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
comment on function mashup.record_duration(text,real,real) is 'Takes one measured duration into mashup.stage_stats.';

CREATE OR REPLACE FUNCTION mashup.record_plan(p_job mashup_jobs, p_result jsonb)
 RETURNS boolean
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
  insert into public.mashup_plans (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes)
    values (p_job.id, v_version, p_job.epoch, p_result ->> 'source', p_result -> 'plan',
      v_songs, p_result ->> 'model', p_result -> 'tokens',
      (p_result ->> 'cost_usd')::numeric, p_result ->> 'changes');
  update public.mashup_jobs j set
      plan_version = v_version,
      title = mashup.truncate_bytes(p_result #>> '{plan,masterplan,title}', 200),
      concept = mashup.truncate_bytes(p_result #>> '{plan,creative_vision}', 600),
      warnings = case when p_result ->> 'warning' is null then j.warnings
        else mashup.add_warning(j.warnings, 'rule_based_plan', p_result ->> 'warning', 'planning') end
    where j.id = p_job.id;
  return not v_songs <@ array(select s ->> 'song_id' from mashup.active_songs(p_job.songs) s);
end
$function$;
comment on function mashup.record_plan(mashup_jobs,jsonb) is 'Stores a plan as the job''s next version. Raises MB006. Answers whether it must be made again.';

CREATE OR REPLACE FUNCTION mashup.record_result(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if not starts_with(p_result ->> 'path', p_task.output_prefix) then
    perform mashup.raise_error('MB006', 'The result was written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  insert into public.mashup_results as r (job_id, epoch, path, quality, plan_version)
    values (p_job.id, p_job.epoch, p_result ->> 'path', p_result -> 'quality', p_job.plan_version)
    on conflict (job_id, epoch) do update set path = excluded.path, quality = excluded.quality, plan_version = excluded.plan_version;
  update public.mashup_jobs j set
      result_path = p_result ->> 'path',
      result = jsonb_strip_nulls(jsonb_build_object(
        'duration_sec', p_result #> '{quality,duration_sec}', 'loudness_lufs', p_result #> '{quality,loudness_lufs}',
        'true_peak_dbtp', p_result #> '{quality,true_peak_dbtp}', 'format', p_result #> '{quality,format}',
        'bytes', p_result #> '{quality,bytes}', 'bpm', p_result #> '{quality,bpm}', 'key', p_result #> '{quality,key}'))
    where j.id = p_job.id;
end
$function$;
comment on function mashup.record_result(mashup_jobs,mashup.tasks,jsonb) is 'Points the job to what was rendered.';

CREATE OR REPLACE FUNCTION mashup.record_scores(p_job mashup_jobs, p_result jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  insert into mashup.scores as s (job_id, epoch, pairs) values (p_job.id, p_job.epoch, p_result -> 'pairs')
    on conflict (job_id, epoch) do update set pairs = excluded.pairs, created_at = mashup.now();
  update public.mashup_jobs j set
      score = (select round(avg((p ->> 'score')::numeric), 1) from jsonb_array_elements(p_result -> 'pairs') p),
      warnings = case when p_result ->> 'warning' is null then j.warnings
        else mashup.add_warning(j.warnings, 'scored_locally', p_result ->> 'warning', 'scoring') end
    where j.id = p_job.id;
end
$function$;
comment on function mashup.record_scores(mashup_jobs,jsonb) is 'Stores pair scores.';

CREATE OR REPLACE FUNCTION mashup.record_service_failure(p_service text, p_error text, p_task_id bigint)
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  update mashup.service_health h set
      failures = h.failures + 1, last_error = left(p_error, 300), updated_at = mashup.now(),
      state = case when o.opens_now then 'open' else h.state end,
      opens = h.opens + o.opens_now::integer,
      opened_at = case when h.state = 'closed' and o.opens_now then mashup.now() else h.opened_at end,
      probe_task = case when o.opens_now then null else h.probe_task end,
      retry_at = case when o.opens_now
        then mashup.now() + make_interval(secs => least(mashup.setting_number('circuit_open_sec') * 2 ^ least(h.opens, 10),
          mashup.setting_number('circuit_open_max_sec'))) else h.retry_at end
    from (select c.service, c.probe_task is not distinct from p_task_id
            or (c.state = 'closed' and c.failures + 1 >= mashup.setting_number('circuit_failures')) as opens_now
          from mashup.service_health c where c.service = p_service for update) o
    where h.service = o.service
$function$;
comment on function mashup.record_service_failure(text,text,bigint) is 'Counts an availability fault and opens the circuit when there were too many.';

CREATE OR REPLACE FUNCTION mashup.record_service_success(p_service text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  update mashup.service_health h set state = 'closed', failures = 0, opens = 0, opened_at = null, retry_at = null, probe_task = null,
      -- What is left of it says that the circuit was open: dispatch_tasks then brings tasks back with spread.
      last_error = case when h.state <> 'closed' then h.last_error end, updated_at = mashup.now()
    where h.service = p_service and (h.state <> 'closed' or h.failures > 0);
end
$function$;
comment on function mashup.record_service_success(text) is 'Closes a service''s circuit.';

CREATE OR REPLACE FUNCTION mashup.record_stems(p_job mashup_jobs, p_task mashup.tasks, p_result jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_hash text;
  v_id bigint;
  v_old jsonb;
begin
  select s ->> 'hash' into v_hash from jsonb_array_elements(p_job.songs) s where s ->> 'song_id' = p_task.song_id;
  if p_result ->> 'stems_id' is not null then
    update mashup.stems s set used_at = mashup.now()
      where s.id = (p_result ->> 'stems_id')::bigint and s.user_id = p_job.user_id returning s.id into v_id;
    if v_id is null then
      perform mashup.raise_error('MB003', 'The stems to record are no longer in the cache.', 'Separate the song again.');
    end if;
  else
    if exists (select from jsonb_each_text(p_result -> 'paths') p where not starts_with(p.value, p_task.output_prefix || '/')) then
      perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
        'The separation service must keep to the paths it was given.');
    end if;
    -- Again when the row that was in the way is gone once it can be locked.
    loop
      insert into mashup.stems as s (user_id, content_hash, model, paths)
        values (p_job.user_id, v_hash, p_result ->> 'model', p_result -> 'paths')
        on conflict (user_id, content_hash, model) do nothing returning s.id into v_id;
      exit when v_id is not null;
      select s.id, s.paths into v_id, v_old from mashup.stems s
        where s.user_id = p_job.user_id and s.content_hash = v_hash and s.model = p_result ->> 'model' for update;
      if v_id is not null then
        update mashup.stems s set paths = p_result -> 'paths', used_at = mashup.now() where s.id = v_id;
        -- Another job may be reading the older stems still.
        insert into mashup.storage_deletions (path, not_before)
          select p.value, mashup.now() + mashup.setting_interval('replaced_stems_after_sec') from jsonb_each_text(v_old) p;
        exit;
      end if;
    end loop;
  end if;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'ready', 'stems_id', v_id)),
      estimated_completion_at = mashup.estimate_completion(j)
    where j.id = p_job.id;
end
$function$;
comment on function mashup.record_stems(mashup_jobs,mashup.tasks,jsonb) is 'Stores stems and points the song''s card to them.';

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
begin
  select * into v_kind from mashup.task_kinds where kind = p_task.kind;
  v_task.crashes := p_task.crashes + 1;
  v_task.solo_crashes := p_task.solo_crashes + v_was_solo::integer;
  perform set_config('mashup.actor', 'sweep', true);
  if v_task.solo_crashes >= mashup.setting_number('max_solo_crashes') then
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
    jsonb_build_object('task', p_task.id, 'reason', p_reason, 'worker', p_task.worker_id, 'crashes', v_task.crashes));
end
$function$;
comment on function mashup.recover_task(mashup.tasks,text) is 'Takes a task from a lost worker. Lock: job and task rows held by the caller.';

CREATE OR REPLACE FUNCTION mashup.refresh_queue_positions()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_ids uuid[];
begin
  -- The limits are written out: with a limit that it does not know, the planner sorts the whole queue.
  v_ids := array(
    select w.id from (
      select o.id, o.user_id, o.queued_at, row_number() over (partition by o.user_id order by o.queued_at, o.id) as nth
      from (
        select j.id, j.user_id, j.queued_at from public.mashup_jobs j
        where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is null and (j.hold is null or j.stage <> 'planning')
        order by j.queued_at, j.id limit 60) o
    ) w
    where w.nth = 1 and not exists (
      select from public.mashup_jobs r
      where r.user_id = w.user_id and r.stage not in ('complete', 'failed', 'cancelled') and r.admitted_at is not null)
    order by w.queued_at, w.id limit 20);
  if cardinality(v_ids) < 20 then
    v_ids := array(select p.id from mashup.queue_order() p order by p.queue_position limit 20);
  end if;
  with changed as (
    select j.id, p.queue_position, w.waiting_on from public.mashup_jobs j
    join unnest(v_ids) with ordinality as p (id, queue_position) on p.id = j.id
    cross join lateral (select case when mashup.is_job_paused(j.id, j.user_id) then 'pause' else 'slot' end as waiting_on) w
    where j.admitted_at is null and (j.queue_position is distinct from p.queue_position or j.waiting_on is distinct from w.waiting_on)
    for no key update of j skip locked
  )
  update public.mashup_jobs j set queue_position = c.queue_position, waiting_on = c.waiting_on,
      current_step = case
        when c.waiting_on = j.waiting_on then j.current_step
        when c.waiting_on = 'pause' then 'Paused by the operator'
        else 'Waiting for a free slot'
      end
  from changed c where j.id = c.id and j.admitted_at is null;
end
$function$;
comment on function mashup.refresh_queue_positions() is 'Writes queue_position of the first twenty waiting jobs, and whether a pause keeps them from a slot.';

CREATE OR REPLACE FUNCTION mashup.refresh_waiting_on(p_job_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_ids uuid[] := p_job_ids;
  v_paused boolean := exists (select from mashup.pauses);
  v_paused_kinds text[] := '{}';
  v_open_kinds text[];
begin
  if v_ids is null then
    -- Mostly every job has something that runs or may run, and is not said to wait.
    v_ids := array(
      select j.id from public.mashup_jobs j
      where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
        and (j.waiting_on is not null
          or not exists (select from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state in ('ready', 'running'))));
  end if;
  if cardinality(v_ids) = 0 then
    return;
  end if;
  if v_paused then
    v_paused_kinds := array(select k.kind from mashup.task_kinds k
      where mashup.is_paused('kind', k.kind) or mashup.is_paused('service', k.service));
  end if;
  v_open_kinds := array(select k.kind from mashup.service_health h join mashup.task_kinds k on k.service = h.service
    where h.state <> 'closed');
  with waits as (
    -- Offset 0: a job's own tasks are looked up, not hashed with all others'.
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
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
  ), changed as (
    select j.id, w.waiting_on from waits w join public.mashup_jobs j on j.id = w.id
    where j.stage not in ('complete', 'failed', 'cancelled') and j.admitted_at is not null
      and j.waiting_on is distinct from w.waiting_on
    for no key update of j skip locked
  )
  update public.mashup_jobs j set waiting_on = c.waiting_on,
      current_step = case c.waiting_on
        when 'circuit' then 'A service is not answering; carrying on as soon as it does'
        when 'pause' then 'Paused by the operator'
        else case when j.waiting_on in ('circuit', 'pause') then (select s.step from mashup.stages s where s.stage = j.stage) else j.current_step end
      end
  from changed c where j.id = c.id;
end
$function$;
comment on function mashup.refresh_waiting_on(uuid[]) is 'Writes waiting_on of jobs that hold a slot; null: of all. Skips locked rows: the sweep names them within a second.';

CREATE OR REPLACE FUNCTION mashup.register_worker(p_id uuid, p_host text, p_pid integer, p_lock_key bigint, p_version text, p_concurrency integer, p_pool_ids text[], p_services jsonb)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
  insert into mashup.workers as w (id, host, pid, lock_key, version, concurrency, pool_ids, services)
  values (p_id, p_host, p_pid, p_lock_key, p_version, p_concurrency, p_pool_ids, p_services)
  on conflict (id) do update set lock_key = excluded.lock_key, pool_ids = excluded.pool_ids,
    services = excluded.services, seen_at = mashup.now(), draining = false
$function$;
comment on function mashup.register_worker(uuid,text,integer,bigint,text,integer,text[],jsonb) is 'Makes a worker known. It must already hold a session advisory lock on p_lock_key.';
grant execute on function mashup.register_worker(uuid,text,integer,bigint,text,integer,text[],jsonb) to mashup_worker;

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
      'Replay from queued, analyzing, scoring, planning, separating or rendering.');
  end if;
  perform set_config('mashup.fresh', case when fresh then 'yes' else '' end, true);
  update public.mashup_jobs j set stage = p_stage where j.id = p_job_id returning * into v_job;
  perform set_config('mashup.fresh', '', true);
  return v_job;
end
$function$;
comment on function mashup.replay(uuid,text,boolean) is 'Replays a job from a stage. Raises MB001, MB002, MB003.';

CREATE OR REPLACE FUNCTION mashup.request_schedule()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform set_config('mashup.schedule', 'new', true);
  return null;
end
$function$;
comment on function mashup.request_schedule() is 'Trigger: notes that schedule_all has something to do at commit.';

CREATE OR REPLACE FUNCTION mashup.request_schedule_for_task()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform set_config('mashup.schedule', 'new', true);
  perform mashup.mark_waiting_on_stale(new.job_id);
  return null;
end
$function$;
comment on function mashup.request_schedule_for_task() is 'Trigger: notes that release has something to do at commit, and for which job.';

CREATE OR REPLACE FUNCTION mashup.requeue_task(p_task mashup.tasks)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform mashup.discard_output(p_task);
  update mashup.tasks t set state = 'waiting', run_at = mashup.now(), claim = null, worker_id = null, lease_until = null, deadline_at = null,
      is_probe = false, crashes = p_task.crashes, solo_crashes = p_task.solo_crashes
    where t.id = p_task.id;
end
$function$;
comment on function mashup.requeue_task(mashup.tasks) is 'Makes a running task wait again. Lock: job and task rows held by the caller.';

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
comment on function mashup.require_job(uuid) is 'Locks a job; raises MB002 if there is none.';

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
comment on function mashup.require_own_job(uuid,boolean) is 'A job of the caller, locked unless told otherwise; raises MB002 for any other.';

CREATE OR REPLACE FUNCTION mashup.reset_orphaned_probes()
 RETURNS void
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
end
$function$;
comment on function mashup.reset_orphaned_probes() is 'Opens half-open circuits whose probe is gone. Never waits for a row.';

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
comment on function mashup.resume(text,text) is 'Ends a pause; false if there was none.';

CREATE OR REPLACE FUNCTION mashup.retry(p_job_id uuid)
 RETURNS mashup_jobs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_job public.mashup_jobs;
  v_missing text[];
begin
  v_job := mashup.require_job(p_job_id);
  if v_job.stage not in ('failed', 'cancelled') then
    perform mashup.raise_error('MB001', format('Job %s is in stage %s: there is nothing to retry.', p_job_id, v_job.stage),
      'Retry a failed or cancelled job; to run another from a stage, replay it.');
  end if;
  v_missing := mashup.missing_prerequisite(v_job, coalesce(nullif(v_job.stopped_stage, 'queued'), 'analyzing'));
  perform set_config('mashup.keep_songs', 'yes', true);
  update public.mashup_jobs j set stage = coalesce(v_missing[2], nullif(v_job.stopped_stage, 'queued'), 'analyzing')
    where j.id = p_job_id returning * into v_job;
  perform set_config('mashup.keep_songs', '', true);
  return v_job;
end
$function$;
comment on function mashup.retry(uuid) is 'Re-arms what failed and resumes there. Raises MB001, MB002.';

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
comment on function mashup.return_task(bigint,uuid) is 'Gives a running task back. Guarded by the claim.';
grant execute on function mashup.return_task(bigint,uuid) to mashup_worker;

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
comment on function mashup.save_receipt(uuid,text,jsonb,jsonb,numeric) is 'Appends a paid answer to plan_receipts.';
grant execute on function mashup.save_receipt(uuid,text,jsonb,jsonb,numeric) to mashup_worker;

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
  v_noted text;
begin
  perform pg_advisory_xact_lock(hashtext('mashup.schedule'));
  perform mashup.admit_jobs();
  perform mashup.dispatch_tasks();
  v_noted := coalesce(current_setting('mashup.stale_jobs', true), '');
  perform mashup.refresh_waiting_on(case when not p_all and v_noted <> 'all' then string_to_array(rtrim(v_noted), ' ')::uuid[] end);
  perform set_config('mashup.stale_jobs', '', true);
  perform set_config('mashup.schedule', '', true);
end
$function$;
comment on function mashup.schedule(boolean) is 'Admits jobs and releases tasks under one advisory lock; names the waits of all jobs, or of those noted. Never waits for a row.';

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
comment on function mashup.schedule_all() is 'Admits jobs, releases tasks and names every wait, under one advisory lock. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.schedule_at_commit()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- A transaction that keeps its first snapshot cannot count what others released meanwhile: the sweep does it for it.
  if current_setting('mashup.schedule', true) = 'new' and current_setting('transaction_isolation') = 'read committed' then
    perform mashup.schedule(false);
  end if;
  return null;
end
$function$;
comment on function mashup.schedule_at_commit() is 'Deferred trigger: runs schedule_all once for a transaction, at commit, so that an open transaction never holds its lock.';

CREATE OR REPLACE FUNCTION mashup.select_jobs(p_stage text DEFAULT NULL::text, p_error_code text DEFAULT NULL::text, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_stopped_stage text DEFAULT NULL::text, p_user_id uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 100, p_after uuid DEFAULT NULL::uuid)
 RETURNS SETOF mashup_jobs
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select * from public.mashup_jobs j
  where (p_stage is null or j.stage = p_stage) and (p_error_code is null or j.error_code = p_error_code)
    and (p_since is null or coalesce(j.finished_at, j.created_at) >= p_since)
    and (p_stopped_stage is null or j.stopped_stage = p_stopped_stage)
    and (p_user_id is null or j.user_id = p_user_id) and (p_after is null or j.id > p_after)
  order by j.id limit p_limit
$function$;
comment on function mashup.select_jobs(text,text,timestamp with time zone,text,uuid,integer,uuid) is 'Jobs by filter, in id order: the preview of a bulk verb.';

CREATE OR REPLACE FUNCTION mashup.service_capacity(p_kind mashup.task_kinds, OUT free integer, OUT probe boolean)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_health mashup.service_health;
  v_taken integer;
begin
  probe := false;
  select count(*) into v_taken from (
    select t.kind from mashup.tasks t where t.state = 'running' and not t.fallback
    union all select t.kind from mashup.tasks t where t.state = 'ready' and not t.fallback
    union all select t.kind from mashup.tasks t where t.held_until is not null and t.held_until > mashup.now()
  ) busy where busy.kind in (select k.kind from mashup.task_kinds k where k.service = p_kind.service);
  free := coalesce((select (s.value ->> p_kind.service)::integer from mashup.settings s where s.name = 'service_limits'), 1) - v_taken;
  select * into v_health from mashup.service_health h where h.service = p_kind.service;
  if v_health.state = 'open' and v_health.retry_at <= mashup.now() then
    probe := true;
    free := least(free, 1);
  elsif v_health.state in ('open', 'half_open') then
    free := 0;
  end if;
end
$function$;
comment on function mashup.service_capacity(mashup.task_kinds) is 'Free places at a kind''s service now; 0 while its circuit is open.';

CREATE OR REPLACE FUNCTION mashup.setting_interval(p_name text)
 RETURNS interval
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$ begin return pg_catalog.make_interval(secs => mashup.setting_number(p_name)); end $function$;
comment on function mashup.setting_interval(text) is 'A setting in seconds as an interval.';

CREATE OR REPLACE FUNCTION mashup.setting_number(p_name text)
 RETURNS double precision
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$ begin return (select (s.value #>> '{}')::double precision from mashup.settings s where s.name = p_name); end $function$;
comment on function mashup.setting_number(text) is 'A numeric setting by name; null if there is none of that name.';
grant execute on function mashup.setting_number(text) to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.signal_tasks(p_job_id uuid, p_reason text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform pg_catalog.pg_notify('mashup_tasks', pg_catalog.json_build_object('job', p_job_id, 'status', p_reason)::text);
end
$function$;
comment on function mashup.signal_tasks(uuid,text) is 'Notifies workers on channel mashup_tasks that a job was replayed or cancelled.';

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
      waiting_on = case when j.stage = 'planning' then 'slot' else j.waiting_on end,
      current_step = case when j.stage = 'planning' then 'Waiting for a free slot' else j.current_step end,
      queued_at = case when j.stage = 'planning' then mashup.now() else j.queued_at end
    where j.id = p_job_id returning * into v_job;
  perform mashup.log_event(v_job, 'release', 'Started by its user');
  return v_job;
end
$function$;
comment on function mashup.start(uuid,jsonb) is 'Starts a draft. Raises MB002, MB006, MB009.';

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
  v_freed integer;
  v_restored integer := 0;
  v_retained integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtext('mashup.sweep')) then
    return null;
  end if;
  v_freed := mashup.sweep_workers();
  update mashup.maintenance_runs set done_at = mashup.now()
    where name = 'reconcile' and done_at <= mashup.now() - mashup.setting_interval('reconcile_sec');
  if found then
    v_restored := mashup.reconcile_queue();
    perform mashup.refresh_queue_positions();
    delete from mashup.pauses p using (
      select d.scope, d.key from mashup.pauses d where d.until <= mashup.now() for update skip locked) ended
      where p.scope = ended.scope and p.key = ended.key;
  end if;
  update mashup.maintenance_runs set done_at = mashup.now() where name = 'purge' and done_at <= mashup.now() - interval '1 minute';
  if found then
    v_retained := mashup.purge_expired();
  end if;
  -- Back-offs that ended, circuits due for a probe, pauses that ran out: nothing else would wake them.
  perform mashup.schedule_all();
  return jsonb_build_object('recovered', v_freed, 'enqueued', v_restored, 'purged', v_retained);
end
$function$;
comment on function mashup.sweep() is 'One round of upkeep: lost workers, reconcile, retention, release.';
grant execute on function mashup.sweep() to mashup_worker;

CREATE OR REPLACE FUNCTION mashup.sweep_workers()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_dead uuid[] := array(select mashup.dead_workers());
  v_row record;
  v_task mashup.tasks;
  v_count integer := 0;
begin
  for v_row in
    select t.id, t.claim, t.worker_id = any (v_dead) or w.id is null as is_dead, t.deadline_at < mashup.now() - interval '10 seconds' as is_late
    from mashup.tasks t left join mashup.workers w on w.id = t.worker_id
    where t.state = 'running'
      and (t.worker_id = any (v_dead) or w.id is null or t.lease_until < mashup.now() or t.deadline_at < mashup.now() - interval '10 seconds')
    order by t.id
  loop
    v_task := mashup.try_lock_claim(v_row.id, v_row.claim);
    continue when v_task.id is null;
    -- One task that cannot be taken must not keep the others from being taken.
    begin
      if v_row.is_dead then
        perform mashup.recover_task(v_task, 'worker_dead');
      elsif v_task.lease_until < mashup.now() then
        perform mashup.recover_task(v_task, 'lease_expired');
      elsif v_row.is_late then
        perform mashup.discard_output(v_task);
        perform mashup.signal_tasks(v_task.job_id, 'lost');
        perform mashup.end_attempt(v_task, k, false, true, 'task_timeout', format('The %s task took longer than it may.', v_task.kind),
          'Try again; if it happens again, use shorter songs.', null) from mashup.task_kinds k where k.kind = v_task.kind;
      end if;
      v_count := v_count + 1;
    exception when others then
      raise warning 'Task % could not be taken: %', v_task.id, sqlerrm;
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
comment on function mashup.sweep_workers() is 'Frees what lost workers hold. Never waits for a row.';

CREATE OR REPLACE FUNCTION mashup.throughput(p_since interval DEFAULT '1 day'::interval)
 RETURNS TABLE(stage text, passed bigint, per_hour numeric, p50_sec numeric, p95_sec numeric, max_sec numeric)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  with moves as (
    select e.from_stage, e.created_at - lag(e.created_at) over (partition by e.job_id order by e.id) as took
    from public.mashup_job_events e
    where e.created_at > mashup.now() - p_since and e.type in ('submitted', 'stage', 'replay', 'error', 'cancel')
  )
  select m.from_stage, count(*), round((count(*) / greatest(extract(epoch from p_since) / 3600, 0.01))::numeric, 1),
    round(percentile_cont(0.5) within group (order by extract(epoch from m.took))::numeric, 2),
    round(percentile_cont(0.95) within group (order by extract(epoch from m.took))::numeric, 2),
    round(max(extract(epoch from m.took))::numeric, 2)
  from moves m join mashup.stages s on s.stage = m.from_stage and not s.is_terminal
  where m.took is not null group by m.from_stage, s.position order by s.position
$function$;
comment on function mashup.throughput(interval) is 'How many jobs passed each stage, and how long they were in it.';

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
    if octet_length(new.songs::text) > 3000 then
      perform mashup.raise_error('MB011', 'The songs do not fit into the job''s row.', 'Shorten names and artists.');
    end if;
  end if;
  return new;
end
$function$;
comment on function mashup.touch_job() is 'Trigger: raises version, keeps progress from falling within an epoch.';

CREATE OR REPLACE FUNCTION mashup.transition_job(p_job_id uuid, p_stage text, p_move text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform set_config('mashup.transition', p_job_id || ' ' || p_stage || ' ' || p_move, true);
  update public.mashup_jobs j set stage = p_stage where j.id = p_job_id;
  perform set_config('mashup.transition', '', true);
end
$function$;
comment on function mashup.transition_job(uuid,text,text) is 'Makes a move as the engine. Lock: job row.';

CREATE OR REPLACE FUNCTION mashup.truncate_bytes(p_text text, p_octets integer)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  v_text text := left(p_text, p_octets);
begin
  while octet_length(to_jsonb(v_text)::text) - 2 > p_octets loop
    v_text := left(v_text, least(length(v_text) - 1, length(v_text) * p_octets / octet_length(to_jsonb(v_text)::text)));
  end loop;
  return v_text;
end
$function$;
comment on function mashup.truncate_bytes(text,integer) is 'The beginning of a text that takes at most so many bytes in a jsonb value.';

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
comment on function mashup.try_lock_claim(bigint,uuid) is 'As lock_claim, but never waits.';

CREATE OR REPLACE FUNCTION mashup.unlock_queue(p_pool_ids text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  if cardinality(p_pool_ids) > 0 and pg_catalog.to_regnamespace('graphile_worker') is not null then
    perform graphile_worker.force_unlock_workers(p_pool_ids);
  end if;
end
$function$;
comment on function mashup.unlock_queue(text[]) is 'Unlocks Graphile Worker jobs of dead pools.';

CREATE OR REPLACE FUNCTION public.operator_cancel(job_id uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.cancel(operator_cancel.job_id) $function$;
comment on function operator_cancel(uuid) is 'Cancels any live job. Raises MB001, MB002. For the service role.';
grant execute on function operator_cancel(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_job_history(job_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object('job', to_jsonb(j),
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'kind', t.kind, 'song_id', t.song_id, 'epoch', t.epoch, 'state', t.state,
        'failures', t.failures, 'crashes', t.crashes, 'error', t.error,
        'took_sec', extract(epoch from coalesce(t.finished_at, mashup.now()) - t.started_at)) order by t.id), '[]')
      from mashup.tasks t where t.job_id = j.id),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('at', s.at, 'since_start_sec', extract(epoch from s.since_start), 'epoch', s.epoch,
        'what', s.what, 'stage', s.stage, 'song', s.song, 'message', s.message, 'actor', s.actor, 'detail', s.detail)), '[]')
      from mashup.job_history(j.id) s))
  from public.mashup_jobs j where j.id = operator_job_history.job_id
$function$;
comment on function operator_job_history(uuid) is 'One job with its tasks and history; null if there is none. For the service role.';
grant execute on function operator_job_history(uuid) to service_role;

CREATE OR REPLACE FUNCTION public.operator_overview()
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select jsonb_build_object(
    'stages', (select jsonb_agg(jsonb_build_object('stage', s.stage, 'is_terminal', s.is_terminal,
        'jobs', (select count(*) from public.mashup_jobs j where j.stage = s.stage
          and (not s.is_terminal or j.finished_at > mashup.now() - interval '1 day'))) order by s.position) from mashup.stages s),
    'live', (select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'stage', l.stage, 'waiting_on', l.waiting_on, 'progress', l.progress,
        'current_step', l.current_step, 'in_stage_sec', extract(epoch from l.in_stage_for), 'running', l.running, 'ready', l.ready,
        'waiting', l.waiting, 'epoch', l.epoch, 'user_id', l.user_id) order by l.created_at desc), '[]')
      from (select * from mashup.live_jobs order by created_at desc limit 50) l),
    'stuck', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'stage', s.stage, 'why', s.why,
        'in_stage_sec', extract(epoch from s.in_stage_for))), '[]') from (select * from mashup.stuck where why is not null limit 50) s),
    'failures', (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (select * from mashup.failures limit 20) f),
    'circuits', (select coalesce(jsonb_agg(jsonb_build_object('service', c.service, 'state', c.state, 'running', c.running,
        'waiting', c.waiting, 'at_most', c.at_most, 'last_error', c.last_error, 'probe_in_sec', extract(epoch from c.probe_in)) order by c.service), '[]')
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
      from generate_series(date_trunc('hour', mashup.now()) - interval '23 hours', date_trunc('hour', mashup.now()), interval '1 hour') h (hour)
      cross join lateral (
        select count(*) filter (where j.stage = 'complete') as complete, count(*) filter (where j.stage = 'failed') as failed,
          count(*) filter (where j.stage = 'cancelled') as cancelled
        from public.mashup_jobs j where j.finished_at >= h.hour and j.finished_at < h.hour + interval '1 hour') e),
    'throughput', (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from mashup.throughput() t),
    'recent', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'stage', r.stage, 'title', r.title, 'error_code', r.error_code,
        'error_message', r.error_message, 'songs', (select jsonb_agg(s ->> 'name') from jsonb_array_elements(r.songs) s),
        'took_sec', extract(epoch from r.finished_at - r.queued_at), 'finished_at', r.finished_at) order by r.finished_at desc), '[]')
      from (select * from public.mashup_jobs where stage in ('complete', 'failed', 'cancelled') order by finished_at desc limit 20) r),
    'server_now', mashup.now())
$function$;
comment on function operator_overview() is 'Everything that the operator''s page shows, in one document. For the service role.';
grant execute on function operator_overview() to service_role;

CREATE OR REPLACE FUNCTION public.operator_pause(scope text, key text DEFAULT ''::text, reason text DEFAULT 'Paused by the operator'::text)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.pause(operator_pause.scope, operator_pause.key, operator_pause.reason) $function$;
comment on function operator_pause(text,text,text) is 'Pauses the system, a user, a job, a kind of task or a service. Raises MB006. For the service role.';
grant execute on function operator_pause(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_replay(job_id uuid, stage text, fresh boolean DEFAULT false)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.replay(operator_replay.job_id, operator_replay.stage, operator_replay.fresh) $function$;
comment on function operator_replay(uuid,text,boolean) is 'Replays any job from a stage. Raises MB001, MB002, MB003. For the service role.';
grant execute on function operator_replay(uuid,text,boolean) to service_role;

CREATE OR REPLACE FUNCTION public.operator_resume(scope text, key text DEFAULT ''::text)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.resume(operator_resume.scope, operator_resume.key) $function$;
comment on function operator_resume(text,text) is 'Ends a pause; false if there was none. For the service role.';
grant execute on function operator_resume(text,text) to service_role;

CREATE OR REPLACE FUNCTION public.operator_retry(job_id uuid)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$ select mashup.retry(operator_retry.job_id) $function$;
comment on function operator_retry(uuid) is 'Retries any failed or cancelled job. Raises MB001, MB002. For the service role.';
grant execute on function operator_retry(uuid) to service_role;

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
comment on function replay_mashup(uuid,text,boolean) is 'Replays the caller''s job from a stage. Raises MB001, MB002, MB003, MB004, MB010.';
grant execute on function replay_mashup(uuid,text,boolean) to authenticated;

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
comment on function retry_mashup(uuid) is 'Retries the caller''s failed or cancelled job. Raises MB001, MB002, MB004, MB010.';
grant execute on function retry_mashup(uuid) to authenticated;

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
comment on function start_mashup(uuid,jsonb) is 'Starts the caller''s draft. Raises MB002, MB004, MB006, MB009, MB010.';
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
comment on function submit_mashup(jsonb,jsonb,text,text) is 'Submits a mashup or a draft. Raises MB004, MB005, MB006, MB008, MB010, MB012.';
grant execute on function submit_mashup(jsonb,jsonb,text,text) to authenticated;

create view mashup.capacity as
 SELECT 'jobs'::text AS what,
    ( SELECT count(*) AS count
           FROM mashup_jobs
          WHERE ((mashup_jobs.stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text])) AND (mashup_jobs.admitted_at IS NOT NULL))) AS in_use,
    (mashup.setting_number('max_running_jobs'::text))::integer AS at_most,
    ( SELECT count(*) AS count
           FROM mashup_jobs
          WHERE ((mashup_jobs.stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text])) AND (mashup_jobs.admitted_at IS NULL) AND ((mashup_jobs.hold IS NULL) OR (mashup_jobs.stage <> 'planning'::text)))) AS waiting
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
comment on view mashup.capacity is 'What is in use of what there is: slots, services, workers.';

create view mashup.circuits as
 SELECT service,
    state,
    failures AS failures_in_a_row,
    (retry_at - mashup.now()) AS probe_in,
    last_error,
    ( SELECT count(*) AS count
           FROM (mashup.tasks t
             JOIN mashup.task_kinds k ON ((k.kind = t.kind)))
          WHERE ((k.service = h.service) AND (t.state = 'running'::text))) AS running,
    ( SELECT count(*) AS count
           FROM (mashup.tasks t
             JOIN mashup.task_kinds k ON ((k.kind = t.kind)))
          WHERE ((k.service = h.service) AND (t.state = 'waiting'::text))) AS waiting,
    ( SELECT ((s.value ->> h.service))::integer AS int4
           FROM mashup.settings s
          WHERE (s.name = 'service_limits'::text)) AS at_most
   FROM mashup.service_health h
  ORDER BY service;
comment on view mashup.circuits is 'Circuit breakers and load by service.';

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
comment on view mashup.failures is 'Failed jobs of seven days by reason.';

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
  WHERE (stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text]))
  ORDER BY created_at;
comment on view mashup.live_jobs is 'Every job that has not ended, with its tasks by state.';

create view mashup.queue_by_user as
 SELECT user_id,
    count(*) FILTER (WHERE (admitted_at IS NOT NULL)) AS running,
    count(*) FILTER (WHERE ((admitted_at IS NULL) AND (waiting_on IS DISTINCT FROM 'user'::text))) AS waiting,
    count(*) FILTER (WHERE (waiting_on = 'user'::text)) AS drafts,
    (mashup.now() - min(queued_at) FILTER (WHERE ((admitted_at IS NULL) AND (waiting_on IS DISTINCT FROM 'user'::text)))) AS longest_wait
   FROM mashup_jobs j
  WHERE (stage <> ALL (ARRAY['complete'::text, 'failed'::text, 'cancelled'::text]))
  GROUP BY user_id
  ORDER BY (count(*) FILTER (WHERE ((admitted_at IS NULL) AND (waiting_on IS DISTINCT FROM 'user'::text)))) DESC, (count(*) FILTER (WHERE (admitted_at IS NOT NULL))) DESC;
comment on view mashup.queue_by_user is 'Live jobs by user.';

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
comment on view mashup.running_now is 'Every task that a worker holds, with the age of its last beat.';

create view mashup.stuck as
 SELECT id,
    stage,
    waiting_on,
    in_stage_for,
        CASE
            WHEN (waiting_on = 'user'::text) THEN NULL::text
            WHEN ((running > 0) AND (EXISTS ( SELECT
               FROM mashup.tasks t
              WHERE ((t.job_id = j.id) AND (t.state = 'running'::text) AND (t.lease_until < mashup.now()))))) THEN 'A worker is silent and nobody sweeps: is a worker running?'::text
            WHEN ((ready > 0) AND (EXISTS ( SELECT
               FROM mashup.tasks t
              WHERE ((t.job_id = j.id) AND (t.state = 'ready'::text) AND (t.run_at < (mashup.now() - '00:01:00'::interval)))))) THEN 'A task has been ready for over a minute: are workers running, and do they have room?'::text
            WHEN ((waiting_on = 'pause'::text) OR ((waiting_on = 'slot'::text) AND mashup.is_job_paused(id, user_id))) THEN 'Paused: see mashup.pauses.'::text
            WHEN ((waiting_on = 'slot'::text) AND (in_stage_for > '00:10:00'::interval)) THEN 'Waits for a slot for long: see mashup.capacity.'::text
            WHEN (waiting_on = 'circuit'::text) THEN 'A service is away: see mashup.circuits.'::text
            WHEN ((((running + ready) + waiting) = 0) AND (waiting_on IS NULL)) THEN 'Nothing of it runs or may run. Replay it: update mashup_jobs set stage = stage where id = this one.'::text
            ELSE NULL::text
        END AS why
   FROM mashup.live_jobs j
  WHERE (((running > 0) AND (EXISTS ( SELECT
           FROM mashup.tasks t
          WHERE ((t.job_id = j.id) AND (t.state = 'running'::text) AND (t.lease_until < mashup.now()))))) OR ((ready > 0) AND (EXISTS ( SELECT
           FROM mashup.tasks t
          WHERE ((t.job_id = j.id) AND (t.state = 'ready'::text) AND (t.run_at < (mashup.now() - '00:01:00'::interval)))))) OR ((waiting_on = 'slot'::text) AND ((in_stage_for > '00:10:00'::interval) OR mashup.is_job_paused(id, user_id))) OR (waiting_on = ANY (ARRAY['circuit'::text, 'pause'::text])) OR ((((running + ready) + waiting) = 0) AND (waiting_on IS NULL)));
comment on view mashup.stuck is 'Live jobs that do not move, and why. Empty when all is well.';

create policy "mashups: no changes but own" on storage.objects as restrictive for update to anon, authenticated
  using ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)))
  with check ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)));
create policy "mashups: no more uploads than allowed" on storage.objects as restrictive for insert to authenticated
  with check ((bucket_id <> 'mashups'::text) OR ( SELECT mashup.has_upload_quota() AS has_upload_quota));
create policy "mashups: no reads but own" on storage.objects as restrictive for select to authenticated
  using ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)) OR (((storage.foldername(name))[1] = 'generated'::text) AND (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.result_path = objects.name) AND (j.user_id = ( SELECT auth.uid() AS uid)))))));
create policy "mashups: no reads without a session" on storage.objects as restrictive for select to anon
  using (bucket_id <> 'mashups'::text);
create policy "mashups: no removals but own" on storage.objects as restrictive for delete to anon, authenticated
  using ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)));
create policy "mashups: no uploads but own" on storage.objects as restrictive for insert to anon, authenticated
  with check ((bucket_id <> 'mashups'::text) OR (((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)));
create policy "mashups: own uploads and results" on storage.objects as permissive for select to authenticated
  using ((bucket_id = 'mashups'::text) AND ((((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text)) OR (((storage.foldername(name))[1] = 'generated'::text) AND (EXISTS ( SELECT
   FROM mashup_jobs j
  WHERE ((j.result_path = objects.name) AND (j.user_id = ( SELECT auth.uid() AS uid))))))));
create policy "mashups: own uploads change" on storage.objects as permissive for update to authenticated
  using ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text))
  with check ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text));
create policy "mashups: own uploads in" on storage.objects as permissive for insert to authenticated
  with check ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text));
create policy "mashups: own uploads out" on storage.objects as permissive for delete to authenticated
  using ((bucket_id = 'mashups'::text) AND ((storage.foldername(name))[1] = 'uploads'::text) AND ((storage.foldername(name))[2] = (( SELECT auth.uid() AS uid))::text));

CREATE TRIGGER forget_mashup_files BEFORE DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION mashup.enqueue_file_deletions();
CREATE TRIGGER forget_mashup_user AFTER DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION mashup.delete_user_data();

alter publication supabase_realtime add table public.mashup_jobs;

-- storage.buckets: {"id": "mashups", "public": false, "file_size_limit": 268435456}

-- mashup.stages
-- {"step": "Waiting for a free slot", "stage": "queued", "position": 0, "is_terminal": false, "progress_to": 0, "progress_from": 0}
-- {"step": "Analysing the songs", "stage": "analyzing", "position": 1, "is_terminal": false, "progress_to": 50, "progress_from": 0}
-- {"step": "Comparing the songs", "stage": "scoring", "position": 2, "is_terminal": false, "progress_to": 60, "progress_from": 50}
-- {"step": "Planning the mashup", "stage": "planning", "position": 3, "is_terminal": false, "progress_to": 75, "progress_from": 60}
-- {"step": "Separating the stems", "stage": "separating", "position": 4, "is_terminal": false, "progress_to": 80, "progress_from": 75}
-- {"step": "Rendering the mashup", "stage": "rendering", "position": 5, "is_terminal": false, "progress_to": 100, "progress_from": 80}
-- {"step": "Done", "stage": "complete", "position": 6, "is_terminal": true, "progress_to": 100, "progress_from": 100}
-- {"step": "Failed", "stage": "failed", "position": 7, "is_terminal": true, "progress_to": 100, "progress_from": 0}
-- {"step": "Cancelled", "stage": "cancelled", "position": 8, "is_terminal": true, "progress_to": 100, "progress_from": 0}

-- mashup.transitions
-- {"name": "admit", "needs": null, "made_by": "engine", "to_stage": "analyzing", "from_stage": "queued"}
-- {"name": "admit", "needs": null, "made_by": "engine", "to_stage": "planning", "from_stage": "queued"}
-- {"name": "advance", "needs": null, "made_by": "engine", "to_stage": "complete", "from_stage": "rendering"}
-- {"name": "advance", "needs": null, "made_by": "engine", "to_stage": "planning", "from_stage": "scoring"}
-- {"name": "advance", "needs": null, "made_by": "engine", "to_stage": "rendering", "from_stage": "separating"}
-- {"name": "advance", "needs": null, "made_by": "engine", "to_stage": "scoring", "from_stage": "analyzing"}
-- {"name": "advance", "needs": null, "made_by": "engine", "to_stage": "separating", "from_stage": "planning"}
-- {"name": "cancel", "needs": null, "made_by": "operator", "to_stage": "cancelled", "from_stage": "analyzing"}
-- {"name": "cancel", "needs": null, "made_by": "operator", "to_stage": "cancelled", "from_stage": "planning"}
-- {"name": "cancel", "needs": null, "made_by": "operator", "to_stage": "cancelled", "from_stage": "queued"}
-- {"name": "cancel", "needs": null, "made_by": "operator", "to_stage": "cancelled", "from_stage": "rendering"}
-- {"name": "cancel", "needs": null, "made_by": "operator", "to_stage": "cancelled", "from_stage": "scoring"}
-- {"name": "cancel", "needs": null, "made_by": "operator", "to_stage": "cancelled", "from_stage": "separating"}
-- {"name": "fail", "needs": null, "made_by": "engine", "to_stage": "failed", "from_stage": "analyzing"}
-- {"name": "fail", "needs": null, "made_by": "engine", "to_stage": "failed", "from_stage": "planning"}
-- {"name": "fail", "needs": null, "made_by": "engine", "to_stage": "failed", "from_stage": "queued"}
-- {"name": "fail", "needs": null, "made_by": "engine", "to_stage": "failed", "from_stage": "rendering"}
-- {"name": "fail", "needs": null, "made_by": "engine", "to_stage": "failed", "from_stage": "scoring"}
-- {"name": "fail", "needs": null, "made_by": "engine", "to_stage": "failed", "from_stage": "separating"}
-- {"name": "replan", "needs": null, "made_by": "engine", "to_stage": "planning", "from_stage": "planning"}
-- {"name": "replan", "needs": null, "made_by": "engine", "to_stage": "planning", "from_stage": "rendering"}
-- {"name": "replan", "needs": null, "made_by": "engine", "to_stage": "planning", "from_stage": "separating"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "cancelled"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "complete"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "failed"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "planning"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "rendering"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "scoring"}
-- {"name": "replay", "needs": "analyses", "made_by": "operator", "to_stage": "scoring", "from_stage": "separating"}
-- {"name": "replay", "needs": "plan", "made_by": "operator", "to_stage": "separating", "from_stage": "cancelled"}
-- {"name": "replay", "needs": "plan", "made_by": "operator", "to_stage": "separating", "from_stage": "complete"}
-- {"name": "replay", "needs": "plan", "made_by": "operator", "to_stage": "separating", "from_stage": "failed"}
-- {"name": "replay", "needs": "plan", "made_by": "operator", "to_stage": "separating", "from_stage": "rendering"}
-- {"name": "replay", "needs": "plan", "made_by": "operator", "to_stage": "separating", "from_stage": "separating"}
-- {"name": "replay", "needs": "scores", "made_by": "operator", "to_stage": "planning", "from_stage": "cancelled"}
-- {"name": "replay", "needs": "scores", "made_by": "operator", "to_stage": "planning", "from_stage": "complete"}
-- {"name": "replay", "needs": "scores", "made_by": "operator", "to_stage": "planning", "from_stage": "failed"}
-- {"name": "replay", "needs": "scores", "made_by": "operator", "to_stage": "planning", "from_stage": "planning"}
-- {"name": "replay", "needs": "scores", "made_by": "operator", "to_stage": "planning", "from_stage": "rendering"}
-- {"name": "replay", "needs": "scores", "made_by": "operator", "to_stage": "planning", "from_stage": "separating"}
-- {"name": "replay", "needs": "stems", "made_by": "operator", "to_stage": "rendering", "from_stage": "cancelled"}
-- {"name": "replay", "needs": "stems", "made_by": "operator", "to_stage": "rendering", "from_stage": "complete"}
-- {"name": "replay", "needs": "stems", "made_by": "operator", "to_stage": "rendering", "from_stage": "failed"}
-- {"name": "replay", "needs": "stems", "made_by": "operator", "to_stage": "rendering", "from_stage": "rendering"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "analyzing"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "cancelled"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "complete"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "failed"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "planning"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "rendering"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "scoring"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "analyzing", "from_stage": "separating"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "analyzing"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "cancelled"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "complete"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "failed"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "planning"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "queued"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "rendering"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "scoring"}
-- {"name": "replay", "needs": null, "made_by": "operator", "to_stage": "queued", "from_stage": "separating"}

-- mashup.task_kinds
-- {"kind": "analyze", "stage": "analyzing", "service": "analysis", "priority": 0, "backoff_sec": 1, "timeout_sec": 300, "max_attempts": 4, "backoff_max_sec": 30, "fallback_after_sec": null}
-- {"kind": "plan", "stage": "planning", "service": "orchestrator", "priority": -10, "backoff_sec": 2, "timeout_sec": 660, "max_attempts": 3, "backoff_max_sec": 60, "fallback_after_sec": 60}
-- {"kind": "render", "stage": "rendering", "service": "processing", "priority": -5, "backoff_sec": 2, "timeout_sec": 1800, "max_attempts": 3, "backoff_max_sec": 60, "fallback_after_sec": null}
-- {"kind": "score", "stage": "scoring", "service": "scoring", "priority": -10, "backoff_sec": 1, "timeout_sec": 60, "max_attempts": 4, "backoff_max_sec": 30, "fallback_after_sec": 20}
-- {"kind": "separate", "stage": "separating", "service": "separation", "priority": 10, "backoff_sec": 2, "timeout_sec": 1800, "max_attempts": 4, "backoff_max_sec": 60, "fallback_after_sec": null}

-- mashup.stage_stats
-- {"kind": "analyze", "samples": 0, "base_sec": 0.5, "mean_sec": 5, "per_song_sec": 0.03}
-- {"kind": "plan", "samples": 0, "base_sec": 1, "mean_sec": 3, "per_song_sec": 0}
-- {"kind": "render", "samples": 0, "base_sec": 3, "mean_sec": 25, "per_song_sec": 0.1}
-- {"kind": "score", "samples": 0, "base_sec": 0.2, "mean_sec": 0.2, "per_song_sec": 0}
-- {"kind": "separate", "samples": 0, "base_sec": 1, "mean_sec": 20, "per_song_sec": 0.15}

-- mashup.settings
-- {"name": "analysis_retention_days", "value": 365, "description": "Cached analyses that were not used for this long are deleted."}
-- {"name": "circuit_failures", "value": 5, "description": "Availability faults in a row that open a service's circuit."}
-- {"name": "circuit_open_max_sec", "value": 300, "description": "Longest wait of an open circuit."}
-- {"name": "circuit_open_sec", "value": 15, "description": "How long an open circuit waits before it lets one probe through; doubles up to circuit_open_max_sec."}
-- {"name": "crash_grace_sec", "value": 1, "description": "A worker's lock is looked at only when it has been quiet for this long."}
-- {"name": "discard_after_sec", "value": 900, "description": "What a claim that came to nothing may have written is deleted after this. Longer than a service may go on writing for a call that was aborted."}
-- {"name": "draft_expires_hours", "value": 24, "description": "A draft that nobody starts is cancelled after this."}
-- {"name": "heartbeat_sec", "value": 5, "description": "How often a worker reports on a running task."}
-- {"name": "job_retention_days", "value": 365, "description": "A finished job and its history are deleted after this."}
-- {"name": "lease_sec", "value": 30, "description": "A running task whose worker has not been heard of for this long is taken from it."}
-- {"name": "max_crashes_before_solo", "value": 2, "description": "After this many lost workers a task runs only on a worker that runs nothing else."}
-- {"name": "max_drafts_per_user", "value": 20, "description": "Drafts of one user that wait for their user; one more is refused."}
-- {"name": "max_queued_jobs", "value": 1000, "description": "Jobs that wait for a slot, all users together; one more is refused."}
-- {"name": "max_queued_jobs_per_user", "value": 20, "description": "Jobs of one user that wait for a slot; one more is refused."}
-- {"name": "max_running_jobs", "value": 4, "description": "Jobs that hold a slot at one time, all users together."}
-- {"name": "max_running_jobs_per_user", "value": 2, "description": "Jobs of one user that hold a slot at one time."}
-- {"name": "max_solo_crashes", "value": 2, "description": "After this many workers lost while it ran alone a task fails."}
-- {"name": "max_submits_per_minute", "value": 30, "description": "Runs that one user may ask for in a minute: submissions, new versions, starts, retries and replays."}
-- {"name": "max_uploads_per_minute", "value": 60, "description": "Places for uploads that one user may ask for in a minute."}
-- {"name": "max_uploads_per_user", "value": 200, "description": "Files that one user may have below uploads/; one more is refused."}
-- {"name": "outbox_retry_sec", "value": 600, "description": "A deletion of files that failed is tried again after this."}
-- {"name": "plan_assumed_cost_usd", "value": 0, "description": "What an answer counts for that names no cost, as those of services outside do not."}
-- {"name": "plan_budget_usd_per_day", "value": 50, "description": "What planning may cost on one day (UTC), all users together. null: no limit."}
-- {"name": "plan_budget_usd_per_job", "value": 2, "description": "What planning one job may cost in US dollars, all its plans together; then plans are made by rules. null: no limit."}
-- {"name": "plan_budget_usd_per_user_per_day", "value": null, "description": "What planning all jobs of one user may cost on one day (UTC). null: no limit."}
-- {"name": "plan_call_timeout_sec", "value": 200, "description": "How long one call to the planning service may take. Keep it above the service's own limit for the model."}
-- {"name": "plan_max_length_sec", "value": 240, "description": "Longest mashup."}
-- {"name": "plan_min_length_sec", "value": 60, "description": "Shortest mashup, unless the songs are shorter."}
-- {"name": "plan_spend_retention_days", "value": 400, "description": "Days that the ledger of what plans cost goes back."}
-- {"name": "progress_min_interval_sec", "value": 1, "description": "Progress is written at most this often, unless it rose by progress_min_step."}
-- {"name": "progress_min_step", "value": 1, "description": "Progress (per cent) that is written at once."}
-- {"name": "reconcile_sec", "value": 5, "description": "How often tasks are compared with the queue."}
-- {"name": "replaced_stems_after_sec", "value": 3600, "description": "Stems that newer ones of the same song replace are deleted after this. Longer than a render may go on reading them."}
-- {"name": "restart_grace_sec", "value": 10, "description": "After a restart of Postgres, free locks prove nothing for this long."}
-- {"name": "result_expires_days", "value": 30, "description": "A result's file is deleted after this; the job stays, with expired_at."}
-- {"name": "retention_batch", "value": 200, "description": "Rows that one round of retention deletes at most."}
-- {"name": "service_abort_hold_sec", "value": {"scoring": 0, "analysis": 2, "processing": 2, "separation": 2, "orchestrator": 0}, "description": "How long a service's place stays taken after a call was aborted. Raise it for services that keep working on an aborted call."}
-- {"name": "service_limits", "value": {"scoring": 4, "analysis": 2, "processing": 1, "separation": 2, "orchestrator": 4}, "description": "Calls to each service at one time."}
-- {"name": "song_max_sec", "value": 900, "description": "Longest song."}
-- {"name": "stems_retention_days", "value": 7, "description": "Cached stems that were not used for this long are deleted."}
-- {"name": "upload_max_bytes", "value": 52428800, "description": "Largest upload."}
