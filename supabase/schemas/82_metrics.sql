-- What monitoring reads of the database. Each worker reads the same values and passes them on, so whoever collects them from
-- several workers takes the greatest value, not the sum.

create function mashup.metrics() returns jsonb
  language sql stable security definer set search_path = ''
  as $$
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
$$;
comment on function mashup.metrics() is
  'Returns the state of jobs, tasks, queue, circuits and workers for monitoring. ended_jobs counts the last hour. Lock: none.';
grant execute on function mashup.metrics() to mashup_worker;

create function mashup.storage_bytes() returns table (folder text, files bigint, bytes bigint)
  language sql stable security definer set search_path = ''
  as $$
  select split_part(o.name, '/', 1), count(*), coalesce(sum((o.metadata ->> 'size')::bigint), 0)::bigint
  from storage.objects o
  where o.bucket_id = 'mashups' and split_part(o.name, '/', 1) in ('uploads', 'stems', 'generated')
  group by 1
$$;
comment on function mashup.storage_bytes() is
  'Returns number and size of the files in bucket mashups by their first folder. It reads all rows of the bucket: call it every few minutes at most.';
grant execute on function mashup.storage_bytes() to mashup_worker;

revoke execute on all functions in schema mashup from public;
