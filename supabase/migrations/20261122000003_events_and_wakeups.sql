-- Events, wake-ups and signals: what the moves leave behind, and the only functions that name graphile_worker.

-- Who is acting, for the history: a verb may say so, else the signed-in user, else the database role.
create function mashup.actor() returns text
  language plpgsql stable set search_path = ''
  as $$
begin
  return coalesce(
    nullif(current_setting('mashup.actor', true), ''),
    'user:' || nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', ''),
    'role:' || (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'),
    'sql:' || session_user);
end
$$;
comment on function mashup.actor() is 'Who is acting, as the history names it.';

create function mashup.log_event(
  p_job public.mashup_jobs, p_type text, p_message text,
  p_from_stage text default null, p_song_id text default null, p_detail jsonb default null
) returns void
  language plpgsql set search_path = ''
  as $$
begin
  -- A transaction that waited for the job tells the time when it began: the history does not run backwards for that.
  insert into public.mashup_job_events (job_id, epoch, type, stage, from_stage, song_id, message, actor, detail, created_at)
  values (p_job.id, p_job.epoch, p_type, p_job.stage, p_from_stage, p_song_id, left(p_message, 500), mashup.actor(), p_detail,
    greatest(mashup.now(), (select e.created_at from public.mashup_job_events e where e.job_id = p_job.id order by e.id desc limit 1)));
end
$$;
comment on function mashup.log_event(public.mashup_jobs, text, text, text, text, jsonb) is 'Appends one event to a job''s history.';

-- Adds the wake-up of a ready task. Answers false where Graphile Worker's schema is not there or add_job answered NULL:
-- the wake-up is then owed, and the reconcile pays it. A session that planned add_job on a small queue would go on with a
-- plan that is linear in the queue, and planning it anew takes longer than running it: so it is planned once, and with
-- nothing but look-ups by index to choose from.
create function mashup.enqueue_task(p_task mashup.tasks) returns boolean
  language plpgsql security definer set search_path = ''
  set plan_cache_mode = 'force_generic_plan' set enable_seqscan = 'off' set enable_bitmapscan = 'off'
  set enable_hashjoin = 'off' set enable_mergejoin = 'off' set jit = 'off'
  as $$
declare
  v_job_id bigint;
begin
  if pg_catalog.to_regnamespace('graphile_worker') is null then
    return false;
  end if;
  v_job_id := (graphile_worker.add_job(
    identifier => p_task.kind,
    payload => pg_catalog.json_build_object('task', p_task.id, 'attempt', p_task.attempt),
    run_at => p_task.run_at,
    max_attempts => 5,
    job_key => p_task.id || ':' || p_task.attempt,
    priority => p_task.priority::integer)).id;
  return v_job_id is not null;
end
$$;
comment on function mashup.enqueue_task(mashup.tasks) is 'Enqueues the wake-up of a ready task under the key <task>:<attempt>.';

-- Lets the worker's role use Graphile Worker's tables; repeated whenever that schema was made again.
create function mashup.grant_queue() returns void
  language plpgsql security definer set search_path = ''
  as $$
begin
  if pg_catalog.to_regnamespace('graphile_worker') is null then
    return;
  end if;
  grant usage on schema graphile_worker to mashup_worker;
  grant select, insert, update, delete on all tables in schema graphile_worker to mashup_worker;
  grant usage, select on all sequences in schema graphile_worker to mashup_worker;
  grant execute on all functions in schema graphile_worker to mashup_worker;
end
$$;
comment on function mashup.grant_queue() is 'Grants the worker''s role what Graphile Worker''s library needs.';

-- Tells workers at once that tasks they hold are no longer theirs. A hint only: the beat says the same.
create function mashup.signal_tasks(p_job_id uuid, p_reason text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  perform pg_catalog.pg_notify('mashup_tasks', pg_catalog.json_build_object('job', p_job_id, 'status', p_reason)::text);
end
$$;
comment on function mashup.signal_tasks(uuid, text) is 'Notifies workers on channel mashup_tasks that a job was replayed or cancelled.';

-- Sets members of one song's card in a job's songs.
create function mashup.patch_song(p_songs jsonb, p_song_id text, p_patch jsonb) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  return (
    select coalesce(jsonb_agg(case when s.song ->> 'song_id' = p_song_id then s.song || p_patch else s.song end order by s.n), '[]')
    from jsonb_array_elements(p_songs) with ordinality as s (song, n));
end
$$;
comment on function mashup.patch_song(jsonb, text, jsonb) is 'The songs with p_patch merged into the card of one song.';

-- The songs of a job that are still in it.
create function mashup.active_songs(p_songs jsonb) returns setof jsonb
  language plpgsql immutable rows 3 set search_path = ''
  as $$
begin
  return query select s.song from jsonb_array_elements(p_songs) with ordinality as s (song, n)
    where s.song ->> 'state' is distinct from 'excluded' order by s.n;
end
$$;
comment on function mashup.active_songs(jsonb) is 'The cards of the songs that were not dropped, in order.';

-- Texts in a job's row are limited by what they take there: a letter may take four bytes, and an escaped one six.
create function mashup.truncate_bytes(p_text text, p_octets integer) returns text
  language plpgsql immutable set search_path = ''
  as $$
declare
  v_text text := left(p_text, p_octets);
begin
  while octet_length(to_jsonb(v_text)::text) - 2 > p_octets loop
    v_text := left(v_text, least(length(v_text) - 1, length(v_text) * p_octets / octet_length(to_jsonb(v_text)::text)));
  end loop;
  return v_text;
end
$$;
comment on function mashup.truncate_bytes(text, integer) is 'The beginning of a text that takes at most so many bytes in a jsonb value.';

create function mashup.add_warning(p_warnings jsonb, p_code text, p_message text, p_stage text) returns jsonb
  language plpgsql immutable set search_path = ''
  as $$
begin
  -- At most six, so that the row stays slim; the history has them all.
  return case when jsonb_array_length(p_warnings) >= 6 then p_warnings
    else p_warnings || jsonb_build_object('code', p_code, 'message', mashup.truncate_bytes(p_message, 180), 'stage', p_stage) end;
end
$$;
comment on function mashup.add_warning(jsonb, text, text, text) is 'The warnings with one more.';
