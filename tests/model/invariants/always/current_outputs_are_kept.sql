-- Current plans exist. Current results and cached stems are not in the outbox of deletions.
select format('job %s points to plan %s', j.id, j.plan_version) from public.mashup_jobs j
where j.plan_version is not null
  and not exists (select from public.mashup_plans p where p.job_id = j.id and p.version = j.plan_version)
union all
select format('the result %s is to be deleted', j.result_path)
from public.mashup_jobs j join mashup.storage_deletions d
  on d.path = j.result_path or (d.is_prefix and starts_with(j.result_path, d.path))
union all
select format('the stem %s is to be deleted', f)
from mashup.stems s cross join lateral mashup.stem_files(s.paths) f
join mashup.storage_deletions d on d.path = f or (d.is_prefix and starts_with(f, d.path))
where exists (select from public.mashup_jobs j where j.user_id = s.user_id)
