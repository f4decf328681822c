-- The first twenty places, written every few seconds, without ranking the whole queue where it is not needed.
--
-- Slots go to users with the fewest running jobs. So a job that is its user's first, of a user who has none running, comes
-- before all that are not; where the oldest part of the queue holds twenty of these, they are the first twenty.
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
    select j.id, p.queue_position from public.mashup_jobs j
    join unnest(v_ids) with ordinality as p (id, queue_position) on p.id = j.id
    where j.admitted_at is null and j.queue_position is distinct from p.queue_position for no key update of j skip locked
  )
  update public.mashup_jobs j set queue_position = c.queue_position from changed c where j.id = c.id and j.admitted_at is null;
end
$$;
comment on function mashup.refresh_queue_positions() is 'Writes queue_position of the first twenty waiting jobs.';

-- Retention looks each minute for what is due: by index, however much has expired before.
create index mashup_jobs_expiring on public.mashup_jobs (finished_at)
  where stage = 'complete' and expired_at is null and result_path is not null;
create index stems_by_use on mashup.stems (used_at);
create index analyses_by_use on mashup.analyses (used_at);
