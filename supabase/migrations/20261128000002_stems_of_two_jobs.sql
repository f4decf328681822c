-- Two jobs that separate the same song at one time: whichever records second replaces what the first recorded, and the
-- replaced files go into the outbox. (The first look for older stems found none in either, as neither had committed, so the
-- files of the first were left in Storage for good.)
create or replace function mashup.record_stems(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns void
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
    if v_id is null then
      perform mashup.raise_error('MB003', 'The stems to record are no longer in the cache.', 'Separate the song again.');
    end if;
  else
    if exists (select from jsonb_each_text(p_result -> 'paths') p where not starts_with(p.value, p_task.output_prefix || '/')) then
      perform mashup.raise_error('MB006', 'Stems were written outside the claim''s own folder.',
        'The separation service must keep to the paths it was given.');
    end if;
    -- Again when the row that was in the way is gone once it can be locked.
    loop
      insert into mashup.stems as s (user_id, content_hash, model, paths)
        values (p_job.user_id, v_hash, p_result ->> 'model', p_result -> 'paths')
        on conflict (user_id, content_hash, model) do nothing returning s.id into v_id;
      exit when v_id is not null;
      select s.id, s.paths into v_id, v_old from mashup.stems s
        where s.user_id = p_job.user_id and s.content_hash = v_hash and s.model = p_result ->> 'model' for update;
      if v_id is not null then
        update mashup.stems s set paths = p_result -> 'paths', used_at = mashup.now() where s.id = v_id;
        -- Another job may be reading the older stems still.
        insert into mashup.storage_deletions (path, not_before)
          select p.value, mashup.now() + mashup.setting_interval('replaced_stems_after_sec') from jsonb_each_text(v_old) p;
        exit;
      end if;
    end loop;
  end if;
  update public.mashup_jobs j set
      songs = mashup.patch_song(j.songs, p_task.song_id, jsonb_build_object('state', 'ready', 'stems_id', v_id)),
      estimated_completion_at = mashup.estimate_completion(j)
    where j.id = p_job.id;
end
$$;
