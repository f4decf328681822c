-- Generated from schema/stages.ts by `npm run schema:build`. Do not edit.

create function mashup.record_task(p_job public.mashup_jobs, p_task mashup.tasks, p_result jsonb) returns public.mashup_jobs
  language plpgsql set search_path = ''
  as $$
begin
  case p_task.kind
    when 'analyze' then return mashup.record_analysis(p_job, p_task, p_result);
    when 'score' then return mashup.record_scores(p_job, p_task, p_result);
    when 'plan' then return mashup.record_plan(p_job, p_task, p_result);
    when 'separate' then return mashup.record_stems(p_job, p_task, p_result);
    when 'render' then return mashup.record_result(p_job, p_task, p_result);
    when 'render_stems' then return mashup.record_mashup_stems(p_job, p_task, p_result);
  end case;
end
$$;
comment on function mashup.record_task(public.mashup_jobs, mashup.tasks, jsonb) is
  'Stores the result of a finished task by the function of its kind. Returns the job with what the result changes of its row, not written yet: the columns of save_result. Lock: job and task rows held by the caller. Raises MB003, MB006.';

create function mashup.has_output(p_job public.mashup_jobs, p_stage text) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  case p_stage
    when 'analyzing' then return mashup.has_analyses(p_job);
    when 'scoring' then return mashup.has_scores(p_job);
    when 'planning' then return mashup.has_plan(p_job);
    when 'separating' then return mashup.has_stems(p_job);
    when 'rendering' then return mashup.has_result(p_job);
    else return true;
  end case;
end
$$;
comment on function mashup.has_output(public.mashup_jobs, text) is 'Returns whether a job has what a stage makes.';

revoke execute on all functions in schema mashup from public;
