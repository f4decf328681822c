-- Who calls the public API, how often, and what they may submit.

create function mashup.caller() returns uuid
  language plpgsql stable set search_path = ''
  as $$
declare
  v_user uuid := auth.uid();
begin
  if v_user is null then
    perform mashup.raise_error('MB010', 'You are not signed in.', 'Sign in, then try again.');
  end if;
  return v_user;
end
$$;
comment on function mashup.caller() is 'Returns the signed-in user. Raises MB010 if there is none.';

create function mashup.require_own_job(p_job_id uuid, p_lock boolean default true) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_user uuid := mashup.caller();
begin
  if p_lock then
    perform from public.mashup_jobs where id = p_job_id and user_id = v_user for no key update;
  end if;
  select * into v_job from public.mashup_jobs where id = p_job_id and user_id = v_user;
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', p_job_id), 'Open one of your own mashups.');
  end if;
  return v_job;
end
$$;
comment on function mashup.require_own_job(uuid, boolean) is
  'Returns a job of the caller, locked unless p_lock is false. Raises MB002 for any other job, as for one that does not exist; MB010.';

create function mashup.count_request(p_user uuid, p_action text, p_setting text, p_message text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_calls integer;
begin
  insert into mashup.call_counts as c (user_id, action, since, calls) values (p_user, p_action, mashup.now(), 1)
    on conflict (user_id, action) do update set
      -- A minute that begins in the future was counted before the clock was set back.
      since = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.since else mashup.now() end,
      calls = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.calls + 1 else 1 end
    returning c.calls into v_calls;
  if v_calls > mashup.setting_number(p_setting) then
    perform mashup.raise_error('MB012', p_message, 'Wait a minute, then try again.', '60');
  end if;
end
$$;
comment on function mashup.count_request(uuid, text, text, text) is
  'Counts a request of a user. Raises MB012 beyond the number of the setting in a minute; the error also undoes the count. The row is locked until the transaction ends, so simultaneous requests of a user are counted one after the other.';

create function mashup.enforce_submission_limits(p_user uuid, p_is_draft boolean) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_waiting integer;
  v_mine integer;
begin
  perform from auth.users u where u.id = p_user for key share;
  -- One submission of a user at a time: simultaneous ones would all find the same room.
  perform pg_advisory_xact_lock(hashtextextended('mashup.room ' || p_user, 0));
  perform mashup.count_request(p_user, 'run', 'max_submits_per_minute', 'That was many mashups in one minute.');
  if p_is_draft and (select count(*) from mashup.draft_jobs where user_id = p_user) >= mashup.setting_number('max_drafts_per_user') then
    perform mashup.raise_error('MB004', 'You have too many drafts.', 'Start or cancel one of them first.', '60');
  end if;
  select count(*) into v_mine from mashup.waiting_jobs where user_id = p_user;
  if v_mine >= mashup.setting_number('max_queued_jobs_per_user') then
    perform mashup.raise_error('MB004', format('%s of your mashups are waiting already.', v_mine), 'Wait until one of them is done.', '30');
  end if;
  -- Counted no further than the limit, so that the check costs the same in a long queue.
  select count(*) into v_waiting from (select from mashup.waiting_jobs limit mashup.setting_number('max_queued_jobs')::integer) w;
  if v_waiting >= mashup.setting_number('max_queued_jobs') then
    perform mashup.raise_error('MB004', 'The queue is full.', 'Try again in a minute.', '60');
  end if;
end
$$;
comment on function mashup.enforce_submission_limits(uuid, boolean) is
  'Refuses a run that exceeds a limit; detail is the number of seconds to wait. Lock order: user row (against its deletion), the user''s advisory lock, job rows: nothing that has locked a job waits for either. Raises MB004, MB012.';

create function mashup.check_options(p_options jsonb) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  if jsonb_typeof(p_options) <> 'object' or octet_length(p_options::text) > 900 then
    perform mashup.raise_error('MB006', 'The options are not an object, or larger than 900 bytes.', 'Send only the options that you want to set.', 'invalid_options');
  end if;
  if p_options ->> 'format' not in ('wav', 'flac', 'mp3') then
    perform mashup.raise_error('MB006', 'The option format is not a format.', 'It is "wav", "flac" or "mp3".', 'invalid_options');
  elsif p_options ->> 'separation' not in ('auto', 'classical', 'neural') then
    perform mashup.raise_error('MB006', 'The option separation is not a method.', 'It is "auto", "classical" or "neural".', 'invalid_options');
  elsif p_options ->> 'length' not in ('short', 'full') then
    perform mashup.raise_error('MB006', 'The option length is not a length.', 'It is "short" or "full"; length_sec is an exact length in seconds.', 'invalid_options');
  elsif p_options -> 'length_sec' not between '20' and '600' and p_options -> 'length_sec' <> 'null' then
    perform mashup.raise_error('MB006', 'The option length_sec is not a length in seconds.', 'It is a number from 20 to 600.', 'invalid_options');
  elsif jsonb_typeof(p_options -> 'wishes') not in ('string', 'null') or char_length(p_options ->> 'wishes') > 500 then
    perform mashup.raise_error('MB006', 'The option wishes is not a text of at most 500 characters.', 'Shorten the wishes.', 'invalid_options');
  elsif jsonb_typeof(p_options -> 'studio_version') not in ('boolean', 'null') then
    perform mashup.raise_error('MB006', 'The option studio_version is not a boolean.', 'It is true or false.', 'invalid_options');
  elsif jsonb_typeof(p_options -> 'roles') not in ('object', 'null') or jsonb_typeof(p_options -> 'roles' -> 'sings') <> 'string'
      or jsonb_typeof(p_options -> 'roles' -> 'plays') <> 'string' or '' in (p_options -> 'roles' ->> 'sings', p_options -> 'roles' ->> 'plays') then
    perform mashup.raise_error('MB006', 'The option roles is not an object of song ids.', 'It is {sings, plays}: ids of songs of the mashup.', 'invalid_options');
  end if;
  return coalesce(p_options, '{}');
end
$$;
comment on function mashup.check_options(jsonb) is
  'Returns the options of a submission, {} for null. Raises MB006 if they are no object or too large, or an option has a value that it cannot have.';

create function mashup.check_upload(p_user uuid, p_path text, p_name text) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_object record;
begin
  select o.name, o.metadata ->> 'size' as size, o.metadata ->> 'eTag' as tag,
      coalesce(o.owner_id, o.owner::text) = p_user::text as is_own into v_object
    from storage.objects o where o.bucket_id = 'mashups' and o.name = p_path;
  -- The file of another user and a missing file give the same error, so that nobody learns what others have.
  if v_object.name is null or not coalesce(v_object.is_own, false) then
    perform mashup.raise_error('MB008', format('There is no upload of yours at the path given for %s.', p_name),
      'Upload the song first and send the path that create-signed-upload gave.', 'upload_missing');
  end if;
  if v_object.size::bigint = 0 then
    perform mashup.raise_error('MB006', format('The file of %s is empty.', p_name), 'Export the song again and upload that.', 'audio_empty');
  elsif v_object.size::bigint > mashup.setting_number('upload_max_bytes') then
    perform mashup.raise_error('MB006', format('The file of %s is larger than %s MB.', p_name,
      round(mashup.setting_number('upload_max_bytes') / 1048576)), 'Upload it as mp3 or ogg, or shorten it.', 'audio_too_large');
  end if;
  return v_object.tag || ' ' || v_object.size;
end
$$;
comment on function mashup.check_upload(uuid, text, text) is
  'Checks an upload of a submission in Storage; p_name is what messages call it. Returns its entity tag and size: equal for equal files. Raises MB006, MB008.';

create function mashup.path_of_song(p_song jsonb) returns text
  language plpgsql immutable set search_path = ''
  as $$
begin
  return coalesce(nullif(p_song ->> 'storage_path', ''), (
    select s.value #>> '{}' from jsonb_each(case jsonb_typeof(p_song -> 'stems') when 'object' then p_song -> 'stems' else '{}' end) s
    order by s.key limit 1));
end
$$;
comment on function mashup.path_of_song(jsonb) is 'Returns the path of a submitted song; of one that is given by its stems, that of the first one.';

create function mashup.check_song(p_song jsonb, p_cards jsonb) returns void
  language plpgsql stable set search_path = ''
  as $$
begin
  if coalesce(p_song ->> 'song_id', '') !~ '^[A-Za-z0-9_-]{1,64}$' or coalesce(p_song ->> 'name', '') = ''
     or coalesce(p_song ->> 'storage_path', '') = '' and jsonb_typeof(p_song -> 'stems') is distinct from 'object' then
    perform mashup.raise_error('MB006', 'A song is not complete.', 'Each song needs song_id (letters, digits, - and _), name, and storage_path or stems.', 'invalid_song');
  end if;
  if octet_length(p_song ->> 'storage_path') > 250 then
    perform mashup.raise_error('MB006', format('The path of %s is too long.', p_song ->> 'name'), 'Upload it under a shorter name.', 'invalid_song');
  end if;
  if exists (select from jsonb_array_elements(p_cards) c where c ->> 'song_id' = p_song ->> 'song_id' or c ->> 'path' = mashup.path_of_song(p_song)) then
    perform mashup.raise_error('MB006', format('The song %s is given twice.', p_song ->> 'name'), 'Choose two different songs.', 'same_song_twice');
  end if;
end
$$;
comment on function mashup.check_song(jsonb, jsonb) is 'Checks the members of a submitted song, and that p_cards does not have it already. Raises MB006.';

create function mashup.check_own_stems(p_user uuid, p_song jsonb, p_song_tag text) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_stem text;
  v_name text;
  v_tag text;
  v_tags text[] := '{}';
begin
  if jsonb_typeof(p_song -> 'stems') <> 'object' or p_song -> 'stems' = '{}' or exists (select from jsonb_each(p_song -> 'stems') s
      where s.key not in ('vocals', 'drums', 'bass', 'other', 'instrumental') or jsonb_typeof(s.value) <> 'string' or octet_length(s.value #>> '{}') > 250) then
    perform mashup.raise_error('MB006', format('The stems of %s are not usable.', p_song ->> 'name'),
      'Give stems as an object with the paths of some of vocals, drums, bass, other, instrumental.', 'invalid_stems');
  elsif p_song -> 'stems' ?& array['instrumental', 'drums', 'bass', 'other'] then
    perform mashup.raise_error('MB006', format('%s has an instrumental beside all of its parts.', p_song ->> 'name'),
      'Leave out the instrumental, or one of drums, bass and other.', 'invalid_stems');
  end if;
  for v_stem in select s.key from jsonb_object_keys(p_song -> 'stems') s (key) order by s.key loop
    v_name := format('the %s of %s', case v_stem when 'other' then 'instruments' else v_stem end, p_song ->> 'name');
    v_tag := mashup.check_upload(p_user, p_song -> 'stems' ->> v_stem, v_name);
    if v_tag = p_song_tag or v_tag = any (v_tags) then
      perform mashup.raise_error('MB006', format('The file of %s is the same as another file of the song.', v_name),
        'Give each stem in a file of its own.', 'invalid_stems');
    end if;
    v_tags := v_tags || v_tag;
  end loop;
  return array_to_string(v_tags, ' ');
end
$$;
comment on function mashup.check_own_stems(uuid, jsonb, text) is
  'Checks the stems that a user gives with a song, and their uploads; p_song_tag is the tag of the song, if it is given. Returns their tags. Raises MB006, MB008.';

create function mashup.save_own_stems(p_user uuid, p_song jsonb) returns bigint
  language plpgsql set search_path = ''
  as $$
declare
  v_id bigint;
begin
  insert into mashup.own_stems (user_id, files, has_song)
    values (p_user, p_song -> 'stems', coalesce(p_song ->> 'storage_path', '') <> '') returning id into v_id;
  return v_id;
end
$$;
comment on function mashup.save_own_stems(uuid, jsonb) is 'Keeps the checked stems of a submitted song for its tasks. Returns their id.';

create function mashup.check_songs(p_user uuid, p_songs jsonb, p_least integer) returns jsonb
  language plpgsql set search_path = ''
  as $$
declare
  v_song jsonb;
  v_count integer;
  v_tag text;
  v_stem_tags text;
  v_cards jsonb := '[]';
  v_tags text[] := '{}';
begin
  if jsonb_typeof(p_songs) is distinct from 'array' then
    perform mashup.raise_error('MB006', 'songs must be a list.', 'Send songs as [{song_id, name, artist, storage_path}].');
  end if;
  v_count := jsonb_array_length(p_songs);
  if v_count < p_least then
    perform mashup.raise_error('MB006', format('A mashup needs at least %s songs; %s given.', p_least, v_count), 'Add another song.', 'too_few_songs');
  elsif v_count > 3 then
    perform mashup.raise_error('MB006', format('A mashup takes at most three songs; %s given.', v_count), 'Leave some out.', 'too_many_songs');
  end if;
  for v_song in select * from jsonb_array_elements(p_songs) loop
    perform mashup.check_song(v_song, v_cards);
    v_tag := null;
    v_stem_tags := null;
    if coalesce(v_song ->> 'storage_path', '') <> '' then
      v_tag := mashup.check_upload(p_user, v_song ->> 'storage_path', v_song ->> 'name');
    end if;
    if coalesce(v_song -> 'stems', 'null') <> 'null' then
      v_stem_tags := mashup.check_own_stems(p_user, v_song, v_tag);
    end if;
    v_tag := coalesce(v_tag, v_stem_tags);
    if v_tag = any (v_tags) then
      perform mashup.raise_error('MB006', format('%s is the same recording as another of the songs.', v_song ->> 'name'),
        'Choose two different songs.', 'same_song_twice');
    end if;
    v_tags := v_tags || v_tag;
    v_cards := v_cards || (jsonb_build_object('song_id', v_song ->> 'song_id', 'name', mashup.truncate_bytes(v_song ->> 'name', 120),
      'artist', mashup.truncate_bytes(coalesce(nullif(v_song ->> 'artist', ''), 'Unknown artist'), 110), 'path', mashup.path_of_song(v_song), 'state', 'pending')
      || case when v_stem_tags is null then '{}' else jsonb_build_object('own_stems_id', mashup.save_own_stems(p_user, v_song)) end);
  end loop;
  return v_cards;
end
$$;
comment on function mashup.check_songs(uuid, jsonb, integer) is
  'Checks the songs of a submission against each other and against Storage, before any work is spent on them, and keeps the stems that were given with them. Returns their cards. Raises MB006, MB008; detail is a code.';

create function mashup.insert_job(
  p_user uuid, p_songs jsonb, p_options jsonb, p_hold text, p_key text, p_hash text, p_entry text, p_parent uuid, p_feedback text
) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  insert into public.mashup_jobs (user_id, songs, options, hold, idempotency_key, request_hash, entry_stage, parent_id, first_id, feedback,
      waiting_on, current_step, traceparent)
    values (p_user, p_songs, mashup.check_options(p_options), p_hold, p_key, p_hash, p_entry, p_parent,
      -- Null without a parent. The parent may have been deleted since it was read.
      coalesce((select coalesce(p.first_id, p.id) from public.mashup_jobs p where p.id = p_parent), p_parent), p_feedback, 'slot',
      (select s.step from mashup.stages s where s.stage = 'queued'), coalesce(mashup.request_traceparent(), mashup.new_traceparent()))
    on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
    returning * into v_job;
  if v_job.id is not null then
    perform mashup.log_event(v_job, 'submitted', case when p_parent is null then 'Submitted' else 'Submitted as a new version' end);
  end if;
  return v_job;
end
$$;
comment on function mashup.insert_job(uuid, jsonb, jsonb, text, text, text, text, uuid, text) is
  'Inserts a queued job and returns it; null if the idempotency key is taken. Raises MB006.';

create function mashup.find_idempotent_job(p_user uuid, p_key text, p_hash text) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs where user_id = p_user and idempotency_key = p_key;
  if v_job.id is not null and v_job.request_hash is distinct from p_hash then
    perform mashup.raise_error('MB005', 'This idempotency key was used for another request.', 'Send a new key with a new request.');
  end if;
  return v_job;
end
$$;
comment on function mashup.find_idempotent_job(uuid, text, text) is
  'Returns the job that an idempotency key was used for; null if none. Raises MB005 if it was for another request.';

create function mashup.describe_submission(p_job public.mashup_jobs, p_existing boolean) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
begin
  return (select jsonb_build_object('job_id', j.id, 'stage', j.stage, 'status', j.status, 'progress', j.progress, 'existing', p_existing,
    'queue_position', mashup.queue_position(j.id), 'estimated_completion_at',
    coalesce(j.estimated_completion_at, mashup.estimate_completion(j)), 'songs_count', jsonb_array_length(j.songs))
  from public.mashup_jobs j where j.id = p_job.id);
end
$$;
comment on function mashup.describe_submission(public.mashup_jobs, boolean) is
  'Returns what the submitter reads of a job; existing: a repeated request found it.';

create function mashup.hint_without_file(p_job public.mashup_jobs) returns text
  language plpgsql stable set search_path = ''
  as $$
begin
  return case when p_job.expired_at is not null then 'Its file has expired: replay it from rendering.'
    when p_job.stage in ('failed', 'cancelled') then 'It was not finished: retry it.'
    else 'Wait until it is complete.' end;
end
$$;
comment on function mashup.hint_without_file(public.mashup_jobs) is 'Returns what the user of a mashup without a file can do, as the hint of an error.';

revoke execute on all functions in schema mashup from public;
