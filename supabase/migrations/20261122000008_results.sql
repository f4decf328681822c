-- What each kind of task leaves behind. Called by finish_task only: job and task rows are locked, the claim holds.

-- p_result: content_hash, version, analysis (or analysis_id when it came from the cache), card (figures for the track card).
create function mashup.record_analysis(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_id bigint;
  v_stems bigint;
  v_done integer;
  v_all integer;
begin
  insert into mashup.analyses as a (user_id, content_hash, version, analysis)
    select p_job.user_id, p_result ->> 'content_hash', p_result ->> 'version', p_result -> 'analysis'
    where jsonb_typeof(p_result -> 'analysis') = 'object'
    on conflict (user_id, content_hash, version) do update
      set used_at = mashup.now(), analysis = case when p_job.fresh then excluded.analysis else a.analysis end
    returning a.id into v_id;
  if v_id is null then
    update mashup.analyses a set used_at = mashup.now()
      where a.id = (p_result ->> 'analysis_id')::bigint and a.user_id = p_job.user_id returning a.id into v_id;
  end if;
  if v_id is null then
    perform mashup.raise_error('MB003', 'The analysis to record is neither given nor in the cache.', 'Analyse the song again.');
  end if;
  if not p_job.fresh then
    select s.id into v_stems from mashup.stems s
      where s.user_id = p_job.user_id and s.content_hash = p_result ->> 'content_hash' order by s.id desc limit 1;
    update mashup.stems set used_at = mashup.now() where id = v_stems;
  end if;
  select count(*) filter (where s ->> 'analysis_id' is not null) + 1, count(*) into v_done, v_all from mashup.active_songs(p_job.songs) s;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, (p_result -> 'card') || jsonb_strip_nulls(jsonb_build_object(
        'state', case when v_stems is null then 'analyzed' else 'ready' end, 'hash', p_result ->> 'content_hash',
        'analysis_id', v_id, 'stems_id', v_stems))),
      progress = greatest(j.progress, least(50, 50.0 * v_done / v_all)),
      estimated_completion_at = mashup.estimate_completion(j)
    where j.id = p_job.id;
end
$$;
comment on function mashup.record_analysis(public.mashup_jobs, mashup.tasks, jsonb) is 'Stores an analysis and points the song''s card to it.';

-- p_result: pairs (PairScore[]), warning?
create function mashup.record_scores(p_job public.mashup_jobs, p_result jsonb) returns void
  language plpgsql set search_path = ''
  as $$
begin
  insert into mashup.scores as s (job_id, epoch, pairs) values (p_job.id, p_job.epoch, p_result -> 'pairs')
    on conflict (job_id, epoch) do update set pairs = excluded.pairs, created_at = mashup.now();
  update public.mashup_jobs j set
      score = (select round(avg((p ->> 'score')::numeric), 1) from jsonb_array_elements(p_result -> 'pairs') p),
      warnings = case when p_result ->> 'warning' is null then j.warnings
        else mashup.add_warning(j.warnings, 'scored_locally', p_result ->> 'warning', 'scoring') end
    where j.id = p_job.id;
end
$$;
comment on function mashup.record_scores(public.mashup_jobs, jsonb) is 'Stores pair scores.';

-- p_result: plan, source, song_ids, model?, tokens?, cost_usd?, changes?, warning?
-- Answers whether the plan uses a song that was left out while it was made: then there is to be another.
create function mashup.record_plan(p_job public.mashup_jobs, p_result jsonb) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_version integer;
  v_songs text[] := array(select jsonb_array_elements_text(p_result -> 'song_ids'));
begin
  if cardinality(v_songs) = 0
     or not v_songs <@ array(select s ->> 'song_id' from jsonb_array_elements(p_job.songs) s) then
    perform mashup.raise_error('MB006', 'The plan uses songs that are not in the job, or none.', 'Plan with the songs of the job.');
  end if;
  select coalesce(max(version), 0) + 1 into v_version from public.mashup_plans where job_id = p_job.id;
  insert into public.mashup_plans (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes)
    values (p_job.id, v_version, p_job.epoch, p_result ->> 'source', p_result -> 'plan',
      v_songs, p_result ->> 'model', p_result -> 'tokens',
      (p_result ->> 'cost_usd')::numeric, p_result ->> 'changes');
  update public.mashup_jobs j set
      plan_version = v_version,
      title = mashup.truncate_bytes(p_result #>> '{plan,masterplan,title}', 200),
      concept = mashup.truncate_bytes(p_result #>> '{plan,creative_vision}', 600),
      warnings = case when p_result ->> 'warning' is null then j.warnings
        else mashup.add_warning(j.warnings, 'rule_based_plan', p_result ->> 'warning', 'planning') end
    where j.id = p_job.id;
  return not v_songs <@ array(select s ->> 'song_id' from mashup.active_songs(p_job.songs) s);
end
$$;
comment on function mashup.record_plan(public.mashup_jobs, jsonb) is 'Stores a plan as the job''s next version. Raises MB006. Answers whether it must be made again.';

-- p_result: model, paths {vocals, drums, bass, other}, all below the claim's own prefix; or stems_id from the cache.
create function mashup.record_stems(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_hash text;
  v_id bigint;
  v_old jsonb;
begin
  select s ->> 'hash' into v_hash from jsonb_array_elements(p_job.songs) s where s ->> 'song_id' = p_task.song_id;
  if p_result ->> 'stems_id' is not null then
    update mashup.stems s set used_at = mashup.now()
      where s.id = (p_result ->> 'stems_id')::bigint and s.user_id = p_job.user_id returning s.id into v_id;
  else
    if exists (select from jsonb_each_text(p_result -> 'paths') p where not starts_with(p.value, p_task.output_prefix || '/')) then
      perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
        'The separation service must keep to the paths it was given.');
    end if;
    select s.paths into v_old from mashup.stems s
      where s.user_id = p_job.user_id and s.content_hash = v_hash and s.model = p_result ->> 'model' for update;
    insert into mashup.stems as s (user_id, content_hash, model, paths)
      values (p_job.user_id, v_hash, p_result ->> 'model', p_result -> 'paths')
      on conflict (user_id, content_hash, model) do update set paths = excluded.paths, used_at = mashup.now()
      returning s.id into v_id;
    -- Another job may be reading the older stems still.
    insert into mashup.storage_deletions (path, not_before)
      select p.value, mashup.now() + mashup.setting_interval('replaced_stems_after_sec') from jsonb_each_text(v_old) p;
  end if;
  if v_id is null then
    perform mashup.raise_error('MB003', 'The stems to record are no longer in the cache.', 'Separate the song again.');
  end if;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'ready', 'stems_id', v_id)),
      estimated_completion_at = mashup.estimate_completion(j)
    where j.id = p_job.id;
end
$$;
comment on function mashup.record_stems(public.mashup_jobs, mashup.tasks, jsonb) is 'Stores stems and points the song''s card to them.';

-- p_result: path (below the claim's own prefix), quality (RenderResult).
create function mashup.record_result(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns void
  language plpgsql set search_path = ''
  as $$
begin
  if not starts_with(p_result ->> 'path', p_task.output_prefix) then
    perform mashup.raise_error('MB006', 'The result was written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  insert into public.mashup_results as r (job_id, epoch, path, quality, plan_version)
    values (p_job.id, p_job.epoch, p_result ->> 'path', p_result -> 'quality', p_job.plan_version)
    on conflict (job_id, epoch) do update set path = excluded.path, quality = excluded.quality, plan_version = excluded.plan_version;
  update public.mashup_jobs j set
      result_path = p_result ->> 'path',
      result = jsonb_strip_nulls(jsonb_build_object(
        'duration_sec', p_result #> '{quality,duration_sec}', 'loudness_lufs', p_result #> '{quality,loudness_lufs}',
        'true_peak_dbtp', p_result #> '{quality,true_peak_dbtp}', 'format', p_result #> '{quality,format}',
        'bytes', p_result #> '{quality,bytes}', 'bpm', p_result #> '{quality,bpm}', 'key', p_result #> '{quality,key}'))
    where j.id = p_job.id;
end
$$;
comment on function mashup.record_result(public.mashup_jobs, mashup.tasks, jsonb) is 'Points the job to what was rendered.';
