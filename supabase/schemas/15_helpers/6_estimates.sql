-- Expected completion, and the measured durations that it comes from.

create function mashup.name_for_users(p_service text) returns text
  language sql immutable set search_path = ''
  as $$ select case p_service when 'orchestrator' then 'planning' when 'processing' then 'rendering' else p_service end $$;
comment on function mashup.name_for_users(text) is 'Returns the name of a service as users read it: some are known to the engine by another one.';

create function mashup.remaining_kinds(p_job public.mashup_jobs) returns setof mashup.task_kinds
  language sql stable set search_path = ''
  as $$
  select k.* from mashup.task_kinds k join mashup.stages s on s.stage = k.stage
    where not s.is_terminal
      and s.position >= (select c.position from mashup.stages c where c.stage = p_job.stage)
      and (p_job.hold is null or s.position < (select c.position from mashup.stages c where c.stage = p_job.hold))
      and (k.song_member is null or exists (
        select from mashup.active_songs(p_job.songs) g where g ->> k.song_member is null))
$$;
comment on function mashup.remaining_kinds(public.mashup_jobs) is 'Returns the kinds of task that a job still needs, up to its end or the stage before which it waits.';

create function mashup.is_away(p_health mashup.service_health) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return case p_health.state
    when 'closed' then p_health.unanswered_since is not null
    -- Due for a probe: no task waits for it, and nobody knows whether it is back, unless a worker has asked.
    when 'open' then coalesce(p_health.retry_at > mashup.now(), true) or p_health.unanswered_since is not null
    -- A probe that has had an event is answered.
    else not exists (select from mashup.tasks t where t.id = p_health.probe_task and t.state = 'running' and t.heard_at > t.started_at)
  end;
end
$$;
comment on function mashup.is_away(mashup.service_health) is
  'Returns whether a service is known not to answer: the last call or check had no answer, its circuit is open and not due for a probe, or its probe has had no event yet.';

create function mashup.estimate_note(p_job public.mashup_jobs) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_away text[];
begin
  if exists (select from mashup.pauses)
    and (mashup.is_job_paused(p_job.id, p_job.user_id) or exists (select from mashup.remaining_kinds(p_job) k where mashup.is_kind_paused(k)))
  then
    return 'The time left is known when the operator ends the pause.';
  end if;
  v_away := array(
    select distinct mashup.name_for_users(h.service)
      from mashup.service_health h join mashup.remaining_kinds(p_job) k on h.service = any (mashup.services_of(k)) where mashup.is_away(h)
    union
    select mashup.name_for_users(k.service) from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
      where t.job_id = p_job.id and t.epoch = p_job.epoch and t.state = 'running' and k.stage = p_job.stage and mashup.is_silent(t)
    order by 1);
  return case
    when v_away = '{}' then null
    when 'storage' = any (v_away) then 'The time left is known when the file storage is back.'
    when cardinality(v_away) > 1 then format('The time left is known when the %s services are back.', array_to_string(v_away, ' and '))
    else format('The time left is known when the %s service is back.', v_away[1])
  end;
end
$$;
comment on function mashup.estimate_note(public.mashup_jobs) is
  'Returns why the end of a job cannot be estimated, as its user reads it: a pause, or services that it still needs and that are unavailable or silent. Null: it can.';

create function mashup.expected_length(p_job public.mashup_jobs) returns real
  language plpgsql stable set search_path = ''
  as $$
declare
  v_length real;
begin
  if p_job.plan_version is not null then
    select sum(d::real) into v_length from public.mashup_plans p, jsonb_path_query(p.plan, '$.masterplan.timeline[*].duration_sec ? (@ >= 0)') d
      where p.job_id = p_job.id and p.version = p_job.plan_version;
  end if;
  v_length := coalesce(v_length, (p_job.options ->> 'length_sec')::real);
  if v_length is null then
    select least(case p_job.options ->> 'length' when 'short' then 90 else 165 end, max(coalesce((s ->> 'duration_sec')::real, 180)),
        mashup.setting_number('plan_max_length_sec'))
      into v_length from mashup.active_songs(p_job.songs) s;
  end if;
  return v_length;
end
$$;
comment on function mashup.expected_length(public.mashup_jobs) is
  'Returns the seconds of a job''s mashup: of its plan, else as its options say, else the middle of 2:00 and 3:30, or of its longest song.';

create function mashup.is_level_edit(p_job public.mashup_jobs) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from mashup.plan_edits e where e.job_id = p_job.id and not exists (
    select from jsonb_array_elements(e.edits) d where d ->> 'kind' not in ('layer_level', 'mute_layer', 'unmute_layer')));
end
$$;
comment on function mashup.is_level_edit(public.mashup_jobs) is
  'Returns whether a job is a version of which only levels of layers were edited by hand: most of its render comes from the cache.';

create function mashup.estimate_completion(p_job public.mashup_jobs) returns timestamptz
  language plpgsql stable set search_path = ''
  -- Of five rows each: look-ups by key take half the time of hash tables.
  set enable_seqscan = 'off' set enable_hashjoin = 'off' set enable_mergejoin = 'off'
  as $$
declare
  v_songs jsonb[] := array(select s from jsonb_array_elements(p_job.songs) s where s ->> 'state' is distinct from 'excluded');
  v_song jsonb;
  v_kind record;
  v_seconds real := 0;
  v_length real := mashup.expected_length(p_job);
  v_sec real;
  v_longest real;
  v_total real;
  v_sum double precision := 0;
  v_is_model boolean := mashup.uses_model(p_job);
  v_is_edit boolean := mashup.is_level_edit(p_job);
begin
  if (exists (select from mashup.service_health h where h.state <> 'closed' or h.unanswered_since is not null) or exists (select from mashup.pauses))
    and mashup.estimate_note(p_job) is not null
  then
    return null;
  end if;
  foreach v_song in array v_songs loop
    v_seconds := v_seconds + coalesce((v_song ->> 'duration_sec')::real, 180);
  end loop;
  -- By loops: as one statement it takes twice as long, and it runs eight times in a job.
  for v_kind in
    select k.song_member, st.base_sec, st.per_song_sec, st.mean_sec, st.is_by_length,
      case when v_is_model and k.kind = 'separate' then st.model_factor else 1 end as factor,
      case when v_is_edit and k.kind = 'render' then st.edit_factor else 1 end as part
    from mashup.stages s join mashup.task_kinds k on k.stage = s.stage join mashup.stage_stats st on st.kind = k.kind
    -- Tasks of a complete job, such as its stems, are only made when its user asks for them.
    where not s.is_terminal and s.position >= (select h.position from mashup.stages h where h.stage = p_job.stage)
      -- A draft is estimated up to the stage before which it waits.
      and (p_job.hold is null or s.position < (select h.position from mashup.stages h where h.stage = p_job.hold))
  loop
    if v_kind.song_member is null then
      v_sum := v_sum + v_kind.part * case when v_kind.per_song_sec > 0 then v_kind.base_sec + v_kind.per_song_sec * case when v_kind.is_by_length then v_length else v_seconds end else v_kind.mean_sec end;
      continue;
    end if;
    v_longest := 0; v_total := 0;
    foreach v_song in array v_songs loop
      continue when v_song ->> v_kind.song_member is not null;
      -- Songs of unknown length count with the mean.
      v_sec := v_kind.factor * coalesce(v_kind.base_sec + v_kind.per_song_sec * (v_song ->> 'duration_sec')::real, v_kind.mean_sec);
      v_longest := greatest(v_longest, v_sec);
      v_total := v_total + v_sec;
    end loop;
    -- Songs are analysed and separated in parallel. A model separates one after the other.
    v_sum := v_sum + case when v_kind.factor > 1 then v_total else v_longest * 0.6 + v_total * 0.4 end;
  end loop;
  return mashup.now() + make_interval(secs => v_sum);
end
$$;
comment on function mashup.estimate_completion(public.mashup_jobs) is 'Returns the expected end of a job that holds a slot, from mashup.stage_stats; null while it has a note (see estimate_note).';

create function mashup.record_duration(p_kind text, p_seconds real, p_song_seconds real, p_is_model boolean default false, p_is_edit boolean default false) returns void
  language plpgsql set search_path = ''
  as $$
begin
  if p_is_model or p_is_edit then
    update mashup.stage_stats s set
        model_factor = case when p_is_model then (s.model_factor + least(greatest(f.share, 1), 500)) / 2 else s.model_factor end,
        edit_factor = case when p_is_edit then (s.edit_factor + least(greatest(f.share, 0.02), 2)) / 2 else s.edit_factor end
      from (select l.kind, p_seconds / greatest(l.base_sec + l.per_song_sec * p_song_seconds, 0.01) as share
            from mashup.stage_stats l where l.kind = p_kind for update skip locked) f
      where s.kind = f.kind;
    return;
  end if;
  update mashup.stage_stats s set
      samples = s.samples + 1,
      mean_sec = s.mean_sec + (p_seconds - s.mean_sec) * greatest(0.1, 1.0 / (s.samples + 1)),
      base_sec = s.base_sec * f.factor, per_song_sec = s.per_song_sec * f.factor
    from (select l.kind, (1 + (least(greatest(p_seconds / greatest(l.base_sec + l.per_song_sec * p_song_seconds, 0.01), 0.2), 5) - 1)
            * greatest(0.1, 1.0 / (l.samples + 1)))::real as factor
          from mashup.stage_stats l where l.kind = p_kind for update skip locked) f
    where s.kind = f.kind;
end
$$;
comment on function mashup.record_duration(text, real, real, boolean, boolean) is
  'Corrects mashup.stage_stats by one sample of p_seconds for songs, or a mashup, of p_song_seconds, exponentially weighted; p_is_model: only model_factor, because the model separated; p_is_edit: only edit_factor, because most came from the cache. Skips a locked row: one sample less.';

create type mashup.claim_limits as (lease_sec double precision, heartbeat_sec double precision, max_crashes_before_solo double precision,
  silence_sec double precision, plan_call_timeout_sec double precision, call_limit_min_sec double precision, call_limit_factor double precision,
  song_max_sec double precision, of_worker jsonb);
comment on type mashup.claim_limits is 'The settings that a claim needs, by their names, and those that its worker may need.';

create function mashup.read_claim_limits() returns mashup.claim_limits
  language plpgsql stable set search_path = ''
  as $$
begin
  return jsonb_populate_record(null::mashup.claim_limits, (
    select jsonb_build_object('of_worker', jsonb_object_agg(s.name, s.value) filter (where s.name not in ('lease_sec', 'heartbeat_sec',
        'max_crashes_before_solo', 'silence_sec', 'call_limit_min_sec', 'call_limit_factor'))) || jsonb_object_agg(s.name, s.value)
    from mashup.settings s where s.name in ('lease_sec', 'heartbeat_sec', 'max_crashes_before_solo',
      'silence_sec', 'plan_call_timeout_sec', 'call_limit_min_sec', 'call_limit_factor', 'song_max_sec', 'upload_max_bytes', 'storage_max_bytes',
      'plan_min_length_sec', 'plan_max_length_sec', 'max_playable_parts')));
end
$$;
comment on function mashup.read_claim_limits() is 'Returns the settings that a claim needs, read by one statement.';

create function mashup.measured_limit(p_stats mashup.stage_stats, p_job public.mashup_jobs, p_song_id text, p_limits mashup.claim_limits) returns real
  language plpgsql stable set search_path = ''
  as $$
declare
  v_seconds real;
begin
  select sum(coalesce((s ->> 'duration_sec')::real, p_limits.song_max_sec)) into v_seconds
    from mashup.active_songs(p_job.songs) s where p_song_id is null or s ->> 'song_id' = p_song_id;
  return p_limits.call_limit_factor * (p_stats.base_sec + p_stats.per_song_sec * coalesce(v_seconds, 0));
end
$$;
comment on function mashup.measured_limit(mashup.stage_stats, public.mashup_jobs, text, mashup.claim_limits) is
  'Returns the seconds after which a call for a song, or for all songs, takes too long by the durations of its kind.';

create function mashup.silence_limit(p_kind mashup.task_kinds, p_job public.mashup_jobs, p_song_id text, p_limits mashup.claim_limits) returns real
  language plpgsql stable set search_path = ''
  as $$
declare
  v_stats mashup.stage_stats;
begin
  if p_kind.kind = 'plan' then
    -- The contract allows a planner that sends no events.
    return p_limits.plan_call_timeout_sec;
  -- A service that separates one song need not send events.
  elsif p_kind.reports_progress and p_kind.song_member is null then
    return p_limits.silence_sec;
  end if;
  select * into v_stats from mashup.stage_stats s where s.kind = p_kind.kind;
  if v_stats.samples < 5 then
    return p_kind.timeout_sec;
  end if;
  return least(p_kind.timeout_sec, greatest(p_limits.call_limit_min_sec, mashup.measured_limit(v_stats, p_job, p_song_id, p_limits)));
end
$$;
comment on function mashup.silence_limit(mashup.task_kinds, public.mashup_jobs, text, mashup.claim_limits) is
  'Returns the seconds after which a call counts as unanswered: without an event for kinds with one task for a job that report progress, else from the measured durations. Before five are measured: timeout_sec of the kind.';

revoke execute on all functions in schema mashup from public;
