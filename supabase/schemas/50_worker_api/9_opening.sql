-- The opening of a mashup: its first sections are rendered and published while the rest of the songs is separated. The worker of a
-- separate task renders it beside its own work. It is an extra: nothing waits for it, and its fault ends nothing.

create function mashup.opening_path(p_task mashup.tasks) returns text
  language sql stable set search_path = ''
  as $$
  select format('generated/%s/open-%s.parts', p_task.job_id, p_task.claim)
$$;
comment on function mashup.opening_path(mashup.tasks) is 'Returns the folder of the parts of an opening that the claim of a separate task renders.';

create function mashup.is_opening(p_playable jsonb) returns boolean
  language sql immutable set search_path = ''
  as $$
  select coalesce(p_playable ->> 'path' like 'generated/%/open-%', false)
$$;
comment on function mashup.is_opening(jsonb) is 'Returns whether playable parts are those of an opening.';

create function mashup.opening_stems(p_job public.mashup_jobs, p_ranges jsonb) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
declare
  v_models text[] := (mashup.wanted_separation(p_job)).models;
begin
  return (
    select jsonb_object_agg(k.song, coalesce(
      (select jsonb_build_object('paths', st.paths, 'model', st.model)
        from mashup.active_songs(p_job.songs) s join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
        where s ->> 'song_id' = k.song and mashup.stems_cover(st.paths, k.ranges) and mashup.are_usable(st, s, v_models)),
      (select jsonb_build_object('paths', t.opening -> 'paths', 'model', coalesce(t.opening ->> 'model', '')) from mashup.tasks t
        where t.job_id = p_job.id and t.epoch = p_job.epoch and t.kind = 'separate' and t.song_id = k.song and t.state = 'running'
          and t.opening ->> 'claim' = t.claim::text and mashup.stems_cover(t.opening -> 'paths', k.ranges))))
    from jsonb_each(p_ranges) k (song, ranges));
end
$$;
comment on function mashup.opening_stems(public.mashup_jobs, jsonb) is
  'Returns stems that hold ranges {song: [[start, end], …]}, by song as {paths, model}: from the cache, or reported by a task that still separates the rest; null where there are none.';

create function mashup.report_opening(p_task_id bigint, p_claim uuid, p_paths jsonb, p_model text default null) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
  v_job public.mashup_jobs;
  v_opening jsonb;
  v_stems jsonb;
  v_path text;
  v_places integer := mashup.setting_number('openings_in_spare_places');
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return jsonb_build_object('status', mashup.claim_status(p_task_id, p_claim));
  end if;
  if v_task.kind <> 'separate' or exists (select from mashup.stem_files(p_paths) f where not starts_with(f, v_task.output_prefix || '/')) then
    perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
      'The separation service must keep to the paths it was given.');
  end if;
  if v_task.opening ->> 'claim' = p_claim::text then
    -- A repeated call, because the answer was lost.
    return jsonb_build_object('status', 'held');
  end if;
  update mashup.tasks t set opening = jsonb_build_object('claim', p_claim, 'paths', p_paths, 'model', p_model) where t.id = p_task_id;
  select * into v_job from public.mashup_jobs where id = v_task.job_id;
  select p.opening into v_opening from public.mashup_plans p where p.job_id = v_job.id and p.version = v_job.plan_version;
  v_stems := mashup.opening_stems(v_job, v_opening -> 'ranges');
  -- It takes no place of its own: it is rendered only where the service has nothing else to do.
  if v_stems is null or v_stems <> jsonb_strip_nulls(v_stems) or v_job.stage <> 'separating' or v_job.fresh or v_job.playable is not null
    or v_places = 0 or v_places > (select count(*) from mashup.places p where p.service = 'processing' and p.is_open and p.task_id is null
      and (p.held_until is null or p.held_until <= mashup.now()))
  then
    return jsonb_build_object('status', 'held');
  end if;
  v_path := mashup.opening_path(v_task);
  update mashup.tasks t set opening = t.opening || jsonb_build_object('folder', v_path) where t.id = p_task_id;
  -- Due in any case, whatever becomes of the task: when a listener of the longest render has played them.
  insert into mashup.storage_deletions (path, is_prefix, not_before)
    select v_path || '/', true, mashup.now() + make_interval(secs => k.timeout_sec) + mashup.setting_interval('parts_kept_sec')
    from mashup.task_kinds k where k.kind = 'render';
  return jsonb_build_object('status', 'held', 'path', v_path, 'sections', v_opening -> 'sections',
    'stems', (select jsonb_object_agg(s.key, s.value -> 'paths') from jsonb_each(v_stems) s),
    'models', (select jsonb_object_agg(s.key, s.value -> 'model') from jsonb_each(v_stems) s));
end
$$;
comment on function mashup.report_opening(bigint, uuid, jsonb, text) is
  'Notes the stems of what the opening plays of a song, while its task separates the rest. When those of all songs are there, the worker is to render the opening: {status: held, path: folder of the parts, sections, stems by song, models by song}. Else {status}: held, or why the claim is not valid (see claim_status). Lock order: job, task. Raises MB006.';
grant execute on function mashup.report_opening(bigint, uuid, jsonb, text) to mashup_worker;

revoke execute on all functions in schema mashup from public;
