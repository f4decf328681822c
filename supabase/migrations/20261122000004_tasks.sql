-- Making, dropping and counting tasks.

-- Makes the tasks that a job's stage needs and does not have yet. They start waiting; schedule_all makes them ready.
-- The job row is locked by the caller. Answers how many were made.
create function mashup.create_tasks(p_job public.mashup_jobs) returns integer
  language plpgsql set search_path = ''
  as $$
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
$$;
comment on function mashup.create_tasks(public.mashup_jobs) is 'Makes the tasks that the job''s stage needs. Lock: job row held by the caller.';

insert into mashup.settings (name, value, description) values
  ('discard_after_sec',          '900',   'What a claim that came to nothing may have written is deleted after this. Longer than a service may go on writing for a call that was aborted.'),
  ('replaced_stems_after_sec',   '3600',  'Stems that newer ones of the same song replace are deleted after this. Longer than a render may go on reading them.'),
  ('outbox_retry_sec',           '600',   'A deletion of files that failed is tried again after this.');

-- What a claim may have written is deleted once nobody can be writing it any more.
create function mashup.discard_output(p_task mashup.tasks) returns void
  language plpgsql set search_path = ''
  as $$
begin
  if p_task.output_prefix is not null then
    insert into mashup.storage_deletions (path, is_prefix, not_before)
      values (p_task.output_prefix, true, mashup.now() + mashup.setting_interval('discard_after_sec'));
  end if;
end
$$;
comment on function mashup.discard_output(mashup.tasks) is 'Puts what a claim may have written into the outbox of deletions.';

-- Drops a job's unfinished tasks, those of earlier epochs (or all), and tells their workers. A service's place stays
-- taken for as long as the service may keep working on the aborted call.
create function mashup.drop_tasks(p_job public.mashup_jobs, p_reason text) returns void
  language plpgsql set search_path = ''
  as $$
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
$$;
comment on function mashup.drop_tasks(public.mashup_jobs, text) is 'Drops unfinished tasks of a job and notifies their workers. Lock order: job (held by the caller), tasks by id.';
