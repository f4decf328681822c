-- What the model test adds to its own database: a clock that only the test moves, and helpers that do in one round trip what a
-- user or a worker does in several.

create sequence model.clock minvalue 0 start 0;
grant select on sequence model.clock to public;
-- Milliseconds since a fixed date, so that no test waits and none depends on its speed. In plpgsql, as everything that each step
-- calls: a session keeps its plans.
create or replace function mashup.now() returns timestamptz
  language plpgsql stable set search_path = ''
  as $$
begin
  return timestamptz '2030-01-01 00:00:00+00' + (select last_value from model.clock) * interval '1 millisecond';
end
$$;

update mashup.settings set value = '100000' where name in ('max_submits_per_minute', 'max_shares_per_minute');
update mashup.settings set value = '0' where name = 'restart_grace_sec';
update mashup.settings set value = '3' where name = 'circuit_failures';
select mashup.report_separation_models('classical', 'neural', 'classical');

-- Inserts uploads of a user and submits them.
create function model.submit(p_user uuid, p_count integer, p_hold text, p_studio boolean) returns jsonb
  language plpgsql as $$
declare
  v_songs jsonb := '[]';
  v_id text;
begin
  perform set_config('request.jwt.claims', jsonb_build_object('sub', p_user, 'role', 'authenticated')::text, true);
  for i in 1 .. p_count loop
    v_id := 's' || i || '-' || substr(gen_random_uuid()::text, 1, 8);
    insert into storage.objects (bucket_id, name, owner_id, metadata)
      values ('mashups', format('uploads/%s/%s/song.mp3', p_user, v_id), p_user::text, jsonb_build_object('size', 1000, 'eTag', v_id));
    v_songs := v_songs || jsonb_build_object('song_id', v_id, 'name', 'Song ' || i, 'artist', 'Artist',
      'storage_path', format('uploads/%s/%s/song.mp3', p_user, v_id));
  end loop;
  return public.submit_mashup(v_songs, jsonb_build_object('studio_version', p_studio), p_hold) || jsonb_build_object('songs', v_songs);
end
$$;

-- A new version of a mashup, by feedback or by edits of its plan.
create function model.iterate(p_user uuid, p_job uuid, p_by_hand boolean) returns text
  language plpgsql as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('sub', p_user, 'role', 'authenticated')::text, true);
  if p_by_hand then
    return public.edit_mashup(p_job, jsonb_build_object('edits', '[{"kind": "swap_songs"}]'::jsonb, 'plan_version',
      coalesce((select j.plan_version from public.mashup_jobs j where j.id = p_job), 1))) ->> 'job_id';
  end if;
  return public.iterate_mashup(p_job, 'more energy') ->> 'job_id';
end
$$;

-- Makes the public link of a mashup, or revokes it.
create function model.share(p_user uuid, p_job uuid, p_revoke boolean) returns text
  language plpgsql as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('sub', p_user, 'role', 'authenticated')::text, true);
  if p_revoke then
    return public.unshare_mashup(p_job)::text;
  end if;
  return public.share_mashup(p_job) ->> 'token';
end
$$;

-- Returns a successful result for a task of each kind. p_leave_out: the plan does not use the first of three songs.
-- The plan plays a part of its last song, and a separation returns what the current plan plays.
create function model.result_of(p_claim jsonb, p_leave_out boolean default false) returns jsonb
  language plpgsql as $$
declare
  v_good text[] := array(select s ->> 'song_id' from mashup.active_songs(p_claim -> 'songs') s);
begin
  if p_leave_out and cardinality(v_good) = 3 then
    v_good := v_good[2:];
  end if;
  return case p_claim ->> 'kind'
    when 'analyze' then jsonb_build_object('content_hash', 'hash-of-' || (p_claim ->> 'song_id'), 'version', 'test',
      'analysis', '{"version": "test"}'::jsonb, 'card', '{"duration_sec": 40, "bpm": 120, "key": "A minor"}'::jsonb)
    when 'score' then '{"pairs": [{"score": 80}]}'
    when 'plan' then jsonb_build_object('plan', '{"masterplan": {"title": "Test"}}'::jsonb, 'source', 'rules', 'song_ids', to_jsonb(v_good),
      'ranges', jsonb_build_object(v_good[cardinality(v_good)], '[[0, 10]]'::jsonb),
      'opening', jsonb_build_object('sections', 1, 'ranges', jsonb_build_object(v_good[cardinality(v_good)], '[[0, 4]]'::jsonb)))
    when 'separate' then jsonb_build_object('model', case p_claim #>> '{separation,method}' when 'neural' then 'neural' else 'classical' end,
      'method', case p_claim #>> '{separation,method}' when 'neural' then 'neural' else 'classical' end, 'paths', case
      when exists (select from public.mashup_jobs j join public.mashup_plans p on p.job_id = j.id and p.version = j.plan_version
        where j.id = (p_claim ->> 'job_id')::uuid and p.ranges ? (p_claim ->> 'song_id'))
      then jsonb_build_object('pieces', jsonb_build_array(jsonb_build_object('start_sec', 0, 'end_sec', 10,
        'vocals', (p_claim ->> 'output_prefix') || '/vocals.flac')))
      else jsonb_build_object('vocals', (p_claim ->> 'output_prefix') || '/vocals.wav') end)
    when 'render' then jsonb_build_object('path', (p_claim ->> 'output_prefix') || '.wav',
      'separation', (select jsonb_object_agg(s ->> 'song_id', jsonb_build_object('model', st.model, 'method', st.method))
        from public.mashup_jobs j join public.mashup_plans p on p.job_id = j.id and p.version = j.plan_version
        cross join mashup.active_songs(j.songs) s join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
        where j.id = (p_claim ->> 'job_id')::uuid and s ->> 'song_id' = any (p.song_ids)),
      'quality', '{"duration_sec": 32, "quality": {"passed": false}}'::jsonb,
      'warnings', '[{"code": "quality_check_failed", "message": "A check failed."}]'::jsonb)
  end;
end
$$;

-- What a separate task reports when the opening's part of its song is separated.
create function model.opening_of(p_claim jsonb) returns jsonb
  language sql as $$
  select jsonb_build_object('pieces', jsonb_build_array(jsonb_build_object('start_sec', 0, 'end_sec', 4,
    'vocals', coalesce(p_claim ->> 'output_prefix', '') || '/opening/vocals.flac')))
$$;

-- Runs the tasks of a job until it is in a stage; each claim and each finish is a transaction. Returns what was done.
create procedure model.drive(p_job uuid, p_until text, p_worker uuid, inout p_steps jsonb)
  language plpgsql as $$
declare
  v_stage text;
  v_task record;
  v_claim jsonb;
begin
  p_steps := '[]';
  for i in 1 .. 20 loop
    select j.stage into v_stage from public.mashup_jobs j where j.id = p_job;
    exit when v_stage is null or v_stage = p_until or v_stage in ('complete', 'failed', 'cancelled');
    select t.id, t.attempt, t.kind, t.song_id into v_task from mashup.tasks t
      where t.job_id = p_job and t.state = 'ready' order by t.priority, t.id limit 1;
    exit when not found;
    v_claim := mashup.claim_task(v_task.id, v_task.attempt, p_worker);
    commit;
    exit when v_claim ->> 'status' <> 'claimed';
    perform setval('model.clock', (select last_value + 1 from model.clock));
    if mashup.finish_task(v_task.id, (v_claim ->> 'claim')::uuid, model.result_of(v_claim)) <> 'finished' then
      raise exception 'a new claim was refused';
    end if;
    commit;
    p_steps := p_steps || jsonb_build_object('id', v_task.id::text, 'kind', v_task.kind, 'song', v_task.song_id);
  end loop;
end
$$;

-- Runs all tasks, with time passing, until only drafts are left. Returns how many jobs did not end.
create procedure model.drain(p_worker uuid, inout p_left integer)
  language plpgsql as $$
declare
  v_task record;
  v_claim jsonb;
begin
  for i in 1 .. 400 loop
    select count(*) into p_left from public.mashup_jobs where (status = 'processing' and waiting_on is distinct from 'user')
      or studio_version ->> 'state' in ('separating', 'rendering');
    exit when p_left = 0;
    select t.id, t.attempt into v_task from mashup.tasks t where t.state = 'ready' order by t.priority, t.id limit 1;
    if not found then
      perform setval('model.clock', (select last_value + 61000 from model.clock));
      update mashup.workers set seen_at = mashup.now() where id = p_worker;
      perform mashup.sweep();
      commit;
      continue;
    end if;
    v_claim := mashup.claim_task(v_task.id, v_task.attempt, p_worker);
    commit;
    if v_claim ->> 'status' = 'claimed' then
      perform mashup.finish_task(v_task.id, (v_claim ->> 'claim')::uuid, model.result_of(v_claim));
      commit;
    end if;
  end loop;
end
$$;

-- Sets the clock; some workers send a heartbeat.
create function model.pass_time(p_clock bigint, p_seen uuid[]) returns void
  language plpgsql as $$
begin
  perform setval('model.clock', p_clock);
  update mashup.workers set seen_at = mashup.now() where id = any (p_seen);
end
$$;

-- Returns the database as the model is compared with it.
create function model.snapshot() returns jsonb
  language plpgsql as $$
begin
  return jsonb_build_object(
    'jobs', coalesce((select jsonb_agg(jsonb_build_object('id', j.id, 'user', j.user_id, 'stage', j.stage, 'epoch', j.epoch, 'version', j.version, 'progress', j.progress,
      'admitted', j.admitted_at is not null, 'hold', j.hold is not null, 'waitingOn', j.waiting_on, 'error', j.error_code,
      'playable', (j.playable ->> 'path') || ' ' || jsonb_array_length(j.playable -> 'ends'),
      'studio', j.studio_version ->> 'state', 'shared', j.shared_at is not null,
      'plan', (select to_jsonb(p.song_ids) from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version))
      order by j.id) from public.mashup_jobs j), '[]'),
    'tasks', coalesce((select jsonb_agg(jsonb_build_object('id', t.id::text, 'job', t.job_id, 'kind', t.kind, 'song', t.song_id, 'epoch', t.epoch,
      'state', t.state, 'attempt', t.attempt, 'failures', t.failures, 'crashes', t.crashes, 'solo', t.solo_crashes,
      'claim', t.claim, 'probes', coalesce((select jsonb_agg(h.service order by h.service) from mashup.service_health h where h.probe_task = t.id), '[]'), 'fallback', t.fallback) order by t.priority, t.id)
      from mashup.tasks t where t.state in ('waiting', 'ready', 'running')), '[]'),
    'health', (select jsonb_object_agg(h.service, jsonb_build_object('open', h.state <> 'closed', 'failures', h.failures)) from mashup.service_health h),
    'digest', md5(coalesce((select string_agg(j::text, '|' order by j.id) from public.mashup_jobs j), '')
      || coalesce((select string_agg(t::text, '|' order by t.id) from mashup.tasks t), '')
      || coalesce((select string_agg(r::text, '|' order by r.job_id, r.epoch) from public.mashup_results r), '')
      || (select count(*) from public.mashup_job_events)));
end
$$;

-- Empties the database between two sequences. The caller has session_replication_role = replica.
create procedure model.reset(p_users uuid[], p_limits jsonb, p_jobs integer, p_early text)
  language plpgsql as $$
begin
  if to_regnamespace('queue_hidden') is not null then
    alter schema queue_hidden rename to mashup_queue;
  end if;
  delete from mashup_queue._private_jobs;
  delete from public.mashup_shares; delete from public.mashup_job_events; delete from public.mashup_plans; delete from public.mashup_results;
  delete from mashup.tasks; delete from mashup.places; delete from mashup.scores; delete from mashup.plan_receipts; delete from mashup.plan_edits; delete from mashup.analyses; delete from mashup.stems;
  delete from mashup.pauses; delete from mashup.workers; delete from mashup.storage_deletions; delete from public.mashup_jobs;
  delete from storage.objects; delete from auth.users; delete from model.seen;
  update mashup.maintenance_runs set done_at = '-infinity';
  update mashup.service_health set state = 'closed', failures = 0, opens = 0, opened_at = null, retry_at = null, probe_task = null,
    last_error = null;
  update mashup.settings set value = p_limits where name = 'service_limits';
  update mashup.settings set value = to_jsonb(p_early) where name = 'separate_early';
  perform mashup.sync_places();
  update mashup.settings set value = to_jsonb(p_jobs) where name = 'max_running_jobs';
  insert into auth.users (id, email) select u, u || '@example.test' from unnest(p_users) u;
end
$$;
