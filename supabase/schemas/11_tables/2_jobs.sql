-- Jobs and what their owners may read of them: plans, results, events.
--
-- Predicates of a job, each written here and nowhere else:
--   status = 'processing'     the job is live (rule status_follows_stage keeps the column equal to the stage)
--   admitted_at is not null   the job holds a slot (rule only_live_jobs_hold_a_slot)
--   mashup.waiting_jobs       the job waits for a slot
--   mashup.draft_jobs         the job waits for its user
--
-- Each table is created in schema mashup, which no API role may use, and moved to public once it has row level security and no
-- grants: the default privileges of Supabase open a new table of public to anon, and an installation may stop after any statement.

-- There are no foreign keys to users and parents. Postgres checks the references of a row that is updated twice in one
-- transaction; that check would wait, with the job locked, for a user or parent whose deletion waits for the job. check_user
-- replaces the reference on insert, delete_user_data on delete.
create table mashup.mashup_jobs (
  id                      uuid primary key default gen_random_uuid(),
  user_id                 uuid not null,
  stage                   text not null default 'queued' references mashup.stages,
  -- A plain column that the trigger keeps: logical replication does not carry generated columns.
  status                  text not null default 'processing',
  waiting_on              text,
  queue_position          integer,
  progress                real not null default 0,
  current_step            text not null default '',
  epoch                   integer not null default 1,
  version                 integer not null default 1,
  entry_stage             text not null default 'analyzing' references mashup.stages,
  songs                   jsonb not null,
  options                 jsonb not null default '{}',
  score                   real,
  title                   text,
  concept                 text,
  plan_version            integer,
  result_path             text,
  result                  jsonb,
  playable                jsonb,
  studio_version          jsonb,
  error_code              text,
  error_message           text,
  error_hint              text,
  failed_task             bigint,
  stopped_stage           text references mashup.stages,
  warnings                jsonb not null default '[]',
  estimated_completion_at timestamptz,
  estimate_note           text,
  parent_id               uuid,
  first_id                uuid,
  feedback                text,
  hold                    text,
  fresh                   boolean not null default false,
  admitted_at             timestamptz,
  idempotency_key         text,
  request_hash            text,
  traceparent             text not null default mashup.new_traceparent(),
  created_at              timestamptz not null default mashup.now(),
  queued_at               timestamptz not null default mashup.now(),
  stage_entered_at        timestamptz not null default mashup.now(),
  updated_at              timestamptz not null default mashup.now(),
  finished_at             timestamptz,
  expired_at              timestamptz,
  takedown_reason         text,
  shared_at               timestamptz
) with (fillfactor = 70, toast_tuple_target = 8160);
alter table mashup.mashup_jobs enable row level security;
revoke all on mashup.mashup_jobs from public, anon, authenticated, service_role;
alter table mashup.mashup_jobs set schema public;
create policy "own jobs" on public.mashup_jobs for select to authenticated using (user_id = (select auth.uid()));
grant select on public.mashup_jobs to authenticated, service_role, mashup_worker;
-- The service role is the operator's key to the API: it replays a job by writing its stage.
grant update (stage) on public.mashup_jobs to service_role;

do $$
declare v_column text;
begin
  -- Inline storage: a Realtime change would lack an unchanged out-of-line value.
  foreach v_column in array array['songs', 'options', 'result', 'playable', 'studio_version', 'warnings', 'concept', 'error_message', 'feedback', 'title', 'current_step', 'error_hint', 'takedown_reason', 'estimate_note'] loop
    execute format('alter table public.mashup_jobs alter column %I set storage main', v_column);
  end loop;
end
$$;

-- Postgres parses the text of every check constraint of a table again for each statement that writes it: 24 constraints were 7 % of
-- the processor time of a job. As one function they are parsed once in a session.
create function mashup.is_sound_job(p_job public.mashup_jobs) returns boolean
  language plpgsql immutable set search_path = ''
  as $$
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
$$;
comment on function mashup.is_sound_job(public.mashup_jobs) is
  'The rules of a row of mashup_jobs, in one function, since constraints are parsed for each statement. Returns true, or raises check_violation with the name of the rule as constraint.';
-- Constraints are evaluated with the rights of whoever writes.
revoke execute on function mashup.is_sound_job(public.mashup_jobs) from public;
grant execute on function mashup.is_sound_job(public.mashup_jobs) to service_role;
alter table public.mashup_jobs add constraint job_is_sound check (mashup.is_sound_job(mashup_jobs));

comment on table public.mashup_jobs is
  'One row for each job. `update … set stage = …` replays it from there. The row is small: each change carries all of it to its subscribers.';
comment on column public.mashup_jobs.stage is 'The state of the job. A write is checked against mashup.transitions.';
comment on column public.mashup_jobs.status is 'processing while the job is live, else its terminal stage.';
comment on column public.mashup_jobs.waiting_on is 'What a live job waits for: slot, tasks (a free place at a service), circuit, pause or user. Null: it runs.';
comment on column public.mashup_jobs.queue_position is 'Position among the jobs that wait for a slot, from 1; written for the first twenty.';
comment on column public.mashup_jobs.progress is 'Per cent. Does not fall within an epoch.';
comment on column public.mashup_jobs.current_step is 'What happens now, as users read it.';
comment on column public.mashup_jobs.estimated_completion_at is 'Expected end of a job with a slot. Null while nobody knows: see estimate_note.';
comment on column public.mashup_jobs.estimate_note is 'Why the end cannot be estimated, as users read it: a pause, or services that the job still needs and that are unavailable or silent.';
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
comment on column public.mashup_jobs.parent_id is 'The mashup of which this one is an iteration. It may have been deleted.';
comment on column public.mashup_jobs.first_id is 'The first mashup of whose versions this one is: the same for all versions, also when some of them have been deleted. Null for a first mashup itself.';
comment on column public.mashup_jobs.feedback is 'What the user wants changed in the parent.';
comment on column public.mashup_jobs.hold is 'The stage before which a draft waits for its user; null once it is started.';
comment on column public.mashup_jobs.fresh is 'Whether this run bypasses the caches of analyses and stems.';
comment on column public.mashup_jobs.admitted_at is 'When the job took its slot; null while it holds none.';
comment on column public.mashup_jobs.idempotency_key is 'Key of the submission, unique for each user.';
comment on column public.mashup_jobs.request_hash is 'SHA-256 of the submission, hex: tells a repeated request from another one with the same key.';
comment on column public.mashup_jobs.traceparent is
  'W3C trace context of the submission: the parent of the spans of this job. Taken from the header of the request, otherwise made here.';
comment on column public.mashup_jobs.queued_at is 'Since when the job waits or waited for a slot.';
comment on column public.mashup_jobs.expired_at is 'When the file of the result was deleted.';
comment on column public.mashup_jobs.takedown_reason is 'Why an operator took the mashup down, as its user reads it. It is not run again until the take-down is lifted.';
comment on column public.mashup_jobs.shared_at is 'Since when the mashup has a public link (mashup_shares). Null: it has none.';

create unique index mashup_jobs_idempotency on public.mashup_jobs (user_id, idempotency_key) where idempotency_key is not null;
create index mashup_jobs_by_user on public.mashup_jobs (user_id, created_at desc);
create index mashup_jobs_admitted on public.mashup_jobs (user_id) where admitted_at is not null;
-- Two orders of waiting_jobs: first come, and first of each user. A draft in planning waits for its user instead.
create index mashup_jobs_waiting on public.mashup_jobs (queued_at, id)
  where status = 'processing' and admitted_at is null and (hold is null or stage <> 'planning');
create index mashup_jobs_waiting_of_user on public.mashup_jobs (user_id, queued_at, id)
  where status = 'processing' and admitted_at is null and (hold is null or stage <> 'planning');
create index mashup_jobs_drafts on public.mashup_jobs (stage_entered_at) where hold = 'planning' and stage = 'planning';
-- With the stage: ended jobs are counted by stage and hour without their rows.
create index mashup_jobs_finished on public.mashup_jobs (finished_at) include (stage) where finished_at is not null;
create index mashup_jobs_failed on public.mashup_jobs (error_code, finished_at) where stage = 'failed';
create index mashup_jobs_expiring on public.mashup_jobs (finished_at)
  where stage = 'complete' and expired_at is null and result_path is not null;
-- Lists of operators: the latest first, all or of one status, and a search by words of ended jobs. The words of live jobs are not
-- indexed, because their rows change often.
create function mashup.job_words(p_title text, p_songs jsonb, p_error_code text, p_error_message text) returns tsvector
  -- The cost is about that of parsing the text, so that a search uses the index.
  language sql immutable cost 1000 set search_path = ''
  as $$
  select pg_catalog.to_tsvector('simple', pg_catalog.regexp_replace(coalesce(p_title, '') || ' '
    || pg_catalog.jsonb_path_query_array(p_songs, '$[*].name')::text || ' ' || pg_catalog.jsonb_path_query_array(p_songs, '$[*].artist')::text || ' '
    || coalesce(p_error_code, '') || ' ' || coalesce(p_error_message, ''), '[^[:alnum:]]+', ' ', 'g'))
$$;
comment on function mashup.job_words(text, jsonb, text, text) is 'Returns the words by which a job is found: of its title, of the names and artists of its songs, and of its error.';
-- Expressions of indexes are evaluated with the rights of whoever writes.
revoke execute on function mashup.job_words(text, jsonb, text, text) from public;
grant execute on function mashup.job_words(text, jsonb, text, text) to service_role;
create index mashup_jobs_by_time on public.mashup_jobs ((coalesce(finished_at, created_at)) desc, id desc);
create index mashup_jobs_by_status on public.mashup_jobs (status, (coalesce(finished_at, created_at)) desc, id desc);
create index mashup_jobs_words on public.mashup_jobs using gin (mashup.job_words(title, songs, error_code, error_message)) where finished_at is not null;
create index mashup_jobs_versions on public.mashup_jobs (first_id) where first_id is not null;

create view mashup.waiting_jobs as
  select * from public.mashup_jobs
  where status = 'processing' and admitted_at is null and (hold is null or stage <> 'planning');
revoke all on mashup.waiting_jobs from public, anon, authenticated, service_role;
comment on view mashup.waiting_jobs is 'The jobs that wait for a slot. Its condition is that of the indexes mashup_jobs_waiting and mashup_jobs_waiting_of_user.';

create view mashup.draft_jobs as
  select * from public.mashup_jobs where hold = 'planning' and stage = 'planning';
revoke all on mashup.draft_jobs from public, anon, authenticated, service_role;
comment on view mashup.draft_jobs is 'The drafts that wait for their user. Its condition is that of the index mashup_jobs_drafts.';

create table mashup.mashup_plans (
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
  wishes     jsonb,
  edits      jsonb,
  ranges     jsonb,
  opening    jsonb,
  wording    integer,
  created_at timestamptz not null default mashup.now(),
  primary key (job_id, version)
);
alter table mashup.mashup_plans enable row level security;
revoke all on mashup.mashup_plans from public, anon, authenticated, service_role;
alter table mashup.mashup_plans set schema public;
create policy "plans of own jobs" on public.mashup_plans for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
grant select (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes, wishes, edits, created_at) on public.mashup_plans to authenticated;
grant select on public.mashup_plans to service_role, mashup_worker;
comment on table public.mashup_plans is 'Every plan of a job. mashup_jobs.plan_version points to the current one.';
comment on column public.mashup_plans.source is 'claude, or rules for plans without the model.';
comment on column public.mashup_plans.song_ids is 'The songs that the plan uses.';
comment on column public.mashup_plans.ranges is 'By song, the parts of it that the plan plays, with margins: [[start, end], …] in seconds. A song that is not named is needed whole.';
comment on column public.mashup_plans.wording is 'Which wordings its texts have: mashups whose numbers differ modulo 3 share no sentence. Null: an older worker planned it.';
comment on column public.mashup_plans.opening is '{sections: number of the first sections that can be rendered before the rest, ranges: as ranges, of these sections}. Null: there is no such opening.';
comment on column public.mashup_plans.changes is 'What is as it was asked for, or what an iteration changed, as users read it.';
comment on column public.mashup_plans.edits is 'PlanEdit[] of schema/edits.ts: the edits by hand that made this plan of that of the parent. Null: it was not edited.';
comment on column public.mashup_plans.wishes is 'What became of the wishes or the feedback: {understood, not_understood, cannot}. Null: there were none.';

create table mashup.mashup_results (
  job_id       uuid not null references public.mashup_jobs (id) on delete cascade,
  epoch        integer not null,
  path         text not null,
  quality      jsonb not null,
  plan_version integer,
  sources      jsonb,
  stems        jsonb,
  separation   jsonb,
  plan         jsonb,
  changes      text,
  created_at   timestamptz not null default mashup.now(),
  primary key (job_id, epoch)
);
alter table mashup.mashup_results enable row level security;
revoke all on mashup.mashup_results from public, anon, authenticated, service_role;
alter table mashup.mashup_results set schema public;
create policy "results of own jobs" on public.mashup_results for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
grant select on public.mashup_results to authenticated, service_role, mashup_worker;
comment on table public.mashup_results is 'Every rendered result. mashup_jobs.result_path points to the current one.';
comment on column public.mashup_results.quality is 'RenderResult: the report of the quality checks and measurements.';
comment on column public.mashup_results.sources is 'The stems of each song that were rendered, by song id: {song_id: StoredStems}. Null: the renderer made no use of stems that the engine knows.';
comment on column public.mashup_results.stems is 'MashupStems: the stems of the mashup, aligned with it. Null: nobody asked for them, or they were deleted after mashup_stems_kept_days.';
create index mashup_results_with_stems on public.mashup_results (job_id) where stems ->> 'state' = 'ready';

comment on column public.mashup_results.separation is 'What separated each song that is heard: {song id: {model, method: classical, neural, own or service}}. Null: an older worker rendered it.';
comment on column public.mashup_results.plan is 'The plan as it was rendered, with texts made of it. Null: the mashup plays what its plan in mashup_plans says.';
comment on column public.mashup_results.changes is 'What differs from the parent as it was rendered, as users read it. Null: as mashup_plans.changes says.';

create table mashup.mashup_job_events (
  id         bigint generated always as identity primary key,
  job_id     uuid not null references public.mashup_jobs (id) on delete cascade,
  epoch      integer not null,
  type       text not null check (type in ('submitted', 'stage', 'task', 'retry', 'warning', 'error', 'replay', 'cancel', 'pause', 'resume', 'release', 'expired', 'takedown', 'share')),
  stage      text not null,
  from_stage text,
  song_id    text,
  message    text not null check (length(message) <= 500),
  actor      text,
  detail     jsonb,
  created_at timestamptz not null default mashup.now()
);
alter table mashup.mashup_job_events enable row level security;
revoke all on mashup.mashup_job_events from public, anon, authenticated, service_role;
alter table mashup.mashup_job_events set schema public;
create policy "events of own jobs" on public.mashup_job_events for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
grant select (id, job_id, epoch, type, stage, from_stage, song_id, message, created_at) on public.mashup_job_events to authenticated;
grant select on public.mashup_job_events to service_role;
comment on table public.mashup_job_events is 'Append-only history of a job.';
comment on column public.mashup_job_events.actor is 'Who acted: user:…, worker:…, role:…, sql:… or sweep. For operators only.';
comment on column public.mashup_job_events.detail is 'Durations, attempts and errors. For operators only.';
create index mashup_job_events_by_job on public.mashup_job_events (job_id, id);
