-- Jobs by filter, for operators: lists in pages, a preview, and operations on all of them. One function turns a filter into a
-- condition, so that a preview shows what an operation hits.

create function mashup.check_job_filter(p_filter jsonb) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
declare
  v_name text;
  v_value jsonb;
  v_text text;
  v_filter jsonb := '{}';
begin
  if jsonb_typeof(coalesce(p_filter, '{}')) <> 'object' then
    perform mashup.raise_error('MB006', 'A filter of jobs is an object.', 'Name the members to filter by.');
  end if;
  for v_name, v_value in select * from jsonb_each(coalesce(p_filter, '{}')) loop
    v_text := trim(p_filter ->> v_name);
    continue when coalesce(v_text, '') = '';
    begin
      case v_name
        when 'stage', 'stopped' then
          if not exists (select from mashup.stages s where s.stage = v_text) and (v_name = 'stopped' or v_text not in ('live', 'ended')) then
            perform mashup.raise_error('MB006', format('There is no stage "%s".', left(v_text, 60)), 'The stages are '
              || (select string_agg(s.stage, ', ' order by s.position) from mashup.stages s)
              || case v_name when 'stage' then '; live and ended stand for several.' else '.' end);
          end if;
        when 'service' then
          if not exists (select from mashup.service_health h where h.service = v_text) then
            perform mashup.raise_error('MB006', format('There is no service "%s".', left(v_text, 60)), 'The services are '
              || (select string_agg(h.service, ', ' order by h.service) from mashup.service_health h) || '.');
          end if;
        when 'user' then
          if position('@' in v_text) > 0 then
            select u.id::text into v_text from auth.users u where lower(u.email) = lower(trim(p_filter ->> 'user'));
            if v_text is null then
              perform mashup.raise_error('MB006', format('There is no account with the e-mail %s.', left(trim(p_filter ->> 'user'), 100)), 'Correct it, or use the id of the user.');
            end if;
          else
            v_text := v_text::uuid::text;
          end if;
        when 'hours' then
          v_text := v_text::double precision::text;
          if v_text::double precision <= 0 or v_text::double precision > 1000000 then
            raise invalid_parameter_value;
          end if;
        when 'since', 'until' then
          -- As JSON it is ISO 8601 with its offset, under any DateStyle.
          v_text := to_json(v_text::timestamptz) #>> '{}';
        when 'error', 'text' then
          v_text := left(v_text, 200);
        else
          perform mashup.raise_error('MB006', format('Jobs are not filtered by "%s".', left(v_name, 60)),
            'Filter by stage, stopped, error, user, service, text, hours, since or until.');
      end case;
    exception when invalid_text_representation or invalid_parameter_value or datetime_field_overflow or invalid_datetime_format or numeric_value_out_of_range then
      perform mashup.raise_error('MB006', format('The filter %s cannot be "%s".', v_name, left(v_text, 60)),
        case v_name when 'user' then 'Give the id of a user or an e-mail.' when 'hours' then 'Give a positive number of hours.'
          else 'Give a time such as 2026-11-30 12:00 UTC.' end);
    end;
    v_filter := v_filter || jsonb_build_object(v_name, v_text);
  end loop;
  return v_filter;
end
$$;
comment on function mashup.check_job_filter(jsonb) is
  'Returns a filter of jobs with its members as texts, without empty ones. Members, all optional, of which all must match: stage (a stage, live or ended), stopped (the stage in which the job failed or was cancelled), error (code), user (id or e-mail), service (that a task waits for or runs on, or that made the job fail), text (words of title, song names, artists and error, or the start of an id), hours (that the job has ended, or was created if it is live, in the last hours), since and until (the same by time). Raises MB006.';

create function mashup.words_condition(p_words tsquery, p_id_range text) returns text
  language plpgsql stable set search_path = ''
  -- As in find_jobs.
  set enable_seqscan = 'off'
  as $$
declare
  v_common constant integer := 2000;
  v_matches constant text := 'mashup.job_words(%1$s.title, %1$s.songs, %1$s.error_code, %1$s.error_message) @@ %2$L::pg_catalog.tsquery';
  v_found integer;
begin
  -- Materialized: planned for all of its rows, it looks the words up in their index; it stops when enough are found.
  with found as materialized (
    select 1 from public.mashup_jobs w
      where w.finished_at is not null and mashup.job_words(w.title, w.songs, w.error_code, w.error_message) @@ p_words)
  select count(*) into v_found from (select 1 from found limit v_common) f;
  -- Words of many jobs: a list by time finds them soon, and to join the ids of all takes seconds.
  if v_found >= v_common then
    return format('(%s%s)', format(v_matches, 'j', p_words), ' or j.id ' || p_id_range);
  end if;
  -- Offset 0: the words are looked up in their index, also where a list by time promises to find enough of them soon.
  return format('j.id in ((select w.id from public.mashup_jobs w where w.finished_at is not null and %1$s offset 0)
    union all (select w.id from public.mashup_jobs w where w.status = ''processing'' and %1$s offset 0)%2$s)', format(v_matches, 'w', p_words),
    ' union all (select w.id from public.mashup_jobs w where w.id ' || p_id_range || ')');
end
$$;
comment on function mashup.words_condition(tsquery, text) is
  'Returns the condition on the alias j of public.mashup_jobs that a job has words, or an id in a range (an SQL condition, may be null), in the form that is quick for as many jobs as have the words.';

create function mashup.job_condition(p_filter jsonb) returns text
  language plpgsql stable set search_path = ''
  as $$
declare
  v_filter jsonb := mashup.check_job_filter(p_filter);
  v_stage text := v_filter ->> 'stage';
  v_text text := v_filter ->> 'text';
  v_words text;
  v_id_range text;
  v_kinds text[];
  v_time text := 'coalesce(j.finished_at, j.created_at)';
begin
  if v_filter ? 'text' then
    -- Each word is the beginning of a word of the job.
    select string_agg(quote_literal(w.lexeme) || ':*', ' & ') into v_words
      from unnest(to_tsvector('simple', regexp_replace(v_text, '[^[:alnum:]]+', ' ', 'g'))) w;
    v_words := coalesce(v_words, '');
    if v_text ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F-]*)?$' and length(v_text) <= 36 then
      v_id_range := format('between %L and %L', v_text || right('00000000-0000-0000-0000-000000000000', 36 - length(v_text)),
        v_text || right('ffffffff-ffff-ffff-ffff-ffffffffffff', 36 - length(v_text)));
    end if;
    v_words := mashup.words_condition(v_words::pg_catalog.tsquery, v_id_range);
  end if;
  if v_filter ? 'service' then
    v_kinds := array(select k.kind from mashup.task_kinds k where v_filter ->> 'service' = any (mashup.services_of(k)));
  end if;
  return concat_ws(' and ', 'true',
    case v_stage when 'live' then 'j.status = ''processing''' when 'ended' then 'j.status <> ''processing''' end,
    -- Each terminal stage is a status, by which there is an index.
    (select case when s.is_terminal then format('j.status = %L', s.stage) else format('j.stage = %L and j.status = ''processing''', s.stage) end
      from mashup.stages s where s.stage = v_stage),
    case when v_filter ? 'error' then format('j.error_code = %L and j.stage = ''failed''', v_filter ->> 'error') end,
    case when v_filter ? 'stopped' then format('j.stopped_stage = %L', v_filter ->> 'stopped') end,
    case when v_filter ? 'user' then format('j.user_id = %L', v_filter ->> 'user') end,
    case when v_filter ? 'hours' then format('%s >= mashup.now() - make_interval(secs => %L::double precision * 3600)', v_time, v_filter ->> 'hours') end,
    case when v_filter ? 'since' then format('%s >= %L', v_time, v_filter ->> 'since') end,
    case when v_filter ? 'until' then format('%s <= %L', v_time, v_filter ->> 'until') end,
    case when v_kinds is not null then format('(j.status in (''processing'', ''failed'') and exists (select from mashup.tasks t where t.kind = any (%1$L::text[])
      and (t.id = j.failed_task or (t.job_id = j.id and t.epoch = j.epoch and j.status = ''processing'' and t.state in (''waiting'', ''ready'', ''running'')))))', v_kinds) end,
    v_words);
end
$$;
comment on function mashup.job_condition(jsonb) is
  'Returns a filter of jobs (see check_job_filter) as an SQL condition on the alias j of public.mashup_jobs, with its values quoted. Raises MB006.';

create function mashup.find_jobs(p_filter jsonb default '{}', p_limit integer default 50, p_before_time timestamptz default null, p_before_id uuid default null)
  returns setof public.mashup_jobs
  language plpgsql stable set search_path = ''
  -- To look at every job takes seconds where its words are looked at.
  set enable_seqscan = 'off'
  as $$
begin
  return query execute format('select j.* from public.mashup_jobs j where %s%s order by coalesce(j.finished_at, j.created_at) desc, j.id desc limit $3',
      mashup.job_condition(p_filter), case when p_before_time is not null then ' and (coalesce(j.finished_at, j.created_at), j.id) < ($1, $2)' else '' end)
    using p_before_time, coalesce(p_before_id, '00000000-0000-0000-0000-000000000000'), least(greatest(p_limit, 1), 500);
end
$$;
comment on function mashup.find_jobs(jsonb, integer, timestamptz, uuid) is
  'Returns up to p_limit (at most 500) jobs that match a filter (see check_job_filter), by the time of their end, or of their creation if they are live, the latest first. The next page begins before the time and the id of the last one. Raises MB006.';

create function mashup.preview_jobs(p_filter jsonb, p_first integer default 10) returns jsonb
  language plpgsql stable set search_path = ''
  -- To look at every job takes seconds where its words are looked at.
  set enable_seqscan = 'off'
  as $$
declare
  v_preview jsonb;
begin
  execute format($query$
    -- Counted once: all else follows from the groups. The jobs themselves do not fit into the memory of a session.
    with groups as materialized (
      select m.stage, m.user_id, count(*) as n from (
        -- The words of ended jobs are in an index.
        select j.stage, j.user_id from public.mashup_jobs j where j.finished_at is not null and %1$s
        union all
        select j.stage, j.user_id from public.mashup_jobs j where j.status = 'processing' and %1$s) m
      group by m.stage, m.user_id)
    select jsonb_build_object(
      'jobs', (select coalesce(sum(g.n), 0)::bigint from groups g),
      'users', (select count(distinct g.user_id) from groups g),
      'by_stage', (select coalesce(jsonb_agg(jsonb_build_object('stage', s.stage, 'jobs', s.n) order by s.n desc, s.stage), '[]')
        from (select g.stage, sum(g.n)::bigint as n from groups g group by g.stage) s),
      'by_user', (select coalesce(jsonb_agg(jsonb_build_object('user_id', s.user_id, 'email', (select u.email from auth.users u where u.id = s.user_id), 'jobs', s.n)
          order by s.n desc, s.user_id), '[]')
        from (select g.user_id, sum(g.n)::bigint as n from groups g group by g.user_id order by n desc, g.user_id limit $1) s))
    $query$, mashup.job_condition(p_filter)) into v_preview using least(greatest(p_first, 1), 100);
  return v_preview || jsonb_build_object('server_now', mashup.now(),
    'first', (select coalesce(jsonb_agg(mashup.describe_for_list(j)), '[]') from mashup.find_jobs(p_filter, p_first) j));
end
$$;
comment on function mashup.preview_jobs(jsonb, integer) is
  'Returns what a filter of jobs selects: {jobs, users: counts, by_stage, by_user: the p_first users with most jobs, first: the latest p_first jobs, server_now}. Raises MB006.';

create function mashup.describe_for_list(p_job public.mashup_jobs) returns jsonb
  language plpgsql stable set search_path = ''
  as $$
begin
  return jsonb_build_object('id', p_job.id, 'stage', p_job.stage, 'status', p_job.status, 'waiting_on', p_job.waiting_on, 'progress', p_job.progress,
    'current_step', p_job.current_step, 'title', p_job.title, 'songs', (select jsonb_agg(s ->> 'name') from jsonb_array_elements(p_job.songs) s),
    'user_id', p_job.user_id, 'email', (select u.email from auth.users u where u.id = p_job.user_id),
    'error_code', p_job.error_code, 'error_message', p_job.error_message, 'stopped_stage', p_job.stopped_stage,
    'epoch', p_job.epoch, 'created_at', p_job.created_at, 'finished_at', p_job.finished_at, 'at', coalesce(p_job.finished_at, p_job.created_at),
    'took_sec', extract(epoch from p_job.finished_at - p_job.queued_at), 'expired_at', p_job.expired_at, 'taken_down', p_job.takedown_reason is not null);
end
$$;
comment on function mashup.describe_for_list(public.mashup_jobs) is 'Returns a job as lists of operators show it, with the e-mail of its user.';

create function mashup.select_jobs(
  p_stage text default null, p_error_code text default null, p_since timestamptz default null, p_stopped_stage text default null,
  p_user_id uuid default null, p_limit integer default 100, p_after uuid default null, p_filter jsonb default '{}'
) returns setof public.mashup_jobs
  language plpgsql stable security definer set search_path = ''
  -- To look at every job takes seconds where its words are looked at.
  set enable_seqscan = 'off'
  as $$
begin
  return query execute format('select j.* from public.mashup_jobs j where %s%s order by j.id limit $2',
      mashup.job_condition(coalesce(p_filter, '{}') || jsonb_strip_nulls(jsonb_build_object('stage', p_stage, 'error', p_error_code, 'since', p_since,
        'stopped', p_stopped_stage, 'user', p_user_id))),
      case when p_after is not null then ' and j.id > $1' else '' end)
    using p_after, p_limit;
end
$$;
comment on function mashup.select_jobs(text, text, timestamptz, text, uuid, integer, uuid, jsonb) is
  'Returns up to p_limit jobs that match every given filter and come after p_after, by id: the order of bulk. p_filter: further ones, see check_job_filter. Raises MB006.';

create function mashup.bulk(
  p_operation text, p_stage text default null, p_error_code text default null, p_since timestamptz default null,
  p_stopped_stage text default null, p_user_id uuid default null, p_to_stage text default null,
  p_limit integer default 100, p_after uuid default null, p_filter jsonb default '{}'
) returns table (job_id uuid, outcome text, message text)
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_id uuid;
begin
  if p_operation not in ('replay', 'retry', 'cancel') then
    perform mashup.raise_error('MB006', format('There is no bulk operation "%s".', p_operation), 'Use replay, retry or cancel.');
  end if;
  for v_id in select s.id from mashup.select_jobs(p_stage, p_error_code, p_since, p_stopped_stage, p_user_id, p_limit, p_after, p_filter) s loop
    begin
      if p_operation = 'replay' then
        perform mashup.replay(v_id, p_to_stage);
      elsif p_operation = 'retry' then
        perform mashup.retry(v_id);
      else
        perform mashup.cancel(v_id);
      end if;
      job_id := v_id; outcome := 'done'; message := null;
    exception when others then
      job_id := v_id; outcome := 'refused'; message := sqlerrm;
    end;
    return next;
  end loop;
end
$$;
comment on function mashup.bulk(text, text, text, timestamptz, text, uuid, text, integer, uuid, jsonb) is
  'Applies an operation (replay from p_to_stage, retry or cancel) to the jobs that select_jobs returns. Returns the outcome of each, done or refused with its error; a refusal does not stop the others. Repeat until it returns no row. Lock order: jobs by id. Raises MB006.';

revoke execute on all functions in schema mashup from public;
