-- Expected completion, and the measured durations that it comes from.

create function mashup.estimate_completion(p_job public.mashup_jobs) returns timestamptz
  language plpgsql stable set search_path = ''
  as $$
declare
  v_songs jsonb[] := array(select s from jsonb_array_elements(p_job.songs) s where s ->> 'state' is distinct from 'excluded');
  v_song jsonb;
  v_kind record;
  v_sec real;
  v_longest real;
  v_total real;
  v_seconds real;
  v_sum double precision := 0;
begin
  -- By loops: as one statement it takes twice as long, and it runs ten times in a job.
  for v_kind in
    select k.song_member, st.base_sec, st.per_song_sec, st.mean_sec
    from mashup.stages s join mashup.task_kinds k on k.stage = s.stage join mashup.stage_stats st on st.kind = k.kind
    where s.position >= (select h.position from mashup.stages h where h.stage = p_job.stage)
      -- A draft is estimated up to the stage before which it waits.
      and (p_job.hold is null or s.position < (select h.position from mashup.stages h where h.stage = p_job.hold))
  loop
    v_longest := 0; v_total := 0; v_seconds := 0;
    foreach v_song in array v_songs loop
      continue when v_kind.song_member is not null and v_song ->> v_kind.song_member is not null;
      v_sec := case when v_song ->> 'duration_sec' is null then v_kind.mean_sec
        else v_kind.base_sec + v_kind.per_song_sec * (v_song ->> 'duration_sec')::real end;
      v_longest := greatest(v_longest, v_sec);
      v_total := v_total + v_sec;
      v_seconds := v_seconds + coalesce((v_song ->> 'duration_sec')::real, 180);
    end loop;
    -- Songs are analysed and separated in parallel. Songs of unknown length count with the mean.
    v_sum := v_sum + case when v_kind.song_member is not null then v_longest * 0.6 + v_total * 0.4
      when v_kind.per_song_sec > 0 then v_kind.base_sec + v_kind.per_song_sec * v_seconds
      else v_kind.mean_sec end;
  end loop;
  return mashup.now() + make_interval(secs => v_sum);
end
$$;
comment on function mashup.estimate_completion(public.mashup_jobs) is 'Returns the expected end of a job that holds a slot, from mashup.stage_stats.';

create function mashup.record_duration(p_kind text, p_seconds real, p_song_seconds real) returns void
  language plpgsql set search_path = ''
  as $$
begin
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
comment on function mashup.record_duration(text, real, real) is
  'Corrects mashup.stage_stats by one sample of p_seconds for songs of p_song_seconds, exponentially weighted. Skips a locked row: one sample less.';

create function mashup.silence_limit(p_kind mashup.task_kinds, p_job public.mashup_jobs, p_song_id text) returns real
  language plpgsql stable set search_path = ''
  as $$
declare
  v_stats mashup.stage_stats;
  v_seconds real;
begin
  if p_kind.kind = 'plan' then
    -- The contract allows a planner that sends no events.
    return mashup.setting_number('plan_call_timeout_sec');
  elsif p_kind.reports_progress then
    return mashup.setting_number('silence_sec');
  end if;
  select * into v_stats from mashup.stage_stats s where s.kind = p_kind.kind;
  if v_stats.samples < 5 then
    return p_kind.timeout_sec;
  end if;
  select sum(coalesce((s ->> 'duration_sec')::real, mashup.setting_number('song_max_sec'))) into v_seconds
    from mashup.active_songs(p_job.songs) s where p_song_id is null or s ->> 'song_id' = p_song_id;
  return least(p_kind.timeout_sec, greatest(mashup.setting_number('call_limit_min_sec'),
    mashup.setting_number('call_limit_factor') * (v_stats.base_sec + v_stats.per_song_sec * coalesce(v_seconds, 0))));
end
$$;
comment on function mashup.silence_limit(mashup.task_kinds, public.mashup_jobs, text) is
  'Returns the seconds after which a call counts as unanswered: without an event for kinds that report progress, else in all, from the measured durations. Before five are measured: timeout_sec of the kind.';

revoke execute on all functions in schema mashup from public;
