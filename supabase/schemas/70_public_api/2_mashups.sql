-- What a signed-in user may call. Each function checks the caller and reaches only the caller's jobs.

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
comment on function public.submit_mashup(jsonb, jsonb, text, text) is
  'Submits a mashup or a draft: songs [{song_id, name, artist, storage_path, stems}], 2 or 3 (a draft: 1 to 3); stems, of one''s own, are optional: the paths of some of vocals, drums, bass, other, instrumental; without storage_path the song is their sum; options MashupOptions; hold null or planning (a draft). A repeated idempotency_key returns the first job. Returns describe_submission. Raises MB004, MB005, MB006, MB008, MB010, MB012.';
revoke execute on function public.submit_mashup(jsonb, jsonb, text, text) from public, anon, authenticated, service_role;
grant execute on function public.submit_mashup(jsonb, jsonb, text, text) to authenticated;

create function mashup.require_plan(p_parent public.mashup_jobs, p_purpose text) returns void
  language plpgsql stable set search_path = ''
  as $$
begin
  if p_parent.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', p_parent.id, p_parent.takedown_reason), 'Contact the operator.');
  end if;
  if p_parent.plan_version is null or mashup.missing_prerequisite(p_parent, 'planning') is not null then
    perform mashup.raise_error('MB003', format('This mashup has no plan to %s yet.', p_purpose), 'Wait until it is planned, or submit the songs again.');
  end if;
end
$$;
comment on function mashup.require_plan(public.mashup_jobs, text) is
  'Checks that a new version can be made of a mashup: it was not taken down, and has a plan; p_purpose: change or edit. Raises MB003, MB015.';

create function mashup.insert_version(p_parent public.mashup_jobs, p_options jsonb, p_idempotency_key text, p_hash text, p_feedback text default null)
  returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  perform mashup.enforce_submission_limits(p_parent.user_id, false);
  v_job := mashup.insert_job(p_parent.user_id, p_parent.songs, p_options, null, p_idempotency_key, p_hash, 'planning', p_parent.id, p_feedback);
  if v_job.id is not null then
    insert into mashup.scores (job_id, epoch, pairs)
      select v_job.id, v_job.epoch, s.pairs from mashup.scores s where s.job_id = p_parent.id order by s.epoch desc limit 1;
    update public.mashup_jobs set score = p_parent.score where id = v_job.id;
  end if;
  return v_job;
end
$$;
comment on function mashup.insert_version(public.mashup_jobs, jsonb, text, text, text) is
  'Inserts a new version of a mashup: a job that enters at planning with the parent''s songs and scores. Returns it; null if another request with its idempotency key came first. Raises MB004, MB012. Lock: the row of the user.';

create function public.iterate_mashup(parent_id uuid, feedback text, options jsonb default '{}', idempotency_key text default null)
  returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  -- Not locked: the new job waits for its user's row, which nothing may do that has locked a job.
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
  perform mashup.require_plan(v_parent, 'change');
  v_job := mashup.insert_version(v_parent, v_parent.options || mashup.check_options(iterate_mashup.options),
    iterate_mashup.idempotency_key, v_hash, trim(iterate_mashup.feedback));
  if v_job.id is null then
    return mashup.describe_submission(mashup.find_idempotent_job(v_parent.user_id, iterate_mashup.idempotency_key, v_hash), true);
  end if;
  return mashup.describe_submission(v_job, false);
end
$$;
comment on function public.iterate_mashup(uuid, text, jsonb, text) is
  'Submits a new version of a mashup from feedback of up to 1000 characters: a job that enters at planning with the parent''s songs and scores. Returns describe_submission. Raises MB002, MB003, MB004, MB005, MB006, MB010, MB012, MB015.';
revoke execute on function public.iterate_mashup(uuid, text, jsonb, text) from public, anon, authenticated, service_role;
grant execute on function public.iterate_mashup(uuid, text, jsonb, text) to authenticated;

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
comment on function public.start_mashup(uuid, jsonb) is
  'Starts a draft of the caller. Returns describe_submission. Raises MB002, MB004, MB006, MB009, MB010, MB012.';
revoke execute on function public.start_mashup(uuid, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.start_mashup(uuid, jsonb) to authenticated;

create function public.cancel_mashup(job_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_own_job(cancel_mashup.job_id);
begin
  return mashup.describe_submission(mashup.cancel(v_job.id), false);
end
$$;
comment on function public.cancel_mashup(uuid) is
  'Cancels a job of the caller, or its studio version. Returns describe_submission. Raises MB001, MB002, MB010.';
revoke execute on function public.cancel_mashup(uuid) from public, anon, authenticated, service_role;
grant execute on function public.cancel_mashup(uuid) to authenticated;

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
comment on function public.retry_mashup(uuid) is
  'Retries a failed or cancelled job of the caller. Returns describe_submission. Raises MB001, MB002, MB004, MB006, MB010, MB012, MB015.';
revoke execute on function public.retry_mashup(uuid) from public, anon, authenticated, service_role;
grant execute on function public.retry_mashup(uuid) to authenticated;

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
comment on function public.replay_mashup(uuid, text, boolean) is
  'Replays a job of the caller from a stage. Returns describe_submission. Raises MB001, MB002, MB003, MB004, MB006, MB010, MB012, MB015.';
revoke execute on function public.replay_mashup(uuid, text, boolean) from public, anon, authenticated, service_role;
grant execute on function public.replay_mashup(uuid, text, boolean) to authenticated;

create function public.delete_mashup(job_id uuid) returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_own_job(delete_mashup.job_id);
begin
  if v_job.status = 'processing' or mashup.is_studio_version_live(v_job) then
    perform mashup.cancel(v_job.id);
  end if;
  delete from public.mashup_jobs j where j.id = v_job.id;
end
$$;
comment on function public.delete_mashup(uuid) is
  'Deletes a job of the caller with its files; cancels it first if it is live. Raises MB002, MB010.';
revoke execute on function public.delete_mashup(uuid) from public, anon, authenticated, service_role;
grant execute on function public.delete_mashup(uuid) to authenticated;

create function public.get_mashup(job_id uuid) returns jsonb
  language sql stable security invoker set search_path = ''
  as $$
  select to_jsonb(j) || jsonb_build_object(
    'plan', coalesce((select r.plan from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
      (select p.plan from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version)),
    'plan_source', (select p.source from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_changes', coalesce((select r.changes from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
      (select p.changes from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version)),
    'plan_wishes', (select p.wishes from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'plan_edits', (select p.edits from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version),
    'quality', (select r.quality from public.mashup_results r where r.job_id = j.id and r.path = j.result_path),
    'share', (select jsonb_build_object('token', case when s.taken_down_at is null then s.token end, 'created_at', s.created_at, 'reason', s.reason)
      from public.mashup_shares s where s.job_id = j.id and s.revoked_at is null),
    'server_now', mashup.now())
  from public.mashup_jobs j where j.id = get_mashup.job_id
$$;
comment on function public.get_mashup(uuid) is
  'Returns one job with its current plan (once there is a result: as it was rendered), quality report and public link (share: {token, created_at, reason}; null if there is none; token is null and reason the operator''s if the link was taken down), under the caller''s row policies; null if it is not theirs.';
revoke execute on function public.get_mashup(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_mashup(uuid) to authenticated, service_role;

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
    'scores', (select s.pairs from mashup.scores s where s.job_id = v_job.id order by s.epoch desc limit 1),
    'limits', jsonb_build_object('min_length_sec', mashup.setting_number('plan_min_length_sec'),
      'max_length_sec', mashup.setting_number('plan_max_length_sec')));
end
$$;
comment on function public.get_mashup_analyses(uuid) is
  'Returns the analyses by song id and the pair scores of a job of the caller, and the limits of its length: {analyses, scores, limits: {min_length_sec, max_length_sec}}. Raises MB002, MB010.';
revoke execute on function public.get_mashup_analyses(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_mashup_analyses(uuid) to authenticated;

create function public.get_mashup_stems(job_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_is_service boolean := coalesce(auth.jwt() ->> 'role' = 'service_role', false);
  v_user uuid;
begin
  if not v_is_service then
    v_user := mashup.caller();
  end if;
  select * into v_job from public.mashup_jobs j
    where j.id = get_mashup_stems.job_id and (v_is_service or j.user_id = v_user);
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', get_mashup_stems.job_id), 'Open one of your own mashups.');
  end if;
  return (
    select jsonb_agg(jsonb_build_object('song_id', s.song -> 'song_id', 'path', s.song -> 'path', 'paths', c.paths) order by s.n)
    from jsonb_array_elements(v_job.songs) with ordinality s (song, n)
    left join mashup.stems c on c.id = (s.song ->> 'stems_id')::bigint and c.user_id = v_job.user_id
  );
end
$$;
comment on function public.get_mashup_stems(uuid) is
  'Returns the songs of a job with the paths of their cached stems: [{song_id, path, paths}]. For an external renderer: the owner''s jobs, or any job for the service role. Raises MB002, MB010.';
revoke execute on function public.get_mashup_stems(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_mashup_stems(uuid) to authenticated, service_role;
