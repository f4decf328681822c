-- For operators at the SQL console: views and functions that answer one question each. sql/ has queries to paste.

create view mashup.running_now as
  select t.id as task, t.kind, t.job_id, j.stage, j.user_id, s ->> 'name' as song,
    date_trunc('second', mashup.now() - t.started_at) as running_for,
    round(extract(epoch from mashup.now() - (t.lease_until - mashup.setting_interval('lease_sec')))::numeric, 1) as heartbeat_age_sec,
    t.deadline_at - mashup.now() as may_take, t.failures, t.crashes, w.host, w.pid, t.worker_id
  from mashup.tasks t
  join public.mashup_jobs j on j.id = t.job_id
  left join mashup.workers w on w.id = t.worker_id
  left join lateral jsonb_array_elements(j.songs) s on s ->> 'song_id' = t.song_id
  where t.state = 'running'
  order by t.started_at;
revoke all on mashup.running_now from public, anon, authenticated, service_role;
comment on view mashup.running_now is 'Every running task, with the age of its last heartbeat in seconds.';

create view mashup.live_jobs as
  select j.id, j.stage, j.waiting_on, j.progress, j.current_step, mashup.now() - j.stage_entered_at as in_stage_for,
    (select count(*) from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state = 'running') as running,
    (select count(*) from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state = 'ready') as ready,
    (select count(*) from mashup.tasks t where t.job_id = j.id and t.epoch = j.epoch and t.state = 'waiting') as waiting,
    j.epoch, j.user_id, j.created_at
  from public.mashup_jobs j
  where j.status = 'processing'
  order by j.created_at;
revoke all on mashup.live_jobs from public, anon, authenticated, service_role;
comment on view mashup.live_jobs is 'Every live job, with the number of its tasks by state.';

create function mashup.job_history(p_job_id uuid)
  returns table (at timestamptz, since_start interval, epoch integer, what text, stage text, song text, message text, actor text, detail jsonb)
  language sql stable set search_path = ''
  as $$
  select e.created_at, e.created_at - j.created_at, e.epoch, e.type, e.stage, s ->> 'name', e.message, e.actor, e.detail
  from public.mashup_job_events e
  join public.mashup_jobs j on j.id = e.job_id
  left join lateral jsonb_array_elements(j.songs) s on s ->> 'song_id' = e.song_id
  where e.job_id = p_job_id order by e.id
$$;
comment on function mashup.job_history(uuid) is 'Returns the history of a job, oldest event first.';

create view mashup.failures as
  select j.error_code, coalesce(k.kind, j.stopped_stage) as failed_in, count(*) as jobs, max(j.finished_at) as last_at,
    (array_agg(j.error_message order by j.finished_at desc))[1] as last_message,
    (array_agg(j.error_hint order by j.finished_at desc))[1] as hint,
    (array_agg(j.id order by j.finished_at desc))[1] as last_job
  from public.mashup_jobs j
  left join mashup.tasks k on k.id = j.failed_task
  where j.stage = 'failed' and j.finished_at > mashup.now() - interval '7 days'
  group by 1, 2 order by jobs desc;
revoke all on mashup.failures from public, anon, authenticated, service_role;
comment on view mashup.failures is 'Failed jobs of the last seven days, by error and kind of task.';

create view mashup.circuits as
  select h.service, h.state, h.failures as failures_in_a_row, h.retry_at - mashup.now() as probe_in, h.last_error,
    r.running,
    (select count(*) from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind where h.service = any (mashup.services_of(k)) and t.state = 'waiting') as waiting,
    (select (s.value ->> h.service)::integer from mashup.settings s where s.name = 'service_limits') as at_most,
    case
      when exists (select from mashup.pauses p where (p.until is null or p.until > mashup.now())
        and (p.scope = 'system' or (p.scope = 'service' and p.key = h.service)))
        -- Or each kind of task that it works on.
        or (exists (select from mashup.pauses) and exists (select from mashup.task_kinds k where k.service = h.service)
          and not exists (select from mashup.task_kinds k where k.service = h.service and not mashup.is_paused('kind', k.kind))) then 'paused'
      when h.state = 'open' then 'unavailable'
      when h.state = 'half_open' then 'being_probed'
      when q.silent_for is not null then 'silent'
      when h.failures > 0 or h.faults > 0 then 'failing'
      when h.unanswered_since is not null then 'not_answering'
      when r.running = 0 and (h.heard_at is null or h.heard_at < mashup.now() - 3 * mashup.setting_interval('service_check_sec')) then 'not_heard'
      else 'available'
    end as condition,
    h.faults as faults_in_a_row, h.last_fault,
    case when h.failures > 0 or h.state <> 'closed' then mashup.now() - greatest(h.updated_at, h.fault_at) else mashup.now() - h.fault_at end as last_fault_ago,
    q.silent_for, mashup.now() - h.heard_at as heard_ago, mashup.now() - h.unanswered_since as unanswered_for
  from mashup.service_health h
  left join lateral (
    select count(*) as running from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where h.service = any (mashup.services_of(k)) and t.state = 'running') r on true
  left join lateral (
    select max(mashup.now() - t.heard_at) as silent_for from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where k.service = h.service and t.state = 'running' and mashup.is_silent(t)) q on true
  order by h.service;
revoke all on mashup.circuits from public, anon, authenticated, service_role;
comment on view mashup.circuits is 'Condition, circuit breaker, load and limit of each service, and of Storage, which has no limit.';
comment on column mashup.circuits.condition is
  'paused, or all kinds of its tasks are; unavailable: its circuit is open; being_probed; silent: a running call has had no answer for half of the time after which it ends; failing: the last calls ended in faults; not_answering: it does not answer the checks of the workers; not_heard: no call of it runs, and no worker has checked it for three times service_check_sec; available: none of these.';

create view mashup.queue_by_user as
  select j.user_id, count(*) filter (where j.admitted_at is not null) as running,
    count(*) filter (where j.admitted_at is null and j.waiting_on is distinct from 'user') as waiting,
    count(*) filter (where j.waiting_on = 'user') as drafts,
    mashup.now() - min(j.queued_at) filter (where j.admitted_at is null and j.waiting_on is distinct from 'user') as longest_wait
  from public.mashup_jobs j
  where j.status = 'processing'
  group by j.user_id order by waiting desc, running desc;
revoke all on mashup.queue_by_user from public, anon, authenticated, service_role;
comment on view mashup.queue_by_user is 'Live jobs of each user: running, waiting, drafts.';

create function mashup.throughput(p_since interval default interval '1 day')
  returns table (stage text, passed bigint, per_hour numeric, p50_sec numeric, p95_sec numeric, max_sec numeric)
  language sql stable set search_path = ''
  as $$
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
$$;
comment on function mashup.throughput(interval) is 'Returns how many jobs left each stage since p_since ago, and the seconds they were in it: median, 95th percentile, longest. The time between an end and a replay is in no stage.';

create view mashup.capacity as
  select 'jobs' as what, (select count(*) from public.mashup_jobs where admitted_at is not null) as in_use,
    mashup.setting_number('max_running_jobs')::integer as at_most,
    (select count(*) from mashup.waiting_jobs) as waiting
  union all
  select c.service, c.running, c.at_most, c.waiting from mashup.circuits c
  union all
  select 'workers', (select count(*) from mashup.tasks where state = 'running'), coalesce((select sum(concurrency)::integer from mashup.workers), 0),
    (select count(*) from mashup.tasks where state = 'ready');
revoke all on mashup.capacity from public, anon, authenticated, service_role;
comment on view mashup.capacity is 'Use, limit and waiting line of slots, services and workers.';

revoke execute on all functions in schema mashup from public;
