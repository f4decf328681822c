-- Rows and files are compared, for `mashup doctor --repair`: after a restore of the database without files, or of files without
-- the database, one of them names what the other does not have.

create function mashup.referenced_files() returns table (owner text, id text, path text)
  language sql stable set search_path = ''
  as $$
  select 'stems', s.id::text, f from mashup.stems s cross join lateral mashup.stem_files(s.paths) f
  union all
  select 'result', j.id::text, j.result_path from public.mashup_jobs j
    where j.stage = 'complete' and j.result_path is not null and j.expired_at is null
  union all
  select 'mashup_stems', r.job_id || ' ' || r.epoch, f from public.mashup_results r cross join lateral mashup.mashup_stem_files(r.stems) f
    where r.stems ->> 'state' = 'ready'
$$;
comment on function mashup.referenced_files() is
  'Returns the files that rows point to: the stems of the cache (owner stems, id of the row), the current results of complete jobs (owner result, id of the job), and the stems of mashups (owner mashup_stems, job and epoch).';

create function mashup.missing_files() returns setof text
  language sql stable set search_path = ''
  as $$
  select f.path from mashup.referenced_files() f
  where not exists (select from storage.objects o where o.bucket_id = 'mashups' and o.name = f.path)
$$;
comment on function mashup.missing_files() is 'Returns the referenced files that Storage has no row of. A row of Storage does not prove that there is a file.';

create function mashup.unreferenced_files() returns setof text
  language sql stable set search_path = ''
  as $$
  select o.name from storage.objects o
  where o.bucket_id = 'mashups' and (o.name like 'stems/%' or o.name like 'generated/%')
    -- A claim may be writing it, or has written it a moment ago.
    and coalesce(o.updated_at, o.created_at) < mashup.now() - mashup.setting_interval('discard_after_sec')
    and not exists (select from mashup.tasks t where t.state = 'running' and starts_with(o.name, t.output_prefix))
    and not exists (select from mashup.referenced_files() f where f.path = o.name)
    and not exists (select from public.mashup_results r where r.path = o.name)
    and not exists (select from mashup.storage_deletions d where d.path = o.name or (d.is_prefix and starts_with(o.name, d.path)))
$$;
comment on function mashup.unreferenced_files() is
  'Returns the stems and results in Storage that no row points to, that no task is writing, and that are not in the outbox.';

create function mashup.repair_files(p_missing text[], p_apply boolean) returns table (what text, found bigint)
  language plpgsql set search_path = ''
  as $$
declare
  v_stems bigint[] := array(select distinct f.id::bigint from mashup.referenced_files() f where f.owner = 'stems' and f.path = any (p_missing));
  v_jobs uuid[] := array(select f.id::uuid from mashup.referenced_files() f where f.owner = 'result' and f.path = any (p_missing));
  v_with_stems uuid[] := array(select split_part(f.id, ' ', 1)::uuid from mashup.referenced_files() f where f.owner = 'mashup_stems' and f.path = any (p_missing));
  v_orphans text[] := array(select mashup.unreferenced_files());
  v_id uuid;
  v_job public.mashup_jobs;
begin
  if p_apply then
    foreach v_id in array v_jobs loop
      update public.mashup_jobs j set expired_at = mashup.now(), result_path = null
        where j.id = v_id and j.stage = 'complete' and j.result_path = any (p_missing) returning * into v_job;
      if found then
        perform mashup.log_event(v_job, 'expired', 'The file is missing from Storage');
      end if;
    end loop;
    perform from public.mashup_jobs j where j.id = any (v_with_stems) order by j.id for no key update;
    perform mashup.delete_mashup_stems(r) from public.mashup_results r
      where r.job_id = any (v_with_stems) and r.stems ->> 'state' = 'ready'
        and exists (select from mashup.mashup_stem_files(r.stems) f where f = any (p_missing));
    delete from mashup.stems s where s.id = any (v_stems) and exists (select from mashup.stem_files(s.paths) f where f = any (p_missing));
    insert into mashup.storage_deletions (path) select unnest(v_orphans);
  end if;
  return query values ('stems_without_files', cardinality(v_stems)::bigint), ('results_without_files', cardinality(v_jobs)::bigint),
    ('files_without_rows', cardinality(v_orphans)::bigint);
end
$$;
comment on function mashup.repair_files(text[], boolean) is
  'Returns how many rows point to the files p_missing and how many files no row points to. With p_apply, drops those rows of the cache of stems, notes expired_at on those jobs, forgets those stems of mashups, and puts those files into the outbox. Lock order: jobs, stems.';

revoke execute on all functions in schema mashup from public;
