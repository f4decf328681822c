-- A studio version belongs to a complete job that holds no slot. One that is being made has a task that is not finished; no other one has.
select format('job %s is %s with a studio version that is %s', j.id, j.stage, j.studio_version ->> 'state') from public.mashup_jobs j
  where j.studio_version is not null and (j.stage <> 'complete' or j.admitted_at is not null)
union all
select format('the studio version of job %s is %s with %s unfinished tasks', j.id, coalesce(j.studio_version ->> 'state', 'none'), t.n)
  from public.mashup_jobs j
  cross join lateral (select count(*) as n from mashup.tasks t
    where t.job_id = j.id and t.is_studio and t.state in ('waiting', 'ready', 'running')) t
  where mashup.is_studio_version_live(j) <> (t.n > 0)
union all
select format('job %s is without a result while its studio version is being made', j.id) from public.mashup_jobs j
  where mashup.is_studio_version_live(j) and j.result_path is null and j.expired_at is null
