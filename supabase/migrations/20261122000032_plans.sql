-- How the statements of the path of a job are planned: once a session, and by index.
--
-- Each of these functions runs dozens of statements that find a few rows by their key. Planning one takes longer than running
-- it, so a session keeps its plan; and a plan that was made while a table was small must still be right when it is full, so
-- reading a whole table is not offered. Nor are bitmaps: they do not mark the entries of dead rows, of which the indexes on
-- states have many, so that each look would pass them all again. (Just-in-time compilation would take the price of what is
-- not offered for the price of the statement.)
do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array[
    'mashup.check_transition()', 'mashup.after_transition()', 'mashup.schedule_all()', 'mashup.sweep()',
    'mashup.claim_task(bigint, integer, uuid)', 'mashup.heartbeat_task(bigint, uuid, real, text)',
    'mashup.finish_task(bigint, uuid, jsonb)', 'mashup.fail_task(bigint, uuid, text, text, text, text, real)']::regprocedure[]
  loop
    execute format('alter function %s set plan_cache_mode = %L', v_function, 'force_generic_plan');
    execute format('alter function %s set enable_seqscan = %L', v_function, 'off');
    execute format('alter function %s set enable_bitmapscan = %L', v_function, 'off');
    execute format('alter function %s set jit = %L', v_function, 'off');
  end loop;
end
$$;
