-- The state machine as data: stages, transitions and kinds of tasks. Their rows come from schema/stages.ts.

create table mashup.stages (
  stage         text primary key,
  position      smallint not null unique,
  is_terminal   boolean not null,
  progress_from real not null,
  progress_to   real not null,
  step          text not null,
  makes         text,
  ends_early    boolean not null
);
revoke all on mashup.stages from public, anon, authenticated, service_role;
grant select on mashup.stages to mashup_worker;
comment on table mashup.stages is 'The stages of a job, in order.';
comment on column mashup.stages.position is 'The order of the stages. Compared, never written in code: see mashup.stages_from.';
comment on column mashup.stages.is_terminal is 'Whether a job ends in this stage.';
comment on column mashup.stages.progress_from is 'Progress of a job on entry, in per cent.';
comment on column mashup.stages.progress_to is 'Progress of a job at the end of the stage, in per cent.';
comment on column mashup.stages.step is 'The text that users read on entry.';
comment on column mashup.stages.makes is 'What the stage makes, as error messages name it. A later stage cannot be entered without it.';
comment on column mashup.stages.ends_early is 'Whether the stage ends as soon as what it makes is there, even if tasks of it are not finished.';

create table mashup.transitions (
  from_stage text not null references mashup.stages,
  to_stage   text not null references mashup.stages,
  name       text not null check (name in ('admit', 'advance', 'fail', 'replan', 'remake', 'cancel', 'replay')),
  made_by    text not null check (made_by in ('engine', 'operator')),
  primary key (from_stage, to_stage, name)
);
revoke all on mashup.transitions from public, anon, authenticated, service_role;
comment on table mashup.transitions is
  'The legal transitions. Read by check_transition and advance_job, by the tests and by the diagram in docs/explanation/architecture.md.';
comment on column mashup.transitions.made_by is 'engine: announced by transition_job or fail_job. operator: any other write of mashup_jobs.stage.';

create table mashup.task_kinds (
  kind               text primary key,
  stage              text not null references mashup.stages,
  service            text not null,
  priority           smallint not null,
  max_attempts       smallint not null check (max_attempts > 0),
  backoff_sec        real not null,
  backoff_max_sec    real not null,
  timeout_sec        real not null,
  fallback_after_sec real,
  song_member        text,
  song_state         text,
  song_step          text,
  output_path        text,
  reports_progress   boolean not null,
  uses_storage       boolean not null
);
revoke all on mashup.task_kinds from public, anon, authenticated, service_role;
grant select on mashup.task_kinds to mashup_worker;
comment on table mashup.task_kinds is 'The kinds of tasks: which stage and service each belongs to, and how it is retried.';
comment on column mashup.task_kinds.priority is 'Lower runs first.';
comment on column mashup.task_kinds.backoff_sec is 'Base of the back-off, in seconds: the delay after n failures is random, up to backoff_sec * 2^n.';
comment on column mashup.task_kinds.backoff_max_sec is 'Upper bound of the back-off, in seconds.';
comment on column mashup.task_kinds.timeout_sec is 'Longest time that one attempt may take, in seconds.';
comment on column mashup.task_kinds.fallback_after_sec is
  'Seconds for which a task waits for its unavailable service before it runs without it; null: the kind cannot run without its service.';
comment on column mashup.task_kinds.song_member is
  'Kinds with one task for each song: the member of the song''s card that points to the result. Null: one task for the job.';
comment on column mashup.task_kinds.song_state is 'State of the song''s card while its task runs.';
comment on column mashup.task_kinds.song_step is 'The text that users read while the task of a song runs; the song''s name follows.';
comment on column mashup.task_kinds.output_path is
  'Where a claim may write in Storage: a path with {user}, {job}, {song}, {epoch} and {claim}. Null: nowhere.';
comment on column mashup.task_kinds.reports_progress is 'Whether heartbeats of a task move the progress of its job.';
comment on column mashup.task_kinds.uses_storage is 'Whether a task reads or writes files: it waits while the circuit of Storage is not closed.';
