-- Recipes: replay, retry, cancel, pause. Each takes effect when its transaction commits; workers hear of it within a second.

-- Again from a stage (same or earlier; from a job that has ended: any). Analyses and stems are kept.
--   update mashup_jobs set stage = 'planning' where id = '…';
-- The same, with caches bypassed:
--   select mashup.replay('…', 'analyzing', fresh => true);

-- Resume a failed or cancelled job where it stopped.
--   select mashup.retry('…');

-- Stop one.
--   update mashup_jobs set stage = 'cancelled' where id = '…';

-- In bulk: look first …
--   select id, stage, error_code, finished_at from mashup.select_jobs('failed', 'service_unavailable', now() - interval '6 hours');
-- … then act, a hundred at a time in id order; repeat until it answers no row.
--   select * from mashup.bulk('retry', 'failed', 'service_unavailable', now() - interval '6 hours');

-- Pause and resume: system, user, job, kind (of task) or service. Running work finishes.
--   select mashup.pause('service', 'separation', 'new model', now() + interval '1 hour');
--   select mashup.resume('service', 'separation');
select scope, key, reason, until, actor from mashup.pauses;
