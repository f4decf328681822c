-- What the public reads of a shared mashup, and how often.

create function mashup.shared_job(p_token text) returns public.mashup_jobs
  language plpgsql stable set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  if mashup.setting_text('sharing_enabled') = 'true' then
    select j.* into v_job from public.mashup_shares s join public.mashup_jobs j on j.id = s.job_id
      where s.token = p_token and s.revoked_at is null and s.taken_down_at is null
        and j.stage = 'complete' and j.result_path is not null and j.expired_at is null and j.takedown_reason is null;
  end if;
  return v_job;
end
$$;
comment on function mashup.shared_job(text) is
  'Returns the job that a token gives access to now; null if the token is unknown, revoked or taken down, sharing is off, or the mashup has no result.';

create function mashup.client_group(p_client text) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_today date := (mashup.now() at time zone 'utc')::date;
  v_address inet;
  v_salt uuid;
  v_hash bytea;
begin
  begin
    v_address := p_client::inet;
  exception when invalid_text_representation then
    return null;
  end;
  -- A loopback address is a proxy's. Whoever has an IPv6 address has all that share its first 64 bits.
  if v_address is null or v_address <<= inet '127.0.0.0/8' or v_address = inet '::1' then
    return null;
  elsif family(v_address) = 6 then
    v_address := network(set_masklen(v_address, 64));
  end if;
  select s.salt into v_salt from mashup.share_salt s where s.day = v_today;
  if not found then
    insert into mashup.share_salt as s (day, salt) values (v_today, pg_catalog.gen_random_uuid())
      on conflict (only_row) do update set
        salt = case when s.day = excluded.day then s.salt else excluded.salt end, day = excluded.day
      returning s.salt into v_salt;
  end if;
  v_hash := sha256(convert_to(v_salt || ' ' || host(v_address), 'UTF8'));
  return get_byte(v_hash, 0) * 16 + get_byte(v_hash, 1) / 16;
end
$$;
comment on function mashup.client_group(text) is
  'Returns the group of a network address, 0 to 4095, by a hash whose salt lasts a day; null for what is no address of a client. Lock: the row of share_salt, once a day.';

create function mashup.shared_read_limits(p_link text, p_group integer) returns table (counter text, at_most double precision)
  language sql stable set search_path = ''
  as $$
  select l.counter, l.at_most from (values
    ('all', mashup.setting_number('max_shared_reads_per_minute')),
    (coalesce('link ' || p_link, 'unknown'), mashup.setting_number('max_shared_reads_per_minute_per_link')),
    ('client ' || p_group, mashup.setting_number('max_shared_reads_per_minute_per_client'))) l (counter, at_most)
  where l.counter is not null
$$;
comment on function mashup.shared_read_limits(text, integer) is
  'Returns the counters of a request for a public link with their limits. p_link is the token of a live link, else null; p_group is client_group.';

create function mashup.check_shared_read(p_link text, p_group integer) returns void
  language plpgsql stable set search_path = ''
  as $$
declare
  v_wait double precision;
begin
  select max(coalesce(60 - extract(epoch from mashup.now() - c.since), 60)) into v_wait
    from mashup.shared_read_limits(p_link, p_group) l
    left join mashup.share_counts c on c.counter = l.counter and c.since between mashup.now() - interval '1 minute' and mashup.now()
    where coalesce(c.calls, 0) >= l.at_most;
  if v_wait is not null then
    perform mashup.raise_error('MB012', 'Too many requests for public links.', 'Wait a minute, then try again.', greatest(1, ceil(v_wait))::text);
  end if;
end
$$;
comment on function mashup.check_shared_read(text, integer) is
  'Refuses a request for a public link whose counters have reached a limit in their minute; detail is the number of seconds to wait. It writes nothing, so that a flood makes no dead rows. Simultaneous requests may pass together. Raises MB012.';

create function mashup.count_shared_read(p_link text, p_group integer) returns void
  language plpgsql set search_path = ''
  as $$
begin
  -- In the order of their names, so that no two requests wait for each other.
  insert into mashup.share_counts as c (counter, since, calls)
    select l.counter, mashup.now(), 1 from mashup.shared_read_limits(p_link, p_group) l order by l.counter
    on conflict (counter) do update set
      -- A minute that begins in the future was counted before the clock was set back.
      since = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.since else mashup.now() end,
      calls = case when c.since between mashup.now() - interval '1 minute' and mashup.now() then c.calls + 1 else 1 end;
end
$$;
comment on function mashup.count_shared_read(text, integer) is
  'Counts a request for a public link. The last statement of its transaction: the counter of all requests is locked until the end. Lock order: counters by name.';

create function mashup.purge_share_counts(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_count integer;
begin
  delete from mashup.share_counts c where c.counter in (
    select d.counter from mashup.share_counts d
    where d.since not between mashup.now() - interval '2 minutes' and mashup.now() + interval '5 seconds'
    limit p_batch for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function mashup.purge_share_counts(integer) is 'Deletes counts of requests of earlier minutes. Returns how many, at most p_batch.';

create function mashup.reduce_peaks(p_peaks jsonb, p_count integer, p_mean boolean default false) returns jsonb
  language sql immutable set search_path = ''
  as $$
  select case when jsonb_typeof(p_peaks) = 'array' then (
    select coalesce(jsonb_agg(round(case when p_mean then b.mean else b.top end, 3) order by b.bar), '[]') from (
      select max(p.value::numeric) as top, avg(p.value::numeric) as mean,
        (p.n - 1) * least(p_count, jsonb_array_length(p_peaks)) / jsonb_array_length(p_peaks) as bar
      from jsonb_array_elements_text(p_peaks) with ordinality p (value, n) group by 3) b) else '[]' end
$$;
comment on function mashup.reduce_peaks(jsonb, integer, boolean) is
  'Returns at most p_count values of a waveform, each the maximum of its part, with p_mean the mean; [] if there is no waveform.';

create function mashup.shared_songs(p_job public.mashup_jobs, p_plan public.mashup_plans)
  returns table (n bigint, song_id text, public_id text, song jsonb)
  language sql stable set search_path = ''
  as $$
  select row_number() over (order by s.n), s.song ->> 'song_id', 'song-' || row_number() over (order by s.n), s.song
  from jsonb_array_elements(p_job.songs) with ordinality s (song, n)
  where s.song ->> 'song_id' = any (p_plan.song_ids)
$$;
comment on function mashup.shared_songs(public.mashup_jobs, public.mashup_plans) is
  'Returns the songs that are heard in a mashup, with the ids that the public reads instead of the user''s: song-1, song-2, song-3.';

create function mashup.shared_timeline(p_job public.mashup_jobs, p_plan public.mashup_plans) returns jsonb
  language sql stable set search_path = ''
  as $$
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'time_start_sec', s.section -> 'time_start_sec', 'duration_sec', s.section -> 'duration_sec', 'description', s.section -> 'description',
      'energy_level', s.section -> 'energy_level', 'tempo_bpm', s.section -> 'tempo_bpm',
      'layers', (select coalesce(jsonb_agg(jsonb_build_object('songId', o.public_id, 'stem', l.layer -> 'stem', 'volume_db', l.layer -> 'volume_db',
          'effects', coalesce(l.layer -> 'effects', '[]'), 'timing', l.layer -> 'timing') order by l.n), '[]')
        from jsonb_array_elements(s.section -> 'layers') with ordinality l (layer, n)
        join mashup.shared_songs(p_job, p_plan) o on o.song_id = l.layer ->> 'songId'))) order by s.n), '[]')
  from jsonb_array_elements(p_plan.plan -> 'masterplan' -> 'timeline') with ordinality s (section, n)
$$;
comment on function mashup.shared_timeline(public.mashup_jobs, public.mashup_plans) is
  'Returns the timeline of a plan as the public reads it: the members that are drawn, with the ids of shared_songs.';

create function mashup.describe_share(p_job public.mashup_jobs, p_part text) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
declare
  v_result public.mashup_results;
  v_plan public.mashup_plans;
begin
  if p_part = 'audio' then
    return jsonb_build_object('path', p_job.result_path);
  end if;
  select * into v_result from public.mashup_results r where r.job_id = p_job.id and r.path = p_job.result_path;
  select * into v_plan from public.mashup_plans p where p.job_id = p_job.id and p.version = coalesce(v_result.plan_version, p_job.plan_version);
  v_plan.plan := coalesce(v_result.plan, v_plan.plan);
  if p_part = 'cover' then
    return jsonb_build_object(
      'duration_sec', p_job.result -> 'duration_sec',
      'timeline', mashup.shared_timeline(p_job, v_plan),
      'songs', (select coalesce(jsonb_agg(jsonb_build_object('songId', o.public_id, 'energy', o.song -> 'energy',
          'peaks', mashup.reduce_peaks(coalesce(a.analysis #> '{waveform,peaks}', a.analysis #> '{energy,values}'), 200, true)) order by o.n), '[]')
        from mashup.shared_songs(p_job, v_plan) o
        left join mashup.analyses a on a.id = (o.song ->> 'analysis_id')::bigint and a.user_id = p_job.user_id));
  end if;
  return jsonb_build_object(
    'title', p_job.title,
    'credits', (select coalesce(jsonb_agg(jsonb_build_object('songId', o.public_id, 'name', o.song -> 'name', 'artist', o.song -> 'artist') order by o.n), '[]')
      from mashup.shared_songs(p_job, v_plan) o),
    'duration_sec', p_job.result -> 'duration_sec', 'bpm', p_job.result -> 'bpm', 'key', p_job.result -> 'key', 'format', p_job.result -> 'format',
    'created_at', coalesce(v_result.created_at, p_job.finished_at),
    'timeline', mashup.shared_timeline(p_job, v_plan),
    'peaks', mashup.reduce_peaks(v_result.quality #> '{waveform,peaks}', 600));
end
$$;
comment on function mashup.describe_share(public.mashup_jobs, text) is
  'Returns what the public may know of a shared mashup: of part mashup {title, credits [{songId, name, artist}], duration_sec, bpm, key, format, created_at, timeline, peaks}, of part cover {duration_sec, timeline, songs [{songId, energy, peaks}]}, of part audio {path}. No member names a user, a job or a file, except path, which the function signs.';

create function public.read_share(p_token text, p_part text, p_client text default null) returns jsonb
  language plpgsql volatile security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.shared_job(p_token);
  v_link text := case when v_job.id is not null then p_token end;
  v_group integer := mashup.client_group(p_client);
  v_part jsonb;
begin
  if p_part is null or p_part not in ('mashup', 'cover', 'audio') then
    perform mashup.raise_error('MB006', format('A public link has no part "%s".', p_part), 'Read mashup, cover or audio.');
  end if;
  perform mashup.check_shared_read(v_link, v_group);
  if v_job.id is not null then
    v_part := mashup.describe_share(v_job, p_part);
  end if;
  perform mashup.count_shared_read(v_link, v_group);
  return v_part;
end
$$;
comment on function public.read_share(text, text, text) is
  'Returns a part of what a public link shows (describe_share: mashup, cover or audio), and counts the request; null if the link is unknown, revoked, taken down or has no result, or sharing is off. p_client: network address of the client. For the edge functions, with the service role. Raises MB006, MB012.';
revoke execute on function public.read_share(text, text, text) from public, anon, authenticated;
grant execute on function public.read_share(text, text, text) to service_role;

revoke execute on all functions in schema mashup from public;
