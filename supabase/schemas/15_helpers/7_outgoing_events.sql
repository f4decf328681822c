-- Events for other programs, written in the transaction in which a job ends or its file expires.

create function mashup.enqueue_event(p_job public.mashup_jobs, p_type text) returns void
  language plpgsql set search_path = ''
  as $$
begin
  insert into mashup.outgoing_events (job_id, type, payload)
    values (p_job.id, p_type, jsonb_build_object('type', p_type, 'timestamp', mashup.now(), 'data', jsonb_build_object(
      'job_id', p_job.id, 'user_id', p_job.user_id, 'epoch', p_job.epoch, 'version', p_job.version, 'stage', p_job.stage, 'title', p_job.title,
      'result_path', p_job.result_path, 'result', p_job.result, 'error_code', p_job.error_code, 'error_message', p_job.error_message,
      'error_hint', p_job.error_hint)));
end
$$;
comment on function mashup.enqueue_event(public.mashup_jobs, text) is 'Puts an event of a job into the outbox of events.';

create function mashup.find_failing_hook(p_context text) returns text
  language sql stable set search_path = ''
  as $$
  select format('The trigger %s on %s (function %s) failed', t.tgname, t.tgrelid::regclass, p.oid::regprocedure)
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_proc p on p.oid = t.tgfoid
  where not t.tgisinternal and p.pronamespace <> 'mashup'::regnamespace
    and (c.relnamespace = 'mashup'::regnamespace or (c.relnamespace = 'public'::regnamespace and c.relname like 'mashup\_%'))
    -- A function is named with its schema unless it was compiled with the schema in search_path.
    and (strpos(p_context, 'function ' || p.oid::regprocedure || ' line') > 0 or strpos(p_context, 'function ' || p.proname || '() line') > 0)
  order by t.tgname limit 1
$$;
comment on function mashup.find_failing_hook(text) is
  'Returns which trigger of an integrator, on a table of the engine, is in the context of an error; null if none is.';

create function mashup.hook_hint() returns text
  language sql immutable set search_path = ''
  as $$ select 'Functions of the engine run with an empty search_path: in the trigger function, write every table with its schema, or declare `set search_path`. Then retry the job. See docs/how-to/hooks.md.' $$;
comment on function mashup.hook_hint() is 'Returns what to do about a trigger of an integrator that fails.';

revoke execute on all functions in schema mashup from public;
