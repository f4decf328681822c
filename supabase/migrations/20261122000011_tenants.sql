-- What a signed-in user may call. Each function checks who is asking; each job is reached by its owner only.

-- The caller's id; raises MB010 for a visitor who is not signed in.
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
comment on function mashup.caller() is 'The signed-in user; raises MB010 if there is none.';

-- Another user's job does not exist, as far as the caller can tell. A job that is only read is not locked.
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
comment on function mashup.require_own_job(uuid, boolean) is 'A job of the caller, locked unless told otherwise; raises MB002 for any other.';

-- Checks the songs of a submission against each other and against Storage, before any work is spent on them.
create function mashup.check_songs(p_user uuid, p_songs jsonb, p_least integer) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
declare
  v_song jsonb;
  v_count integer;
  v_object record;
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
    if coalesce(v_song ->> 'song_id', '') !~ '^[A-Za-z0-9_-]{1,64}$' or coalesce(v_song ->> 'name', '') = ''
       or coalesce(v_song ->> 'storage_path', '') = '' then
      perform mashup.raise_error('MB006', 'A song is not complete.', 'Each song needs song_id (letters, digits, - and _), name and storage_path.', 'invalid_song');
    end if;
    if octet_length(v_song ->> 'storage_path') > 250 then
      perform mashup.raise_error('MB006', format('The path of %s is too long.', v_song ->> 'name'), 'Upload it under a shorter name.', 'invalid_song');
    end if;
    if exists (select from jsonb_array_elements(v_cards) c where c ->> 'song_id' = v_song ->> 'song_id' or c ->> 'path' = v_song ->> 'storage_path') then
      perform mashup.raise_error('MB006', format('The song %s is given twice.', v_song ->> 'name'), 'Choose two different songs.', 'same_song_twice');
    end if;
    select o.name, o.metadata ->> 'size' as size, o.metadata ->> 'eTag' as tag,
        coalesce(o.owner_id, o.owner::text) = p_user::text as is_own into v_object
      from storage.objects o where o.bucket_id = 'mashups' and o.name = v_song ->> 'storage_path';
    -- Somebody else's file and no file are one answer: nobody learns what others have.
    if v_object.name is null or not coalesce(v_object.is_own, false) then
      perform mashup.raise_error('MB008', format('There is no upload of yours at the path given for %s.', v_song ->> 'name'),
        'Upload the song first and send the path that create-signed-upload gave.', 'upload_missing');
    end if;
    if v_object.size::bigint = 0 then
      perform mashup.raise_error('MB006', format('The file of %s is empty.', v_song ->> 'name'), 'Export the song again and upload that.', 'audio_empty');
    elsif v_object.size::bigint > mashup.setting_number('upload_max_bytes') then
      perform mashup.raise_error('MB006', format('The file of %s is larger than %s MB.', v_song ->> 'name',
        round(mashup.setting_number('upload_max_bytes') / 1048576)), 'Upload it as mp3 or ogg, or shorten it.', 'audio_too_large');
    end if;
    if v_object.tag || ' ' || v_object.size = any (v_tags) then
      perform mashup.raise_error('MB006', format('%s is the same recording as another of the songs.', v_song ->> 'name'),
        'Choose two different songs.', 'same_song_twice');
    end if;
    v_tags := v_tags || (v_object.tag || ' ' || v_object.size);
    v_cards := v_cards || jsonb_build_object('song_id', v_song ->> 'song_id', 'name', mashup.truncate_bytes(v_song ->> 'name', 120),
      'artist', mashup.truncate_bytes(coalesce(nullif(v_song ->> 'artist', ''), 'Unknown artist'), 110), 'path', v_song ->> 'storage_path', 'state', 'pending');
  end loop;
  return v_cards;
end
$$;
comment on function mashup.check_songs(uuid, jsonb, integer) is 'The cards of the songs of a submission. Raises MB006, MB008.';

-- Refuses a submission that is too much for the queue. Lock order: the user's row (against deletion), their room, job rows:
-- nobody who holds a job waits for either.
create function mashup.enforce_submission_limits(p_user uuid, p_is_draft boolean) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_waiting integer;
  v_mine integer;
begin
  perform from auth.users u where u.id = p_user for key share;
  -- One submission of a user at a time, or many at once would all see the same room.
  perform pg_advisory_xact_lock(hashtextextended('mashup.room ' || p_user, 0));
  perform mashup.count_request(p_user, 'run', 'max_submits_per_minute', 'That was many mashups in one minute.');
  if p_is_draft and (select count(*) from public.mashup_jobs where user_id = p_user and hold = 'planning' and stage = 'planning')
      >= mashup.setting_number('max_drafts_per_user') then
    perform mashup.raise_error('MB004', 'You have too many drafts.', 'Start or cancel one of them first.', '60');
  end if;
  select count(*) into v_mine from public.mashup_jobs
    where user_id = p_user and stage not in ('complete', 'failed', 'cancelled') and admitted_at is null and (hold is null or stage <> 'planning');
  if v_mine >= mashup.setting_number('max_queued_jobs_per_user') then
    perform mashup.raise_error('MB004', format('%s of your mashups are waiting already.', v_mine), 'Wait until one of them is done.', '30');
  end if;
  -- Counted no further than the limit, so that the check costs the same in a long queue.
  select count(*) into v_waiting from (select from public.mashup_jobs
    where stage not in ('complete', 'failed', 'cancelled') and admitted_at is null and (hold is null or stage <> 'planning')
    limit mashup.setting_number('max_queued_jobs')::integer) w;
  if v_waiting >= mashup.setting_number('max_queued_jobs') then
    perform mashup.raise_error('MB004', 'The queue is full.', 'Try again in a minute.', '60');
  end if;
end
$$;
comment on function mashup.enforce_submission_limits(uuid, boolean) is 'Raises MB004 or MB012; detail is the number of seconds to wait.';

-- Options as they go into a row: an object, and small.
create function mashup.check_options(p_options jsonb) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  if jsonb_typeof(p_options) <> 'object' or octet_length(p_options::text) > 900 then
    perform mashup.raise_error('MB006', 'The options are not an object, or larger than 900 bytes.', 'Send only the options that you want to set.', 'invalid_options');
  end if;
  return coalesce(p_options, '{}');
end
$$;
comment on function mashup.check_options(jsonb) is 'The options of a submission. Raises MB006.';

create function mashup.insert_job(
  p_user uuid, p_songs jsonb, p_options jsonb, p_hold text, p_key text, p_hash text, p_entry text, p_parent uuid, p_feedback text
) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  insert into public.mashup_jobs (user_id, songs, options, hold, idempotency_key, request_hash, entry_stage, parent_id, feedback,
      waiting_on, current_step)
    values (p_user, p_songs, mashup.check_options(p_options), p_hold, p_key, p_hash, p_entry, p_parent, p_feedback, 'slot', 'Waiting for a free slot')
    on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
    returning * into v_job;
  if v_job.id is not null then
    perform mashup.log_event(v_job, 'submitted', case when p_parent is null then 'Submitted' else 'Submitted as a new version' end);
  end if;
  return v_job;
end
$$;
comment on function mashup.insert_job(uuid, jsonb, jsonb, text, text, text, text, uuid, text) is
  'Inserts a queued job; null if the idempotency key is taken.';

-- The earlier job of an idempotency key; raises MB005 if it was for another request.
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
comment on function mashup.find_idempotent_job(uuid, text, text) is 'The job that an idempotency key stands for, or null. Raises MB005.';

create function mashup.describe_submission(p_job public.mashup_jobs, p_existing boolean) returns jsonb
  language sql stable set search_path = ''
  as $$
  select jsonb_build_object('job_id', j.id, 'stage', j.stage, 'status', j.status, 'progress', j.progress, 'existing', p_existing,
    'queue_position', mashup.queue_position(j.id), 'estimated_completion_at',
    coalesce(j.estimated_completion_at, mashup.estimate_completion(j)), 'songs_count', jsonb_array_length(j.songs))
  from public.mashup_jobs j where j.id = p_job.id
$$;
comment on function mashup.describe_submission(public.mashup_jobs, boolean) is 'What the submitter is told of a job.';

-- songs: [{song_id, name, artist, storage_path}], 2-3 (a draft: 1-3); options: MashupOptions; hold: null or planning.
create function public.submit_mashup(songs jsonb, options jsonb default '{}', hold text default null, idempotency_key text default null)
  returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_user uuid := mashup.caller();
  v_hash text := encode(sha256(convert_to(jsonb_build_array(songs, options, hold)::text, 'UTF8')), 'hex');
  v_job public.mashup_jobs;
begin
  if submit_mashup.hold is not null and submit_mashup.hold <> 'planning' then
    perform mashup.raise_error('MB006', format('A job cannot be held at "%s".', submit_mashup.hold), 'hold is "planning" or absent.');
  end if;
  if submit_mashup.idempotency_key is not null then
    v_job := mashup.find_idempotent_job(v_user, submit_mashup.idempotency_key, v_hash);
    if v_job.id is not null then
      return mashup.describe_submission(v_job, true);
    end if;
  end if;
  perform mashup.enforce_submission_limits(v_user, submit_mashup.hold is not null);
  v_job := mashup.insert_job(v_user,
    mashup.check_songs(v_user, submit_mashup.songs, case when submit_mashup.hold is null then 2 else 1 end),
    submit_mashup.options, submit_mashup.hold, submit_mashup.idempotency_key, v_hash, 'analyzing', null, null);
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_user, submit_mashup.idempotency_key, v_hash), true);
  end if;
  return mashup.describe_submission(v_job, false);
end
$$;
comment on function public.submit_mashup(jsonb, jsonb, text, text) is 'Submits a mashup or a draft. Raises MB004, MB005, MB006, MB008, MB010, MB012.';

-- A new version of a mashup from the user's words: a job of its own that enters at planning with the parent's material.
create function public.iterate_mashup(parent_id uuid, feedback text, options jsonb default '{}', idempotency_key text default null)
  returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  -- Only read: a new job waits for its user, who must not be waited for with a job in hand.
  v_parent public.mashup_jobs := mashup.require_own_job(iterate_mashup.parent_id, false);
  v_hash text := encode(sha256(convert_to(jsonb_build_array(iterate_mashup.parent_id, feedback, options)::text, 'UTF8')), 'hex');
  v_job public.mashup_jobs;
begin
  if length(trim(coalesce(iterate_mashup.feedback, ''))) = 0 or length(iterate_mashup.feedback) > 1000 then
    perform mashup.raise_error('MB006', 'Say in up to 1000 characters what should change.', 'For example: "more energy, and keep the vocals of the first song".');
  end if;
  if iterate_mashup.idempotency_key is not null then
    v_job := mashup.find_idempotent_job(v_parent.user_id, iterate_mashup.idempotency_key, v_hash);
    if v_job.id is not null then
      return mashup.describe_submission(v_job, true);
    end if;
  end if;
  if v_parent.plan_version is null or mashup.missing_prerequisite(v_parent, 'planning') is not null then
    perform mashup.raise_error('MB003', 'This mashup has no plan to change yet.', 'Wait until it is planned, or submit the songs again.');
  end if;
  perform mashup.enforce_submission_limits(v_parent.user_id, false);
  v_job := mashup.insert_job(v_parent.user_id, v_parent.songs, v_parent.options || mashup.check_options(iterate_mashup.options), null,
    iterate_mashup.idempotency_key, v_hash, 'planning', v_parent.id, trim(iterate_mashup.feedback));
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_parent.user_id, iterate_mashup.idempotency_key, v_hash), true);
  end if;
  insert into mashup.scores (job_id, epoch, pairs)
    select v_job.id, v_job.epoch, s.pairs from mashup.scores s where s.job_id = v_parent.id order by s.epoch desc limit 1;
  update public.mashup_jobs set score = v_parent.score where id = v_job.id;
  return mashup.describe_submission(v_job, false);
end
$$;
comment on function public.iterate_mashup(uuid, text, jsonb, text) is 'Submits a new version of a mashup. Raises MB002, MB003, MB004, MB005, MB006, MB010, MB012.';

create function public.start_mashup(job_id uuid, options jsonb default null) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(mashup.caller(), false);
  v_job := mashup.require_own_job(start_mashup.job_id);
  return mashup.describe_submission(mashup.start(v_job.id, options), false);
end
$$;
comment on function public.start_mashup(uuid, jsonb) is 'Starts the caller''s draft. Raises MB002, MB004, MB006, MB009, MB010.';

create function public.cancel_mashup(job_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_own_job(cancel_mashup.job_id);
begin
  return mashup.describe_submission(mashup.cancel(v_job.id), false);
end
$$;
comment on function public.cancel_mashup(uuid) is 'Cancels the caller''s job. Raises MB001, MB002, MB010.';

create function public.retry_mashup(job_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(mashup.caller(), false);
  v_job := mashup.require_own_job(retry_mashup.job_id);
  return mashup.describe_submission(mashup.retry(v_job.id), false);
end
$$;
comment on function public.retry_mashup(uuid) is 'Retries the caller''s failed or cancelled job. Raises MB001, MB002, MB004, MB010.';

create function public.replay_mashup(job_id uuid, stage text, fresh boolean default false) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(mashup.caller(), false);
  v_job := mashup.require_own_job(replay_mashup.job_id);
  return mashup.describe_submission(mashup.replay(v_job.id, replay_mashup.stage, replay_mashup.fresh), false);
end
$$;
comment on function public.replay_mashup(uuid, text, boolean) is 'Replays the caller''s job from a stage. Raises MB001, MB002, MB003, MB004, MB010.';

create function public.delete_mashup(job_id uuid) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_own_job(delete_mashup.job_id);
begin
  if v_job.status = 'processing' then
    perform mashup.cancel(v_job.id);
  end if;
  delete from public.mashup_jobs j where j.id = v_job.id;
end
$$;
comment on function public.delete_mashup(uuid) is 'Deletes the caller''s job with its files. Raises MB002, MB010.';

-- Everything about one job that its owner may see, in one document.
create function public.get_mashup(job_id uuid) returns jsonb
  language sql stable security invoker set search_path = ''
  as $$
  select to_jsonb(j) || jsonb_build_object(
    'plan', (select p.plan from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_source', (select p.source from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_changes', (select p.changes from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'quality', (select r.quality from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
    'server_now', mashup.now())
  from public.mashup_jobs j where j.id = get_mashup.job_id
$$;
comment on function public.get_mashup(uuid) is 'One job with its current plan and quality report, under the caller''s row policies; null if it is not theirs.';

-- What the owner may see of a job's songs: analyses and pair scores, for track cards and compatibility.
create function public.get_mashup_analyses(job_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  select * into v_job from public.mashup_jobs j where j.id = get_mashup_analyses.job_id and j.user_id = mashup.caller();
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', get_mashup_analyses.job_id), 'Open one of your own mashups.');
  end if;
  return jsonb_build_object(
    'analyses', (select jsonb_object_agg(s ->> 'song_id', a.analysis) from jsonb_array_elements(v_job.songs) s
      join mashup.analyses a on a.id = (s ->> 'analysis_id')::bigint and a.user_id = v_job.user_id),
    'scores', (select s.pairs from mashup.scores s where s.job_id = v_job.id order by s.epoch desc limit 1));
end
$$;
comment on function public.get_mashup_analyses(uuid) is 'Analyses by song id and pair scores of the caller''s job. Raises MB002, MB010.';
