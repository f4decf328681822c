-- Stage separating: one task for each song whose stems do not hold what the plan plays. Early tasks separate whole songs before.

create function mashup.separates_early(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return case mashup.setting_text('separate_early') when 'always' then true when 'held' then p_job.hold is not null else false end;
end
$$;
comment on function mashup.separates_early(public.mashup_jobs) is
  'Returns whether the songs of a job are separated before it is planned. The tasks of a draft run on while it waits for its user.';

create function mashup.songs_without_stems(p_job public.mashup_jobs) returns setof text
  language plpgsql stable rows 3 set search_path = ''
  as $$
declare
  v_plan public.mashup_plans;
  v_models text[] := (mashup.wanted_separation(p_job)).models;
begin
  select * into v_plan from public.mashup_plans p where p.job_id = p_job.id and p.version = p_job.plan_version;
  return query
    select s ->> 'song_id' from mashup.active_songs(p_job.songs) s
    left join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
    where (v_plan.version is null or s ->> 'song_id' = any (v_plan.song_ids))
      and not (mashup.stems_cover(st.paths, v_plan.ranges -> (s ->> 'song_id')) and mashup.are_usable(st, s, v_models));
end
$$;
comment on function mashup.songs_without_stems(public.mashup_jobs) is
  'Returns the songs whose stems do not hold what the current plan plays, or are of another model than the job wants; without a plan those without whole stems.';

create function mashup.create_separation_tasks(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_songs text[] := array(select mashup.songs_without_stems(p_job));
  v_is_studio boolean := mashup.is_studio_version_live(p_job);
begin
  if v_songs = '{}' then
    return;
  end if;
  -- Stems may have been deleted, or more of a song may be needed, since its task finished: it is dropped, so that another one can be made.
  update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'stems_gone')
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'separate' and t.state = 'done' and t.song_id = any (v_songs);
  insert into mashup.tasks (job_id, kind, song_id, epoch, priority, is_studio)
    select p_job.id, k.kind, s ->> 'song_id', p_job.epoch, k.priority + case when v_is_studio then 40 else 0 end, v_is_studio
    from mashup.active_songs(p_job.songs) s, mashup.task_kinds k
    where k.kind = 'separate' and s ->> 'analysis_id' is not null and s ->> 'song_id' = any (v_songs)
    on conflict do nothing;
end
$$;
comment on function mashup.create_separation_tasks(public.mashup_jobs) is
  'Creates the missing separate tasks of a job. Lock: job row held by the caller.';

create function mashup.has_stems(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return p_job.plan_version is null or not exists (select mashup.songs_without_stems(p_job))
    and not mashup.is_plan_outdated(p_job);
end
$$;
comment on function mashup.has_stems(public.mashup_jobs) is 'Returns whether the stems of the songs hold what the current plan plays.';

create function mashup.record_stems(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_stems mashup.stems;
  v_models text[] := (mashup.wanted_separation(p_job)).models;
begin
  if p_result ->> 'stems_id' is not null then
    update mashup.stems s set used_at = mashup.now()
      where s.id = (p_result ->> 'stems_id')::bigint and s.user_id = p_job.user_id returning s.* into v_stems;
    if v_stems.id is null then
      perform mashup.raise_error('MB003', 'The stems to record are no longer in the cache.', 'Separate the song again.');
    end if;
  else
    if exists (select from mashup.stem_files(p_result -> 'paths') f where not starts_with(f, p_task.output_prefix || '/')) then
      perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
        'The separation service must keep to the paths it was given.');
    end if;
    v_stems := mashup.save_stems(p_job.user_id,
      (select s ->> 'hash' from jsonb_array_elements(p_job.songs) s where s ->> 'song_id' = p_task.song_id),
      p_result ->> 'model', coalesce(p_result ->> 'method', 'service'), coalesce(p_result ->> 'layout', 'four_stems'), p_result -> 'paths',
      coalesce((p_result ->> 'replaces')::boolean, p_job.fresh));
  end if;
  -- Whatever the service has used is what the job gets: if it were asked again, it would use the same. Only a studio version needs its model.
  p_job.songs := mashup.patch_song(p_job.songs, p_task.song_id, jsonb_strip_nulls(jsonb_build_object('state', 'ready', 'stems_id', v_stems.id,
    'instead_of', case when not mashup.are_usable(v_stems, null, v_models) and not p_task.is_studio then coalesce(v_models[1], 'none') end)));
  p_job.warnings := mashup.add_warnings(p_job.warnings, coalesce(p_result -> 'warnings', '[]'), 'separating');
  return p_job;
end
$$;
comment on function mashup.record_stems(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of a separate task. Returns the job with the song''s card that points to it, not written yet: {model, layout (absent: four_stems), paths: {vocals, drums, bass, other}, each a path or the paths of its parts below the claim''s own prefix, or pieces of the song; method (absent: service), replaces (absent: false) pieces whose files are lost, warnings: [{code, message}]}, or {stems_id} of cached ones. The card of a song that got stems of another model than the job wants says instead_of which. Raises MB003, MB006.';

create function mashup.save_stems(
  p_user_id uuid, p_content_hash text, p_model text, p_method text, p_layout text, p_paths jsonb, p_replace boolean
) returns mashup.stems
  language plpgsql set search_path = ''
  as $$
declare
  v_stems mashup.stems;
  v_old jsonb;
  v_new jsonb;
begin
  -- Two jobs may separate one song at the same time: what the second recorded is merged with the first. The loop repeats when the
  -- row that was in the way is gone once it could be locked.
  loop
    insert into mashup.stems as s (user_id, content_hash, model, method, layout, paths)
      values (p_user_id, p_content_hash, p_model, p_method, p_layout, p_paths)
      on conflict (user_id, content_hash, model, layout) do nothing returning s.* into v_stems;
    exit when v_stems.id is not null;
    select s.* into v_stems from mashup.stems s
      where s.user_id = p_user_id and s.content_hash = p_content_hash and s.model = p_model and s.layout = p_layout for update;
    if v_stems.id is not null then
      v_old := v_stems.paths;
      v_new := case when p_replace then p_paths else mashup.merge_stems(v_old, p_paths) end;
      update mashup.stems s set paths = v_new, used_at = mashup.now() where s.id = v_stems.id;
      -- Another job may still be reading the older stems.
      insert into mashup.storage_deletions (path, not_before)
        select f, mashup.now() + mashup.setting_interval('replaced_stems_after_sec')
        from (select mashup.stem_files(v_old) union select mashup.stem_files(p_paths) except select mashup.stem_files(v_new)) d (f);
      exit;
    end if;
  end loop;
  return v_stems;
end
$$;
comment on function mashup.save_stems(uuid, text, text, text, text, jsonb, boolean) is
  'Caches stems and returns their row, of before the merge. They are merged with what the cache has of the song, or replace it. The files that are no longer used go into the outbox. Lock: stems row.';

revoke execute on all functions in schema mashup from public;
