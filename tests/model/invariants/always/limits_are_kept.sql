-- The limits of the system, of each user and of each service are kept.
select format('%s jobs run', count(*)) from public.mashup_jobs where admitted_at is not null
having count(*) > mashup.setting_number('max_running_jobs')
union all
select format('user %s runs %s jobs', user_id, count(*)) from public.mashup_jobs where admitted_at is not null
group by user_id having count(*) > mashup.setting_number('max_running_jobs_per_user')
union all
select format('%s tasks at %s', count(*), k.service)
from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
where (t.state in ('ready', 'running') and not t.fallback) or t.held_until > mashup.now()
group by k.service
having count(*) > (select (s.value ->> k.service)::integer from mashup.settings s where s.name = 'service_limits')
