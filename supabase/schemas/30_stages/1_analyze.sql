-- Stage analyzing: one task for each song without an analysis.

create function mashup.create_analysis_tasks(p_job public.mashup_jobs) returns void
  language plpgsql set search_path = ''
  as $$
begin
  -- A card may point to an analysis that was deleted since. Its finished task is dropped, so that another one can be made.
  update mashup.tasks t set state = 'dropped', error = jsonb_build_object('code', 'analysis_gone')
    where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'analyze' and t.state = 'done'
      and not exists (select from mashup.active_songs(p_job.songs) s join mashup.analyses a on a.id = (s ->> 'analysis_id')::bigint
        where s ->> 'song_id' = t.song_id);
  insert into mashup.tasks (job_id, kind, song_id, epoch, priority)
    select p_job.id, k.kind, s ->> 'song_id', p_job.epoch, k.priority
    from mashup.active_songs(p_job.songs) s, mashup.task_kinds k
    where k.kind = 'analyze' and not exists (select from mashup.analyses a where a.id = (s ->> 'analysis_id')::bigint)
    on conflict do nothing;
end
$$;
comment on function mashup.create_analysis_tasks(public.mashup_jobs) is 'Creates the missing analyze tasks of a job in stage analyzing. Lock: job row held by the caller.';

create function mashup.has_analyses(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return not exists (
    select from mashup.active_songs(p_job.songs) s
    where not exists (select from mashup.analyses a where a.id = (s ->> 'analysis_id')::bigint));
end
$$;
comment on function mashup.has_analyses(public.mashup_jobs) is 'Returns whether every active song of a job has its analysis.';

create function mashup.record_analysis(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_id bigint;
  v_stems mashup.stems;
  v_models text[];
  v_done integer;
  v_all integer;
begin
  v_id := mashup.save_analysis(p_job, p_result);
  if not p_job.fresh then
    v_models := (mashup.wanted_separation(p_job)).models;
    select s.* into v_stems from mashup.stems s
      where s.user_id = p_job.user_id and s.content_hash = p_result ->> 'content_hash'
        and s.layout = coalesce(p_result ->> 'stem_layout', 'four_stems') and mashup.are_usable(s, null, v_models)
      order by s.model = 'own' desc, coalesce(array_position(v_models, mashup.separator_of(s.model)), 9), s.id desc limit 1;
    update mashup.stems set used_at = mashup.now() where id = v_stems.id;
  end if;
  select count(*) filter (where s ->> 'analysis_id' is not null) + 1, count(*) into v_done, v_all from mashup.active_songs(p_job.songs) s;
  p_job.songs := mashup.patch_song(p_job.songs, p_task.song_id, (p_result -> 'card') || jsonb_strip_nulls(jsonb_build_object(
    'state', case when mashup.stems_cover(v_stems.paths, null) then 'ready' else 'analyzed' end, 'hash', p_result ->> 'content_hash',
    'analysis_id', v_id, 'stems_id', v_stems.id)));
  p_job.progress := greatest(p_job.progress, (select least(s.progress_to, s.progress_from + (s.progress_to - s.progress_from) * v_done / v_all)
    from mashup.stages s where s.stage = 'analyzing'));
  return p_job;
end
$$;
comment on function mashup.record_analysis(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of an analyze task. Returns the job with the song''s card that points to it, not written yet: {content_hash, version, card, stem_layout (absent: four_stems), and analysis or the analysis_id of a cached one}. Raises MB003.';

create function mashup.save_analysis(p_job public.mashup_jobs, p_result jsonb) returns bigint
  language plpgsql set search_path = ''
  as $$
declare
  v_id bigint;
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
  return v_id;
end
$$;
comment on function mashup.save_analysis(public.mashup_jobs, jsonb) is
  'Caches a new analysis, or marks a cached one as used, and returns its id. A fresh run replaces the cached one. Raises MB003.';

revoke execute on all functions in schema mashup from public;
