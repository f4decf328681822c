-- Recipes: replay, retry, cancel, pause. Each takes effect when its transaction commits; workers are notified within a second.

-- Replay a job from a stage (its own or an earlier one; an ended job: any). Analyses and stems are kept.
--   update public.mashup_jobs set stage = 'planning' where id = '…';
-- The same, bypassing the caches:
--   select mashup.replay('…', 'analyzing', fresh => true);

-- Resume a failed or cancelled job where it stopped.
--   select mashup.retry('…');

-- Stop one.
--   update public.mashup_jobs set stage = 'cancelled' where id = '…';

-- In bulk: look first …
--   select id, stage, error_code, finished_at from mashup.select_jobs('failed', 'service_unavailable', now() - interval '6 hours');
-- … then act, a hundred jobs at a time by id; repeat until it returns no row.
--   select * from mashup.bulk('retry', 'failed', 'service_unavailable', now() - interval '6 hours');

-- Pause and resume: system, user, job, kind (of task) or service. Running tasks finish.
--   select mashup.pause('service', 'separation', 'new model', now() + interval '1 hour');
--   select mashup.resume('service', 'separation');
select scope, key, reason, until, actor from mashup.pauses;
