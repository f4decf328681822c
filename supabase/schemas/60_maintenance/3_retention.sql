-- Retention: expired rows are deleted in small batches, the oldest first; locked rows are skipped. Their files go into the outbox.

create function mashup.cancel_expired_drafts(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_id uuid;
  v_count integer := 0;
begin
  for v_id in
    select j.id from mashup.draft_jobs j
    where j.waiting_on = 'user'
      and j.stage_entered_at < mashup.now() - make_interval(hours => mashup.setting_number('draft_expires_hours')::integer)
    order by j.stage_entered_at limit p_batch for no key update skip locked
  loop
    update public.mashup_jobs set stage = 'cancelled' where id = v_id;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function mashup.cancel_expired_drafts(integer) is 'Cancels drafts that were not started for draft_expires_hours. Returns how many, at most p_batch.';

create function mashup.expire_results(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_count integer := 0;
begin
  for v_job in
    select * from public.mashup_jobs j
    where j.stage = 'complete' and j.expired_at is null and j.result_path is not null and not mashup.is_studio_version_live(j)
      and j.finished_at < mashup.now() - make_interval(days => mashup.setting_number('result_expires_days')::integer)
    order by j.finished_at limit p_batch for no key update skip locked
  loop
    insert into mashup.storage_deletions (path) select r.path from public.mashup_results r where r.job_id = v_job.id;
    perform mashup.delete_mashup_stems(r) from public.mashup_results r where r.job_id = v_job.id and r.stems is not null;
    update public.mashup_jobs set expired_at = mashup.now(), result_path = null where id = v_job.id returning * into v_job;
    perform mashup.log_event(v_job, 'expired', 'The file has expired');
    perform mashup.enqueue_event(v_job, 'job.expired');
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function mashup.expire_results(integer) is 'Deletes the files of results after result_expires_days. Returns how many, at most p_batch.';

create function mashup.purge_own_stems(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_count integer;
begin
  -- A submission inserts them before its job.
  delete from mashup.own_stems o where o.id in (
    select d.id from mashup.own_stems d
    where d.created_at < mashup.now() - interval '1 day'
      and not exists (
        select from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.user_id = d.user_id and (s ->> 'own_stems_id')::bigint = d.id)
    order by d.created_at limit p_batch for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function mashup.purge_own_stems(integer) is
  'Deletes own stems that no job has. Their files are uploads, which stay until their user deletes them. Returns how many, at most p_batch.';

create function mashup.expire_mashup_stems(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_result public.mashup_results;
  v_count integer := 0;
begin
  for v_result in
    select r.* from public.mashup_results r
    where r.stems ->> 'state' = 'ready'
      and (r.stems ->> 'made_at')::timestamptz < mashup.now() - make_interval(secs => mashup.setting_number('mashup_stems_kept_days') * 86400)
    order by (r.stems ->> 'made_at')::timestamptz limit p_batch
  loop
    -- As everywhere, the job is locked first, and never waited for.
    perform from public.mashup_jobs j where j.id = v_result.job_id for no key update skip locked;
    continue when not found;
    perform mashup.delete_mashup_stems(r) from public.mashup_results r where r.job_id = v_result.job_id and r.epoch = v_result.epoch;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function mashup.expire_mashup_stems(integer) is 'Deletes stems of mashups after mashup_stems_kept_days. Returns of how many, at most p_batch. Lock: job rows, skips locked ones.';

create function mashup.purge_expired() returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_batch integer := mashup.setting_number('retention_batch')::integer;
  v_count integer := 0;
  v_rows integer;
begin
  v_count := mashup.cancel_expired_drafts(v_batch) + mashup.expire_results(v_batch) + mashup.expire_mashup_stems(v_batch)
    + mashup.purge_outgoing_events(v_batch) + mashup.purge_own_stems(v_batch)
    + mashup.purge_share_counts(5000)
    -- Lines are many and small.
    + mashup.purge_task_logs(50 * v_batch);

  delete from public.mashup_jobs j where j.id in (
    select d.id from public.mashup_jobs d
    where d.finished_at < mashup.now() - make_interval(days => mashup.setting_number('job_retention_days')::integer)
    order by d.finished_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;

  delete from mashup.stems s where s.id in (
    select d.id from mashup.stems d
    where d.used_at < mashup.now() - make_interval(days => mashup.setting_number('stems_retention_days')::integer)
      and not exists (
        select from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.user_id = d.user_id and j.status = 'processing' and (s ->> 'stems_id')::bigint = d.id)
    order by d.used_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  v_count := v_count + v_rows;

  delete from mashup.analyses a where a.id in (
    select d.id from mashup.analyses d
    where d.used_at < mashup.now() - make_interval(days => mashup.setting_number('analysis_retention_days')::integer)
    order by d.used_at limit v_batch for update skip locked);
  get diagnostics v_rows = row_count;
  return v_count + v_rows;
end
$$;
comment on function mashup.purge_expired() is
  'One run of retention over drafts, results, stems of mashups, events, log lines, jobs, stems and analyses, at most retention_batch rows of each, 50 times as many lines. Stems of live jobs stay. Returns how many rows it ended or deleted.';

revoke execute on all functions in schema mashup from public;
