-- A job that waits for a slot while it is paused says so: its user read of a free slot that was not to come, and the operator
-- did not find it among the stuck.

-- Whoever is among the first twenty is told every few seconds; a pause that holds back the whole queue is not written on all of it.
create or replace function mashup.refresh_queue_positions() returns void
  language plpgsql set search_path = ''
  as $$
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
$$;
comment on function mashup.refresh_queue_positions() is
  'Writes queue_position of the first twenty waiting jobs, and whether a pause keeps them from a slot.';

create or replace view mashup.stuck as
  select j.id, j.stage, j.waiting_on, j.in_stage_for,
    case
      when j.waiting_on = 'user' then null
      when j.running > 0 and exists (select from mashup.tasks t where t.job_id = j.id and t.state = 'running' and t.lease_until < mashup.now())
        then 'A worker is silent and nobody sweeps: is a worker running?'
      when j.ready > 0 and exists (select from mashup.tasks t where t.job_id = j.id and t.state = 'ready' and t.run_at < mashup.now() - interval '1 minute')
        then 'A task has been ready for over a minute: are workers running, and do they have room?'
      when j.waiting_on = 'pause' or (j.waiting_on = 'slot' and mashup.is_job_paused(j.id, j.user_id)) then 'Paused: see mashup.pauses.'
      when j.waiting_on = 'slot' and j.in_stage_for > interval '10 minutes' then 'Waits for a slot for long: see mashup.capacity.'
      when j.waiting_on = 'circuit' then 'A service is away: see mashup.circuits.'
      when j.running + j.ready + j.waiting = 0 and j.waiting_on is null
        then 'Nothing of it runs or may run. Replay it: update mashup_jobs set stage = stage where id = this one.'
    end as why
  from mashup.live_jobs j
  where (j.running > 0 and exists (select from mashup.tasks t where t.job_id = j.id and t.state = 'running' and t.lease_until < mashup.now()))
    or (j.ready > 0 and exists (select from mashup.tasks t where t.job_id = j.id and t.state = 'ready' and t.run_at < mashup.now() - interval '1 minute'))
    or (j.waiting_on = 'slot' and (j.in_stage_for > interval '10 minutes' or mashup.is_job_paused(j.id, j.user_id)))
    or j.waiting_on in ('circuit', 'pause')
    or (j.running + j.ready + j.waiting = 0 and j.waiting_on is null);

-- The time between an end and a replay is not a time in a stage.
create or replace function mashup.throughput(p_since interval default interval '1 day')
  returns table (stage text, passed bigint, per_hour numeric, p50_sec numeric, p95_sec numeric, max_sec numeric)
  language sql stable set search_path = ''
  as $$
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
$$;
