-- The operator's overview again, with what the page draws and pauses beside the rest: jobs that ended in each hour of the last
-- day, and the load of each kind of task.

create or replace function public.operator_overview() returns jsonb
  language sql stable security definer set search_path = ''
  as $$
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
$$;
comment on function public.operator_overview() is 'Everything that the operator''s page shows, in one document. For the service role.';
