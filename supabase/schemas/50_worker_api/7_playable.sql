-- Playable parts: while a mashup is rendered, its row names the files of its finished beginning.

create function mashup.publish_playable(p_task_id bigint, p_claim uuid, p_playable jsonb) returns text
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_task mashup.tasks;
begin
  v_task := mashup.lock_claim(p_task_id, p_claim);
  if v_task.id is null then
    return mashup.claim_status(p_task_id, p_claim);
  end if;
  if (v_task.kind = 'render' and starts_with(p_playable ->> 'path', v_task.output_prefix || '.')
    or v_task.kind = 'separate' and v_task.opening ->> 'folder' = mashup.opening_path(v_task) and p_playable ->> 'path' = v_task.opening ->> 'folder') is not true
  then
    perform mashup.raise_error('MB006', 'Playable parts were written outside the claim''s own path.',
      'The rendering service must keep to the path it was given.');
  end if;
  -- Each list contains the one before it, and those of a render contain the opening. One that comes late is ignored.
  update public.mashup_jobs j set playable = p_playable
    where j.id = v_task.job_id and j.stage = case v_task.kind when 'render' then 'rendering' else 'separating' end
      and coalesce(jsonb_array_length(j.playable -> 'ends'), 0) < jsonb_array_length(p_playable -> 'ends');
  return 'held';
end
$$;
comment on function mashup.publish_playable(bigint, uuid, jsonb) is
  'Writes on the job which parts of the mashup are uploaded and can be played (PlayableAudio, all parts so far), at once. Returns held, or why the claim is not valid (see claim_status). Lock order: job, task. Raises MB006.';
grant execute on function mashup.publish_playable(bigint, uuid, jsonb) to mashup_worker;

create function mashup.keep_parts(p_path text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  insert into mashup.storage_deletions (path, is_prefix, not_before)
    values (p_path || '/', true, mashup.now() + mashup.setting_interval('parts_kept_sec'));
end
$$;
comment on function mashup.keep_parts(text) is
  'Puts the folder of the playable parts of a finished render into the outbox, due after parts_kept_sec: a listener may still play them.';

revoke execute on all functions in schema mashup from public;
